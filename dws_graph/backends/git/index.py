"""Git's index: a scratch copy to build commits in, and the user's own brought up to date.

with ScratchIndex(git) as index:        the user's index is only read
    index.add(["data"])
    tree = index.write_tree()
commit = git.commit_tree(tree, [head], "...")
git.update_ref(branch, commit, head)    the branch moves once
reset_index(git, commit, ["data"])      what the user has staged elsewhere stays
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from types import TracebackType

from dws_graph.backends.files import TEMPORARY
from dws_graph.backends.git.command import (
    LITERAL,
    MANY,
    PATHS_FROM_INPUT,
    Git,
    GitCommandError,
    decoded,
    encoded,
    nul_separated,
)
from dws_graph.backends.git.deflating import worth_deflating
from dws_graph.backends.git.lending import Stamp, lend, stamp, take
from dws_graph.backends.git.remembering import Answers

_less: Answers[str] = Answers()
FILE, EXECUTABLE = "100644", "100755"
# Files that are larger go to one pack as they are read, which is synced once, in constant memory.
_PACKED = ("core.bigFileThreshold=1",)
_NOT_DEFLATED = ("pack.compression=0",)
_AT_ONCE = 2  # gits that deflate
_SPECIAL = re.compile(rb"[*?\[\\]")
_WORTH_TREES = 100_000  # bytes of an index, about a thousand files
_NOT_SYNCED = ("core.fsync=none",)
BEGUN = f":(exclude,glob)**/{TEMPORARY}{'[0-9a-f]' * 16}"  # as `write_atomic` names it


class ScratchIndex:
    """A copy of the user's index, so that files which it knows unchanged are not read.

    With `keep=False` the objects made go with the scratch index, and nothing in the repository
    changes: enough to learn what a tree's id would be. With `reread=True` it knows no file's
    stats, so that every file is read.
    """

    def __init__(self, git: Git, *, keep: bool = True, reread: bool = False) -> None:
        self.git = git
        self._keep = keep
        self._reread = reread
        self._settings = () if keep else _NOT_SYNCED
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._env: dict[str, str] = {}
        self._found: Stamp | None = None
        self._took_many = False

    def __enter__(self) -> ScratchIndex:
        self._folder = tempfile.TemporaryDirectory(prefix="dws-")
        index = Path(self._folder.name) / "index"
        self._found = stamp(self._real_index())
        with contextlib.suppress(FileNotFoundError):  # before the first `git add`
            # its time too: git reads again what is not older than the index
            shutil.copy2(self._real_index(), index)
        self._env = {"GIT_INDEX_FILE": str(index)}
        if not self._keep:
            objects = Path(self._folder.name) / "objects"
            objects.mkdir()
            self._env["GIT_OBJECT_DIRECTORY"] = str(objects)
            self._env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = _quoted(str(self.git.objects))
        if self._reread:
            self._forget_stats()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def _forget_stats(self) -> None:
        """Keep which files are tracked, and nothing by which one would be known unchanged."""
        listed = self.git.run("ls-files", "-s", "-z", env=self._env)
        Path(self._env["GIT_INDEX_FILE"]).unlink(missing_ok=True)
        if listed:
            self.git.run("update-index", "-z", "--index-info", input=listed, env=self._env)

    @property
    def env(self) -> Mapping[str, str]:
        """What makes git use this index."""
        return self._env

    def _real_index(self) -> Path:
        return _index_of(self.git)

    def add(self, paths: Sequence[str]) -> None:
        """Take these files and folders as they are on disk; gone ones are taken out.

        What a killed process began beside a file that it would have replaced is none of them.
        """
        if known := [path for path in paths if self._is_known(path)]:
            named = [f":(literal){path}" if path else "." for path in known]
            listed = nul_separated([*named, BEGUN])
            settings = (*self._settings, *self._packing(known))
            args = ("add", "-A", *PATHS_FROM_INPUT)
            self.git.run(*args, input=listed, env=self._env, settings=settings)

    def _packing(self, paths: Sequence[str]) -> Sequence[str]:
        """Settings for `git add`: many new objects are kept in a pack, and synced once.

        Few are better off in files of their own: a repository gets slow with many small packs.
        """
        if not self._keep or len(paths) >= MANY:
            return _PACKED
        names = self._new(paths)
        if len(names) < MANY:
            return ()
        self._took_many = True
        packed = (*_PACKED, *(() if worth_deflating(self.git.root, names) else _NOT_DEFLATED))
        folders = sorted({name.rpartition(b"/")[0] for name in names})
        if len(folders) == 1 or not all(os.path.isdir(self.git.root / path) for path in paths):
            return packed
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            parts = [folders[n::_AT_ONCE] for n in range(_AT_ONCE)]
            list(pool.map(self._keep_ahead, parts, range(_AT_ONCE), repeat(packed)))
        return ()  # all that it has to do now is to find them

    def _new(self, paths: Sequence[str]) -> list[bytes]:
        """The files that are new or changed."""
        listed = ("ls-files", "-z", "--others", "--modified", "--exclude-standard", "--")
        raw = self.git.run(*listed, *(path or "." for path in paths), env={**self._env, **LITERAL})
        names = raw.split(b"\0")[:-1]
        begun = os.fsencode(TEMPORARY)
        return [n for n in names if not n.endswith(b"/") and begun not in n.rpartition(b"/")[2][:2]]

    def _keep_ahead(self, folders: Sequence[bytes], n: int, settings: Sequence[str]) -> None:
        """Keep what is new directly in these folders: one git alone deflates on one processor.

        The first knows them from then on, the others work on indexes of their own.
        """
        index = self._env["GIT_INDEX_FILE"] + (f"-{n}" if n else "")
        with contextlib.suppress(FileNotFoundError, shutil.SameFileError):
            shutil.copy2(self._env["GIT_INDEX_FILE"], index)
        listed = [b":(glob)" + _glob(folder) for folder in folders]
        self.git.run(
            *("add", "-A", *PATHS_FROM_INPUT),
            input=nul_separated([*listed, BEGUN]),
            env={**self._env, "GIT_INDEX_FILE": index},
            settings=settings,
        )

    def _is_known(self, path: str) -> bool:
        """Whether `git add` would find anything: it stops at a path that is nowhere."""
        if os.path.lexists(self.git.root / path):
            return True
        return bool(self.git.run("ls-files", "-z", "--", path, env={**self._env, **LITERAL}))

    def add_blob(self, path: str, data: bytes, mode: str = FILE) -> None:
        """Take a file of this content, whatever is on disk, and whatever git ignores."""
        self.add_blobs({path: data}, mode)

    def add_blobs(self, files: Mapping[str, bytes], mode: str = FILE) -> None:
        """Take many files of known content."""
        # not in the scratch store of objects only when these are to be kept
        ids = self.git.write_blobs(list(files.values())) if self._keep else self._ids(files)
        self._put((path, mode, oid) for path, oid in zip(files, ids, strict=True))

    def _ids(self, files: Mapping[str, bytes]) -> list[str]:
        store = ("hash-object", "-w", "--stdin")
        return [
            decoded(
                self.git.run(*store, input=data, env=self._env, settings=self._settings)
            ).strip()
            for data in files.values()
        ]

    def _put(self, entries: Iterable[tuple[str, str, str]]) -> None:
        lines = (encoded(f"{mode} {oid}\t{path}") for path, mode, oid in entries)
        self.git.run(
            "update-index", "-z", "--index-info", input=nul_separated(lines), env=self._env
        )

    def put_tree(self, tree: str) -> None:
        """Hold exactly the files of a tree or commit."""
        self.git.run("read-tree", tree, env=self._env)

    def put_below(self, folder: str, tree: str) -> None:
        """Hold the files of a tree below a folder, where there must be none yet."""
        self.git.run("read-tree", f"--prefix={folder}/", tree, env=self._env)

    def put_ids(self, entries: Mapping[bytes, tuple[str, str]]) -> None:
        """Take files by mode and id, as `Git.ls_tree` has them."""
        self._put((decoded(name), mode, oid) for name, (mode, oid) in entries.items())

    def remove(self, paths: Sequence[str]) -> None:
        """Leave these files and folders out; those not there are left out already."""
        if paths:
            options = ("-r", "-q", "-f", "--cached", "--ignore-unmatch")
            literal = {**self._env, **LITERAL}
            listed = nul_separated(paths)
            self.git.run("rm", *options, *PATHS_FROM_INPUT, input=listed, env=literal)

    def reset_outside(self, folders: Sequence[str], head: str | None) -> None:
        """Set every path outside these folders back to `head`: what is staged there stays out.

        Args:
            folders: From the repository's root.
            head: The commit checked out; None before the first.
        """
        if "" in folders:
            return
        pathspecs = [".", *(f":(exclude,top,literal){folder}" for folder in folders)]
        at = (head,) if head else ()
        listed = nul_separated(pathspecs)
        self.git.run("reset", "-q", *at, *PATHS_FROM_INPUT, input=listed, env=self._env)

    def lend(self, folders: Sequence[str], head: str | None) -> None:
        """Have `reset_index` know the new files of these folders, where they are many.

        Else it reads each once more. Only where nothing else is staged in the user's index.
        """
        if not self._took_many:
            return
        if head is None:
            differs = self._found is not None
        else:
            outside = [f":(exclude,top,literal){folder}" for folder in folders]
            asked = ("diff-index", "--cached", "--quiet", "--ita-visible-in-index", head)
            differs = "" not in folders and not self.git.succeeds(*asked, "--", ".", *outside)
        if not differs:
            lend(self._real_index(), self._found, Path(self._env["GIT_INDEX_FILE"]), folders)

    def entries(self, subdir: str = "") -> dict[bytes, tuple[str, str]]:
        """Mode and id of each file below `subdir`, by its path from the repository's root."""
        shown = ("ls-files", "-s", "-z", "--", subdir)
        raw = self.git.run(*(shown if subdir else shown[:-2]), env={**self._env, **LITERAL})
        return _entries(raw)

    def write_tree(self) -> str:
        """The id of the tree that this index holds."""
        # to learn an id alone, what else the repository lacks does not matter
        missing_ok = () if self._keep else ("--missing-ok",)
        raw = self.git.run("write-tree", *missing_ok, env=self._env, settings=self._settings)
        return decoded(raw).strip()

    def object_id(self, name: str) -> str | None:
        """As `Git.object_id`, and for objects of this scratch index."""
        found = ("rev-parse", "-q", "--verify", "--end-of-options", name)
        raw = self.git.run(*found, env=self._env, ok=(0, 1))
        return decoded(raw).strip().removeprefix("--end-of-options\n") or None

    def names_in(self, tree: str, folder: str) -> list[str]:
        """As `Git.names_in`, and for trees of this scratch index."""
        return self.git.names_in(tree, folder, self._env)

    def tree_less(self, tree: str, names: Iterable[str]) -> str:
        """The id that a tree would have without these entries directly in it; changes nothing."""
        return tree_less(self.git, tree, names, env=self._env)

    def check_out(self, names: Collection[bytes]) -> list[bytes]:
        """Write files to disk as this index holds them, never over what is there.

        Returns:
            Those that are not on disk as they should be, since somebody wrote there.
        """
        failed: GitCommandError | None = None
        try:
            checkout = ("checkout-index", "-u", "-z", "--stdin")
            self.git.run(*checkout, input=nul_separated(names), env=self._env)
        except GitCommandError as e:
            failed = e
        # before 2.30 the exit status does not tell that a file was in the way
        differing = ("diff-files", "--name-only", "-z", "--ignore-submodules=all")
        found = set(self.git.run(*differing, env=self._env).split(b"\0"))
        left = [name for name in names if name in found]
        if failed is not None and not any(os.path.lexists(self._path(name)) for name in left):
            raise failed
        return left

    def _path(self, name: bytes) -> bytes:
        return os.path.join(os.fsencode(self.git.root), name)


def tracked_blobs(folder: Path) -> dict[str, str]:
    """The id of each file directly in a folder, by name, as the user's index has it."""
    raw = Git(folder).run("ls-files", "-s", "-z", env=LITERAL)  # relative to the folder
    return {decoded(name): oid for name, (_, oid) in _entries(raw).items() if b"/" not in name}


def _entries(raw: bytes) -> dict[bytes, tuple[str, str]]:
    """Mode and id by path, of what `git ls-files -s -z` prints."""
    found: dict[bytes, tuple[str, str]] = {}
    for entry in raw.split(b"\0")[:-1]:
        about, name = entry.split(b"\t", 1)
        mode, oid, _ = about.decode("ascii").split(" ")
        found[name] = (mode, oid)
    return found


def tree_less(
    git: Git, tree: str, names: Iterable[str], *, env: Mapping[str, str] | None = None
) -> str:
    """The id that a tree would have without these entries directly in it; changes nothing."""
    left_out = frozenset(encoded(name) for name in names)
    return _less.get((tree, left_out), lambda: _ask_tree_less(git, tree, left_out, env))


def _ask_tree_less(
    git: Git, tree: str, left_out: Collection[bytes], env: Mapping[str, str] | None
) -> str:
    raw = git.run("ls-tree", "-z", "--full-tree", tree, env=env)
    lines = raw.split(b"\0")[:-1]
    kept = [line for line in lines if line.split(b"\t", 1)[1] not in left_out]
    if len(kept) == len(lines):
        return tree
    folder = {"GIT_OBJECT_DIRECTORY": "", "GIT_ALTERNATE_OBJECT_DIRECTORIES": ""}
    with tempfile.TemporaryDirectory(prefix="dws-") as scratch:
        folder["GIT_OBJECT_DIRECTORY"] = scratch
        folder["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = _quoted(str(git.objects))
        made = git.run("mktree", "-z", "--missing", input=nul_separated(kept), env=folder)
    return decoded(made).strip()


def reset_index(git: Git, commit: str, paths: Sequence[str | bytes], *, wait: float = 10) -> None:
    """Bring the user's index to a commit, for these files and folders only.

    Paths that are nowhere are no error.

    Args:
        git: The repository.
        commit: Its id.
        paths: From the repository's root; the empty one is all.
        wait: Seconds to wait for somebody else's lock on the index.

    Raises:
        GitError: The index is still locked after `wait`.
    """
    if not paths:
        return
    take(_index_of(git), paths)
    listed = nul_separated(path or "." for path in paths)
    end = time.monotonic() + wait
    while True:
        try:
            # not quiet: it looks at the files too, else each later `git add` would read them
            git.run("reset", commit, *PATHS_FROM_INPUT, input=listed, env=LITERAL)
            break
        except GitCommandError as e:
            if "index.lock" not in e.stderr or time.monotonic() > end:
                raise
        time.sleep(0.05)
    if _size(git.folder / "index") >= _WORTH_TREES:
        # as `git commit` does: else each later `git status` reads the trees of HEAD. It may be
        # locked by now, or hold what is in no tree; then it stays as it is
        git.run("write-tree", ok=(0, 128))


def _index_of(git: Git) -> Path:
    return git.folder / "index"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _glob(folder: bytes) -> bytes:
    """A pattern for all that is directly in a folder."""
    return _SPECIAL.sub(rb"\\\g<0>", folder + b"/" if folder else b"") + b"*"


def _quoted(path: str) -> str:
    """A path in a list separated by colons."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
