"""Which copy of the workspace this is: `.dataworkspace/local/instance.json`.

The file names its machine and its own inode, so that a copied folder is known as a copy.
Source: docs/formats.md, "Instances".
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import machine_id, sync_folder
from dws_graph.errors import JsonValueError
from dws_graph.model.values import Json, parse_json, take, take_or

FILE = "instance.json"
NAMELESS = "Delete it: this copy of the workspace then gets a name of its own."


@dataclass(frozen=True, slots=True)
class Instance:
    """The instance file as read: its UUID, and whether it was written here."""

    id: str
    here: bool


def read_instance(folder: Path) -> Instance | None:
    """The instance that the file names; None when there is no file."""
    path = folder / FILE
    try:
        raw = path.read_bytes()
        inode = path.stat().st_ino
    except FileNotFoundError:
        return None
    obj = parse_json(raw, file=str(path), hint=NAMELESS)
    if (check := take_or(obj, "check", str)) is not None and check != _check(obj):
        raise JsonValueError(
            "is damaged: its check does not fit the rest",
            file=str(path),
            hint=NAMELESS,
        )
    fits = take(obj, "machine", str) == machine_id() and take(obj, "inode", int) == inode
    return Instance(take(obj, "instance", str), fits)


def _check(obj: Json) -> str:
    about = [obj.get("instance"), obj.get("machine"), obj.get("inode")]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]


def make_instance(folder: Path) -> Instance:
    """Write the file of a new instance, whole or not at all."""
    new = str(uuid.uuid4())
    temporary = folder / f".~{secrets.token_hex(8)}"
    fault("instance: create")
    with temporary.open("wb") as file:
        inode = os.fstat(file.fileno()).st_ino  # a rename keeps it
        obj: Json = {"instance": new, "machine": machine_id(), "inode": inode}
        text = json.dumps({**obj, "check": _check(obj)}, indent=2)
        fault("instance: write")
        file.write(text.encode() + b"\n")
        file.flush()
        fault("instance: fsync")
        os.fsync(file.fileno())
    fault("instance: rename")
    os.replace(temporary, folder / FILE)
    sync_folder(folder)
    return Instance(new, here=True)
