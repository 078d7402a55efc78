"""A store at a URL, through fsspec: a bucket, or a folder of another machine.

Content appears there whole or not at all: it is committed once its hash is right.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from dws_graph.backends.faults import fault
from dws_graph.backends.kept.local import damaged, missing
from dws_graph.backends.kept.store import (
    OBJECT,
    TREE,
    ContentChangedError,
    Held,
    Progress,
    StoreError,
    TreeName,
    copy_hashed,
    object_path,
)
from dws_graph.backends.locks import Notify, quiet
from dws_graph.model.secrets import scrub_text

_WORKERS = 8
_MANY = 200  # of contents: above, one listing costs less than asking for each
_SMALL = 8 << 20  # bytes: up to here one request writes it
_AT_ONCE = 500  # contents dropped in one request
_LEASE, _BEAT, _LATE = 900.0, 60.0, 300.0  # seconds
_FOLDERS = ("sftp", "ssh", "hdfs", "webhdfs", "smb")  # where a folder must be there first
_PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "'dws-graph[s3]'"),
    **dict.fromkeys(("gs", "gcs"), "'dws-graph[gcs]'"),
    **dict.fromkeys(("abfs", "abfss", "az"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    **dict.fromkeys(("hdfs",), "pyarrow"),
    **dict.fromkeys(("smb",), "smbprotocol"),
}
# who cannot be reached is not waited for long: what is kept stays here until the next time
_S3 = {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2}}
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": _S3},
    "s3a": {"config_kwargs": _S3},
}
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "timeModified")


class RemoteStore:
    """See `Store`.

    Attributes:
        url: Where it is.
        where: The same, without secrets.
    """

    def __init__(self, url: str, who: str, *, notify: Notify = quiet) -> None:
        self.url = url.rstrip("/")
        self.where = scrub_text(self.url)
        self._who = who
        self._scheme = urlsplit(url).scheme
        self._notify = notify

    @cached_property
    def _fs(self) -> Any:
        import fsspec

        with self._asking("cannot be used"):
            try:
                return fsspec.filesystem(
                    self._scheme,
                    use_listings_cache=False,
                    skip_instance_cache=True,
                    **self._of_url(fsspec.get_filesystem_class(self._scheme)),
                    **_OPTIONS.get(self._scheme, {}),
                )
            except ImportError as e:
                raise StoreError(
                    f"the store {self.where} needs a package that is not installed",
                    hint=f"Type: pip install {_PACKAGES.get(self._scheme, self._scheme)}.",
                ) from e

    def _of_url(self, kind: Any) -> dict[str, Any]:
        """Host, user and port, where the kind of store has any."""
        return dict(kind._get_kwargs_from_urls(self.url))

    @cached_property
    def _root(self) -> str:
        return str(self._fs._strip_protocol(self.url)).rstrip("/")

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Say in one sentence what a store refuses; each kind raises errors of its own."""
        try:
            yield
        except StoreError:
            raise
        except Exception as e:
            said = scrub_text((str(e).strip() or type(e).__name__).splitlines()[0])
            raise StoreError(
                f"the store {self.where} {what}: {said}",
                hint="See that it is there and that your credentials for it are valid; then run "
                "the command again.",
            ) from e

    @contextmanager
    def adding(self) -> Iterator[None]:
        """See `Store`; waits while another drops content."""
        told = False
        while (lease := self._lease()) is not None:
            if not told:
                self._notify(f"waiting for {lease['who']}, who clears the store {self.where}")
                told = True
            time.sleep(1)
        yield

    def _lease(self) -> dict[str, Any] | None:
        """Who drops content now; one who has not said so for long was killed."""
        raw = self._read("clearing")
        try:
            found = json.loads(raw) if raw else None
            age = time.time() - float(found["time"]) if found else 0.0
        except (ValueError, TypeError, KeyError):
            return None  # half-written, by one that was killed then
        return found if found and abs(age) < _LEASE else None

    @contextmanager
    def clearing(self) -> Iterator[Callable[[], None]]:
        """See `Store`."""
        if (lease := self._lease()) is not None and lease["who"] != self._who:
            raise StoreError(
                f"{lease['who']} clears the store {self.where} now",
                hint="Wait until that has ended; one that was killed is forgotten in 15 minutes.",
            )
        last = self._say()

        def beat() -> None:
            nonlocal last
            late = time.time() - last
            if late > _LATE:
                raise StoreError(
                    f"clearing the store {self.where} was interrupted for {late:.0f} seconds",
                    hint="Type dws gc once more.",
                )
            if late > _BEAT:
                last = self._say()

        try:
            yield beat
        finally:
            with suppress(StoreError):
                self._remove(["clearing"])

    def _say(self) -> float:
        now = time.time()
        self._write("clearing", json.dumps({"who": self._who, "time": now}).encode())
        return now

    def present(self, wanted: Mapping[str, int]) -> set[str]:
        """See `Store`."""
        if len(wanted) > _MANY:
            there = {sha1: held.size for sha1, held in self.objects()}
            return {sha1 for sha1, size in wanted.items() if there.get(sha1) == size}
        return {sha1 for sha1, there in self._each(self._is_there, wanted.items()) if there}

    def _is_there(self, pair: tuple[str, int]) -> tuple[str, bool]:
        sha1, size = pair
        with self._asking("cannot be read"):
            try:
                return sha1, int(self._fs.info(self._path(object_path(sha1)))["size"]) == size
            except FileNotFoundError:
                return sha1, False

    def _each(self, do: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="dws-store") as pool:
            try:
                yield from pool.map(do, list(items))
            finally:
                pool.shutdown(cancel_futures=True)

    def put(self, sources: Mapping[str, Path], progress: Progress | None = None) -> None:
        """See `Store`."""
        self._make([os.path.dirname(object_path(sha1)) for sha1 in sources])
        for done, _ in enumerate(self._each(self._put, sources.items()), 1):
            if progress is not None:
                progress(done, len(sources))

    def _put(self, pair: tuple[str, Path]) -> None:
        sha1, source = pair
        fault("keep: upload")
        fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb", buffering=0) as read:
            if os.fstat(fd).st_size > _SMALL:
                self._upload(object_path(sha1), read, sha1, source)
                return
            data = read.readall()
        if hashlib.sha1(data, usedforsecurity=False).hexdigest() != sha1:
            raise ContentChangedError(source)
        self._write(object_path(sha1), data)

    def _upload(self, path: str, read: IO[bytes], sha1: str, source: Path) -> None:
        """Write what can be read; it appears at its end, if it has this hash."""
        with self._asking("cannot be written"):
            write = self._fs.open(self._path(path), "wb", autocommit=False)
            try:
                found = copy_hashed(read, write)
                if found != sha1:
                    raise ContentChangedError(source)
                write.close()
                write.commit()
            except BaseException:
                with suppress(Exception):
                    write.discard()
                raise

    def fetch(self, sha1: str, target: Path) -> None:
        """See `Store`."""
        try:
            with self._asking("cannot be read"):
                try:
                    self._fs.get_file(self._path(object_path(sha1)), os.fspath(target))
                except FileNotFoundError:
                    raise missing(self.where, sha1) from None
            with open(target, "rb", buffering=0) as file:
                if copy_hashed(file, None) != sha1:
                    raise damaged(self.where, sha1)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def check(self, sha1: str) -> bool | None:
        """See `Store`."""
        with self._asking("cannot be read"):
            try:
                with self._fs.open(self._path(object_path(sha1)), "rb") as file:
                    return copy_hashed(file, None) == sha1
            except FileNotFoundError:
                return None

    def objects(self) -> Iterator[tuple[str, Held]]:
        """See `Store`."""
        for path, held in self._files("objects"):
            if found := OBJECT.fullmatch(path):
                yield found[1] + found[2], held

    def trees(self, workspace: str | None = None) -> Iterator[tuple[TreeName, Held]]:
        """See `Store`."""
        for path, held in self._files(f"trees/{workspace}" if workspace else "trees"):
            if found := TREE.fullmatch(path):
                yield TreeName(*found.groups()), held

    def _files(self, below: str) -> Iterator[tuple[str, Held]]:
        with self._asking("cannot be read"):
            try:
                found = self._fs.find(self._path(below), detail=True)
            except FileNotFoundError:
                return
        for path, info in found.items():
            yield path.removeprefix(f"{self._root}/"), Held(int(info["size"] or 0), _time(info))

    def read_tree(self, name: TreeName) -> bytes | None:
        """See `Store`."""
        return self._read(name.path)

    def write_tree(self, name: TreeName, data: bytes) -> None:
        """See `Store`."""
        self._make([os.path.dirname(name.path)])
        fault("keep: name")
        self._write(name.path, data)

    def drop_trees(self, names: Iterable[TreeName]) -> None:
        """See `Store`."""
        fault("gc: unlink tree")
        self._remove([name.path for name in names])

    def drop(self, sha1s: Iterable[str], beat: Callable[[], None]) -> None:
        """See `Store`."""
        paths = [object_path(sha1) for sha1 in sha1s]
        for start in range(0, len(paths), _AT_ONCE):
            beat()
            fault("gc: unlink object")
            self._remove(paths[start : start + _AT_ONCE])

    def sweep(self, before: float, *, dry_run: bool = False) -> int:
        """See `Store`: what was not committed is not there."""
        return 0

    def _path(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _make(self, folders: Iterable[str]) -> None:
        if self._scheme in _FOLDERS:
            with self._asking("cannot be written"):
                for folder in sorted(set(folders)):
                    self._fs.makedirs(self._path(folder), exist_ok=True)

    def _read(self, path: str) -> bytes | None:
        with self._asking("cannot be read"):
            try:
                return bytes(self._fs.cat_file(self._path(path)))
            except FileNotFoundError:
                return None

    def _write(self, path: str, data: bytes) -> None:
        self._make([os.path.dirname(path)])
        with self._asking("cannot be written"):
            self._fs.pipe_file(self._path(path), data)

    def _remove(self, paths: Sequence[str]) -> None:
        with self._asking("cannot be written"):
            for path in self._gone_already(paths):
                with suppress(FileNotFoundError):
                    self._fs.rm_file(self._path(path))

    def _gone_already(self, paths: Sequence[str]) -> Sequence[str]:
        """What is left to be removed one by one, after all were to be removed at once."""
        try:
            if paths:
                self._fs.rm([self._path(path) for path in paths])
        except FileNotFoundError:
            return paths
        return ()


def _time(info: Mapping[str, Any]) -> float:
    """When a file was written; now, where the store does not say so: it is not dropped."""
    for key in _TIMES:
        value = info.get(key)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, str):
            with suppress(ValueError):
                return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return time.time()
