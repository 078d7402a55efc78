"""Type `file` (`local-files` on the command line): a folder anywhere on this machine.

It is known by its hash tree, whose texts the workspace keeps; its content is not kept.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from dws_graph.backends.files import as_file_name
from dws_graph.errors import ConfigurationError, JsonValueError
from dws_graph.model.values import Json, take, take_or
from dws_graph.resources import hashing
from dws_graph.resources.base import (
    LINEAGE_FILE,
    Ask,
    Content,
    FileResource,
    Listing,
    ResourceFactory,
    ResourceWorkspace,
    Taken,
    check_exportable,
    check_imported,
    default_answer,
)
from dws_graph.resources.fingerprints import file_entries
from dws_graph.resources.walking import Entry

FILE = "file"
DUMMY, DUMMY_TEXT = "dummy.txt", b"Placeholder to ensure directory is added to git\n"


class LocalFileResource(FileResource):
    """See the module.

    Attributes:
        global_local_path: Where it was added, on the machine where it was.
        my_local_path: Where it is on this one, if elsewhere.
        compute_hash: Whether files are known by content, or by size alone.
        export: See `is_exported`.
        imported: See `is_imported`.
    """

    def __init__(
        self,
        name: str,
        role: str,
        workspace: ResourceWorkspace,
        *,
        global_local_path: str,
        my_local_path: str | None = None,
        compute_hash: bool = False,
        export: bool = False,
        imported: bool = False,
    ) -> None:
        super().__init__(FILE, name, role, workspace)
        self.global_local_path = global_local_path
        self.my_local_path = my_local_path
        self.compute_hash = compute_hash
        self.export = export
        self.imported = imported

    def get_params(self) -> Json:
        """See `Resource`."""
        return {
            "resource_type": self.resource_type,
            "name": self.name,
            "role": self.role,
            "global_local_path": self.global_local_path,
            "compute_hash": self.compute_hash,
            "export": self.export,
            "imported": self.imported,
        }

    def get_local_params(self) -> Json:
        """See `Resource`."""
        return {"local_path": self.my_local_path}

    @property
    def local_path(self) -> Path:
        """Where it is on this machine."""
        return self.workspace.root / (self.my_local_path or self.global_local_path)

    @property
    def hash_folder(self) -> str:
        """Where the workspace keeps its hash trees, from the workspace's root."""
        return self.hash_folder_as(self.name)

    def hash_folder_as(self, name: str) -> str:
        """Where its hash trees would be if it had this name."""
        return f".dataworkspace/{FILE}/{as_file_name(self.role)}/{as_file_name(name)}"

    def kept_below(self, name: str) -> str | None:
        """See `Resource`: its hash trees."""
        return self.hash_folder_as(name)

    def kept(self, hashval: str) -> bytes | None:
        """The text of a folder in a hash tree that the workspace has on disk.

        Raises:
            JsonValueError: The file is damaged: its content has another hash than its name says.
        """
        for folder in self._hash_folders():
            path = self.workspace.root / folder / hashval
            try:
                text = path.read_bytes()
            except FileNotFoundError:
                continue
            if hashing.text_hash(text) != hashval:
                raise JsonValueError(
                    "is damaged: its content does not have the hash that is its name",
                    file=str(path),
                    hint=f"Take it back from git: git checkout HEAD -- {folder}/{hashval}.",
                )
            return text
        return None

    def _hash_folders(self) -> Iterator[str]:
        """Its folder; then those of earlier names, by which other copies may have kept trees."""
        yield self.hash_folder
        for name in self.workspace.names_before(self.name):
            yield self.hash_folder_as(name)

    def entries(self, subpath: str | None = None) -> Collection[Entry]:
        """See `FileResource`."""
        return file_entries(self.local_path, self.real_subpath(subpath), self.not_content)

    def hash_tree(
        self, cache: hashing.StatCache | None = None, progress: hashing.Progress | None = None
    ) -> hashing.HashTree:
        """Hash all its files."""
        return hashing.hash_tree(
            self.folder, compute_hash=self.compute_hash, cache=cache, progress=progress
        )

    def content(
        self,
        subpath: str | None = None,
        cache: hashing.StatCache | None = None,
        progress: hashing.Progress | None = None,
        reread: bool = False,
    ) -> Content:
        """See `Resource`."""
        tree = self.hash_tree(None if reread else cache, progress)
        of_subpath = tree.subpath_hash(subpath) if subpath is not None else None
        return Content(tree.root, of_subpath, tree.less(self.not_content_at_root))

    def results_hash(self, folder: str) -> str | None:
        """See `FileResource`."""
        tree = self.hash_tree()
        found = tree.subpath_hash(folder)
        if found is None or found not in tree.texts:
            return found
        return hashing.less(tree.texts[found], [LINEAGE_FILE])

    def known_as(self, hashval: str) -> str | None:
        """See `Resource`."""
        text = self.kept(hashval)
        return None if text is None else hashing.less(text, self.not_content_at_root)

    def files_at(self, hashval: str) -> Listing | None:
        """See `Resource`: from the hash trees that the workspace keeps."""
        texts: dict[str, bytes] = {}
        waiting = [hashval]
        while waiting:
            text_hash = waiting.pop()
            if text_hash in texts:
                continue
            if (text := self.kept(text_hash)) is None:
                return None
            texts[text_hash] = text
            waiting += [line.hash for line in hashing.parse_text(text) if line.kind == "tree"]
        return hashing.read_tree(texts.get, hashval)

    def files_now(self, cache: hashing.StatCache | None = None) -> Listing | None:
        """See `Resource`."""
        tree = self.hash_tree(cache)
        return hashing.read_tree(tree.texts.get, tree.root)

    def held(self, hashval: str, subpath: str) -> bool | None:
        """See `Resource`."""
        if self.kept(hashval) is None:
            return None
        return hashing.find(self.kept, hashval, subpath) is not None

    def snapshot_precheck(self) -> None:
        """See `Resource`."""
        if not os.access(self.folder, os.R_OK | os.X_OK):
            raise ConfigurationError(f"the folder of {self}, {self.folder}, cannot be read")
        if self.export and not os.access(self.folder, os.W_OK):
            raise ConfigurationError(
                f"the folder of {self}, {self.folder}, cannot be written, and is exported",
                hint=f"A snapshot writes {LINEAGE_FILE} into it: change its permissions.",
            )

    def take_snapshot(
        self, cache: hashing.StatCache | None = None, progress: hashing.Progress | None = None
    ) -> Taken:
        """See `Resource`; the hash tree's texts are to be committed."""
        tree = self.hash_tree(cache, progress)
        if self.export:  # the one of an earlier snapshot says nothing of files changed since
            tree = tree.without([LINEAGE_FILE])
        files = {f"{self.hash_folder}/{name}": text for name, text in tree.texts.items()}
        known_as = tree.less(self.not_content_at_root)
        return Taken(
            tree.root, None, files=files, subpath_hash=tree.subpath_hash, known_as=known_as
        )

    def needs_cloning(self) -> bool:
        """See `Resource`."""
        return not self.local_path.is_dir()

    def files_to_add(self) -> dict[str, bytes]:
        """What the workspace is to commit when the resource is added."""
        return {f"{self.hash_folder}/{DUMMY}": DUMMY_TEXT}


class LocalFileFactory(ResourceFactory):
    """Makes `LocalFileResource`."""

    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> LocalFileResource:
        """See `ResourceFactory`: `local_path, compute_hash=False, export=False, imported=False`."""
        return self._add(role, name, workspace, *args, **kwargs)

    def _add(
        self,
        role: str,
        name: str,
        workspace: ResourceWorkspace,
        local_path: str,
        compute_hash: bool = False,
        export: bool = False,
        imported: bool = False,
    ) -> LocalFileResource:
        path = Path(os.path.abspath(os.path.expanduser(local_path)))
        if not path.is_dir():
            raise ConfigurationError(f"the folder {path} does not exist")
        if not os.access(path, os.R_OK | os.X_OK):
            raise ConfigurationError(f"the folder {path} cannot be read")
        if imported:
            check_imported(path, name, role)
        if export:
            check_exportable(path, name, read_only=imported)
        return LocalFileResource(
            name,
            role,
            workspace,
            global_local_path=str(path),
            compute_hash=compute_hash,
            export=export,
            imported=imported,
        )

    def from_json(
        self, params: Json, local_params: Json, workspace: ResourceWorkspace
    ) -> LocalFileResource:
        """See `ResourceFactory`."""
        # 1.6 writes `local_path` and reads `my_local_path`
        mine = take_or(local_params, "local_path", str) or take_or(
            local_params, "my_local_path", str
        )
        return LocalFileResource(
            take(params, "name", str),
            take(params, "role", str),
            workspace,
            global_local_path=take(params, "global_local_path", str),
            my_local_path=mine,
            compute_hash=take_or(params, "compute_hash", bool) or False,
            export=take_or(params, "export", bool) or False,
            imported=take_or(params, "imported", bool) or False,
        )

    def has_local_state(self) -> bool:
        """See `ResourceFactory`."""
        return True

    def clone(
        self, params: Json, workspace: ResourceWorkspace, ask: Ask = default_answer
    ) -> LocalFileResource:
        """See `ResourceFactory`: the files must be here already; where, is asked."""
        name, there = take(params, "name", str), take(params, "global_local_path", str)
        answer = there if os.path.isdir(there) else ask(f"Where are the files of '{name}'?", there)
        path = os.path.abspath(os.path.expanduser(answer))
        if not os.path.isdir(path):
            raise ConfigurationError(
                f"the files of resource '{name}' are not here: there is no folder {path}",
                hint="They are not shared by git. Copy them there, then type: dws pull.",
            )
        return self.from_json(params, {"local_path": None if path == there else path}, workspace)


FACTORY = LocalFileFactory()
