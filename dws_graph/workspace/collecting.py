"""Dropping kept content that nothing names: plan, ask, take the names away, then the content.

Source: docs/formats.md, "Kept content".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from dws_graph.backends.faults import fault
from dws_graph.backends.kept.store import Held, Store, TreeName
from dws_graph.errors import UserAbort
from dws_graph.model.units import size_text
from dws_graph.resources.keeping import read_state
from dws_graph.resources.kept_files import FOLDER, own_store, shared_store
from dws_graph.workspace.named_content import Named, named_content
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.taking import always

GRACE = 14 * 86400.0  # seconds


@dataclass(frozen=True, slots=True)
class Garbage:
    """What can be dropped from one store.

    Attributes:
        where: The store.
        names: States that nothing needs any more.
        contents: {sha1: size in bytes} of what no other state names.
        younger: How many contents more nothing names, which are younger than the grace period.
        leftovers: Bytes of what interrupted writes left.
    """

    where: str
    names: frozenset[TreeName]
    contents: dict[str, int]
    younger: int
    leftovers: int

    @property
    def size(self) -> int:
        """Bytes that are freed."""
        return sum(self.contents.values()) + self.leftovers

    def describe(self, verb: str) -> str:
        """In a line."""
        files = len(self.contents)
        line = f"{self.where}: {verb} {files} file{'' if files == 1 else 's'}"
        line += f" of {len(self.names)} state{'' if len(self.names) == 1 else 's'}"
        line += f", {size_text(self.size)}"
        if self.younger:
            line += f" ({self.younger} more are younger than the grace period)"
        return line


def collect(
    ws: OpenWorkspace,
    *,
    grace: float = GRACE,
    dry_run: bool = False,
    confirm: Callable[[str], bool] = always,
) -> list[Garbage]:
    """Drop content that no snapshot, nothing that can be undone and nothing young names.

    Args:
        ws: The workspace.
        grace: How many seconds a name, or content that nobody names, is left alone.
        dry_run: Change nothing.
        confirm: Asked, with the plan, before anything changes.

    Returns:
        For each store, what was dropped (or would be).

    Raises:
        StoreError: A store cannot be used; of that one nothing more was dropped.
        JsonValueError: What a store says of a state is damaged: nothing was dropped.
        UserAbort: The answer was no; nothing was dropped.
    """
    with ws.locked():
        ws.catch_up()
        named, before = named_content(ws), time.time() - grace
        stores = _stores(ws)
        plans = [_plan(ws, store, own, named, before) for store, own in stores]
        if dry_run or not any(plan.names or plan.size for plan in plans):
            return plans
        if not confirm("\n".join(plan.describe("drop") for plan in plans)):
            raise UserAbort("nothing was dropped")
        return [
            _drop(ws, store, own, named, before, plan)
            for (store, own), plan in zip(stores, plans, strict=True)
        ]


def _stores(ws: OpenWorkspace) -> list[tuple[Store, bool]]:
    """The stores that the workspace uses, and whether one is its own."""
    urls = {p.get("store") for p in ws.resource_params if p.get("keep")} - {None}
    found: list[tuple[Store, bool]] = []
    if (ws.root / FOLDER).is_dir():
        found.append((own_store(ws), True))
    return [*found, *((shared_store(ws, str(url)), False) for url in sorted(map(str, urls)))]


def _plan(ws: OpenWorkspace, store: Store, own: bool, named: Named, before: float) -> Garbage:
    """What can go; the rest of what the store names is read to know what it needs."""
    trees = list(store.trees())
    names = {name for name, held in trees if _may_go(ws, name, held, own, named, before)}
    needed: set[str] = set()
    for name, _ in trees:
        if name not in names and (state := read_state(store, name)) is not None:
            needed |= state.sizes().keys()
    contents: dict[str, int] = {}
    younger = 0
    for sha1, held in store.objects():
        if sha1 in needed:
            continue
        if held.time < before:
            contents[sha1] = held.size
        else:
            younger += 1
    return Garbage(
        store.where, frozenset(names), contents, younger, store.sweep(before, dry_run=True)
    )


def _may_go(
    ws: OpenWorkspace, name: TreeName, held: Held, own: bool, named: Named, before: float
) -> bool:
    """Whether a state's name can go: what another copy has not told of yet is left alone."""
    if held.time >= before or name.workspace != ws.id or name.root in named.needed:
        return False
    return own or name.instance == ws.instance or name.root in named.known


def _drop(
    ws: OpenWorkspace, store: Store, own: bool, named: Named, before: float, plan: Garbage
) -> Garbage:
    """Carry out a plan, as far as it still holds: another copy may have named something since."""
    with store.clearing() as beat:
        now = _plan(ws, store, own, named, before)
        names = plan.names & now.names
        contents = {sha1: size for sha1, size in now.contents.items() if sha1 in plan.contents}
        store.drop_trees(names)
        fault("gc: names dropped")
        store.drop(contents, beat)
        freed = store.sweep(before)
    return Garbage(store.where, names, contents, now.younger, freed)
