"""A store in a folder of this machine.

Content is shared with the file it came from where the file system can do that (a reflink), else
copied; never by a hard link, through which an edit of the file would reach it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from dws_graph.backends.faults import fault
from dws_graph.backends.files import TEMPORARY, make_folder, sync_folder, write_atomic
from dws_graph.backends.kept.store import (
    OBJECT,
    TREE,
    ContentChangedError,
    ContentDamagedError,
    Held,
    Progress,
    Store,
    StoreError,
    TreeName,
    copy_hashed,
    object_path,
)
from dws_graph.backends.locks import Lock, Notify, quiet

_WORKERS = 4
_FICLONE = 0x40049409  # linux/fs.h: share the content of another file
_GITIGNORE = b"*\n"


class LocalStore:
    """See `Store`.

    Attributes:
        folder: Its folder; made when something is written.
        where: As text.
    """

    def __init__(
        self,
        folder: Path,
        *,
        notify: Notify = quiet,
        in_workspace: bool = False,
        is_known: bool = False,
    ) -> None:
        self.folder = folder
        self.where = str(folder)
        self._notify = notify
        self._in_workspace = in_workspace
        self._is_known = is_known

    @contextmanager
    def adding(self) -> Iterator[None]:
        """See `Store`."""
        with self._lock().held():
            yield

    @contextmanager
    def clearing(self) -> Iterator[Callable[[], None]]:
        """See `Store`."""
        with self._lock().held():
            yield lambda: None

    def _lock(self) -> Lock:
        self._make(self.folder)
        return Lock(self.folder / ".lock", "uses the store of kept content", self._notify)

    def present(self, wanted: Mapping[str, int]) -> set[str]:
        """See `Store`."""
        base = os.fspath(self.folder)
        found = set()
        for sha1, size in wanted.items():
            with contextlib.suppress(OSError):
                if os.stat(f"{base}/{object_path(sha1)}").st_size == size:
                    found.add(sha1)
        return found

    def put(self, sources: Mapping[str, Path], progress: Progress | None = None) -> None:
        """See `Store`."""
        folders = {self.folder / os.path.dirname(object_path(sha1)) for sha1 in sources}
        for folder in sorted(folders):
            self._make(folder)
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="dws-keep") as pool:
            pairs = list(sources.items())
            try:
                for done, _ in enumerate(pool.map(lambda pair: self._put(*pair), pairs), 1):
                    if progress is not None:
                        progress(done, len(pairs))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        for folder in sorted(folders):
            sync_folder(folder)

    def _put(self, sha1: str, source: Path) -> None:
        target = self.folder / object_path(sha1)
        temporary = self.folder / f"{TEMPORARY}{secrets.token_hex(8)}"
        fault("keep: create")
        try:
            with _reading(source) as read:
                if _copied(read, temporary) != sha1:
                    raise ContentChangedError(source)
            _seal(temporary)
            fault("keep: rename")
            os.replace(temporary, target)
        except OSError as e:
            self._refuse(e)
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()

    def take(self, other: Store, sha1s: Iterable[str]) -> None:
        """Copy contents of another store into this one.

        Raises:
            StoreError: One is not there, or damaged.
        """
        for sha1 in sha1s:
            target = self.folder / object_path(sha1)
            self._make(target.parent)
            temporary = self.folder / f"{TEMPORARY}{secrets.token_hex(8)}"
            try:
                other.fetch(sha1, temporary)
                _seal(temporary)
                fault("keep: rename")
                os.replace(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)

    def fetch(self, sha1: str, target: Path) -> None:
        """See `Store`."""
        try:
            with open(self.folder / object_path(sha1), "rb", buffering=0) as read:
                found = _copied(read, target)
        except FileNotFoundError as e:
            raise missing(self.where, sha1) from e
        except OSError as e:
            target.unlink(missing_ok=True)
            raise StoreError(f"{target} cannot be written: {e.strerror}", hint=_SPACE) from e
        if found != sha1:
            target.unlink()
            raise damaged(self.where, sha1)

    def check(self, sha1: str) -> bool | None:
        """See `Store`."""
        try:
            with open(self.folder / object_path(sha1), "rb", buffering=0) as file:
                return copy_hashed(file, None) == sha1
        except FileNotFoundError:
            return None
        except OSError as e:
            raise StoreError(f"{self.where} cannot be read: {e.strerror}") from e

    def objects(self) -> Iterator[tuple[str, Held]]:
        """See `Store`."""
        for path, held in self._files("objects"):
            if found := OBJECT.fullmatch(path):
                yield found[1] + found[2], held

    def trees(self, workspace: str | None = None) -> Iterator[tuple[TreeName, Held]]:
        """See `Store`."""
        for path, held in self._files("trees", workspace):
            if found := TREE.fullmatch(path):
                yield TreeName(*found.groups()), held

    def _files(self, below: str, only: str | None = None) -> Iterator[tuple[str, Held]]:
        for folder in _scan(self.folder / below):
            if only is not None and folder.name != only:
                continue
            for entry in _scan(folder.path):
                status = entry.stat(follow_symlinks=False)
                yield f"{below}/{folder.name}/{entry.name}", Held(status.st_size, status.st_mtime)

    def read_tree(self, name: TreeName) -> bytes | None:
        """See `Store`."""
        try:
            return (self.folder / name.path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as e:
            raise StoreError(f"{self.where} cannot be read: {e.strerror}") from e

    def write_tree(self, name: TreeName, data: bytes) -> None:
        """See `Store`."""
        path = self.folder / name.path
        self._make(path.parent)
        try:
            write_atomic(path, data)
        except OSError as e:
            self._refuse(e)

    def drop_trees(self, names: Iterable[TreeName]) -> None:
        """See `Store`; the names are gone for good before any content is."""
        folders = set()
        for name in names:
            fault("gc: unlink tree")
            path = self.folder / name.path
            path.unlink(missing_ok=True)
            folders.add(path.parent)
        for folder in folders:
            sync_folder(folder)

    def drop(self, sha1s: Iterable[str], beat: Callable[[], None]) -> None:
        """See `Store`."""
        for sha1 in sha1s:
            beat()
            fault("gc: unlink object")
            (self.folder / object_path(sha1)).unlink(missing_ok=True)

    def sweep(self, before: float, *, dry_run: bool = False) -> int:
        """See `Store`."""
        freed = 0
        for entry in _scan(self.folder):
            status = entry.stat(follow_symlinks=False)
            if entry.name.startswith(TEMPORARY) and status.st_mtime < before:
                if not dry_run:
                    fault("gc: unlink leftover")
                    os.unlink(entry.path)
                freed += status.st_size
        return freed

    def check_there(self) -> None:
        """Refuse to begin one anew that was there before.

        Raises:
            StoreError: It is not there.
        """
        if self._is_known and not (self.folder / "trees").is_dir():
            raise StoreError(
                f"the store {self.where} is not there any more: is its disk mounted?",
                hint="Bring it back; to begin a new one there, give it once more: dws config "
                "--resource NAME store URL.",
            )

    def _make(self, folder: Path) -> None:
        self.check_there()
        try:
            make_folder(folder)
            if self._in_workspace and not (self.folder / ".gitignore").exists():
                write_atomic(self.folder / ".gitignore", _GITIGNORE)
        except OSError as e:
            self._refuse(e)

    def _refuse(self, error: OSError) -> NoReturn:
        raise StoreError(
            f"content cannot be kept in {self.where}: {error.strerror or error}", hint=_SPACE
        ) from error


_SPACE = "Make room there, or change its permissions; then run the command again."


def missing(where: str, sha1: str) -> StoreError:
    """What is said of content that is not in a store."""
    return StoreError(
        f"the content {sha1[:12]} is not in the store {where}",
        hint="Whoever took the snapshot has it: there, type dws push; here, dws pull.",
    )


def damaged(where: str, sha1: str) -> ContentDamagedError:
    """What is said of content that is not what it was."""
    return ContentDamagedError(
        f"the content {sha1} is damaged in the store {where}",
        hint=f"Delete {object_path(sha1)} there: the next snapshot in a copy that has the "
        "file brings it again.",
    )


def age_limit(grace: float) -> float:
    """The time before which something is older than `grace` seconds."""
    return time.time() - grace


@contextmanager
def _reading(source: Path) -> Iterator[IO[bytes]]:
    # a file that has become a pipe must not make us wait for its other end
    fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb", buffering=0) as file:
        yield file


def _copied(read: IO[bytes], target: Path) -> str:
    """Copy what can be read to a new file; the sha1 of what is there."""
    with open(target, "xb") as write:
        if not _share(read, write):
            return copy_hashed(read, write)
    with open(target, "rb", buffering=0) as again:
        return copy_hashed(again, None)


def _seal(path: Path) -> None:
    """Make a file durable, and read-only."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fchmod(fd, 0o444)
        fault("keep: fsync")
        os.fsync(fd)
    finally:
        os.close(fd)


def _share(source: IO[bytes], target: IO[bytes]) -> bool:
    """Make a file share another's content, where both lie on a file system that can."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True


def _scan(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
