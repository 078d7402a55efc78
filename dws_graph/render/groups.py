"""Many nodes drawn as one: all 300 runs of `score`, all versions of a resource.

A picture goes in, a smaller one comes out, so that every format can draw it. An arrow that leads
back to a group says that later ones of it were made from earlier ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace

from dws_graph.render.details import CHANGED, STALE, Fact
from dws_graph.render.look import CHANGES, OF_SOME, Grouping, Shape, State, Stroke
from dws_graph.render.picture import Picture, PictureEdge, PictureNode, sized
from dws_graph.render.text import value_text

FEW = 4  # distinct values that are listed
COUNTED: Mapping[Shape, str] = {"step": "step", "snapshot": "snapshot"}
MOST = 8  # reasons that are listed
VERSION = "version"
TIMES = "\N{MULTIPLICATION SIGN}"
SHARED: tuple[State, ...] = ("not_kept", "pending")  # said when it is true of all


def grouped(picture: Picture, by: Grouping) -> Picture:
    """The picture with one node for each family; what was asked for stays on its own.

    Args:
        picture: Of nodes.
        by: `steps` puts together steps of one name and versions of one resource; `resources`
            versions of one resource and the steps that write it.
    """
    if by == "none":
        return picture
    family = _families(picture, by)
    members: dict[Hashable, list[PictureNode]] = defaultdict(list)
    for node in picture.nodes:
        members[family[node.key]].append(node)
    drawn = [
        several[0] if len(several) == 1 else _group(f"{by}-{i}", several)
        for i, several in enumerate(members.values())
    ]
    now = {
        node.key: one.key
        for one, several in zip(drawn, members.values(), strict=True)
        for node in several
    }
    strokes: dict[tuple[str, str], dict[Stroke, None]] = defaultdict(dict)
    for e in picture.edges:
        if now[e.source] != now[e.target]:
            strokes[now[e.source], now[e.target]][e.stroke] = None
    return Picture(
        nodes=tuple(drawn),
        edges=tuple(PictureEdge(*ends, s) for ends, found in strokes.items() for s in _of(found)),
        complete=picture.complete,
    )


def _of(found: Collection[Stroke]) -> list[Stroke]:
    """The strokes of all edges between two groups: new or gone only where all of them are."""
    unchanged = [stroke for stroke in found if stroke not in CHANGES]
    changed = [stroke for stroke in found if stroke in CHANGES]
    return unchanged or (changed if len(changed) == 1 else ["flow"])


def _families(picture: Picture, by: Grouping) -> dict[str, Hashable]:
    """What each node is grouped by; the root by nothing."""
    nodes = {n.key: n for n in picture.nodes}
    writes = [(nodes[e.source], nodes[e.target]) for e in picture.edges]
    writes = [(a, b) for a, b in writes if a.role == "step" and "root" not in b.states]
    own: dict[str, Hashable] = {
        n.key: n.key if "root" in n.states else (COUNTED.get(n.role, n.role), n.family)
        for n in picture.nodes
    }
    if by == "resources":
        of_data = {n.key: ("data", n.family) for n in picture.nodes if n.role not in COUNTED}
        own |= {key: family for key, family in of_data.items() if "root" not in nodes[key].states}
        return own | {a.key: own[b.key] for a, b in reversed(writes)}
    return own | {b.key: (own[b.key], a.family) for a, b in writes}


def _group(key: str, several: Sequence[PictureNode]) -> PictureNode:
    """One node for several."""
    data = [n for n in several if n.role not in COUNTED] or list(several)
    first = data[0]
    name = f"{first.family} {TIMES}{len(data)}" if len(data) > 1 else first.family
    ordered = sorted(several, key=lambda n: n.role in COUNTED)
    kinds = Counter(COUNTED.get(n.role, VERSION) for n in ordered)
    some = Counter(s for n in several for s in n.states if s in OF_SOME)
    alike = [s for s in SHARED if all(s in n.states for n in several)]
    said = [f"{some[s]} {s}" for s in OF_SOME if s in some and s != "current"]
    counted = [f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in kinds.items()]
    shape: Shape = "between" if all(n.shape == "between" for n in several) else first.role
    return sized(
        replace(
            first,
            key=key,
            shape=shape,
            name=name,
            label=name,
            second=", ".join(said or counted),
            states=("several", *(s for s in OF_SOME if s in some), *alike),
            details=(
                *(Fact(f"{kind}s", str(count)) for kind, count in kinds.items()),
                *(Fact(s, str(some[s])) for s in OF_SOME if s in some),
                *_told(STALE, several),
                *_told(CHANGED, several),
                *_spread(several),
            ),
            members=tuple(n.key for n in several),
        )
    )


def _told(name: str, several: Sequence[PictureNode]) -> list[Fact]:
    """What the members say under this name, each once, as far as a panel has room for it."""
    said = (f for n in several for f in n.details)
    found = dict.fromkeys(f.value for f in said if f.name == name and not f.group)
    values = list(found)
    if len(values) > MOST:
        values[MOST - 1 :] = [f"and {len(values) - MOST + 1} more"]
    return [Fact(name, value) for value in values]


def _spread(several: Sequence[PictureNode]) -> list[Fact]:
    """Of each parameter and metric, the values that occur: all of a few, else the range."""
    values: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for node in several:
        for fact in node.details:
            if fact.group in ("parameters", "metrics"):
                values[fact.group, fact.name][fact.value] = None
    return [Fact(name, _values(list(found)), group) for (group, name), found in values.items()]


def _values(found: list[str]) -> str:
    if len(found) <= FEW:
        return value_text(", ".join(found))
    try:
        inorder = sorted(found, key=float)
    except ValueError:
        return f"{len(found)} values"
    return f"{inorder[0]} … {inorder[-1]} ({len(found)} values)"
