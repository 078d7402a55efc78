"""A bucket as of one listing, as a file system of fsspec: each object in the version of then.

pandas, pyarrow and others read from it: `pandas.read_csv(view.open("train/a.csv"))`. Objects up to
`WHOLE` bytes are kept on this machine by version, and checked each time they are read from there;
of larger ones, what is asked for is read from the bucket.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from dws_graph.backends.faults import fault
from dws_graph.backends.files import make_folder
from dws_graph.errors import ConfigurationError
from dws_graph.resources.s3_bucket import Bucket, GoneError, Version
from dws_graph.resources.s3_listing import BucketListing

WHOLE = 64 << 20  # bytes: of larger objects, parts are read
ROOM = 1 << 30  # bytes that the objects on this machine may take, for each resource
BLOCK = 5 << 20


class ObjectCache:
    """Objects on this machine, each by its version; the oldest go when there are too many.

    A file's name ends in the hash of its content, by which it is checked when it is read. What was
    read once can be read without the bucket.
    """

    def __init__(self, folder: Path, room: int = ROOM) -> None:
        self._folder = folder
        self._room = room

    def get(self, name: str) -> bytes | None:
        """What is kept under a name; None: nothing, or it was damaged and is taken away."""
        for file in self._folder.glob(f"{name}-*"):
            try:
                data = file.read_bytes()
            except FileNotFoundError:  # another process needed the room
                continue
            if _digest(data) == file.name.rpartition("-")[2]:
                with suppress(FileNotFoundError):
                    os.utime(file)
                return data
            file.unlink(missing_ok=True)
        return None

    def put(self, name: str, data: bytes) -> None:
        """Keep this under a name, in the place of those that were not read for longest."""
        if len(data) > self._room:
            return
        make_folder(self._folder)
        self._make_room(len(data))
        temporary = self._folder / f".~{secrets.token_hex(8)}"
        fault("cache: write")
        temporary.write_bytes(data)  # checked when it is read: it need not be durable
        fault("cache: rename")
        os.replace(temporary, self._folder / f"{name}-{_digest(data)}")

    def files(self) -> dict[str, Path]:
        """Each file, by the name that its content is kept under."""
        found = self._folder.iterdir() if self._folder.is_dir() else ()
        return {file.name.rpartition("-")[0]: file for file in found}

    def _make_room(self, size: int) -> None:
        files = sorted(self._stats())
        used = sum(found for _, found, _ in files)
        for _, found, path in files:
            if used + size <= self._room:
                return
            fault("cache: unlink")
            path.unlink(missing_ok=True)
            used -= found

    def _stats(self) -> Iterator[tuple[int, int, Path]]:
        for file in self._folder.iterdir():
            with suppress(FileNotFoundError):
                found = file.stat()
                yield found.st_mtime_ns, found.st_size, file


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class BucketView(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """See the module. Paths are keys, without the bucket's name.

    Attributes:
        bucket: Of which it is a view.
        listing: Which versions it shows.
    """

    protocol = "dws-bucket"
    root_marker = ""
    cachable = False

    def __init__(self, bucket: Bucket, listing: BucketListing, cache: ObjectCache) -> None:
        super().__init__(use_listings_cache=False)
        self.bucket = bucket
        self.listing = listing
        self._cache = cache
        self._versions: dict[str, Version] = {}

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return os.fspath(path).removeprefix(f"{cls.protocol}://").strip("/")

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """What a folder holds; with `detail`, sizes too, which are asked of the bucket."""
        path = self._strip_protocol(path)
        found = self.listing.names_in(path)
        if not found and path in self.listing.versions:
            found = [(path, True)]
        if not found and path:
            raise FileNotFoundError(f"{self.bucket} has no '{path}' in this listing")
        if not detail:
            return list(dict.fromkeys(name for name, _ in found))
        return [self._about(name, is_file) for name, is_file in found]

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """What is known of a path; of an object also its `version_id` and `etag`."""
        path = self._strip_protocol(path)
        if self.listing.is_file(path):
            return self._about(path, True)
        if path and not self.listing.is_folder(path):
            raise FileNotFoundError(f"{self.bucket} has no '{path}' in this listing")
        return self._about(path, False)

    def _about(self, path: str, is_file: bool) -> dict[str, Any]:
        if not is_file:
            return {"name": path, "size": 0, "type": "directory"}
        version = self._version(path)
        about = {"name": path, "size": version.size, "type": "file"}
        return {**about, "version_id": version.id, "etag": version.etag}

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether it is there; the bucket is not asked."""
        return self.isfile(path) or self.isdir(path)

    def isfile(self, path: str) -> bool:
        """Whether there is such an object; the bucket is not asked."""
        return self.listing.is_file(self._strip_protocol(path))

    def isdir(self, path: str) -> bool:
        """Whether there is such a folder; the bucket is not asked."""
        path = self._strip_protocol(path)
        return not path or self.listing.is_folder(path)

    def _version(self, key: str) -> Version:
        """A version as the bucket has it.

        Raises:
            FileNotFoundError: It was deleted since; names it.
        """
        if key not in self._versions:
            try:
                self._versions[key] = self.bucket.version(key, self.listing.versions[key])
            except GoneError as e:
                raise self._gone(key) from e
        return self._versions[key]

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, **kwargs: Any
    ) -> Any:
        if mode != "rb":
            raise ConfigurationError(
                f"a listing of {self.bucket} is read, not written",
                hint="To write to the bucket, use the resource's upload_file().",
            )
        key = self._strip_protocol(path)
        if not self.listing.is_file(key):
            raise FileNotFoundError(f"{self.bucket} has no object '{key}' in this listing")
        name = self._kept_as(key)
        if (kept := self._cache.get(name)) is not None:
            return io.BytesIO(kept)
        version, data = self._whole(key)
        if data is None:
            return _LargeObject(self, key, block_size=block_size or BLOCK, size=version.size)
        self._cache.put(name, data)
        return io.BytesIO(data)

    def kept(self) -> list[Path]:
        """The objects on this machine; the bucket is not asked."""
        files = self._cache.files()
        versions = self.listing.versions.items()
        names = [self._kept_as(key) for key, version in versions if version != "null"]
        return [files[name] for name in names if name in files]

    def _kept_as(self, key: str) -> str:
        """Under which name a version is kept; `null`, from before there were any, may be anew."""
        version = self.listing.versions[key]
        etag = self._version(key).etag if version == "null" else ""
        parts = [self.bucket.endpoint or "", self.bucket.name, key, version, etag]
        return _digest("\0".join(parts).encode())

    def _whole(self, key: str) -> tuple[Version, bytes | None]:
        version_id = self.listing.versions[key]
        try:
            version, data = self.bucket.whole(key, version_id, WHOLE)
        except GoneError as e:
            raise self._gone(key) from e
        self._versions[key] = version
        return version, data

    def _gone(self, key: str) -> FileNotFoundError:
        version = self.listing.versions[key]
        return FileNotFoundError(f"version {version} of '{key}' was deleted from {self.bucket}")

    def part(self, key: str, start: int, end: int) -> bytes:
        """Bytes of an object, from the bucket."""
        try:
            return self.bucket.read(self._version(key), start, end)
        except GoneError as e:
            raise self._gone(key) from e


class _LargeObject(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """An object that is read in parts."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        view: BucketView = self.fs
        return view.part(self.path, start, end)
