"""What this machine, the bucket and the workspace keep of a bucket's listings.

As in Data Workspaces 1.6: `.dataworkspace/scratch/NAME/` (git does not hold it) has the listings
seen here in `snapshot_cache/`, and in `current_snapshot.txt` the hash of the one that is read
here; the bucket has each listing of a snapshot in `.snapshots/`. Where the bucket may not be
written, the workspace commits it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import as_file_name, make_folder, write_atomic
from dws_graph.errors import ConfigurationError, JsonError
from dws_graph.resources.s3_bucket import Bucket, DeniedError
from dws_graph.resources.s3_listing import SNAPSHOTS, BucketListing, packed, unpacked
from dws_graph.resources.terms import ResourceWorkspace

SCRATCH = ".dataworkspace/scratch"
READ, LISTINGS, OBJECTS = "current_snapshot.txt", "snapshot_cache", "objects"
_HASH = re.compile(r"[0-9a-f]{40}")


class Kept:
    """See the module.

    Args:
        workspace: It is of.
        name: Of the resource.
        bucket: Of the resource.
        committed: Reads what the workspace has committed of the resource, by file name.
    """

    def __init__(
        self,
        workspace: ResourceWorkspace,
        name: str,
        bucket: Bucket,
        committed: Callable[[str], bytes | None],
    ) -> None:
        self._scratch = workspace.root / SCRATCH
        self._names = [name, *workspace.names_before(name)]
        self._bucket = bucket
        self._committed = committed
        self._loaded: dict[str, BucketListing] = {}
        self._in_bucket: set[str] = set()

    @property
    def folder(self) -> Path:
        """For what this machine keeps."""
        return self._scratch / as_file_name(self._names[0])

    @property
    def objects(self) -> Path:
        """For objects that were read."""
        return self.folder / OBJECTS

    # Which listing is read here

    def read_here(self) -> str | None:
        """The hash of the listing that is read here; None: the bucket as it is.

        Raises:
            ConfigurationError: The file holds something else.
        """
        file = next((f for f in self._files(READ) if f.is_file()), None)
        if file is None:
            return None
        text = file.read_text(encoding="utf-8", errors="replace").strip()
        if text and not _HASH.fullmatch(text):
            raise ConfigurationError(
                f"{file}, which is to hold the hash of a listing, holds none",
                hint="Delete it to read the bucket as it is, or restore a snapshot.",
            )
        return text or None  # empty: it was renamed, and follows the bucket again

    def read_from_now(self, hashval: str | None) -> None:
        """Read this listing from now on, or (None) the bucket as it is."""
        before = any(f.is_file() for f in self._files(READ)[1:])
        if hashval is None and not before:
            if (self.folder / READ).exists():
                fault(f"unlink {READ}")
                (self.folder / READ).unlink(missing_ok=True)
            return
        self._make(self.folder)
        write_atomic(self.folder / READ, (hashval or "").encode())

    # Listings

    def listing(self, hashval: str) -> BucketListing | None:
        """A listing by its hash: from this machine, the workspace or the bucket; None: nowhere.

        Raises:
            JsonError: All that there is of it is damaged.
            ConfigurationError: The bucket cannot be asked.
        """
        if not _HASH.fullmatch(hashval):
            return None
        if hashval not in self._loaded:
            found = self._find(hashval)
            if found is None:
                return None
            self._loaded[hashval] = found
        return self._loaded[hashval]

    def _find(self, hashval: str) -> BucketListing | None:
        damaged: JsonError | None = None
        for where, data in self._copies(hashval):
            if data is None:
                continue
            try:
                found = unpacked(data, hashval, where)
            except JsonError as e:
                damaged = e
                continue
            self.keep_here(found)
            return found
        if damaged is not None:
            raise damaged
        return None

    def _copies(self, hashval: str) -> Iterator[tuple[str, bytes | None]]:
        name = f"{hashval}.json.gz"
        for file in self._files(f"{LISTINGS}/{name}"):
            yield str(file), file.read_bytes() if file.is_file() else None
        yield name, self._committed(name)
        key = f"{SNAPSHOTS}{name}"
        yield f"s3://{self._bucket.name}/{key}", self._bucket.get(key)

    def keep_here(self, listing: BucketListing) -> None:
        """Keep a listing on this machine."""
        file = self.folder / LISTINGS / f"{listing.hash}.json.gz"
        data = packed(listing)
        if not file.is_file() or file.read_bytes() != data:
            self._make(file.parent)
            write_atomic(file, data)
        self._loaded[listing.hash] = listing

    def keep(self, listing: BucketListing) -> dict[str, bytes]:
        """Keep a listing for everybody.

        Returns:
            What the workspace is to commit, by file name: nothing where the bucket has it.
        """
        self.keep_here(listing)
        name, data = f"{listing.hash}.json.gz", packed(listing)
        if name in self._in_bucket or self._committed(name) == data:
            return {}
        try:
            if self._bucket.get(f"{SNAPSHOTS}{name}") is None:
                self._bucket.put(f"{SNAPSHOTS}{name}", data)
        except DeniedError:
            return {name: data}
        self._in_bucket.add(name)
        return {}

    def give(self, root: Path, listing: BucketListing, objects: Iterable[Path]) -> None:
        """Let a copy of the workspace read this listing, with these objects."""
        scratch = root / SCRATCH
        folder = scratch / self.folder.name
        for below in (LISTINGS, OBJECTS):
            make_folder(folder / below)
        (scratch / ".gitignore").write_bytes(b"*\n")
        (folder / READ).write_text(listing.hash)
        (folder / LISTINGS / f"{listing.hash}.json.gz").write_bytes(packed(listing))
        for file in objects:
            with suppress(FileNotFoundError):  # another process needed the room
                shutil.copyfile(file, folder / OBJECTS / file.name)

    def _files(self, name: str) -> list[Path]:
        """Where a file may be: earlier names had folders of their own."""
        return [self._scratch / as_file_name(n) / name for n in self._names]

    def _make(self, folder: Path) -> None:
        make_folder(folder)
        if not (self._scratch / ".gitignore").exists():
            write_atomic(self._scratch / ".gitignore", b"*\n", fsync=False)
