"""Content of plain files kept by hash, so that a snapshot of them can come back.

Source: docs/formats.md, "Kept content".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dws_graph.backends.kept.listing import KeptFile, KeptState
from dws_graph.backends.kept.store import Progress, Store, StoreError, TreeName, object_path
from dws_graph.errors import ConfigurationError, JsonValueError, some_of
from dws_graph.resources import hashing
from dws_graph.resources.walking import Excluded, walk


def state_on_disk(folder: Path, hashes: Mapping[bytes, str], excluded: Excluded) -> KeptState:
    """What is in a folder now, as it was hashed.

    Args:
        folder: The folder.
        hashes: The sha1 of each file's content.
        excluded: What is not content.
    """
    files: dict[bytes, KeptFile] = {}
    folders = []
    for entry in walk(folder, excluded=excluded):
        if entry.name.endswith(b"/"):
            folders.append(entry.name)
        elif entry.stat is not None and (sha1 := hashes.get(entry.name)) is not None:
            files[entry.name] = KeptFile(sha1, entry.stat.st_size, bool(entry.stat.st_mode & 0o100))
    return KeptState(files, frozenset(folders))


def root_of(state: KeptState) -> str:
    """The hash of a state's hash tree, by which it is named."""
    hashes = {name: file.sha1 for name, file in state.files.items()}
    return hashing.tree_of([b"", *state.folders], {}, hashes).root


def keep(
    store: Store,
    name: TreeName,
    state: KeptState,
    sources: Mapping[str, Path],
    progress: Progress | None = None,
    *,
    shared: bool = False,
) -> int:
    """Put a state's content into a store, as far as it is not there, and name the state there.

    Args:
        store: The store.
        name: Of the state.
        state: What is in it.
        sources: A file with each content, by its sha1.
        progress: Called with files done and files in all.
        shared: Others use the store, too: the name is written anew, so that they see it is young.

    Returns:
        How many contents were put there.

    Raises:
        StoreError: The store cannot be used, or a file changed meanwhile.
    """
    sizes = state.sizes()
    known = read_state(store, name)
    named = known == state
    if shared or not named:
        store.write_tree(name, replace(state, whole=named).to_bytes())
    with store.adding():
        absent = sizes.keys() - store.present(sizes)
        if lost := sorted(absent - sources.keys()):
            raise StoreError(
                f"{some_of([sha1[:12] for sha1 in lost], 3)} of the content that a snapshot names "
                "is in no store here",
                hint="Type dws push where the snapshot was taken, then dws pull here.",
            )
        store.put({sha1: sources[sha1] for sha1 in sorted(absent)}, progress)
    if not named:
        store.write_tree(name, state.to_bytes())
    return len(absent)


def read_state(store: Store, name: TreeName) -> KeptState | None:
    """A state by its name; None where the store does not know it, or only half of it."""
    raw = store.read_tree(name)
    if raw is None:
        return None
    state = KeptState.from_bytes(raw, f"{store.where}/{name.path}")
    if root_of(state) != name.root:
        raise JsonValueError(
            "is damaged: its content does not have the hash that is its name",
            file=f"{store.where}/{name.path}",
            hint="Delete it: a snapshot of the same files writes it anew.",
        )
    return state


def find_state(stores: Iterable[Store], workspace: str, root: str) -> KeptState | None:
    """The state that any copy of a workspace has named so; one that is whole, if there is any.

    Raises:
        StoreError: A store cannot be asked, and no other knows the state.
    """
    found: KeptState | None = None
    for store in stores:
        try:
            found = _named_in(store, workspace, root) or found
        except StoreError:
            if found is None:
                raise
        if found is not None and found.whole:
            break
    return found


def _named_in(store: Store, workspace: str, root: str) -> KeptState | None:
    found: KeptState | None = None
    for name, _ in store.trees(workspace):
        if name.root == root:
            with suppress(JsonValueError):  # of several, one may be damaged
                found = read_state(store, name) or found
            if found is not None and found.whole:
                break
    return found


def sources_on_disk(folder: Path, state: KeptState) -> dict[str, Path]:
    """A file of the folder with each content."""
    return {file.sha1: folder / os.fsdecode(name) for name, file in state.files.items()}


def sources_in_store(folder: Path, state: KeptState) -> dict[str, Path]:
    """A file of a local store with each content, as far as it is there."""
    paths = {file.sha1: folder / object_path(file.sha1) for file in state.files.values()}
    return {sha1: path for sha1, path in paths.items() if path.is_file()}


@dataclass(frozen=True, slots=True)
class Bringing:
    """What bringing a folder to a state changes.

    Attributes:
        folder: The folder.
        write: Files to write, with their content.
        modes: Files that only become executable, or are that no more.
        delete: Files that go.
        folders: All folders of the state.
        leave: Folders of now that the state has not.
    """

    folder: Path
    write: dict[bytes, KeptFile]
    modes: dict[bytes, KeptFile]
    delete: tuple[bytes, ...]
    folders: frozenset[bytes]
    leave: frozenset[bytes]

    def sizes(self) -> dict[str, int]:
        """Of each content that is needed, by its sha1."""
        return {file.sha1: file.size for file in self.write.values()}


def plan_bringing(folder: Path, now: KeptState, wanted: KeptState) -> Bringing:
    """What is to be done to bring a folder from one state to another."""
    write = {
        name: file
        for name, file in wanted.files.items()
        if name not in now.files or now.files[name].sha1 != file.sha1
    }
    modes = {
        name: file
        for name, file in wanted.files.items()
        if name not in write and now.files[name].executable != file.executable
    }
    return Bringing(
        folder=folder,
        write=write,
        modes=modes,
        delete=tuple(sorted(now.files.keys() - wanted.files.keys())),
        folders=wanted.folders,
        leave=now.folders - wanted.folders,
    )


def check_bringing(plan: Bringing, now: KeptState, what: str) -> None:
    """Refuse to write over what was not saved, or through a link.

    Raises:
        ConfigurationError: Names the file.
    """
    base = os.path.join(os.fsencode(plan.folder), b"")
    for name in (*plan.write, *plan.modes, *plan.delete):
        for above in _folders_above(name):
            if os.path.islink(base + above):
                raise ConfigurationError(
                    f"{what} cannot be restored: {os.fsdecode(base + above)} is a link to a "
                    "folder, and files would be changed where it leads",
                    hint="Put a folder in its place, or restore without it: --leave.",
                )
    for name in plan.write:
        found = _in_the_way(base, name, now, plan)
        if found is not None:
            raise ConfigurationError(
                f"{what} would be restored over {os.fsdecode(found)}, which is in no snapshot "
                "(.dwsignore names it, or it is no file)",
                hint="Move it elsewhere first.",
            )


def _folders_above(name: bytes) -> Iterator[bytes]:
    parts = name.split(b"/")
    for i in range(1, len(parts)):
        yield b"/".join(parts[:i])


def _in_the_way(base: bytes, name: bytes, now: KeptState, plan: Bringing) -> bytes | None:
    """What has no copy, and lies where a file is to be."""
    for above in _folders_above(name):
        path = base + above
        if os.path.lexists(path) and not os.path.isdir(path):
            return None if above in plan.delete else path
    path = base + name
    if not os.path.lexists(path) or name in now.files:
        return None
    if not os.path.isdir(path) or os.path.islink(path):
        return path
    inside = (os.path.join(top, file) for top, _, files in os.walk(path) for file in files)
    return next((file for file in inside if file[len(base) :] not in now.files), None)


def in_no_store(sizes: Mapping[str, int], stores: Sequence[Store]) -> set[str]:
    """Which of these contents, {sha1: size}, none of the stores has; the first is asked first."""
    absent = set(sizes)
    for store in stores:
        if absent:
            absent -= store.present({sha1: sizes[sha1] for sha1 in absent})
    return absent


def missing_of(plan: Bringing, stores: Sequence[Store]) -> list[bytes]:
    """The files whose content is in none of these stores."""
    absent = in_no_store(plan.sizes(), stores)
    return sorted(name for name, file in plan.write.items() if file.sha1 in absent)
