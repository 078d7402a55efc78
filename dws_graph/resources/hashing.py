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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from dws_graph.errors import ConfigurationError, JsonValueError
from dws_graph.resources.digests import Digests, Progress, StatCache, regular
from dws_graph.resources.fingerprints import Sight
from dws_graph.resources.many_files import MANY, hash_many
from dws_graph.resources.naming import real_path
from dws_graph.resources.walking import (
    NOTHING,
    Entry,
    Excluded,
    counts_all,
    holds_many,
    status_of,
    walk,
)

SHA1_DIGITS = 40
_NAME = operator.attrgetter("name")
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_UNESCAPES = {ord(letter): byte for byte, letter in _ESCAPES.items()}


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
    sight: Sight | None = None,
) -> HashTree:
    """Hash all content of a folder, many files at once.

    Args:
        root: The folder.
        compute_hash: Whether files are known by content, or by size alone.
        cache: Hashes of files seen before.
        progress: Called with files done and files in all.
        excluded: What does not count.
        entries: What `walk` has just seen there, if anybody has asked.
        sight: Where to put what was seen.

    Raises:
        ConfigurationError: The folder is not there; a file vanished, changed while it was read,
            cannot be read, or is no file; names it.
    """
    if not root.is_dir():
        raise ConfigurationError(f"the folder {root} does not exist")
    base = os.path.join(os.fsencode(root), b"")
    sight = sight or Sight(root)
    nothing_known = entries is None and (cache is None or cache.is_empty)
    if compute_hash and nothing_known and excluded is NOTHING and is_of_many(root):
        return tree_of(*hash_many(root, cache, progress, sight))
    found: list[Entry] = []
    folders: list[bytes] = [b""]
    sizes: dict[bytes, str] = {}
    with Digests(base, cache) as hashed:
        for entry in walk(root, excluded=excluded) if entries is None else entries:
            found.append(entry)
            if entry.name[-1] == 47:  # a slash
                folders.append(entry.name)
            elif compute_hash:
                hashed.add(entry)
            else:
                sizes[entry.name] = str(regular(base + entry.name, status_of(entry)).st_size)
        hashes = hashed.finish(progress) if compute_hash else sizes
    sight.add(found)
    return tree_of(folders, {}, hashes)


def is_of_many(root: Path) -> bool:
    """Whether `many_files` is of use for a folder."""
    return counts_all(root) and holds_many(root, MANY)


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


def tree_of(
    folders: Iterable[bytes], told: Mapping[bytes, list[bytes]], hashes: Mapping[bytes, str]
) -> HashTree:
    """The hash tree of files by their hashes.

    Args:
        folders: Names, each with a slash at its end but for the root, which is empty.
        told: Parts of folders' texts.
        hashes: Of files that are not in those.
    """
    lines: dict[bytes, list[Line]] = {folder: [] for folder in folders}
    for name, hashval in hashes.items():
        parent, slash, last = name.rpartition(b"/")
        lines[parent + slash].append(Line(hashval, "blob", last))
    texts: dict[str, bytes] = {}
    root = ""
    # a folder comes after all that are in it
    for folder in sorted(lines, key=lambda name: name.count(b"/"), reverse=True):
        text = _joined(told.get(folder, []), lines[folder])
        root = _sha1(text)
        texts[root] = text
        if folder:
            parent, slash, last = folder[:-1].rpartition(b"/")
            lines[parent + slash].append(Line(root, "tree", last))
    return HashTree(root, texts)


def _joined(told: list[bytes], lines: list[Line]) -> bytes:
    """A folder's text from parts of it, and what else is in it."""
    if len(told) == 1 and not lines:
        return told[0]
    return _text([*parse_text(b"".join(told)), *lines])


def _text(lines: list[Line]) -> bytes:
    lines.sort(key=_NAME)
    names = list(map(_NAME, lines))
    if any(sign in b"\0".join(names) for sign in (b"\t", b"\n", b'"')):
        names = list(map(quoted, names))
    texts = (f"{line.hash}\t{line.kind}\t".encode() for line in lines)
    return b"".join([b"%b%b\n" % found for found in zip(texts, names, strict=True)])


def _sha1(text: bytes) -> str:
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()
