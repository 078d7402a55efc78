"""Columns for a connected graph's nodes, so that its arrows are as short together as they can be.

This is the network simplex. A tree of tight arrows (those that lead to the very next column) spans
the graph. To cut one of its arrows leaves two halves; how much shorter all arrows become when a
half moves one column is the sum of its nodes' arrows in less arrows out, so no path is walked.
While a half gains by moving away from the other, it moves until another arrow is tight, which
takes the place of the cut one. The work is counted in arrows looked at: a tangle ends early.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

Arrow = tuple[int, int]
Tree = list[set[int]]  # per vertex, its neighbours by tight arrows

WORK = 4_000_000  # a quarter of a second


def shortest_ranks(count: int, arrows: Sequence[Arrow]) -> list[int]:
    """A rank per node, from 0 on: every arrow leads to a higher one, and all are short together.

    Args:
        count: Of the nodes, 0 to count-1.
        arrows: Acyclic, distinct, and connecting all nodes (else only node 0's part is short).
    """
    rank = _longest_paths(count, arrows)
    if not arrows:
        return rank
    tree = _tight_tree(rank, arrows)
    gain = [0] * count  # of moving a node one column to the left
    for a, b in arrows:
        gain[a] -= 1
        gain[b] += 1
    work = WORK
    while work > 0 and _improved(rank, arrows, tree, gain):
        work -= count + len(arrows)
    least = min(rank)
    return [at - least for at in rank]


def _topological(count: int, arrows: Sequence[Arrow]) -> list[int]:
    """The nodes, each after those that acyclic arrows lead to it from."""
    after, waits = _after(count, arrows), [0] * count
    for _, b in arrows:
        waits[b] += 1
    order = [v for v in range(count) if not waits[v]]
    for v in order:
        for w in after[v]:
            waits[w] -= 1
            if not waits[w]:
                order.append(w)
    return order


def _after(count: int, arrows: Sequence[Arrow]) -> list[list[int]]:
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in arrows:
        after[a].append(b)
    return after


def _longest_paths(count: int, arrows: Sequence[Arrow]) -> list[int]:
    """Per node, the length of the longest path to it."""
    after, rank = _after(count, arrows), [0] * count
    for v in _topological(count, arrows):
        for w in after[v]:
            rank[w] = max(rank[w], rank[v] + 1)
    return rank


def _tight_tree(rank: list[int], arrows: Sequence[Arrow]) -> Tree:
    """A spanning tree of tight arrows; moves nodes so that there is one.

    The tree grows from node 0 by the arrow that is nearest to being tight, and moves as a whole by
    what that arrow lacks. `moved` is how far it has moved: ranks of its nodes are without it.
    """
    touching: list[list[Arrow]] = [[] for _ in rank]
    for arrow in arrows:
        touching[arrow[0]].append(arrow)
        touching[arrow[1]].append(arrow)
    tree: Tree = [set() for _ in rank]
    inside = [False] * len(rank)
    leaving: list[tuple[int, Arrow]] = []  # what each lacks, were the tree where it began
    entering: list[tuple[int, Arrow]] = []
    moved, joining = 0, 0
    while True:
        inside[joining] = True
        rank[joining] -= moved
        for a, b in touching[joining]:
            if a == joining and not inside[b]:
                heappush(leaving, (rank[b] - rank[a] - 1, (a, b)))
            elif b == joining and not inside[a]:
                heappush(entering, (rank[b] - rank[a] - 1, (a, b)))
        while leaving and inside[leaving[0][1][1]]:
            heappop(leaving)
        while entering and inside[entering[0][1][0]]:
            heappop(entering)
        if not leaving and not entering:
            break
        if not entering or (leaving and leaving[0][0] - moved <= entering[0][0] + moved):
            lack, (a, b) = heappop(leaving)
            moved, joining = lack, b
        else:
            lack, (a, b) = heappop(entering)
            moved, joining = -lack, a
        tree[a].add(b)
        tree[b].add(a)
    for v in range(len(rank)):
        rank[v] += moved
    return tree


def _improved(rank: list[int], arrows: Sequence[Arrow], tree: Tree, gain: list[int]) -> bool:
    """Move the half that gains most; False when none gains."""
    order, parent = [0], [-1] * len(rank)
    for v in order:
        for w in tree[v]:
            if w != parent[v]:
                parent[w] = v
                order.append(w)
    total = gain[:]
    best, cut = 0, 0
    for v in reversed(order[1:]):
        total[parent[v]] += total[v]
        gained = -total[v] if rank[v] > rank[parent[v]] else total[v]
        if gained > best:
            best, cut = gained, v
    if not best:
        return False
    rightward = rank[cut] > rank[parent[cut]]
    half = {cut}
    for v in order[order.index(cut) + 1 :]:
        if parent[v] in half:
            half.add(v)
    reaching = (
        (rank[b] - rank[a] - 1, (a, b))
        for a, b in arrows
        if (a in half) is rightward and (b in half) is not rightward
    )
    lack, (a, b) = min(reaching)
    for v in half:
        rank[v] += lack if rightward else -lack
    tree[cut].discard(parent[cut])
    tree[parent[cut]].discard(cut)
    tree[a].add(b)
    tree[b].add(a)
    return True
