"""What later facts say of earlier ones.

What was undone counts as never said; a resource that was renamed had its new name all along.
A view folds facts as they count now; one that has folded what is amended later is folded anew.
Source: docs/formats.md, "Undoing and renaming".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from dws_graph.model import facts as f
from dws_graph.model.facts import Fact, Line
from dws_graph.model.values import Json, take

AMENDING = frozenset({f.UNDONE, f.RESOURCE_RENAMED})


class Amendments:
    """The facts that amend others, together.

    Attributes:
        known: Their ids.
        void: Ids of the facts that were undone, and not done again.
        names: {earlier name of a resource: its name now}.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        found = sorted({fact.id: fact for fact in facts}.values(), key=lambda fact: fact.id)
        self.known = frozenset(fact.id for fact in found)
        void: set[str] = set()
        for fact in reversed(found):  # one that was undone itself undoes nothing
            if fact.kind == f.UNDONE and fact.id not in void:
                void |= undone_facts(fact)
        self.void = frozenset(void)
        self._renames = [
            (take(fact.body, "old", str), take(fact.body, "new", str))
            for fact in found
            if fact.kind == f.RESOURCE_RENAMED and fact.id not in void
        ]
        self.names = names_now(self._renames)

    def namesakes(self) -> list[set[str]]:
        """The names that each resource which was renamed has had, in any copy."""
        groups: list[set[str]] = []
        for pair in self._renames:
            joined = set(pair).union(*(group for group in groups if group & {*pair}))
            groups = [group for group in groups if not group & joined] + [joined]
        return groups

    def line(self, line: Line) -> Line:
        """A line with its fact as it counts now; its hash stays that of what is on disk."""
        fact = line.fact
        if fact.id in self.void:
            kept = {key: fact.body[key] for key in ("number",) if key in fact.body}
            return line._replace(fact=replace(fact, kind=f.VOID, body=kept))
        if self.names and (rename := _RENAMED.get(fact.kind)):
            return line._replace(fact=replace(fact, body=rename(fact.body, self.names)))
        return line


def undone_facts(fact: Fact) -> set[str]:
    """The facts that an `Undone` says were never said."""
    return set(take(fact.body, "facts", list))


def names_now(renames: Iterable[tuple[str, str]]) -> dict[str, str]:
    """{earlier name: name now} of renames in their order; a name given back is its own again."""
    names: dict[str, str] = {}
    for old, new in renames:
        same = {name for name, now in names.items() if now in (old, new)}
        names |= dict.fromkeys({old, *same}, new)
        names.pop(new, None)
    return names


# Bodies under the names of now


def _name(names: Mapping[str, str], name: Any) -> Any:
    return names.get(name, name) if isinstance(name, str) else name


def _text(names: Mapping[str, str], ref: Any) -> Any:
    """A ref as text: `resource` or `resource:/sub`."""
    if not isinstance(ref, str):
        return ref
    name, colon, below = ref.partition(":")
    return f"{_name(names, name)}{colon}{below}"


def _items(body: Json, names: Mapping[str, str], *keys: str) -> Json:
    """The body with `resource` of each item of these lists renamed."""
    return {
        key: [{**item, "resource": _name(names, item["resource"])} for item in body[key]]
        for key in keys
        if key in body
    }


def _pairs(names: Mapping[str, str], pairs: Iterable[list[Any]]) -> list[list[Any]]:
    return [[_name(names, name), *rest] for name, *rest in pairs]


def _step(body: Json, names: Mapping[str, str]) -> Json:
    body = {**body, **_items(body, names, "inputs", "code", "outputs", "current")}
    if body.get("run_from"):
        [body["run_from"]] = _pairs(names, [body["run_from"]])
    for key in ("read_while_written",):
        body[key] = {_text(names, ref): step for ref, step in body[key].items()}
    body["changed_while_running"] = [_text(names, ref) for ref in body["changed_while_running"]]
    if body.get("run"):
        body["run"] = _told(body["run"], names)
    return body


def _told(run: Json, names: Mapping[str, str]) -> Json:
    """What `dws run` was told, under the names of now."""
    told = {
        key: [_text(names, ref) for ref in run[key]]
        for key in ("inputs", "outputs", "code")
        if isinstance(run.get(key), list)
    }
    return {**run, **told, "results": _text(names, run.get("results"))}


def _step_started(body: Json, names: Mapping[str, str]) -> Json:
    started = {**body, "outputs": _pairs(names, body["outputs"])}
    if outside := body.get("outside"):
        hashes = {_text(names, ref): found for ref, found in outside["hashes"].items()}
        reads = _items(outside, names, "inputs", "code")
        started["outside"] = {**outside, **reads, "hashes": hashes}
    return started


def _snapshot(body: Json, names: Mapping[str, str]) -> Json:
    refs = {_text(names, ref): step for ref, step in body["read_while_written"].items()}
    hashes = {_name(names, name): found for name, found in body["resources"].items()}
    lists = _items(body, names, "certificates", "contains", "current")
    return {**body, **lists, "resources": hashes, "read_while_written": refs}


def _named(body: Json, names: Mapping[str, str]) -> Json:
    return {**body, **_items(body, names, "current"), "name": _name(names, body["name"])}


def _current(body: Json, names: Mapping[str, str]) -> Json:
    return {**body, **_items(body, names, "current")}


def _imported(body: Json, names: Mapping[str, str]) -> Json:
    """Only what is said of this workspace: other workspaces' resources keep their names."""
    lists = _items(body, names, "own", "current")
    renamed = {**body, **lists, "resource": _name(names, body["resource"])}
    if not body["resource"]:  # the workspace's own lineage, which 1.6 wrote
        _rename_own(renamed, names)
    return renamed


def _rename_own(body: Json, names: Mapping[str, str]) -> None:
    own = body["workspaces"][-1]["id"]
    for key in ("certificates", "steps"):
        body[key] = [
            {**item, **_named_in(item, names)} if item["workspace"] == own else item
            for item in body[key]
        ]
    roles = body["workspaces"][-1]["roles"]
    last = {"roles": {_name(names, name): role for name, role in roles.items()}}
    body["workspaces"] = [*body["workspaces"][:-1], {**body["workspaces"][-1], **last}]


def _named_in(item: Json, names: Mapping[str, str]) -> Json:
    """What a certificate, or a step, names."""
    if "resource" in item:
        return {"resource": _name(names, item["resource"])}
    return {"run_from": item["run_from"] and _pairs(names, [item["run_from"]])[0]}


_RENAMED: dict[str, Callable[[Json, Mapping[str, str]], Json]] = {
    f.RESOURCE_ADDED: _named,
    f.RESOURCE_REMOVED: _named,
    f.STEP_STARTED: _step_started,
    f.STEP_COMPLETED: _step,
    f.STEP_ABORTED: _step,
    f.SNAPSHOT_TAKEN: _snapshot,
    f.RESTORED: _current,
    f.CURRENT_SET: _current,
    f.UNDONE: _current,
    f.LINEAGE_IMPORTED: _imported,
}
