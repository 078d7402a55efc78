"""Type `file` (`local-files` on the command line): a folder anywhere on this machine.

It is known by its hash tree, whose texts the workspace keeps; its content is kept where that was
asked for (`keep`), and can be restored then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from dws_graph.backends.files import as_file_name, make_folder
from dws_graph.backends.git.command import Git
from dws_graph.backends.kept.store import check_url
from dws_graph.errors import ConfigurationError, JsonValueError, ParamParseError, some_of
from dws_graph.model.values import Json, take, take_or
from dws_graph.resources import hashing
from dws_graph.resources.awkward import MEND, awkward, said_of
from dws_graph.resources.cloning import appearing, as_local_path
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.exports import check_exportable, check_imported
from dws_graph.resources.factory import ResourceFactory
from dws_graph.resources.file_resource import FileResource, no_folder
from dws_graph.resources.fingerprints import Look, Sight, file_entries, look
from dws_graph.resources.hash_workers import are_kept
from dws_graph.resources.kept_files import KeptFiles, store_of
from dws_graph.resources.known_stores import forget_known
from dws_graph.resources.many_files import look_at_many
from dws_graph.resources.terms import (
    LINEAGE_FILE,
    Ask,
    Content,
    Listing,
    ResourceRoles,
    ResourceWorkspace,
    Taken,
    default_answer,
)
from dws_graph.resources.walking import NOTHING, Entry, Excluded

FILE = "file"
HASH_TREES = (FILE, "rclone")  # the types that are known by one
DUMMY, DUMMY_TEXT = "dummy.txt", b"Placeholder to ensure directory is added to git\n"


class LocalFileResource(FileResource):
    """See the module.

    Attributes:
        can_move: See `FileResource`.
        global_local_path: Where it was added, on the machine where it was.
        my_local_path: Where it is on this one, if elsewhere.
        compute_hash: Whether files are known by content, or by size alone.
        export: See `is_exported`.
        imported: See `is_imported`.
        keep: Whether snapshots keep its content.
        store: URL of the store of kept content that copies of the workspace share.
        known_here: Whether it is known where it is on this machine.
    """

    can_move = True

    def __init__(
        self,
        name: str,
        role: str,
        workspace: ResourceWorkspace,
        *,
        resource_type: str = FILE,
        global_local_path: str,
        my_local_path: str | None = None,
        compute_hash: bool = False,
        export: bool = False,
        imported: bool = False,
        keep: bool = False,
        store: str | None = None,
        known_here: bool = True,
    ) -> None:
        super().__init__(resource_type, name, role, workspace)
        self.global_local_path = global_local_path
        self.my_local_path = my_local_path
        self.compute_hash = compute_hash
        self.export = export
        self.imported = imported
        self.keep = keep
        self.store = store
        self.known_here = known_here

    def get_params(self) -> Json:
        """See `Resource`; 1.6, which keeps no content, leaves the last two alone."""
        kept = {"keep": True, "store": self.store} if self.keep else {}
        return {
            "resource_type": self.resource_type,
            "name": self.name,
            "role": self.role,
            "global_local_path": self.global_local_path,
            "compute_hash": self.compute_hash,
            "export": self.export,
            "imported": self.imported,
            **kept,
        }

    @property
    def changeable(self) -> Sequence[str]:
        """See `Resource`."""
        return (*super().changeable, *(("keep", "store") if self.resource_type == FILE else ()))

    def with_param(self, name: str, value: Any) -> Json:
        """See `Resource`: `keep`, and `store` of one that is kept."""
        if name not in ("keep", "store") or self.resource_type != FILE:
            return super().with_param(name, value)
        if name == "store" and not self.keep:
            raise ConfigurationError(
                f"{self} keeps no content", hint=f"Type: dws config --resource {self.name} keep on."
            )
        params = {k: v for k, v in self.get_params().items() if k not in ("keep", "store")}
        keeps = self.keep if name == "store" else value is not None and as_bool(name, value)
        if not keeps:
            return params
        check_can_be_kept(self.role, imported=self.imported)
        store = self.store
        if name == "store":
            store = None if value is None else check_url(value)
            forget_known(self.workspace.root, store or "")
        return {**params, "compute_hash": True, "keep": True, "store": store}

    def get_local_params(self) -> Json:
        """See `Resource`."""
        return {"local_path": self.my_local_path}

    @property
    def local_path(self) -> Path | None:
        """Where it is on this machine; None of one with a shared store, where nobody said so yet.

        The place where it was added is not taken for it: another copy may have it there, and what
        is here comes from the store.
        """
        return self.place if self.known_here or self.store is None else None

    @property
    def place(self) -> Path:
        """Where its files are, or would be."""
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

        One that a power cut has damaged is that of the last commit.

        Raises:
            JsonValueError: It is damaged: its content has another hash than its name says.
        """
        for folder in self._hash_folders():
            path = self.workspace.root / folder / hashval
            try:
                text = path.read_bytes()
            except FileNotFoundError:
                continue
            if hashing.text_hash(text) == hashval:
                return text
            committed = Git(self.workspace.root).cat("HEAD", f"{folder}/{hashval}")
            if committed is None or hashing.text_hash(committed) != hashval:
                raise JsonValueError(
                    "is damaged: its content does not have the hash that is its name",
                    file=str(path),
                    hint="Take it from another copy of the workspace, or a backup.",
                )
            return committed
        return None

    def _hash_folders(self) -> Iterator[str]:
        """Its folder; then those of earlier names, by which other copies may have kept trees."""
        yield self.hash_folder
        for name in self.workspace.names_before(self.name):
            yield self.hash_folder_as(name)

    def entries(self, subpath: str | None = None) -> Collection[Entry]:
        """See `FileResource`."""
        return file_entries(self.place, self.real_subpath(subpath), self.not_content)

    def hash_tree(
        self,
        cache: StatCache | None = None,
        progress: Progress | None = None,
        sight: Sight | None = None,
    ) -> hashing.HashTree:
        """Hash all its files; `sight`: where to put what was seen."""
        try:
            return hashing.hash_tree(
                self.folder,
                compute_hash=self.compute_hash,
                cache=cache,
                progress=progress,
                sight=sight,
            )
        except ConfigurationError as e:
            found = awkward(self.folder)
            if len(found) < 2:
                raise
            raise ConfigurationError(
                f"{self} holds what is no file: {said_of(found)}", hint=MEND
            ) from e

    def content(
        self,
        subpath: str | None = None,
        cache: StatCache | None = None,
        progress: Progress | None = None,
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

    def alike(self, content: Content, hashval: str, subpath: str | None) -> Content:
        """See `Resource`: before content was kept, files may have been known by size alone."""
        if not self.keep or not self._was_by_size(hashval):
            return content
        tree = hashing.hash_tree(self.folder, compute_hash=False)
        of_subpath = tree.subpath_hash(subpath) if subpath is not None else None
        return Content(tree.root, of_subpath, tree.less(self.not_content_at_root))

    def _was_by_size(self, hashval: str) -> bool:
        files = self.files_at(hashval)
        return files is not None and any(
            len(found) != hashing.SHA1_DIGITS for found in files.values()
        )

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

    def files_now(self, cache: StatCache | None = None) -> Listing | None:
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

    def look(self) -> Look:
        """What its files look like now."""
        folder, excluded, moment = self.folder, self.not_content, time.time_ns()
        if not excluded.folders and are_kept() and hashing.is_of_many(folder):
            return look_at_many(folder, excluded)
        return look(folder, file_entries(folder, None, excluded), moment)

    def take_snapshot(
        self, cache: StatCache | None = None, progress: Progress | None = None
    ) -> Taken:
        """See `Resource`; the hash tree's texts are to be committed."""
        sight = Sight(self.folder)
        tree = self.hash_tree(cache, progress, sight)
        if self.export:  # the one of an earlier snapshot says nothing of files changed since
            tree = tree.without([LINEAGE_FILE])
        files = {f"{self.hash_folder}/{name}": text for name, text in tree.texts.items()}
        known_as = tree.less(self.not_content_at_root)
        notes = self.kept_content.keep(tree, progress) if self.keep else ()
        return Taken(
            tree.root,
            tree.root if self.keep else None,
            files=files,
            notes=notes,
            subpath_hash=tree.subpath_hash,
            known_as=known_as,
            seen=sight.look(self.not_content),
        )

    # Kept content

    @property
    def kept_content(self) -> KeptFiles:
        """Its kept content."""
        return KeptFiles(
            workspace=self.workspace,
            what=str(self),
            folder=self.place,
            url=self.store,
            excluded=Excluded([LINEAGE_FILE]) if self.export else NOTHING,
            hash_all=self._content_tree,
            is_named=lambda root: self.kept(root) is not None,
        )

    def _content_tree(self, cache: StatCache) -> hashing.HashTree:
        tree = self.hash_tree(cache)
        return tree.without([LINEAGE_FILE]) if self.export else tree

    def restore_precheck(self, restore_hashval: str) -> None:
        """See `Resource`."""
        if not self.keep:
            super().restore_precheck(restore_hashval)
        if self.local_path is None:
            raise ConfigurationError(f"{self} is not on this machine", hint="Type: dws pull.")
        self.kept_content.precheck(restore_hashval)

    def save_uncommitted(self) -> str | None:
        """See `Resource`."""
        return self.kept_content.save() if self.keep and self.local_path is not None else None

    def restore(self, restore_hashval: str) -> tuple[str, ...]:
        """See `Resource`; what is there now is kept before."""
        if not self.keep:
            return super().restore(restore_hashval)
        before = self.bring_to(restore_hashval)
        if before == restore_hashval or self.kept(before) is not None:
            return ()
        return (
            f"{self}: what was there is kept as content {before[:12]}; dws undo brings it back",
        )

    def bring_to(self, state: str) -> str:
        """Bring the folder to a kept state; that of before, which is kept, too."""
        before = self.kept_content.save()
        self.kept_content.bring(state)
        if self.export and os.path.lexists(file := self.place / LINEAGE_FILE):
            file.unlink()  # it is about the files that were there
        return before

    def fill_from_store(self, root: str | None) -> None:
        """Make the folder, with what was kept under this hash; whole or not at all."""
        if self.place.is_dir() and any(self.place.iterdir()):
            return  # the user's own, which he has named
        with appearing(self.place) as target:
            make_folder(target)
            if root is not None:
                self.kept_content.bring(root, folder=target)

    def take_along(self, copy: Path, restore_hashval: str | None) -> tuple[str, ...]:
        """See `Resource`: kept content that is not in the folder."""
        if not self.keep or restore_hashval is None or not self.is_here():
            return super().take_along(copy, restore_hashval)
        try:
            lost = self.kept_content.give(store_of(copy), restore_hashval)
        except ConfigurationError as e:
            return (f"{self}: kept content is not in the image: {e.message}",)
        if not lost:
            return ()
        return (f"{self}: the content of {some_of(lost, 3)} is in no store: not in the image",)

    def shared_at(self) -> str | None:
        """See `Resource`."""
        return self.store

    def not_pushed(self) -> str | None:
        """See `Resource`."""
        if self.keep and self.store is None:
            return "its content is kept on this machine alone: it has no shared store"
        return None if self.keep else super().not_pushed()

    def push(self) -> bool:
        """See `Resource`: the content of snapshots that the shared store lacks."""
        return self.kept_content.carry() > 0

    def needs_cloning(self) -> bool:
        """See `Resource`."""
        return not self.is_here()

    def files_to_add(self) -> dict[str, bytes]:
        """What the workspace is to commit when the resource is added."""
        return {f"{self.hash_folder}/{DUMMY}": DUMMY_TEXT}


class LocalFileFactory(ResourceFactory):
    """Makes `LocalFileResource`."""

    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> LocalFileResource:
        """See `ResourceFactory`.

        `local_path, compute_hash=False, export=False, imported=False, keep=False, store=None`.
        """
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
        keep: bool = False,
        store: str | None = None,
    ) -> LocalFileResource:
        if store is not None and not keep:
            raise ConfigurationError("a store is for kept content", hint="Give --keep, too.")
        if keep:
            check_can_be_kept(role, imported=imported)
        store = None if store is None else check_url(store)
        path = Path(os.path.abspath(os.path.expanduser(local_path)))
        if not path.is_dir():
            raise no_folder(path)
        if not os.access(path, os.R_OK | os.X_OK):
            raise ConfigurationError(f"the folder {path} cannot be read")
        if found := awkward(path):
            workspace.notify(f"{path} holds what no snapshot can take: {said_of(found)}. {MEND}")
        if imported:
            check_imported(path, name, role)
        if export:
            check_exportable(path, name, read_only=imported)
        return LocalFileResource(
            name,
            role,
            workspace,
            global_local_path=str(path),
            compute_hash=compute_hash or keep,
            export=export,
            imported=imported,
            keep=keep,
            store=store,
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
            keep=take_or(params, "keep", bool) or False,
            store=take_or(params, "store", str),
            known_here=not local_params.keys().isdisjoint(("local_path", "my_local_path")),
        )

    def has_local_state(self) -> bool:
        """See `ResourceFactory`."""
        return True

    def clone(
        self, params: Json, workspace: ResourceWorkspace, ask: Ask = default_answer
    ) -> LocalFileResource:
        """See `ResourceFactory`: the files must be here already; where, is asked.

        Those of a shared store come from there, to a new folder: one that happens to be where the
        files were on another machine is not taken for them, since its content would be uploaded.
        """
        name, there = take(params, "name", str), take(params, "global_local_path", str)
        if take_or(params, "store", str) is not None:
            default = str(workspace.root / as_file_name(name))
            path = _asked(ask, f"Where are the files of '{name}' to be put?", default)
            return self.from_json(params, {"local_path": as_local_path(workspace, path)}, workspace)
        found = Path(there) if os.path.isdir(there) else None
        path = found or _asked(ask, f"Where are the files of '{name}'?", there)
        if not path.is_dir():
            raise ConfigurationError(
                f"the files of resource '{name}' are not here: there is no folder {path}",
                hint="They are not shared by git. Copy them there, then type: dws pull.",
            )
        local = None if str(path) == there else str(path)
        return self.from_json(params, {"local_path": local}, workspace)


def _asked(ask: Ask, question: str, default: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(ask(question, default))))


def check_can_be_kept(role: str, *, imported: bool) -> None:
    """Refuse to keep content that no restore may bring back.

    Raises:
        ConfigurationError: It is another workspace's, or results.
    """
    if imported:
        raise ConfigurationError(
            "an imported resource is only read: its content is not restored here",
            hint="Keep it in the workspace that makes it.",
        )
    if role == ResourceRoles.RESULTS:
        raise ConfigurationError(
            "results are never restored: a snapshot leaves them in the folder of the snapshot",
            hint="Leave --keep out.",
        )


def as_bool(name: str, text: str) -> bool:
    """What a text on the command line means.

    Raises:
        ParamParseError: Neither yes nor no.
    """
    found = {"on": True, "true": True, "yes": True, "1": True}
    found |= {"off": False, "false": False, "no": False, "0": False}
    if str(text).lower() not in found:
        raise ParamParseError(f"'{text}' is neither yes nor no", hint=f"Give {name} on, or off.")
    return found[str(text).lower()]


FACTORY = LocalFileFactory()
