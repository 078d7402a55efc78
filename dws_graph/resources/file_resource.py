"""What resources whose content is files on this machine have in common."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from abc import abstractmethod
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar

from dws_graph.backends.files import inside, make_folder, write_atomic
from dws_graph.errors import ConfigurationError, JsonValueError, NotSupportedError
from dws_graph.model.facts import Fingerprint
from dws_graph.model.values import Json, parse_json
from dws_graph.resources.base import Resource
from dws_graph.resources.cloning import as_local_path
from dws_graph.resources.exports import exported_role
from dws_graph.resources.fingerprints import take as take_fingerprint
from dws_graph.resources.fingerprints import unchanged
from dws_graph.resources.mixins import (
    FileResourceMixin,
    LocalStateResourceMixin,
)
from dws_graph.resources.moving import SNAPSHOTS, Move, copy_files, move_files, plan_moves
from dws_graph.resources.naming import path_on_disk
from dws_graph.resources.terms import LINEAGE_FILE, ResourceRoles
from dws_graph.resources.walking import Entry, Excluded


class FileResource(Resource, FileResourceMixin, LocalStateResourceMixin):
    """A resource with a folder here; what all types of these have in common."""

    can_move: ClassVar[bool] = False
    """Whether its folder may be another than it was, which `local_path` tells; see `moved_to`."""

    def is_here(self) -> bool:
        """See `Resource`: its folder is."""
        return self.local_path is not None and self.local_path.is_dir()

    @abstractmethod
    def entries(self, subpath: str | None = None) -> Collection[Entry]:
        """What counts for the fingerprint of a ref, by stats alone."""

    @property
    def not_content(self) -> Excluded:
        """What the product itself writes into it."""
        return Excluded([LINEAGE_FILE, *([f"{SNAPSHOTS}/"] if self._holds_snapshots() else [])])

    @property
    def not_content_at_root(self) -> tuple[str, ...]:
        """The same as entries of the root folder."""
        return (LINEAGE_FILE, SNAPSHOTS) if self._holds_snapshots() else (LINEAGE_FILE,)

    def _holds_snapshots(self) -> bool:
        """Whether it is one of results, here or in the workspace that exported it."""
        if self.has_results_role():
            return True
        root = self.local_path
        if root is None or not self.is_imported() or not (root / SNAPSHOTS).is_dir():
            return False
        return exported_role(root / LINEAGE_FILE, self.name) == ResourceRoles.RESULTS

    @property
    def folder(self) -> Path:
        """Its folder here.

        Raises:
            ConfigurationError: It has none, or it is not there.
        """
        path = self.local_path
        if path is None:
            raise ConfigurationError(f"{self} is not on this machine", hint="Type: dws pull.")
        if not path.is_dir():
            what = "is a file" if path.exists() else "does not exist"
            raise ConfigurationError(
                f"the folder of {self}, {path}, {what}", hint=self.how_to_find_it
            )
        return path

    @property
    def how_to_find_it(self) -> str:
        """What to do where its folder is not where it was."""
        if not self.can_move:
            return "Bring it back."
        command = f"dws config --resource {shlex.quote(self.name)} local_path FOLDER"
        return f"Bring it back, or say where it is now: {command}."

    @property
    def changeable(self) -> Sequence[str]:
        """See `Resource`."""
        return ("local_path",) if self.can_move else ()

    def moved_to(self, folder: Path) -> Json:
        """What resource_local_params.json is to hold once its folder is another.

        Raises:
            ConfigurationError: It cannot be another, or this is none.
        """
        if not self.can_move:
            raise NotSupportedError(
                f"the folder of {self}, of type {self.resource_type}, stays where it is",
                hint="Add another folder under another name: dws add.",
            )
        if not folder.is_dir():
            what = "is a file, not a folder" if folder.exists() else "does not exist"
            raise ConfigurationError(
                f"{folder} {what}", hint=f"Give the folder in which {self} is now."
            )
        if not os.access(folder, os.R_OK | os.X_OK):
            raise ConfigurationError(
                f"the folder {folder} cannot be read", hint="Change its permissions."
            )
        return {**self.get_local_params(), "local_path": as_local_path(self.workspace, folder)}

    def fingerprint(self, subpath: str | None = None) -> Fingerprint | None:
        """See `Resource`; a ref that is not there has one too."""
        root = self.local_path
        if root is None:
            return None
        real = self.real_subpath(subpath)
        return take_fingerprint(root, real, lambda: self.entries(real))

    def unchanged(self, subpath: str | None, fingerprint: Fingerprint) -> bool:
        """See `Resource`."""
        root = self.local_path
        if root is None:
            return False
        real = self.real_subpath(subpath)
        return unchanged(root, real, lambda: self.entries(real), fingerprint)

    def real_subpath(self, subpath: str | None) -> str | None:
        r"""The path on disk of one as facts hold it, where `\xNN` may stand for a byte."""
        if subpath is None or self.local_path is None:
            return subpath
        return path_on_disk(self.local_path, subpath)

    # Results

    @abstractmethod
    def results_hash(self, folder: str) -> str | None:
        """The hash of a snapshot's folder of results, every file read; None: it is not there.

        As a snapshot hashed it: before it wrote `lineage.json` there.
        """

    def plan_results(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str] = (),
        exclude_dirs_re: re.Pattern[str] | None = None,
    ) -> list[Move]:
        """The moves that a snapshot makes, copies when exported; see `moving.plan_moves`."""
        own = (LINEAGE_FILE,) if self.is_exported() else ()
        return plan_moves(self.folder, rel_dest_root, (*exclude_files, *own), exclude_dirs_re)

    def results_move_current_files(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str] = (),
        exclude_dirs_re: re.Pattern[str] | None = None,
    ) -> list[Move]:
        """Move the current files to a snapshot's folder; what was moved."""
        moves = self.plan_results(rel_dest_root, exclude_files, exclude_dirs_re)
        move_files(self.folder, moves)
        return moves

    def results_copy_current_files(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str] = (),
        exclude_dirs_re: re.Pattern[str] | None = None,
    ) -> list[Move]:
        """Copy the current files to a snapshot's folder; what was copied."""
        moves = self.plan_results(rel_dest_root, exclude_files, exclude_dirs_re)
        copy_files(self.folder, moves)
        return moves

    def delete_snapshot(
        self, workspace_snapshot_hash: str, resource_restore_hash: str | None, relative_path: str
    ) -> None:
        """Remove a snapshot's folder from results."""
        path = inside(self.folder, relative_path)
        if path == self.folder.resolve():
            raise ConfigurationError(f"'{relative_path}' is not the folder of a snapshot")
        if path.is_dir():
            shutil.rmtree(path)

    # Files

    def add_results_file(self, data: Json | list[Any], rel_dest_path: str) -> None:
        """Write JSON to a file in the resource."""
        path = self._writable(rel_dest_path)
        write_atomic(path, json.dumps(data, indent=2).encode())

    def read_results_file(self, subpath: str) -> Json:
        """Read an object from a JSON file in the resource.

        Raises:
            ConfigurationError: There is no such file.
            JsonValueError: It does not hold a JSON object; the hint says what to do.
        """
        path = inside(self.folder, path_on_disk(self.folder, subpath))
        if not path.is_file():
            raise ConfigurationError(f"{self} has no file '{subpath}'")
        hint = f"Mend {path}, or move it out of {self}; then run the command again."
        data = parse_json(path.read_bytes(), file=str(path), hint=hint)
        if not isinstance(data, dict):
            raise JsonValueError("does not hold a JSON object", file=str(path), hint=hint)
        return data

    def does_subpath_exist(
        self, subpath: str, must_be_file: bool = False, must_be_directory: bool = False
    ) -> bool:
        """See `Resource`."""
        if self.local_path is None:
            return False
        path = inside(self.local_path, path_on_disk(self.local_path, subpath))
        if must_be_file:
            return path.is_file()
        return path.is_dir() if must_be_directory else path.exists()

    def upload_file(self, src_local_path: str, rel_dest_path: str) -> None:
        """Copy a file of this machine into the resource."""
        if not os.path.isfile(src_local_path):
            raise ConfigurationError(f"there is no file {src_local_path}")
        shutil.copyfile(src_local_path, self._writable(rel_dest_path))

    def delete_file(self, rel_path: str) -> None:
        """Remove a file from the resource."""
        path = self._writable(rel_path)
        if not os.path.lexists(path):
            raise ConfigurationError(f"{self} has no file '{rel_path}'")
        path.unlink()

    def check_writable(self) -> None:
        """Refuse to write where that is not allowed.

        Raises:
            NotSupportedError: The resource is read-only.
        """
        if self.get_params().get("read_only") or self.is_imported():
            raise NotSupportedError(f"{self} is read-only")

    def _writable(self, rel_path: str) -> Path:
        self.check_writable()
        parent, name = os.path.split(path_on_disk(self.folder, os.path.normpath(rel_path)))
        if name in ("", os.curdir, os.pardir):
            raise ConfigurationError(f"'{rel_path}' is no file of {self}")
        folder = inside(self.folder, parent)
        make_folder(folder)
        return folder / name


def no_folder(path: Path) -> ConfigurationError:
    """What was to be added is no folder."""
    if path.exists():
        return ConfigurationError(
            f"{path} is a file, not a folder", hint="Put it into a folder, and add that."
        )
    return ConfigurationError(
        f"the folder {path} does not exist",
        hint=f"Check its spelling, or make it: mkdir -p {shlex.quote(str(path))}.",
    )
