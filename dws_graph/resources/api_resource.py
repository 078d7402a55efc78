"""Type `api-resource`: data that a program gets from an API, and hands to a model in memory.

There are no files to look at: a kit hashes the data as it goes by and saves the hash in the
workspace's own scratch folder, which git does not hold. What was saved last is what the resource
holds here; on a machine where no kit has run yet, nobody can tell.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path
from typing import Any, Protocol

from dws_graph.backends.files import as_file_name, make_folder, write_atomic
from dws_graph.errors import ApiParamError, ConfigurationError
from dws_graph.model.facts import Fingerprint
from dws_graph.model.values import Json, take
from dws_graph.resources.base import Resource
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.factory import ResourceFactory
from dws_graph.resources.mixins import LocalStateResourceMixin
from dws_graph.resources.terms import Content, ResourceRoles, ResourceWorkspace, Taken

API_RESOURCE = "api-resource"
ROLES = (ResourceRoles.SOURCE_DATA_SET, ResourceRoles.INTERMEDIATE_DATA)
SCRATCH = ".dataworkspace/scratch"
HASH, COMMENT = "hashval.txt", "comment.txt"
NONE_YET = "none"
_SHAPE = re.compile(r"[0-9a-f]{8,128}")


class HashState(Protocol):
    """A hash under way, as those of `hashlib`."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Go on with these bytes."""

    def copy(self) -> HashState:
        """Another that goes on from here."""

    def hexdigest(self) -> str:
        """What the hash is so far."""


class ApiResource(Resource, LocalStateResourceMixin):
    """See the module."""

    def __init__(self, name: str, role: str, workspace: ResourceWorkspace) -> None:
        super().__init__(API_RESOURCE, name, role, workspace)
        self._states: list[HashState] = []

    def get_params(self) -> Json:
        """See `Resource`."""
        return {"resource_type": self.resource_type, "name": self.name, "role": self.role}

    # The hash that kits hand over

    def init_hash_state(self, state: HashState | None = None) -> None:
        """Begin a hash, to be called when a training begins; what was there is dropped.

        Args:
            state: Go on from this one, of an earlier `get_hash_state`.
        """
        self._states = [hashlib.sha1(usedforsecurity=False) if state is None else state.copy()]

    def dup_hash_state(self) -> None:
        """Go on in a copy: a test adds its data to those of the training, which stay as they are.

        Raises:
            ApiParamError: No hash was begun.
        """
        self._states.append(self.get_hash_state().copy())

    def pop_hash_state(self) -> None:
        """Drop the copy, and go on from what was copied.

        Raises:
            ApiParamError: No hash was begun.
        """
        self.get_hash_state()
        self._states.pop()

    def get_hash_state(self) -> HashState:
        """The hash under way, to `update` with data.

        Raises:
            ApiParamError: No hash was begun.
        """
        if not self._states:
            raise ApiParamError(
                f"no hash was begun for {self}",
                hint="Call init_hash_state() before the first data.",
            )
        return self._states[-1]

    def save_current_hash(self, comment: str | None = None) -> None:
        """Save the hash under way: it is what the resource holds from now on.

        Args:
            comment: About it, for people; kept beside it.

        Raises:
            ApiParamError: No hash was begun.
        """
        hashval = self.get_hash_state().hexdigest()
        folder = self.make_scratch()
        if comment is None:
            (folder / COMMENT).unlink(missing_ok=True)
        else:
            write_atomic(folder / COMMENT, f"{comment}\n".encode("utf-8", "backslashreplace"))
        write_atomic(folder / HASH, hashval.encode())

    def make_scratch(self) -> Path:
        """The folder for its hash, made where it is missing; 1.6 stops where it is."""
        scratch = self.workspace.root / SCRATCH
        folder = scratch / as_file_name(self.name)
        make_folder(folder)
        if not (scratch / ".gitignore").exists():
            write_atomic(scratch / ".gitignore", b"*\n", fsync=False)
        return folder

    def saved_hash(self) -> str | None:
        """The hash saved last; None: none was, on this machine.

        Raises:
            ConfigurationError: The file holds something else; the hint says what to do.
        """
        file = self._saved_file()
        if file is None:
            return None
        text = file.read_text(encoding="utf-8", errors="replace").rstrip()
        if not _SHAPE.fullmatch(text):
            raise ConfigurationError(
                f"{file}, which is to hold the hash of {self}, holds no hash",
                hint="Delete it, and run again what gets the data.",
            )
        return text

    def _saved_file(self) -> Path | None:
        """The newest file of the resource: an earlier name had one of its own."""
        scratch = self.workspace.root / SCRATCH
        names = [self.name, *self.workspace.names_before(self.name)]
        files = [scratch / as_file_name(name) / HASH for name in names]
        found = [file for file in files if file.is_file()]
        return max(found, key=lambda file: os.stat(file).st_mtime_ns, default=None)

    # What state it is in

    def is_here(self) -> bool:
        """See `Resource`: once data have been seen on this machine."""
        return self._saved_file() is not None

    def fingerprint(self, subpath: str | None = None) -> Fingerprint | None:
        """See `Resource`: the hash that was saved."""
        return Fingerprint(self.saved_hash() or NONE_YET, time.time_ns())

    def unchanged(self, subpath: str | None, fingerprint: Fingerprint) -> bool:
        """See `Resource`."""
        return fingerprint.digest == (self.saved_hash() or NONE_YET)

    def content(
        self,
        subpath: str | None = None,
        cache: StatCache | None = None,
        progress: Progress | None = None,
        reread: bool = False,
    ) -> Content:
        """See `Resource`."""
        hashval = self.saved_hash()
        return Content(hashval, None, hashval)

    def known_as(self, hashval: str) -> str | None:
        """See `Resource`."""
        return hashval

    def held(self, hashval: str, subpath: str) -> bool | None:
        """See `Resource`: there are no subpaths."""
        return False

    # Snapshots and sharing

    def snapshot_precheck(self) -> None:
        """See `Resource`."""
        self.saved_hash()

    def take_snapshot(
        self, cache: StatCache | None = None, progress: Progress | None = None
    ) -> Taken:
        """See `Resource`; the data itself cannot be had again."""
        hashval = self.saved_hash()
        notes = () if hashval is not None else (f"{self} has no hash: no kit has saved one here",)
        return Taken(hashval, None, notes=notes, known_as=hashval)

    def not_pushed(self) -> str | None:
        """See `Resource`."""
        return "its data is behind an API, and not kept here"

    def validate_subpath_exists(self, subpath: str) -> None:
        """See `Resource`: there are none."""
        raise ConfigurationError(
            f"{self} has no '{subpath}': an {API_RESOURCE} has no subpaths",
            hint=f"Name the whole of it: {self.name}.",
        )


class ApiResourceFactory(ResourceFactory):
    """Makes `ApiResource`."""

    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> ApiResource:
        """See `ResourceFactory`; no other arguments."""
        if args or kwargs:
            raise ApiParamError(f"an {API_RESOURCE} takes no arguments but its role and name")
        if role not in ROLES:
            raise ConfigurationError(
                f"an {API_RESOURCE} has the role {' or '.join(ROLES)}, not {role}",
                hint=f"Add it with --role {ROLES[0]}.",
            )
        made = ApiResource(name, role, workspace)
        made.make_scratch()
        return made

    def from_json(
        self, params: Json, local_params: Json, workspace: ResourceWorkspace
    ) -> ApiResource:
        """See `ResourceFactory`."""
        return ApiResource(take(params, "name", str), take(params, "role", str), workspace)

    def has_local_state(self) -> bool:
        """See `ResourceFactory`: the hash, which needs no cloning."""
        return True

    def suggest_name(self, workspace: ResourceWorkspace, role: str, *args: Any) -> str:
        """See `ResourceFactory`."""
        return f"{role}-api"


FACTORY = ApiResourceFactory()
