"""The listing of a bucket: the current version of each object; its text, and its hash.

Text and hash are those of Data Workspaces 1.6: a JSON object {key: version id}, sorted, indented
by two, whose hash is the one that git gives a file with that text. What 1.6 leaves out does not
count here either: keys that end in `/` (they stand for folders), and what lies in `.snapshots/`,
where the listings themselves are kept.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from dws_graph.errors import JsonValueError
from dws_graph.model.values import parse_json

SNAPSHOTS = ".snapshots/"
LARGEST = 1 << 30  # bytes of a listing's text: some million objects; more is no listing of ours


def counts(key: str) -> bool:
    """Whether an object is content, and so in the listing."""
    return not key.endswith("/") and not key.startswith(SNAPSHOTS)


class BucketListing:
    """The version of each object at one time.

    Attributes:
        versions: {key: version id}, sorted by key.
    """

    def __init__(self, versions: Mapping[str, str]) -> None:
        self.versions: dict[str, str] = {key: versions[key] for key in sorted(versions)}
        self._hashes: dict[str, str | None] = {}

    def __len__(self) -> int:
        return len(self.versions)

    @cached_property
    def keys(self) -> list[str]:
        """The keys, sorted."""
        return list(self.versions)

    @cached_property
    def hash(self) -> str:
        """By which a snapshot knows it."""
        return text_hash(self.text())

    def text(self) -> bytes:
        """What is kept of it."""
        return _text(self.versions)

    def below(self, subpath: str) -> dict[str, str]:
        """The object of this key, and those in the folder of this name."""
        found = {subpath: self.versions[subpath]} if subpath in self.versions else {}
        return found | {key: self.versions[key] for key in self._in_folder(subpath)}

    def hash_of(self, subpath: str | None) -> str | None:
        """The hash of a part; None where there is none."""
        if subpath is None:
            return self.hash
        if subpath not in self._hashes:
            part = self.below(subpath)
            self._hashes[subpath] = text_hash(_text(part)) if part else None
        return self._hashes[subpath]

    def is_file(self, subpath: str) -> bool:
        """Whether there is an object of this key."""
        return subpath in self.versions

    def is_folder(self, subpath: str) -> bool:
        """Whether there are objects in a folder of this name."""
        return next(self._in_folder(subpath), None) is not None

    def names_in(self, folder: str) -> list[tuple[str, bool]]:
        """What a folder holds, each with whether it is an object; a name may be of both."""
        start = f"{folder}/" if folder else ""
        found: dict[tuple[str, bool], None] = {}
        for key in self._in_folder(folder):
            name, slash, _ = key[len(start) :].partition("/")
            if name:  # `a//b` has a part without a name, which no path can say
                found[start + name, not slash] = None
        return list(found)

    def without(self, gone: Iterable[str]) -> BucketListing:
        """The same without some keys."""
        left_out = set(gone)
        return BucketListing({k: v for k, v in self.versions.items() if k not in left_out})

    def _in_folder(self, folder: str) -> Iterator[str]:
        start = f"{folder}/" if folder else ""
        for at in range(bisect_left(self.keys, start), len(self.keys)):
            if not self.keys[at].startswith(start):
                return
            yield self.keys[at]


def packed(listing: BucketListing) -> bytes:
    """As it is kept: compressed, the same bytes each time."""
    return gzip.compress(listing.text(), mtime=0)


def unpacked(data: bytes, hashval: str, where: str) -> BucketListing:
    """A listing that was kept.

    Args:
        data: As kept.
        hashval: That it is to have.
        where: It was kept, for the message.

    Raises:
        JsonValueError: It is damaged, or has another hash.
    """
    hint = "Delete it: it is taken from where else it is kept, in the bucket or on other machines."
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            text = file.read(LARGEST + 1)
    except (OSError, EOFError, ValueError) as e:
        raise JsonValueError("is no listing of a bucket", file=where, hint=hint) from e
    if len(text) > LARGEST or text_hash(text) != hashval:
        raise JsonValueError(f"is not the listing {hashval[:8]}", file=where, hint=hint)
    found = parse_json(text, file=where)
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise JsonValueError("is no listing of a bucket", file=where, hint=hint)
    return BucketListing(found)


def text_hash(text: bytes) -> str:
    """The id that git would give it."""
    return hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()


def _text(versions: Mapping[str, str]) -> bytes:
    return json.dumps(versions, sort_keys=True, indent=2).encode()
