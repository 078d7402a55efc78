"""The hash tree of a plain folder: one small text per folder, named by its own sha1.

    87f1141e...                         the root's text, and its hash
        42201267...<TAB>tree<TAB>deep
        883b7959...<TAB>blob<TAB>part1.csv      sha1 of the content, or the size

The format is that of Data Workspaces 1.6. Source: docs/formats.md, "Hash trees".
"""

from __future__ import annotations

import hashlib
import operator
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from dws_graph.errors import ChangedMeanwhileError, ConfigurationError, JsonValueError
from dws_graph.resources.fingerprints import racily_clean, stat_key
from dws_graph.resources.naming import real_path
from dws_graph.resources.walking import NOTHING, Entry, Excluded, refuse, walk

StatKey = tuple[int, int, int, int]
Hashed = tuple[bytes, StatKey, str, bool]  # whether a stat cache may keep it


class Progress(Protocol):
    """Is told how far the hashing is."""

    def __call__(self, done: int, total: int, doing: str = "") -> None:
        """How many files are done, of how many, and how far in a large one."""


TELL_AFTER = 0.25  # seconds in which no file was done: then how far the large one is
_READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
SHA1_DIGITS = 40
_CHUNK = 1 << 20
_BATCH_FILES, _BATCH_BYTES = 64, 8 << 20
_EARLY = 1000  # files: then the first are read while others are looked for
_NAME = operator.attrgetter("name")
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_UNESCAPES = {ord(letter): byte for byte, letter in _ESCAPES.items()}


class StatCache(Protocol):
    """Hashes of files by path and stat; may lose any of them."""

    def get(self, path: bytes, key: StatKey) -> str | None:
        """The sha1 of the file's content when it had exactly this stat."""

    def put(self, path: bytes, key: StatKey, sha1: str) -> None:
        """Keeps one; called from one thread."""


class Line(NamedTuple):
    """One entry of a folder's text."""

    hash: str
    kind: Literal["blob", "tree"]
    name: bytes


@dataclass(frozen=True, slots=True)
class HashTree:
    """The hashes of a folder.

    Attributes:
        root: Of the whole.
        texts: Each folder's text by its hash.
    """

    root: str
    texts: dict[str, bytes]

    def subpath_hash(self, subpath: str | None) -> str | None:
        """The hash of a file's content or of a folder; None when there is none."""
        return find(self.texts.get, self.root, subpath)

    def less(self, names: Iterable[str]) -> str:
        """The hash of the whole without these entries at its root."""
        return less(self.texts[self.root], names)

    def without(self, names: Iterable[str]) -> HashTree:
        """The same without these entries at its root."""
        text = _without(self.texts[self.root], names)
        root = _sha1(text)
        texts = {key: kept for key, kept in self.texts.items() if key != self.root}
        return HashTree(root, {**texts, root: text})


def hash_tree(
    root: Path,
    *,
    compute_hash: bool = True,
    cache: StatCache | None = None,
    progress: Progress | None = None,
    excluded: Excluded = NOTHING,
    entries: Iterable[Entry] | None = None,
) -> HashTree:
    """Hash all content of a folder, many files at once.

    Args:
        root: The folder.
        compute_hash: Whether files are known by content, or by size alone.
        cache: Hashes of files seen before.
        progress: Called with files done and files in all.
        excluded: What does not count.
        entries: What `walk` has just seen there, if anybody has asked.

    Raises:
        ConfigurationError: The folder is not there; a file vanished, changed while it was read,
            cannot be read, or is no file; names it.
    """
    if not root.is_dir():
        raise ConfigurationError(f"the folder {root} does not exist")
    base = os.path.join(os.fsencode(root), b"")
    folders: list[bytes] = [b""]
    sizes: dict[bytes, str] = {}
    with _Hashing(base, cache) as hashed:
        for entry in walk(root, excluded=excluded) if entries is None else entries:
            if entry.name[-1] == 47:  # a slash
                folders.append(entry.name)
            elif compute_hash:
                hashed.add(_regular(base, entry))
            else:
                sizes[entry.name] = str(_status(_regular(base, entry)).st_size)
        return tree_of(folders, hashed.finish(progress) if compute_hash else sizes)


def read_tree(read: Callable[[str], bytes | None], root: str) -> dict[bytes, str]:
    """The hash of each file of a kept hash tree, by its path.

    Args:
        read: Gives a folder's text by its hash.
        root: The hash of the whole.
    """
    found: dict[bytes, str] = {}
    waiting = [(b"", root)]
    while waiting:
        prefix, text_hash = waiting.pop()
        for line in parse_text(read(text_hash) or b""):
            if line.kind == "tree":
                waiting.append((prefix + line.name + b"/", line.hash))
            else:
                found[prefix + line.name] = line.hash
    return found


def find(read: Callable[[str], bytes | None], root: str, subpath: str | None) -> str | None:
    """The hash of a file or folder in a hash tree; None when there is none."""

    def names_in(folder: str) -> list[str]:
        found = _find(read, root, folder.rstrip("/"))
        if found is None or found.kind != "tree":
            return []
        return [os.fsdecode(line.name) for line in parse_text(read(found.hash) or b"")]

    found = _find(read, root, real_path(subpath, names_in) if subpath else "")
    return found.hash if found else None


def _find(read: Callable[[str], bytes | None], root: str, path: str) -> Line | None:
    current = Line(root, "tree", b"")
    for part in os.fsencode(path).split(b"/") if path else ():
        if current.kind != "tree":
            return None
        lines = {line.name: line for line in parse_text(read(current.hash) or b"")}
        if part not in lines:
            return None
        current = lines[part]
    return current


def less(text: bytes, names: Iterable[str]) -> str:
    """The hash that a folder's text would have without these entries."""
    return _sha1(_without(text, names))


def _without(text: bytes, names: Iterable[str]) -> bytes:
    left_out = {os.fsencode(name) for name in names}
    return _text([line for line in parse_text(text) if line.name not in left_out])


def text_hash(text: bytes) -> str:
    """The hash of a folder by its text, which is the name of the file that holds it."""
    return _sha1(text)


def parse_text(text: bytes) -> list[Line]:
    """Reads a folder's text.

    Raises:
        JsonValueError: It is damaged.
    """
    lines = []
    for raw in text.split(b"\n")[:-1]:
        try:
            hashval, kind, name = raw.split(b"\t")
            if kind not in (b"blob", b"tree"):
                raise ValueError(kind)
            lines.append(
                Line(hashval.decode("ascii"), "tree" if kind == b"tree" else "blob", unquoted(name))
            )
        except ValueError as e:
            raise JsonValueError(f"'{raw!r}' is no line of a hash tree") from e
    return lines


def quoted(name: bytes) -> bytes:
    """A name as a line can hold it: as git quotes paths, where it must be quoted at all."""
    if b"\t" not in name and b"\n" not in name and not _looks_quoted(name):
        return name
    text = "".join(
        f"\\{_ESCAPES[byte]}"
        if byte in _ESCAPES
        else chr(byte)
        if 32 <= byte < 127
        else f"\\{byte:03o}"
        for byte in name
    )
    return f'"{text}"'.encode("ascii")


def unquoted(name: bytes) -> bytes:
    """The name that `quoted` was given."""
    if not _looks_quoted(name):
        return name
    out, i, inner = bytearray(), 0, name[1:-1]
    while i < len(inner):
        if inner[i] != 92:
            out.append(inner[i])
            i += 1
        elif i + 1 < len(inner) and inner[i + 1] in _UNESCAPES:
            out.append(_UNESCAPES[inner[i + 1]])
            i += 2
        else:
            try:
                out.append(int(inner[i + 1 : i + 4], 8))
            except ValueError:  # 1.6 wrote such a name as it is
                return name
            i += 4
    return bytes(out)


def _looks_quoted(name: bytes) -> bool:
    return len(name) > 2 and name[:1] == name[-1:] == b'"' and b"\\" in name


def _status(entry: Entry) -> os.stat_result:
    if entry.stat is None:
        raise AssertionError  # `walk` refuses what it cannot stat
    return entry.stat


def _regular(base: bytes, entry: Entry) -> Entry:
    mode = _status(entry).st_mode
    if stat.S_ISREG(mode):
        return entry
    path = os.fsdecode(base + entry.name)
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    kind = next((what for is_it, what in kinds if is_it(mode)), "a device")
    raise ConfigurationError(
        f"{path} is {kind}, which has no content to hash",
        hint="Move it elsewhere, or name it in .dwsignore.",
    )


class _Hashing:
    """Hashes files in threads; of many, while others are still looked for."""

    def __init__(self, base: bytes, cache: StatCache | None) -> None:
        self._base, self._cache = base, cache
        self._hashes: dict[bytes, str] = {}
        self._seen, self._now = 0, time.time_ns()
        self._batch: list[Entry] = []
        self._bytes = 0
        self._full: list[list[Entry]] = []
        self._begun: list[Future[list[Hashed]]] = []
        self._reading = _Reading()
        workers = min(8, max(2, os.cpu_count() or 1))
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="dws-hash")

    def __enter__(self) -> _Hashing:
        return self

    def __exit__(self, *_: object) -> None:
        self._reading.stopped = True  # after an error, or Ctrl-C: what is queued ends at once
        self._pool.shutdown()

    def add(self, entry: Entry) -> None:
        """One file more."""
        self._seen += 1
        status, known = _status(entry), None
        if self._cache is not None and not racily_clean(status, self._now):
            known = self._cache.get(self._base + entry.name, stat_key(status))
        if known is not None:
            self._hashes[entry.name] = known
            return
        self._batch.append(entry)
        self._bytes += status.st_size
        if len(self._batch) >= _BATCH_FILES or self._bytes >= _BATCH_BYTES:
            self._full.append(self._batch)
            self._batch, self._bytes = [], 0
            if self._seen >= _EARLY:
                self._begin()

    def _begin(self) -> None:
        for batch in self._full:
            self._begun.append(self._pool.submit(_hash_batch, self._base, batch, self._reading))
        self._full.clear()

    def finish(self, progress: Progress | None) -> dict[bytes, str]:
        """The hash of each file by its name."""
        if progress is not None:
            progress(len(self._hashes), self._seen)
        if self._batch:
            self._full.append(self._batch)
        self._begin()
        for future in self._begun:
            while progress is not None and wait([future], TELL_AFTER).not_done:
                progress(len(self._hashes), self._seen, self._reading.tell(self._base))
            for name, key, sha1, storable in future.result():
                self._hashes[name] = sha1
                if self._cache is not None and storable:
                    self._cache.put(self._base + name, key, sha1)
            if progress is not None:
                progress(len(self._hashes), self._seen)
        return self._hashes


class _Reading:
    """What the threads are reading now, and whether they are to stop."""

    def __init__(self) -> None:
        self.stopped = False
        self.large: dict[bytes, tuple[int, int]] = {}

    def tell(self, base: bytes) -> str:
        """How far they are in a file that takes long."""
        for path, (done, size) in list(self.large.items()):
            share = f"{done / 1e9:.1f} of {size / 1e9:.1f} GB"
            return f"{os.fsdecode(path[len(base) :])}, {share}"
        return ""


def _hash_batch(base: bytes, batch: list[Entry], reading: _Reading) -> list[Hashed]:
    done = []
    started = time.time_ns()
    for entry in batch:
        if reading.stopped:
            break
        path, expected = base + entry.name, _status(entry)
        try:
            status, sha1 = _hash_file(path, expected.st_size, reading)
        except FileNotFoundError as e:
            raise ChangedMeanwhileError(f"{os.fsdecode(path)} vanished while it was hashed") from e
        except OSError as e:
            if _is_another(path, expected):
                raise _changed(path) from e
            refuse(path, e)
        if (key := stat_key(status)) != stat_key(expected):
            raise _changed(path)
        done.append((entry.name, key, sha1, not racily_clean(status, started)))
    return done


def _is_another(path: bytes, expected: os.stat_result) -> bool:
    try:
        return stat_key(os.stat(path)) != stat_key(expected)
    except OSError:
        return True


def _hash_file(path: bytes, size: int, reading: _Reading) -> tuple[os.stat_result, str]:
    """A file's stat once it was read, and its hash."""
    # a file that has become a pipe must not make us wait for its other end
    fd = os.open(path, _READ_ONLY)
    try:
        data = os.read(fd, size + 1) if size < _CHUNK else b""
        if len(data) == size != 0:  # all of it: there was no more to be had
            return os.fstat(fd), hashlib.sha1(data, usedforsecurity=False).hexdigest()
        os.lseek(fd, 0, os.SEEK_SET)
        return _hash_large(fd, path, size, reading)
    finally:
        os.close(fd)


def _hash_large(fd: int, path: bytes, size: int, reading: _Reading) -> tuple[os.stat_result, str]:
    """The same, piece by piece; of what does not say how large it is, too."""
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise _changed(path)
    digest, done = hashlib.sha1(usedforsecurity=False), 0
    buffer = memoryview(bytearray(_CHUNK))
    try:
        while (count := os.readv(fd, [buffer])) and not reading.stopped:
            digest.update(buffer[:count])
            done += count
            reading.large[path] = (done, size)
    finally:
        reading.large.pop(path, None)
    return os.fstat(fd), digest.hexdigest()


def _changed(path: bytes) -> ChangedMeanwhileError:
    return ChangedMeanwhileError(f"{os.fsdecode(path)} changed while it was hashed")


def tree_of(folders: Iterable[bytes], hashes: Mapping[bytes, str]) -> HashTree:
    """The hash tree of files by their hashes; folders are named with `/`, the root is empty."""
    lines: dict[bytes, list[Line]] = {folder: [] for folder in folders}
    for name, hashval in hashes.items():
        parent, slash, last = name.rpartition(b"/")
        lines[parent + slash].append(Line(hashval, "blob", last))
    texts: dict[str, bytes] = {}
    root = ""
    # a folder comes after all that are in it
    for folder in sorted(lines, key=lambda name: name.count(b"/"), reverse=True):
        text = _text(lines[folder])
        root = _sha1(text)
        texts[root] = text
        if folder:
            parent, slash, last = folder[:-1].rpartition(b"/")
            lines[parent + slash].append(Line(root, "tree", last))
    return HashTree(root, texts)


def _text(lines: list[Line]) -> bytes:
    lines.sort(key=_NAME)
    made = [b"%b\t%b\t%b\n" % (h.encode(), k.encode(), quoted(name)) for h, k, name in lines]
    return b"".join(made)


def _sha1(text: bytes) -> str:
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()
