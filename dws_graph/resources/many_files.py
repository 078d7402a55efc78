"""Folders with many files: processes look at each, and tell it as it is wanted, all at once.

What there is but plain files and folders of plain names (links, pipes, large files, junk) they
name, and it is seen to here, as `walk` does. Of use where all that is there counts as content, and
nothing is known of it yet.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dws_graph.resources import hash_worker
from dws_graph.resources.digests import TELL_AFTER, Digests, Progress, StatCache
from dws_graph.resources.fingerprints import (
    COARSE,
    GRANULARITY,
    Look,
    Sight,
    racily_clean,
    stat_key,
)
from dws_graph.resources.hash_worker import HASHED, LOOKED, MOST, PIECE
from dws_graph.resources.hash_workers import HashWorkers, hired
from dws_graph.resources.walking import Entry, Excluded, FileStat, refuse, walk

MANY = 1000  # files, from which on it is worth while to start processes


class Piece(NamedTuple):
    """What was told of a folder, or of some of its files; see `hash_worker.PIECE`."""

    folder: bytes
    begun: int
    newest: int
    newest_whole: int
    stats: bytes
    lines: list[bytes]
    texts: bytes
    folders: list[bytes]
    others: list[bytes]
    left: list[bytes]

    @property
    def is_settled(self) -> bool:
        """Whether no later change of a file leaves the same stat."""
        fine = self.newest < self.begun - GRANULARITY
        return fine and self.newest_whole < self.begun - COARSE


class Found(NamedTuple):
    """A folder, hashed.

    Attributes:
        folders: Names, each with a slash at its end but for the root, which is empty.
        texts: What hash trees say of a folder's plain files, in no order.
        hashes: Of all other files.
    """

    folders: list[bytes]
    texts: dict[bytes, list[bytes]]
    hashes: dict[bytes, str]


def hash_many(
    root: Path, cache: StatCache | None, progress: Progress | None, sight: Sight
) -> Found:
    """Hash all files of a folder.

    Args:
        root: The folder.
        cache: Where to keep hashes; knows none of the folder.
        progress: Called with files done and files found so far.
        sight: Where to put what was seen.

    Raises:
        ConfigurationError: A file vanished, changed while it was read, cannot be read, or is no
            file; names it.
    """
    base = os.path.join(os.fsencode(root), b"")
    folders, texts = [b""], dict[bytes, list[bytes]]()
    pieces, others = list[Piece](), list[Entry]()
    with hired() as workers:
        for piece in _pieces(base, workers, HASHED, progress):
            pieces.append(piece)
            sight.add_told(piece.lines, piece.newest, piece.newest_whole)
            texts.setdefault(piece.folder, []).append(piece.texts)
            _add_folders(piece, folders, sight)
            others += _others(root, piece, refuse)
    if cache is not None:
        _keep(base, pieces, cache)
    sight.add(others)
    folders += [entry.name for entry in others if _is_folder(entry)]
    with Digests(base, cache) as digests:
        for entry in others:
            if not _is_folder(entry):
                digests.add(entry)
        hashes = digests.finish(_after(sum(len(p.lines) for p in pieces), progress))
    return Found(folders, texts, hashes)


def _is_folder(entry: Entry) -> bool:
    return entry.name[-1] == 47  # a slash


def _after(before: int, progress: Progress | None) -> Progress | None:
    """A progress that goes on after some files."""
    if progress is None:
        return None
    tell = progress
    return lambda done, total, doing="": tell(before + done, before + total, doing)


def look_at_many(root: Path, excluded: Excluded) -> Look:
    """What the files of a folder look like but for some, as `fingerprints.look` would say."""
    base = os.path.join(os.fsencode(root), b"")
    sight, folders = Sight(root), list[bytes]()
    unreadable: list[Entry] = []

    def note(path: bytes, _error: OSError) -> None:
        unreadable.append(Entry(path[len(base) :], None))

    with hired() as workers:
        for piece in _pieces(base, workers, LOOKED, None):
            sight.add_told(piece.lines, piece.newest, piece.newest_whole)
            _add_folders(piece, folders, sight)
            sight.add(_others(root, piece, note))
    sight.add(unreadable)
    return sight.look(excluded)


def _add_folders(piece: Piece, folders: list[bytes], sight: Sight) -> None:
    for name in piece.folders:
        folders.append(piece.folder + name + b"/")
        sight.lines.append(folders[-1] + b"\0")


def _others(
    root: Path, piece: Piece, on_error: Callable[[bytes, OSError], object]
) -> Iterator[Entry]:
    """What else there is in a piece, or below it."""
    if not piece.begun:  # it cannot be read, or is gone: that is told as everywhere
        below = os.fsdecode(piece.folder.rstrip(b"/")) or None
        found = walk(root, below, on_error=on_error)
        yield from (entry for entry in found if entry.name != piece.folder)
    for name in piece.others:
        yield from walk(root, os.fsdecode(piece.folder + name), on_error=on_error)


def _pieces(
    base: bytes, workers: HashWorkers, kind: bytes, progress: Progress | None
) -> Iterator[Piece]:
    """All of a folder, piece by piece, in no order."""
    asked: dict[int, tuple[bytes, bytes]] = {}
    done = waiting = 0

    def ask(folder: bytes, names: Iterable[bytes] = ()) -> None:
        request = hash_worker.of_folder(kind, base, folder, names)
        asked[workers.submit(request)] = (folder, request)

    ask(b"")
    while workers.busy():
        for ticket, _, answer in workers.done(TELL_AFTER):
            folder, request = asked.pop(ticket)
            piece = _piece(folder, hash_worker.answer(request) if answer is None else answer)
            for name in piece.folders:
                ask(folder + name + b"/")
            for i in range(0, len(piece.left), MOST):
                ask(folder, piece.left[i : i + MOST])
            done, waiting = done + len(piece.lines), waiting + len(piece.left)
            if progress is not None:
                progress(done, max(done, waiting))
            yield piece


def _piece(folder: bytes, answer: bytes) -> Piece:
    begun, newest, newest_whole, *lengths = PIECE.unpack_from(answer)
    parts, start = [], PIECE.size
    for length in lengths:
        parts.append(answer[start : start + length])
        start += length
    lines, texts, *names = parts
    return Piece(
        folder,
        begun,
        newest,
        newest_whole,
        lines,
        lines.split(b"\0\0") if lines else [],
        texts,
        *(part.split(b"\0") if part else [] for part in names),
    )


def _keep(base: bytes, pieces: Iterable[Piece], cache: StatCache) -> None:
    """Have a cache know them; a file that a later change may leave as it looks is left out."""
    for piece in pieces:
        if piece.is_settled and piece.stats:
            cache.put_piece(base, piece.folder, piece.stats, piece.texts)
            continue
        for path, status, sha1 in files_of(base, piece.stats, piece.texts):
            found = FileStat(*map(int, status.split()))
            if not racily_clean(found, piece.begun):
                cache.put(path, stat_key(found), sha1)


def files_of(base: bytes, stats: bytes, hashes: bytes) -> Iterator[tuple[bytes, str, str]]:
    """Path, stat as a text, and sha1 of each file of a piece."""
    if not stats:
        return
    lines = hashes.decode("latin-1").split("\n")  # the last is empty
    for file, line in zip(stats.split(b"\0\0"), lines, strict=False):
        name, _, status = file.partition(b"\0")
        yield base + name, status[:-1].decode(), line[:40]
