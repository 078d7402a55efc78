"""The journal of one copy of a workspace: facts on disk before anyone is told "done".

    local/journal.jsonl                all that this instance ever recorded
    local/segments/<instance>/*.jsonl  what others recorded, once seen
    local/segments/<instance>/taken-in the state of the folder below when last looked at
    journal/<instance>/<seq>.jsonl     in git: what each commit sealed

Source: docs/formats.md, "The journal on disk".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import make_folder, sync_folder, write_atomic
from dws_graph.backends.journal.lines import (
    find_facts,
    last_fact,
    last_line,
    mend_tail,
    read_fact,
    read_lines,
)
from dws_graph.backends.journal.taking_in import damaged_copies, file_names, segments, take_in
from dws_graph.backends.locks import Lock, Notify, quiet
from dws_graph.backends.mending import OWN_JOURNAL, SEALED, SEGMENTS
from dws_graph.backends.views import Applied
from dws_graph.errors import JournalError, JsonValueError
from dws_graph.model.amending import AMENDING, Amendments
from dws_graph.model.facts import Fact, Line, line_hash
from dws_graph.model.ids import is_uuid, uuid7
from dws_graph.model.values import Json, utc_now

Draft = tuple[str, Json]  # kind and body of a fact to be


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the local journal: the next fact goes on from here."""

    seq: int
    id: str
    hash: str
    offset: int


EMPTY = Head(0, "", "", 0)
OWN, INSTANCE = "dws-graph.json", "instance.json"  # which say whose journal it is


class Journal:
    """Appends and replays facts.

    Args:
        folder: `.dataworkspace` of the workspace.
        workspace: Its UUID.
        instance: This copy's UUID.
        notify: Told when a lock is waited for.
        in_git: Whether the folder lies in a repository, which knows others' segments.

    Attributes:
        renames: Tells which resources were renamed in what is not read again (the index knows).
        beside: Lines that could not be written: each the whole journal of its instance, or a part.
    """

    def __init__(
        self,
        folder: Path,
        workspace: str,
        instance: str,
        notify: Notify = quiet,
        *,
        in_git: bool = False,
    ) -> None:
        self.in_git = in_git
        self.workspace = workspace
        self.instance = instance
        self.path = folder / "local" / OWN_JOURNAL
        self.sealed_folder = folder / SEALED
        self.segments_folder = folder / "local" / SEGMENTS
        self.renames: Callable[[], Iterable[Fact]] = tuple
        self.beside: tuple[Line, ...] = ()
        self._lock = Lock(folder / "local" / "journal.lock", "records a step", notify)
        self._head: Head | None = None
        self._held = 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the journal's lock: nobody else appends; a torn tail is gone."""
        with self._lock.held():
            self._held += 1
            try:
                if self._held == 1:
                    self._head = None
                    mend_tail(self.path)
                yield
            finally:
                self._held -= 1

    def head(self) -> Head:
        """The journal's end; under the lock nobody moves it."""
        if self._head is None or not self._held:
            found = last_line(self.path)
            if found is None:
                self._head = EMPTY
            else:
                fact = read_fact(self.path, *found)
                self._check_ours(fact)
                self._head = Head(fact.seq, fact.id, line_hash(found[0]), found[1])
        return self._head

    def _check_ours(self, fact: Fact) -> None:
        """Refuse to go on where what names workspace and instance was damaged."""
        names = ((fact.workspace, self.workspace, OWN), (fact.instance, self.instance, INSTANCE))
        for recorded, now, file in names:
            if now and recorded != now:
                raise JsonValueError(
                    f"is of {recorded}, and {file} says {now}",
                    file=str(self.path),
                    hint=f"One of the two is damaged; {file} is as it was if it says {recorded}.",
                )

    def draft(self, drafts: Iterable[Draft]) -> list[Line]:
        """The lines that `drafts` would be if appended now; call it under the lock."""
        head, lines = self.head(), []
        for kind, body in drafts:
            fact = Fact(
                id=uuid7(head.id),
                workspace=self.workspace,
                instance=self.instance,
                seq=head.seq + 1,
                kind=kind,
                time=utc_now(),
                prev=head.hash,
                body=body,
            )
            raw = fact.to_line().encode()
            head = Head(fact.seq, fact.id, line_hash(raw), head.offset + len(raw) + 1)
            lines.append(Line(fact, head.hash, head.offset, size=len(raw)))
        return lines

    def append(self, drafts: Iterable[Draft]) -> list[Line]:
        """Make facts of these and put them on disk.

        Returns:
            The lines, durable now.
        """
        with self.locked():
            lines = self.draft(drafts)
            self.append_lines(lines)
        return lines

    def append_lines(self, lines: list[Line]) -> None:
        """Put drafted lines on disk; those that are there already are left out."""
        with self.locked():
            head = self.head()
            new = [line for line in lines if line.fact.seq > head.seq]
            if not new:
                return
            if new[0].fact.prev != head.hash:
                raise JournalError(
                    f"{self.path}: fact {new[0].fact.seq} does not follow fact {head.seq}",
                    hint="Run 'dws doctor'.",
                )
            raw = "".join(line.fact.to_line() + "\n" for line in new).encode()
            fresh = not self.path.exists()
            fault("journal: open")
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            try:
                size = os.fstat(fd).st_size
                fault("journal: write")
                written = os.write(fd, raw)
                if written != len(raw):  # the disk is full: take back the half line
                    os.ftruncate(fd, size)
                    raise OSError(28, os.strerror(28), str(self.path))
                fault("journal: fsync")
                os.fsync(fd)
            finally:
                os.close(fd)
            if fresh:
                sync_folder(self.path.parent)
            last = new[-1]
            self._head = Head(last.fact.seq, last.fact.id, last.hash, size + len(raw))

    # Reading

    def since(
        self, applied: Mapping[tuple[str, str], Applied], *, own: bool = False
    ) -> Iterator[Line]:
        """The lines that a view with `applied` lacks, in order of each instance, as they count now.

        Args:
            applied: What it has.
            own: Of this instance alone.
        """
        mine = applied.get((self.workspace, self.instance), Applied(0, "", 0))
        others = []
        for instance, (folder, names) in () if own else sorted(self._others().items()):
            last = applied.get((self.workspace, instance), Applied(0, "", 0))
            if found := _news(folder, names, last):
                others.append((found, last))
        here = self.path.exists()
        amending = [*find_facts(self.path, mine.offset, AMENDING)] if here else []
        for paths, _ in others:
            amending += [fact for path in paths for fact in find_facts(path, 0, AMENDING)]
        amended = Amendments([*self.renames(), *amending])
        if here:
            own_lines = read_lines(self.path, mine.offset, local=True)
            # without an offset it starts over
            yield from _as_amended((o for o in own_lines if o.fact.seq >= mine.seq), amended)
        for paths, last in others:
            yield from _as_amended(_of_instance(paths, last), amended)
        told = () if own else self.beside
        new = (o for o in told if (self.workspace, o.fact.instance) not in applied)
        yield from _as_amended(new, amended)

    def lines(self) -> Iterator[Line]:
        """Every line of every instance as it was written, whatever was said of it later."""
        if self.path.exists():
            yield from read_lines(self.path, local=True)
        for _, (folder, names) in sorted(self._others().items()):
            yield from _of_instance([folder / name for name in names], Applied(0, "", 0))

    def since_elsewhere(self, applied: Mapping[tuple[str, str], Applied]) -> Iterator[Line]:
        """As `since`, for a view that other copies fold into as well.

        The offset that it has may be of another copy's file: it counts where the line before it
        is the one applied last.
        """
        key = (self.workspace, self.instance)
        if key in applied:
            mine = applied[key]
            found = last_line(self.path, mine.offset) if mine.offset else None
            if found is None or found[1] != mine.offset or line_hash(found[0]) != mine.hash:
                applied = {**applied, key: mine._replace(offset=0)}
        return self.since(applied)

    def others(self) -> dict[str, list[Path]]:
        """The segments of other instances, taken in first where the work tree has new ones."""
        return {
            instance: [folder / name for name in names]
            for instance, (folder, names) in self._others().items()
        }

    def _others(self) -> dict[str, tuple[Path, list[str]]]:
        """The same as folder and names: there may be thousands, of which one is looked at."""
        self._take_in()
        found: dict[str, tuple[Path, list[str]]] = {}
        for kept in (self.segments_folder, self.sealed_folder):
            for instance in file_names(kept):
                if instance != self.instance and instance not in found and is_uuid(instance):
                    found[instance] = (kept / instance, segments(kept / instance))
        return found

    def last_instance(self) -> str | None:
        """The other instance that recorded the newest fact; None when there is none."""
        newest: dict[str, str] = {}
        for instance, (folder, names) in self._others().items():
            tail = last_fact(folder / names[-1]) if names else None
            if tail is not None:
                newest[tail.id] = instance
        return newest[max(newest)] if newest else None

    def keep(self, instance: str, lines: Iterable[Line]) -> bool:
        """Write the whole journal of an instance that has no copy; whether there was none yet."""
        path = self.segments_folder / instance / f"{1:010d}.jsonl"
        if path.exists():
            return False
        make_folder(path.parent)
        write_atomic(path, "".join(line.fact.to_line() + "\n" for line in lines).encode())
        return True

    def _take_in(self) -> None:
        """Keep a copy of each new segment: a checkout of an older commit takes none away."""
        for instance in file_names(self.sealed_folder):
            if instance == self.instance or not is_uuid(instance):
                continue
            source, kept = self.sealed_folder / instance, self.segments_folder / instance
            if not take_in(source, kept, in_git=self.in_git):
                return

    def take_in_anew(self, instance: str) -> None:
        """Look at every segment of another instance: copies become what git has now.

        Raises:
            JournalError: A segment is damaged, and there is no good copy of it; names the file.
        """
        source, kept = self.sealed_folder / instance, self.segments_folder / instance
        if source.is_dir():
            take_in(source, kept, in_git=self.in_git, anew=True)

    def damaged_copies(self) -> list[Path]:
        """Copies of others' segments that are not what git has, nor begin with it."""
        return [
            path
            for instance in file_names(self.segments_folder)
            for path in damaged_copies(
                self.sealed_folder / instance, self.segments_folder / instance
            )
        ]

    def raw_after(self, seq: int, hint: int = 0) -> bytes:
        """The local journal's lines after number `seq`, as bytes.

        Args:
            seq: The last number not wanted.
            hint: An offset that is known to follow number `seq` or an earlier one.
        """
        if not self.path.exists():
            return b""
        begin = hint
        for line in read_lines(self.path, hint, local=True):
            if line.fact.seq > seq:
                break
            begin = line.offset
        with self.path.open("rb") as file:
            file.seek(begin)
            return file.read()

    def set_aside(self, instance: str) -> None:
        """Keep a journal that came along with a copied folder as that of another instance."""
        if self.path.exists():
            kept = self.segments_folder / instance
            make_folder(kept)
            mend_tail(self.path)
            fault("journal: rename")
            os.rename(self.path, kept / f"{1:010d}.jsonl")
            for folder in (kept, kept.parent, self.path.parent):
                sync_folder(folder)
            self._head = None


def _as_amended(lines: Iterable[Line], amended: Amendments) -> Iterator[Line]:
    """Lines as they count now; what was amended only just is left for the next time."""
    for line in lines:
        if line.fact.kind in AMENDING and line.fact.id not in amended.known:
            return
        yield amended.line(line)


def _news(folder: Path, names: list[str], last: Applied) -> list[Path]:
    """The segments of one instance that may hold facts after `last`."""
    if not names:
        return []
    tail = last_fact(folder / names[-1])
    if len(names) > 1 and tail is not None and tail.seq <= last.seq:
        return []
    return [folder / name for name in names]


def _of_instance(paths: list[Path], last: Applied) -> Iterator[Line]:
    """The lines of one instance after `last`; segments may overlap, and are read once."""
    seq = last.seq
    for path in paths:
        end = last_fact(path)
        if end is None or end.seq <= seq:
            continue
        for line in read_lines(path, local=False):
            if line.fact.seq > seq:
                seq = line.fact.seq
                yield line
