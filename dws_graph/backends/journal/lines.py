"""Reading lines of facts from a file, and mending its tail.

Source: docs/formats.md, "The journal on disk".
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.mending import how_to_mend
from dws_graph.errors import InternalError, JournalError
from dws_graph.model.facts import Fact, Line, line_hash

_BLOCK = 1 << 16


def read_lines(path: Path, offset: int = 0, *, local: bool) -> Iterator[Line]:
    """The facts of a file from a byte offset on; a torn last line is left out.

    Args:
        path: The journal or a segment.
        offset: Where a line begins.
        local: Whether offsets in this file mean anything to the reader.

    Raises:
        JournalError: A line is damaged; names the file and the line.
    """
    at, where = offset, str(path)
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            body = raw[:-1]
            begin, at = at, at + len(raw)
            if b"\0" in body and _is_torn(path, begin, at):
                return
            fact = read_fact(path, body, at)
            yield Line(fact, line_hash(body), at if local else 0, where, len(raw))


def find_facts(path: Path, offset: int, kinds: Collection[str]) -> list[Fact]:
    """The facts of these kinds from a byte offset on; few lines are parsed for it.

    A damaged line is left out: who reads the lines themselves says so.
    """
    marks = [f'"kind":"{kind}"'.encode() for kind in kinds]
    found = []
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            if not raw.endswith(b"\n") or not any(mark in raw for mark in marks):
                continue
            with contextlib.suppress(InternalError):
                found.append(Fact.from_line(raw[:-1]))
    return [fact for fact in found if fact.kind in kinds]


def check_lines(path: Path) -> None:
    """Look whether each line of a file names the line before it.

    Raises:
        JournalError: One does not, or is damaged; names the file and the line.
    """
    last: Line | None = None
    for number, line in enumerate(read_lines(path, local=False), start=1):
        if last and (line.fact.seq, line.fact.prev) != (last.fact.seq + 1, last.hash):
            raise JournalError(
                f"{path}, line {number}: fact {line.fact.seq} does not follow fact "
                f"{last.fact.seq} in the line before",
                hint=how_to_mend(path),
            )
        last = line


def read_fact(path: Path, line: bytes, end: int) -> Fact:
    """The fact in a line of a file, which ends just before the offset `end`.

    Raises:
        JournalError: It is damaged, or of a later version; names the file and the line.
    """
    try:
        return Fact.from_line(line)
    except JournalError as e:
        where = f"{path}, line {_number(path, end)}"
        raise JournalError(f"{where}: {e.message}", hint=e.hint) from None
    except InternalError as e:
        why = e.message.removeprefix("line 1 ")  # the one that was parsed
        raise JournalError(
            f"{path}, line {_number(path, end)}: not a fact ({why})",
            hint=how_to_mend(path),
        ) from None


def last_fact(path: Path) -> Fact | None:
    """The fact in the last whole line; None when there is none."""
    found = last_line(path)
    return read_fact(path, *found) if found else None


def last_line(path: Path, before: int | None = None) -> tuple[bytes, int] | None:
    """The last whole line and the offset after it; None when there is none.

    Args:
        path: The file.
        before: Only what ends at this offset or before it.
    """
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            end = end if before is None else min(before, end)
            tail = b""
            at = end
            while at > 0:
                step = min(_BLOCK, at)
                at -= step
                file.seek(at)
                tail = file.read(step) + tail
                last = tail.rfind(b"\n")
                if last < 0:
                    continue
                begin = tail.rfind(b"\n", 0, last)
                if begin >= 0 or at == 0:
                    return tail[begin + 1 : last], at + last + 1
    except FileNotFoundError:
        return None
    return None


def mend_tail(path: Path) -> bool:
    """Cut a line off that a power cut tore; the caller holds the journal's lock.

    Returns:
        Whether there was one.
    """
    torn = False
    while (size := _size(path)) > 0:
        found = last_line(path)
        whole = found[1] if found else 0
        if found and whole == size and b"\0" not in found[0]:
            break
        # what was never acknowledged: half a line, or a line that the file system left as zeros
        cut = whole if whole < size else whole - len(found[0]) - 1 if found else 0
        fault("journal: truncate")
        with path.open("r+b") as file:
            file.truncate(cut)
            file.flush()
            fault("journal: fsync what was cut")
            os.fsync(file.fileno())
        torn = True
    return torn


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _is_torn(path: Path, begin: int, end: int) -> bool:
    """Whether the line from `begin` to `end` is the last, and was left half as zeros."""
    with path.open("rb") as file:
        file.seek(begin)
        return b"\0" in file.read(end - begin) and file.read(1) == b""


def _number(path: Path, end: int) -> int:
    with path.open("rb") as file:
        return file.read(end).count(b"\n")
