"""What an operation is about to do, on disk before it does it.

A killed one is finished or undone by the next command. One file, replaced by rename. It names a
commit as soon as there is one to name; from the moment the branch holds that commit the operation
is done, and what follows it is only carried out. Source: docs/formats.md, "Write order".
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dws_graph.backends.faults import fault
from dws_graph.backends.files import sync_folder, write_atomic
from dws_graph.errors import JsonValueError
from dws_graph.model.values import Json, parse_json, take, take_or
from dws_graph.resources.moving import Move

PULL = "pull"
INTERRUPTED = "An operation was interrupted. Delete the file; 'dws doctor' then says what it left."


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One operation under way.

    Attributes:
        operation: For people: `snapshot`, `restore`, `add`, ...
        instance: Of the copy of the workspace that does it.
        branch: The workspace's branch (full ref name).
        old: The branch's commit before; None for an unborn branch.
        moves: {folder of a results resource: files moved, or copied}.
        copied: Those of these folders whose files stay, too: results that are exported.
        kept_folders: {folder of a results resource: its folders before}, since empty ones go.
        save: For a restore: the commit of the workspace that holds its files before.
        folders: For a restore: the folders of the workspace that it writes.
        repositories: For a restore: {folder of a git resource: its commit before}.
        states: For a restore: {resource of another type: the hash that restores what it held}.
        brought_to: For a restore: {such a resource: the hash that it was brought to}.
        targets: For a restore: {folder: the commit to which it is brought}, of both of these.
        commit: That makes the operation done; None while there is none.
        lines: What the local journal gets then, as lines.
        written: Files that the commit brings to disk, from the workspace's root.
        reset: Paths for which the user's git index follows the commit.
        updates: Whether every other file that the commit changed comes to disk with it, too.
        outside: {path: content} of files that no commit of the workspace holds, and that come to
            disk with it; None for one that goes.
        back: The moves are taken back, not made: it undoes another operation.
        stamps: Size and time of each file moved, in the order of the moves.
        removed: Files that the commit takes from disk, from the workspace's root.
        aside: Folders with what was moved out of the way, kept until the next operation.
        before: What the files in `outside` held before; None for one that was not there.
        touched: Resources whose files or names it changes.
        entries: What was current of these before, as in facts, with `fits`: the files were those
            of the certificate.
        undoes: The operation that it takes back, where it is one that does.
        seen: For a pull: {instance: number of its last fact that was known before}.
        brought: For a pull: resources whose files it changed without keeping those of before.

    Paths are from the workspace's root, so that the folder can be moved; absolute where they lie
    outside (see `as_path`).
    """

    operation: str
    instance: str
    branch: str
    old: str | None
    moves: dict[str, list[Move]] = field(default_factory=dict)
    kept_folders: dict[str, list[str]] = field(default_factory=dict)
    save: str | None = None
    folders: tuple[str, ...] = ()
    repositories: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    lines: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()
    updates: bool = False
    outside: dict[str, bytes | None] = field(default_factory=dict)
    back: bool = False
    stamps: dict[str, list[list[int]]] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    before: dict[str, bytes | None] = field(default_factory=dict)
    touched: tuple[str, ...] = ()
    entries: tuple[Json, ...] = ()
    undoes: str | None = None
    copied: tuple[str, ...] = ()
    seen: dict[str, int] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    brought_to: dict[str, str] = field(default_factory=dict)
    brought: tuple[str, ...] = ()

    def with_commit(
        self, commit: str, lines: Sequence[str], written: Iterable[str], reset: Sequence[str]
    ) -> Intent:
        """The same, about to move the branch."""
        return replace(
            self, commit=commit, lines=tuple(lines), written=tuple(written), reset=tuple(reset)
        )

    def to_json(self) -> Json:
        """As the file holds it; names as base64, since they may be no text."""
        return {
            "operation": self.operation,
            "instance": self.instance,
            "branch": self.branch,
            "old": self.old,
            "moves": {
                _pack(folder): [[_pack(m.source), _pack(m.destination), m.mode] for m in moves]
                for folder, moves in self.moves.items()
            },
            "kept_folders": {
                _pack(folder): [_pack(f) for f in below]
                for folder, below in self.kept_folders.items()
            },
            "save": self.save,
            "folders": [_pack(f) for f in self.folders],
            "repositories": {_pack(f): commit for f, commit in self.repositories.items()},
            "targets": {_pack(f): commit for f, commit in self.targets.items()},
            "commit": self.commit,
            "lines": list(self.lines),
            "written": [_pack(f) for f in self.written],
            "reset": [_pack(f) for f in self.reset],
            "updates": self.updates,
            "outside": _pack_files(self.outside),
            "back": self.back,
            "stamps": {_pack(folder): found for folder, found in self.stamps.items()},
            "removed": [_pack(f) for f in self.removed],
            "aside": [_pack(f) for f in self.aside],
            "before": _pack_files(self.before),
            "touched": list(self.touched),
            "entries": list(self.entries),
            "undoes": self.undoes,
            "copied": [_pack(f) for f in self.copied],
            "seen": self.seen,
            "states": self.states,
            "brought_to": self.brought_to,
            "brought": list(self.brought),
        }

    @classmethod
    def from_json(cls, obj: Json) -> Intent:
        """From the file."""
        return cls(
            operation=take(obj, "operation", str),
            instance=take(obj, "instance", str),
            branch=take(obj, "branch", str),
            old=take_or(obj, "old", str),
            moves={
                _unpack(folder): [Move(_unpack(s), _unpack(d), mode) for s, d, mode in moves]
                for folder, moves in take(obj, "moves", dict).items()
            },
            kept_folders={
                _unpack(folder): [_unpack(f) for f in below]
                for folder, below in take(obj, "kept_folders", dict).items()
            },
            save=take_or(obj, "save", str),
            folders=tuple(_unpack(f) for f in take(obj, "folders", list)),
            repositories={_unpack(f): c for f, c in take(obj, "repositories", dict).items()},
            targets={_unpack(f): c for f, c in (take_or(obj, "targets", dict) or {}).items()},
            commit=take_or(obj, "commit", str),
            lines=tuple(take(obj, "lines", list)),
            written=tuple(_unpack(f) for f in take(obj, "written", list)),
            reset=tuple(_unpack(f) for f in take(obj, "reset", list)),
            updates=take_or(obj, "updates", bool) or False,
            outside=_unpack_files(take(obj, "outside", dict)),
            back=take_or(obj, "back", bool) or False,
            stamps={_unpack(f): found for f, found in (take_or(obj, "stamps", dict) or {}).items()},
            removed=tuple(_unpack(f) for f in take_or(obj, "removed", list) or ()),
            aside=tuple(_unpack(f) for f in take_or(obj, "aside", list) or ()),
            before=_unpack_files(take_or(obj, "before", dict) or {}),
            touched=tuple(take_or(obj, "touched", list) or ()),
            entries=tuple(take_or(obj, "entries", list) or ()),
            undoes=take_or(obj, "undoes", str),
            copied=tuple(_unpack(f) for f in take_or(obj, "copied", list) or ()),
            seen=take_or(obj, "seen", dict) or {},
            states=take_or(obj, "states", dict) or {},
            brought_to=take_or(obj, "brought_to", dict) or {},
            brought=tuple(take_or(obj, "brought", list) or ()),
        )


def as_path(root: Path, path: Path) -> str:
    """A path as an intent holds it: from the root when it is really inside, else absolute."""
    real, here = path.resolve(), root.resolve()
    return str(real.relative_to(here)) if real.is_relative_to(here) else str(real)


def read_intent(path: Path) -> Intent | None:
    """The operation under way; None when there is none."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    obj = parse_json(raw, file=str(path), hint=INTERRUPTED)
    check = obj.pop("check", None) if isinstance(obj, dict) else None
    if check != _check(obj):
        raise JsonValueError(
            "is damaged: its check does not fit the rest",
            file=str(path),
            hint=INTERRUPTED,
        )
    return Intent.from_json(obj)


def write_intent(path: Path, intent: Intent) -> None:
    """Put it on disk, in place of the one before."""
    obj = intent.to_json()
    write_atomic(path, json.dumps({**obj, "check": _check(obj)}).encode())


def _check(obj: Any) -> str:
    """What tells a damaged intent, which would be carried out, from a sound one."""
    return hashlib.sha256(json.dumps(obj, sort_keys=True).encode()).hexdigest()


def drop_intent(path: Path) -> None:
    """The operation is over."""
    with contextlib.suppress(FileNotFoundError):
        fault("intent: unlink")
        path.unlink()
        sync_folder(path.parent)


def keep_intent(path: Path, last: Path) -> None:
    """The operation is over, and is the last one, until there is another."""
    with contextlib.suppress(FileNotFoundError):
        fault("intent: rename")
        os.replace(path, last)
        sync_folder(path.parent)


def _pack_files(files: Mapping[str, bytes | None]) -> Json:
    return {
        _pack(name): None if data is None else base64.b64encode(data).decode("ascii")
        for name, data in files.items()
    }


def _unpack_files(files: Json) -> dict[str, bytes | None]:
    return {
        _unpack(name): None if text is None else base64.b64decode(text)
        for name, text in files.items()
    }


def _pack(name: str) -> str:
    return base64.b64encode(os.fsencode(name)).decode("ascii")


def _unpack(text: str) -> str:
    return os.fsdecode(base64.b64decode(text))
