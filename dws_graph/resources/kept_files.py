"""The kept content of one resource of plain files: in the workspace's own store, and a shared one.

A snapshot keeps content in the shared store where one is named, else in the workspace's own; a
shared one that cannot be reached costs nobody a snapshot: the content stays in the own store until
a push carries it. Source: docs/formats.md, "Kept content".
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from dws_graph.backends.kept.listing import KeptFile, KeptState
from dws_graph.backends.kept.local import LocalStore
from dws_graph.backends.kept.opening import open_store
from dws_graph.backends.kept.store import (
    ContentChangedError,
    Progress,
    Store,
    StoreError,
    TreeName,
)
from dws_graph.backends.locks import Notify, quiet
from dws_graph.errors import ChangedMeanwhileError, ConfigurationError, some_of
from dws_graph.resources import hashing
from dws_graph.resources.bringing import bring
from dws_graph.resources.digests import StatCache
from dws_graph.resources.inner_links import without_doubles
from dws_graph.resources.keeping import (
    Bringing,
    check_bringing,
    find_state,
    in_no_store,
    keep,
    missing_of,
    plan_bringing,
    read_state,
    sources_in_store,
    sources_on_disk,
    state_on_disk,
)
from dws_graph.resources.known_stores import is_known, note_known
from dws_graph.resources.naming import real_path
from dws_graph.resources.terms import ResourceWorkspace
from dws_graph.resources.walking import Excluded

FOLDER = ".dataworkspace/store"  # of the workspace's own store; git ignores it


Kept = Literal["same", "changed", "missing"]


def own_store(workspace: ResourceWorkspace) -> LocalStore:
    """The workspace's own store of kept content."""
    return store_of(workspace.root, workspace.notify)


def store_of(root: Path, notify: Notify = quiet) -> LocalStore:
    """The own store of the workspace with this root."""
    return LocalStore(root / FOLDER, notify=notify, in_workspace=True)


def shared_store(workspace: ResourceWorkspace, url: str) -> Store:
    """A store that copies of the workspace share."""
    who = f"copy {workspace.instance[:8]} on {socket.gethostname()}"
    return open_store(url, who, workspace.notify, is_known=is_known(workspace.root, url))


@dataclass(frozen=True)
class KeptFiles:
    """The kept content of a resource.

    Attributes:
        workspace: The workspace.
        what: The resource, in messages.
        folder: Of its files.
        url: Of the shared store; None where there is none.
        excluded: What in the folder is not content.
        hash_all: Hashes what is in the folder now.
        is_named: Whether a snapshot names the state with this hash.
    """

    workspace: ResourceWorkspace
    what: str
    folder: Path
    url: str | None
    excluded: Excluded
    hash_all: Callable[[StatCache], hashing.HashTree]
    is_named: Callable[[str], bool] = field(repr=False)

    @cached_property
    def own(self) -> LocalStore:
        """The workspace's own store."""
        return own_store(self.workspace)

    @cached_property
    def shared(self) -> Store | None:
        """The shared store, where there is one."""
        return None if self.url is None else shared_store(self.workspace, self.url)

    @property
    def stores(self) -> list[Store]:
        """Where content is looked for, the nearest first."""
        return [self.own] if self.shared is None else [self.own, self.shared]

    def name(self, root: str) -> TreeName:
        """By which this copy names a state."""
        return TreeName(self.workspace.id, root, self.workspace.instance)

    def keep(self, tree: hashing.HashTree, progress: Progress | None = None) -> tuple[str, ...]:
        """Keep what is in the folder now; notes for people.

        Raises:
            StoreError: It cannot be kept.
            ConfigurationError: A file changed meanwhile.
        """
        hashes = hashing.read_tree(tree.texts.get, tree.root)
        state = state_on_disk(self.folder, hashes, self.excluded)
        sources = sources_on_disk(self.folder, state)
        if state.files.keys() != hashes.keys():
            raise ChangedMeanwhileError(f"files of {self.what} vanished while they were being kept")
        if self.shared is None:
            keep(self.own, self.name(tree.root), state, sources, progress)
            return ()
        try:
            self._keep_shared(self.shared, self.name(tree.root), state, sources, progress)
        except StoreError as e:
            if isinstance(e, ContentChangedError):
                raise
            keep(self.own, self.name(tree.root), state, sources, progress)
            return (
                f"{self.what}: content is kept on this machine alone until dws push, since "
                f"{e.message}",
            )
        return ()

    def state(self, root: str) -> KeptState | None:
        """What was kept under this hash; the shared store is asked last."""
        return find_state(self.stores, self.workspace.id, root)

    def precheck(self, root: str) -> None:
        """Refuse, before anything changes, what would make bringing a state fail.

        Raises:
            ConfigurationError: Content is missing, or something is in the way.
        """
        wanted = self._wanted(root)
        now = self._now()
        plan = self._plan(self.folder, now, wanted)
        check_bringing(plan, now, self.what)
        place = self.folder
        while not place.exists():
            place = place.parent
        if not place.is_dir():
            raise ConfigurationError(
                f"{self.what} cannot be restored: {place} is a file, not a folder",
                hint="Move it elsewhere first.",
            )
        if (plan.write or plan.delete) and not os.access(place, os.W_OK | os.X_OK):
            raise ConfigurationError(f"{place} cannot be written", hint="Change its permissions.")
        lost = missing_of(plan, self.stores)
        if lost:
            names = [os.fsdecode(hashing.quoted(name)) for name in lost]
            where = ", ".join(store.where for store in self.stores)
            raise ConfigurationError(
                f"the content of {some_of(names, 3)} of {self.what} is not in {where}",
                hint=self._how_to_come_by(),
            )

    def _wanted(self, root: str) -> KeptState:
        wanted = self.state(root)
        if wanted is None:
            for store in self.stores:
                if isinstance(store, LocalStore):
                    store.check_there()
            raise ConfigurationError(
                f"the content {root[:12]} of {self.what} is in no store here",
                hint=self._how_to_come_by(),
            )
        return wanted

    def _how_to_come_by(self) -> str:
        """What brings content that is in no store here, for people."""
        if self.url is not None:
            return "Type dws push where the snapshot was taken; then run the command again."
        return (
            "It is kept on another machine alone. There: dws config --resource NAME store URL, and "
            "dws push; here: dws pull. Or leave it as it is: --leave NAME."
        )

    def _now(self) -> KeptState:
        if not self.folder.is_dir():
            return KeptState()
        tree = self._hashed()
        hashes = hashing.read_tree(tree.texts.get, tree.root)
        return state_on_disk(self.folder, hashes, self.excluded)

    def _hashed(self) -> hashing.HashTree:
        with self.workspace.stat_cache(self.folder) as cache:
            return self.hash_all(cache)

    def save(self) -> str:
        """Keep what is in the folder now, so that it can come back; its hash."""
        if not self.folder.is_dir():
            state = KeptState()
            root = hashing.tree_of([b""], {}, {}).root
            keep(self.own, self.name(root), state, {})
            return root
        tree = self._hashed()
        for note in self.keep(tree):
            self.workspace.notify(note)
        return tree.root

    def bring(self, root: str, folder: Path | None = None) -> None:
        """Bring the folder (or another, empty one) to a state.

        Raises:
            ConfigurationError: It cannot be brought; what was done so far stays.
        """
        now = self._now() if folder is None else KeptState()
        bring(self._plan(folder or self.folder, now, self._wanted(root)), self.stores)

    def _plan(self, folder: Path, now: KeptState, wanted: KeptState) -> Bringing:
        return without_doubles(plan_bringing(folder, now, wanted), wanted.files)

    def carry(self) -> int:
        """Bring to the shared store what snapshots name and it lacks; how many contents."""
        if self.shared is None:
            return 0
        if isinstance(self.shared, LocalStore):
            self.shared.check_there()
        carried = 0
        for name, _ in self.own.trees():
            if name.workspace != self.workspace.id or not self.is_named(name.root):
                continue
            state = read_state(self.own, name)
            there = read_state(self.shared, name)
            if state is None or not state.whole or (there is not None and there.whole):
                continue
            sources = sources_in_store(self.own.folder, state)
            carried += self._keep_shared(self.shared, name, state, sources)
        return carried

    def _keep_shared(
        self,
        store: Store,
        name: TreeName,
        state: KeptState,
        sources: Mapping[str, Path],
        progress: Progress | None = None,
    ) -> int:
        count = keep(store, name, state, sources, progress, shared=True)
        note_known(self.workspace.root, str(self.url))
        return count

    def fetch(self, root: str) -> int:
        """Bring content of a state to the workspace's own store, as far as it is not here.

        Returns:
            How many contents came.
        """
        if self.shared is None or (state := self.state(root)) is None:
            return 0
        wanted = self._not_in_folder(state)
        absent = sorted(wanted.keys() - self.own.present(wanted))
        if absent:
            self.own.write_tree(self.name(root), replace(state, whole=False).to_bytes())
            with self.own.adding():
                self.own.take(self.shared, absent)
        return len(absent)

    def _not_in_folder(self, state: KeptState) -> dict[str, int]:
        here = {file.sha1 for file in self._now().files.values()}
        return {s: size for s, size in state.sizes().items() if s not in here}

    def give(self, store: LocalStore, root: str) -> list[str]:
        """Let the store of a copy know a state, with the content that is not in the folder here.

        Returns:
            The files whose content is in no store.

        Raises:
            ConfigurationError: Nobody knows the state, or a store cannot be read.
        """
        state = self._wanted(root)
        wanted = self._not_in_folder(state)
        store.write_tree(self.name(root), replace(state, whole=False).to_bytes())
        for source in self.stores:
            there = source.present(wanted)
            store.take(source, sorted(there))
            wanted = {sha1: size for sha1, size in wanted.items() if sha1 not in there}
        lost = sorted(name for name, file in state.files.items() if file.sha1 in wanted)
        return [os.fsdecode(hashing.quoted(name)) for name in lost]

    def check(self, root: str, subpath: str | None) -> tuple[Kept | None, list[str]]:
        """Read all kept content of a state again.

        Args:
            root: The state's hash.
            subpath: Of a part of it.

        Returns:
            `same`, `changed`, `missing`, or None where nothing was kept; the files concerned.
        """
        state = self.state(root)
        if state is None:
            return None, []
        checked: dict[str, Kept] = {}
        found: dict[Kept, list[str]] = {"changed": [], "missing": []}
        for name, file in sorted(part(state, subpath).items()):
            if file.sha1 not in checked:
                checked[file.sha1] = self._check(file)
            if (status := checked[file.sha1]) != "same":
                found[status].append(os.fsdecode(hashing.quoted(name)))
        for status, names in found.items():
            if names:
                return status, names
        return "same", []

    def lacks(self, root: str) -> int | None:
        """How many contents of a state are in no store; None where nobody knows the state."""
        state = self.state(root)
        return None if state is None else len(in_no_store(state.sizes(), self.stores))

    def _check(self, file: KeptFile) -> Kept:
        seen = [store.check(file.sha1) for store in self.stores]
        if True in seen:
            return "same"
        return "changed" if False in seen else "missing"


def part(state: KeptState, subpath: str | None) -> dict[bytes, KeptFile]:
    """The files of a state, or of a part of it."""
    if subpath is None:
        return dict(state.files)
    real = os.fsencode(real_path(subpath, lambda folder: _names_in(state, folder)))
    return {
        name: file
        for name, file in state.files.items()
        if name == real or name.startswith(real + b"/")
    }


def _names_in(state: KeptState, folder: str) -> set[str]:
    prefix = os.fsencode(folder)
    inside = (n[len(prefix) :] for n in state.files if n.startswith(prefix))
    return {os.fsdecode(name.split(b"/")[0]) for name in inside}
