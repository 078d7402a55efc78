"""What becomes of the workspace's own files when two copies changed them: merged by content.

Segments of the journal and files named by their hash have one writer or one content. Parameters,
the list of resources and tags are merged item by item; what is published already stays as it is.
Source: docs/formats.md, "Merging".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from dws_graph.backends.git.command import Git
from dws_graph.backends.git.merging import (
    BothChanged,
    UnsettledError,
    merge_lines,
    merge_sets,
)
from dws_graph.errors import ConfigurationError
from dws_graph.model.values import Json, parse_json, take
from dws_graph.resources.terms import LINEAGE_FILE, ResourceRoles
from dws_graph.workspace import layout
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import json_bytes

_METADATA = PurePosixPath(layout.metadata("x")).parent
_LINEAGE = PurePosixPath(layout.snapshot_lineage("x", "x")).parent.parent
_IGNORES = (".gitignore", layout.GITIGNORE)
ABSENT = object()


class Settling:
    """Settles what both sides changed in a workspace's repository.

    Args:
        git: The repository.
        resources: Of resources.json as it is here.
    """

    def __init__(self, git: Git, resources: Iterable[Json]) -> None:
        self._git = git
        self._folders = {
            str(params["relative_path"]): params
            for params in resources
            if params.get("resource_type") == "git-subdirectory"
        }

    def __call__(self, found: BothChanged) -> bytes | None:
        """See `backends.git.merging.Settle`."""
        path = PurePosixPath(found.path)
        if found.path == layout.RESOURCES:
            return json_bytes(merged_resources(*_sides(found)))
        if found.path in (layout.CONFIG, layout.OWN):
            return json_bytes(merged_objects(*_sides(found), file=found.path))
        if found.path in _IGNORES:
            return _merged_ignores(found)
        if path.parent == _METADATA:
            return _merged_metadata(found)
        if path.is_relative_to(layout.JOURNAL):
            return _longer(found)
        if path.is_relative_to(_LINEAGE):
            return found.theirs if found.theirs is not None else found.ours
        return self._users_file(found)

    def _users_file(self, found: BothChanged) -> bytes | None:
        """A file of the user's, in a resource or elsewhere."""
        path = PurePosixPath(found.path)
        resource = next((p for f, p in self._folders.items() if path.is_relative_to(f)), None)
        if resource is None:
            return merge_lines(self._git, found)
        if resource.get("export") and path == _lineage_of(resource):
            return None  # it tells of neither content; the next snapshot writes it anew
        if resource.get("role") != ResourceRoles.CODE:
            raise UnsettledError
        return merge_lines(self._git, found)


def _lineage_of(resource: Json) -> PurePosixPath:
    return PurePosixPath(str(resource["relative_path"]), LINEAGE_FILE)


def _sides(found: BothChanged) -> tuple[Any, Any, Any]:
    """The three contents, parsed; a damaged one cannot be merged."""
    if found.ours is None or found.theirs is None:
        raise UnsettledError
    base = None if found.base is None else parse_json(found.base, file=found.path)
    return base, parse_json(found.ours, file=found.path), parse_json(found.theirs, file=found.path)


def _merged_ignores(found: BothChanged) -> bytes:
    sides = [(side or b"").decode("utf-8", "surrogateescape").splitlines() for side in _all(found)]
    text = "".join(f"{line}\n" for line in merge_sets(*sides))
    return text.encode("utf-8", "surrogateescape")


def _all(found: BothChanged) -> tuple[bytes | None, bytes | None, bytes | None]:
    return found.base, found.ours, found.theirs


def _longer(found: BothChanged) -> bytes:
    """A segment that was sealed twice, with more facts the second time."""
    ours, theirs = found.ours or b"", found.theirs or b""
    if ours.startswith(theirs) or theirs.startswith(ours):
        return max(ours, theirs, key=len)
    raise ConfigurationError(
        f"{found.path} holds other facts at the origin than here, under the same numbers",
        hint="One of the two is damaged: dws doctor says whether it is the one here.",
    )


def merged_objects(base: Json | None, ours: Json, theirs: Json, *, file: str) -> Json:
    """Two versions of a JSON object, merged key by key.

    Raises:
        ConfigurationError: Both set a key, each to another value; names it.
    """
    before = base or {}
    merged: Json = {}
    for key in dict.fromkeys([*theirs, *ours]):
        b, o, t = (side.get(key, ABSENT) for side in (before, ours, theirs))
        if all(isinstance(side, dict) for side in (o, t)):
            known = b if isinstance(b, dict) else {}
            merged[key] = merged_objects(known, ours[key], theirs[key], file=file)
            continue
        if t not in (b, o) and o != b:
            raise ConfigurationError(
                f"'{key}' in {file} is {_said(o)} here and {_said(t)} at the origin",
                hint=f"Take the origin's here: dws config {key} {_said(t)}. Then: dws pull.",
            )
        value = o if t == b else t
        if value is not ABSENT:
            merged[key] = value
    return merged


def _said(value: object) -> str:
    return "not set" if value is ABSENT else json.dumps(value)


def merged_resources(base: list[Json] | None, ours: list[Json], theirs: list[Json]) -> list[Json]:
    """Two lists of resources, merged by name: theirs first, then what only we added.

    One that a side renamed has that name on all sides.

    Raises:
        ConfigurationError: Two resources would have one name, names that differ by case alone,
            or one folder, or one was given two names; names them.
    """
    before, mine, other = _under_one_name(
        *(
            {take(params, "name", str): params for params in side or []}
            for side in (base, ours, theirs)
        )
    )
    merged: list[Json] = []
    for name in dict.fromkeys([*other, *mine]):
        b, o, t = before.get(name), mine.get(name), other.get(name)
        if o is not None and t is not None:
            if b is None and o != t:
                raise _same_name(name, name)
            merged.append(
                o if o == t else merged_objects(b, o, t, file=f"{layout.RESOURCES}, of '{name}'")
            )
        elif (one := o or t) is not None and one != b:
            if b is not None:
                raise ConfigurationError(
                    f"resource '{name}' was removed {'at the origin' if o else 'here'}, and "
                    f"changed {'here' if o else 'at the origin'}",
                    hint=f"Take its parameters back to what they were in {layout.RESOURCES}, and "
                    "commit that; then: dws pull.",
                )
            merged.append(one)
    _check_apart(merged, mine)
    return merged


Named = dict[str, Json]  # resources by name


def _under_one_name(base: Named, ours: Named, theirs: Named) -> tuple[Named, Named, Named]:
    """The three sides, a resource that one side renamed under its new name in all of them."""
    mine, other = _renamed(base, ours), _renamed(base, theirs)
    for old in mine.keys() & other.keys():
        if mine[old] != other[old]:
            raise ConfigurationError(
                f"resource '{old}' was named '{mine[old]}' here and '{other[old]}' at the origin",
                hint=f"Type: dws rename {mine[old]} {other[old]}. Then: dws pull.",
            )
    names = {**mine, **other}

    def renamed(side: Named) -> Named:
        now = ({**params, "name": names.get(name, name)} for name, params in side.items())
        return {params["name"]: params for params in now}

    return renamed(base), renamed(ours), renamed(theirs)


def _renamed(base: Named, side: Named) -> dict[str, str]:
    """{name before: name now} of resources that have all but their name as before.

    Of several that are the same but for the name it is not known which is which.
    """
    gone = [(name, _nameless(params)) for name, params in base.items() if name not in side]
    new = [(name, _nameless(params)) for name, params in side.items() if name not in base]
    return {
        old: found[0]
        for old, was in gone
        if len(found := [name for name, params in new if params == was]) == 1
        and [params for _, params in gone].count(was) == 1
    }


def _nameless(params: Json) -> Json:
    return {key: value for key, value in params.items() if key != "name"}


def _check_apart(merged: list[Json], mine: Mapping[str, Json]) -> None:
    by_name: dict[str, str] = {}
    by_folder: dict[str, str] = {}
    for params in merged:
        name = params["name"]
        if (other := by_name.setdefault(name.casefold(), name)) != name:
            raise _same_name(name if name in mine else other, other if name in mine else name)
        folder = params.get("relative_path") or params.get("relative_local_path")
        for there, other in by_folder.items() if folder else ():
            a, b = PurePosixPath(str(folder)), PurePosixPath(there)
            if a.is_relative_to(b) or b.is_relative_to(a):
                raise ConfigurationError(
                    f"resource '{name}' has the folder {folder} and resource '{other}', which "
                    f"was added meanwhile, {there}",
                    hint="Take back one of the two in its copy of the workspace.",
                )
        if folder:
            by_folder[str(folder)] = name


def _same_name(ours: str, theirs: str) -> ConfigurationError:
    told = "" if ours == theirs else f", and one named '{theirs}'"
    both = "both here and" if ours == theirs else "here"
    return ConfigurationError(
        f"a resource named '{ours}' was added {both}{told} at the origin",
        hint=f"Give yours another name: dws rename {ours} NAME. Then: dws pull.",
    )


def _merged_metadata(found: BothChanged) -> bytes | None:
    """A snapshot that both took, or gave tags to, or took tags from."""
    if found.ours is None or found.theirs is None:
        return None  # one side deleted the snapshot
    base, ours, theirs = (
        None if raw is None else SnapshotMetadata.from_json(parse_json(raw, file=found.path))
        for raw in _all(found)
    )
    if ours is None or theirs is None:
        raise UnsettledError
    tags = merge_sets(base.tags if base else [], ours.tags, theirs.tags)
    updated = max(filter(None, (ours.updated_timestamp, theirs.updated_timestamp)), default=None)
    merged = theirs.with_tags(tags, updated) if updated else theirs
    return json_bytes({**merged.to_json(), "tags": tags})


def check_tags(snapshots: Iterable[SnapshotMetadata], ours: Mapping[str, str]) -> None:
    """Refuse a merge in which a tag would name two snapshots.

    Args:
        snapshots: Of the merge.
        ours: {tag: hash of the snapshot it names here}.

    Raises:
        ConfigurationError: Names the tag and both.
    """
    seen: dict[str, str] = {}
    for metadata in snapshots:
        for tag in metadata.tags:
            other = seen.setdefault(tag, metadata.hashval)
            if other != metadata.hashval:
                mine = ours.get(tag, other)
                theirs = metadata.hashval if mine == other else other
                raise ConfigurationError(
                    f"the tag '{tag}' names snapshot {mine[:8]} here and {theirs[:8]} at the "
                    "origin",
                    hint=f"Give yours another: dws tag {mine[:8]} NEW_TAG; dws tag --delete {tag}. "
                    "Then: dws pull.",
                )
