"""Recording one step: what it reads is decided when it begins, what it wrote when it ends.

Each of the two is one turn under the journal's lock: catch up, decide, append. Source:
docs/formats.md, "Recording a step".
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from dws_graph.backends.index import IndexDamagedError
from dws_graph.backends.views import Entry
from dws_graph.errors import ConfigurationError
from dws_graph.lineage.consistency import (
    check_another,
    check_output,
    check_overlap,
)
from dws_graph.lineage.ending import Ending
from dws_graph.lineage.in_place import OpenConflict, check_or_leave_open
from dws_graph.lineage.surroundings import code_commit, surroundings
from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Current, Fingerprint, StepRecord, StepStart
from dws_graph.model.ids import uuid7
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, utc_now
from dws_graph.resources.terms import ResourceRoles
from dws_graph.workspace.committing import finish_interrupted
from dws_graph.workspace.half_written import failed_text, left_in
from dws_graph.workspace.importing import refresh_imports
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.processes import mine
from dws_graph.workspace.reading import Reading, is_edited, living, read_refs
from dws_graph.workspace.scrubbing import (
    scrubbed_command_line,
    scrubbed_metrics,
    scrubbed_parameters,
    scrubbed_text,
)
from dws_graph.workspace.telling import log

LONGEST_ERROR = 2000


@dataclass(slots=True, kw_only=True)
class Step:
    """A step under way; secrets are taken out of all that it is told.

    Attributes:
        ws: The workspace.
        name: The step's.
        parameters: Plain JSON.
        command_line: The program and its arguments.
        run_from: [resource, subpath] of the directory it runs from.
        description: Of the run.
        run: See `StepRecord`.
        metrics: Plain JSON.
        inputs, code: What it reads, by ref.
        outputs: What it writes.
        id: UUIDv7.
        start_time: UTC.
        seconds: How long it took; set once.
    """

    ws: OpenWorkspace
    name: str
    parameters: Json
    command_line: list[str] | None = None
    run_from: list[str | None] | None = None
    description: str | None = None
    run: Json | None = None
    metrics: Json = field(default_factory=dict)
    inputs: dict[ResourceRef, Reading] = field(default_factory=dict)
    code: dict[ResourceRef, Reading] = field(default_factory=dict)
    outputs: list[ResourceRef] = field(default_factory=list)
    id: str = field(default_factory=uuid7)
    start_time: str = field(default_factory=utc_now)
    seconds: float | None = None
    commit: str | None = None
    _began: float = field(default_factory=time.monotonic)
    _asked: tuple[list[ResourceRef], list[ResourceRef]] = field(default_factory=lambda: ([], []))
    _declared: frozenset[ResourceRef] = frozenset()
    _all_outputs: bool = False
    _conflict: OpenConflict | None = None

    def __post_init__(self) -> None:
        ws = self.ws
        self.name = scrubbed_text(ws, self.name)
        self.parameters = scrubbed_parameters(ws, self.parameters)
        if self.command_line is not None:
            self.command_line = scrubbed_command_line(ws, self.command_line)
        if self.description is not None:
            self.description = scrubbed_text(ws, self.description)

    def add_parameters(self, parameters: Json) -> None:
        """Add parameters, or change them."""
        self.parameters |= scrubbed_parameters(self.ws, parameters)

    def set_metrics(self, metrics: Json) -> None:
        """Say what was measured, in place of what was said before."""
        self.metrics = scrubbed_metrics(self.ws, metrics)

    def begin(
        self,
        inputs: Sequence[ResourceRef],
        code: Sequence[ResourceRef],
        outputs: Sequence[ResourceRef],
        *,
        all_outputs: bool = False,
    ) -> None:
        """Decide what the step reads, and let other processes know what it writes.

        Args:
            inputs: What it reads.
            code: What it runs.
            outputs: What it writes, as far as is known.
            all_outputs: There will be no others.

        Raises:
            LineageConflictError: Refs of one kind overlap, or an output with another's.
            LineageConsistencyError: The inputs go back to two versions of one ref, and no output
                that the step is likely to declare yet would settle that.
        """
        ws = self.ws
        for ref in outputs:
            check_another(self.outputs, ref)
            self.outputs.append(ref)
        self._declared = frozenset(outputs)
        self._all_outputs = all_outputs
        commit = code_commit(ws, code)
        refresh_imports(ws)
        with turn(ws):
            self.id = uuid7(ws.journal.head().id)  # greater than the ids of all that it can read
            self._read(inputs, code)
            for ref in outputs:
                check_output(ws, ref)
            around = surroundings()
            drafts = []
            if not ws.index.environment_seen(ws.id, ws.instance, around.hash):
                drafts.append((f.ENVIRONMENT_SEEN, around.to_json()))
            ws.record([*drafts, self._started()])
        self.commit = commit
        self._warn()
        self._warn_of_source(outputs)

    def _warn_of_source(self, outputs: Iterable[ResourceRef]) -> None:
        """Say that a step writes what is said to come from outside; it is recorded all the same."""
        for ref in outputs:
            if self.ws.get_resource_role(ref.name) == ResourceRoles.SOURCE_DATA_SET:
                log.warning(
                    "step '%s' writes '%s', of role source-data: that is for data which no step"
                    " makes, else give it the role intermediate-data",
                    *(self.name, ref),
                )

    def add_inputs(self, refs: Sequence[ResourceRef]) -> None:
        """Read more, found while the step runs; the rules hold as of now."""
        with turn(self.ws):
            self._read(refs, ())

    def read_again(self, ref: ResourceRef) -> None:
        """Read an input anew: what it holds is known only now, or the step itself has got it."""
        ref = ref.recorded()
        with turn(self.ws):
            self.inputs = {r: reading for r, reading in self.inputs.items() if not r.touches(ref)}
            self._read([ref], ())

    def add_output(self, ref: ResourceRef) -> None:
        """Write more; known to other processes from now on."""
        ref = ref.recorded()
        if ref in self._declared:
            return
        check_another(self.outputs, ref)
        with turn(self.ws):
            check_output(self.ws, ref)
            self.outputs.append(ref)
            self.ws.record([self._started()])
        self._warn_of_source([ref])

    def _read(self, inputs: Sequence[ResourceRef], code: Sequence[ResourceRef]) -> None:
        ws = self.ws
        inputs, code = [r.recorded() for r in inputs], [r.recorded() for r in code]
        all_inputs = list(dict.fromkeys([*self._asked[0], *inputs]))
        all_code = list(dict.fromkeys([*self._asked[1], *code]))
        check_overlap(all_inputs, "inputs")
        check_overlap(all_code, "code")
        running = [s for s in living(ws)[0] if s.step != self.id]
        new = {r.ref: r for r in read_refs(ws, inputs, running) if r.ref not in self.inputs}
        readings = [*self.inputs.values(), *new.values()]
        self._conflict = check_or_leave_open(
            ws, readings, self.name, self.outputs, wait=not self._all_outputs
        )
        self.inputs |= new
        self.code |= {r.ref: r for r in read_refs(ws, code, running) if r.ref not in self.code}
        self._asked = (all_inputs, all_code)
        self._tell_widened((inputs, self.inputs), (code, self.code))

    def _tell_widened(self, *kinds: tuple[Sequence[ResourceRef], Iterable[ResourceRef]]) -> None:
        """Say which refs, asked for and read, are read as what covers them: what has an entry."""
        pairs = [
            (ref, by) for asked, read in kinds for ref in asked for by in read if by.covers(ref)
        ]
        if pairs:
            told = ", ".join(f"'{ref}' as '{by}'" for ref, by in pairs)
            self.ws.notify(f"recorded as earlier steps or snapshots name it: {told}")

    def _started(self) -> tuple[str, Json]:
        pid, when = mine()
        start = StepStart(
            step=self.id,
            name=self.name,
            start_time=self.start_time,
            outputs=tuple(self.outputs),
            pid=pid,
            pid_started=when,
        )
        return f.STEP_STARTED, start.to_json()

    def _warn(self) -> None:
        self._warn_of_half_written()
        for reading in (*self.inputs.values(), *self.code.values()):
            if reading.writer is not None:
                log.warning(
                    "step '%s' reads '%s' while step '%s' writes it",
                    *(self.name, reading.ref, _step_name(self.ws, reading.writer)),
                )
        for reading in self.inputs.values():
            if (cause := self._stale_by(reading)) is not None:
                writer, changed = cause
                log.warning(
                    "step '%s' reads '%s', which step '%s' made from '%s' before that was changed:"
                    " run '%s' again",
                    *(self.name, reading.ref, writer, changed, writer),
                )

    def _warn_of_half_written(self) -> None:
        for reading in self.inputs.values():
            for one in left_in(self.ws, reading):
                log.warning(
                    "step '%s' reads '%s', which was left by %s: run '%s' again",
                    *(self.name, reading.ref, failed_text(one.step), one.step.name),
                )

    def _stale_by(self, reading: Reading) -> tuple[str, ResourceRef] | None:
        """The step that wrote an input, and what it read that was edited since; None: nothing."""
        if reading.certificate is None:
            return None
        ws = self.ws
        key = ws.index.producers([reading.certificate.id]).get(reading.certificate.id)
        writer = ws.index.step(key) if key else None
        if writer is None:
            return None
        for cert in (*writer.inputs, *writer.code):
            entry = ws.index.entry(ws.id, ws.instance, cert.ref)
            if entry is None or entry.fingerprint is None:
                continue
            if self._is_edited(entry):
                return writer.name, cert.ref
        return None

    def _is_edited(self, entry: Entry) -> bool:
        """Whether what an earlier step read was edited since; where nobody can tell, it is said."""
        try:
            return is_edited(self.ws, entry, ())
        except ConfigurationError as e:
            log.warning(
                "whether '%s' changed since an earlier step read it is not known: %s",
                *(entry.ref, e.message),
            )
            return False

    def took(self) -> float:
        """Seconds since it began; the first call sets them for good."""
        if self.seconds is None:
            self.seconds = round(time.monotonic() - self._began, 6)
        return self.seconds

    def complete(self) -> StepRecord:
        """Record the step: its outputs are now current.

        Raises:
            LineageConsistencyError: An output that would settle what was left open when the step
                began was not declared; the step is recorded as failed.
        """
        if self._conflict is not None and not self._conflict.settled_by(self.outputs):
            error = self._conflict.error
            self.abort(f"{type(error).__name__}: {error.message}")
            raise error
        record = self._end(f.STEP_COMPLETED, None)
        for ref in record.changed_while_running:
            log.warning("'%s' changed while step '%s' ran", ref, self.name)
        return record

    def abort(self, error: str) -> StepRecord:
        """Record that the step failed: the state of its outputs is unknown from now on."""
        return self._end(f.STEP_ABORTED, scrubbed_text(self.ws, error)[:LONGEST_ERROR])

    def _end(self, kind: str, error: str | None) -> StepRecord:
        """Append the step's last fact; a damaged index costs no step."""
        self.took()
        try:
            return self._append(kind, error)
        except IndexDamagedError:  # found before anything was appended
            self.ws.heal_index()
        return self._append(kind, error)

    def _append(self, kind: str, error: str | None) -> StepRecord:
        with turn(self.ws):
            record = _Ending(self).record(error)
            self.ws.record([(kind, record.to_json())])
        return record


class _Ending(Ending):
    """What the last fact of a step says; made under the journal's lock."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.ws, step.name, step.start_time)
        self.step = step
        self.entries: dict[ResourceRef, Entry] = {}
        for ref in (*step.inputs, *step.code, *step.outputs):
            self.entries |= {e.ref: e for e in self.touching(ref)}
        for entry in list(self.entries.values()):  # an output may be recorded as what covers it
            if any(entry.ref.covers(out) for out in step.outputs):
                self.entries |= {e.ref: e for e in self.touching(entry.ref)}
        self.changed: list[str] = []
        self._made: dict[ResourceRef, Certificate] = {}

    def record(self, error: str | None) -> StepRecord:
        """The fact's body; a failed step (`error`) wrote nothing."""
        step = self.step
        inputs = tuple(self._read(r) for r in step.inputs.values())
        code = tuple(self._read(r) for r in step.code.values())
        if error is None:
            outputs = self._write()
        else:
            outputs = ()
            self._forget()
        written = {str(r.ref): r.writer for r in step.inputs.values() if r.writer is not None}
        return StepRecord(
            id=step.id,
            name=step.name,
            start_time=step.start_time,
            execution_time_seconds=step.seconds,
            parameters=step.parameters,
            metrics=step.metrics,
            command_line=step.command_line,
            run_from=step.run_from,
            description=step.description,
            environment=surroundings().hash,
            commit=step.commit,
            error=error,
            inputs=inputs,
            code=code,
            outputs=outputs,
            described=frozenset(self.described),
            current=tuple(self.current.values()),
            superseded=tuple(dict.fromkeys(self.superseded)),
            read_while_written=written,
            changed_while_running=tuple(dict.fromkeys(self.changed)),
            run=step.run,
        )

    def _read(self, reading: Reading) -> Certificate:
        """The certificate of what was read, as it stands now."""
        ref, entry = reading.ref, self.entries.get(reading.ref)
        own = any(o.touches(ref) for o in self.step.outputs)
        changed = (
            not own
            and reading.writer is None
            and reading.fingerprint is not None
            and self._is_as(ref, reading.fingerprint) is False
        )
        if changed:
            self.changed.append(str(ref))
        if reading.certificate is not None:
            cert = self._now(reading.certificate)
            here = entry is None or entry.fingerprint is None
            if reading.why == "known" and here and not changed and not own:
                self.current[ref] = Current(
                    ref=ref,
                    certificate=cert.id,
                    output=bool(self.ws.index.producers([cert.id])),
                    fingerprint=reading.fingerprint,
                )
            return cert
        lost = changed or own or reading.writer is not None
        if ref in self._made:  # read as input and as code
            return self._made[ref]
        seen = None if lost or entry is None else entry.fingerprint
        if entry is not None and seen is not None and self._is_as(ref, seen):
            return entry.certificate  # another step, or a snapshot, was here first
        cert = self._made[ref] = self.placeholder(ref, "input", superseded=lost)
        if not lost:
            self.replace(entry)
            self.current[ref] = Current(
                ref=ref, certificate=cert.id, fingerprint=reading.fingerprint
            )
        return cert

    def _now(self, cert: Certificate) -> Certificate:
        """What a certificate became while the step ran."""
        key = self.ws.index.became([cert.id]).get(cert.id, cert.id)
        return self.ws.index.certificate(key) or cert

    def _write(self) -> tuple[Certificate, ...]:
        """Certificates of the outputs, which are current from now on."""
        outputs = []
        for ref in self._targets():
            self.make_way(ref, self.entries.values())
            cert = self.placeholder(ref, "output")
            outputs.append(cert)
            self.current[ref] = Current(
                ref=ref,
                certificate=cert.id,
                output=True,
                fingerprint=self._fingerprint(ref),
            )
        return tuple(outputs)

    # Where a resource cannot be looked at (no network), the step is recorded all the same

    def _is_as(self, ref: ResourceRef, fingerprint: Fingerprint) -> bool | None:
        """Whether a ref is as it was when this fingerprint was taken; None: nobody can tell."""
        try:
            return self.ws.get_resource(ref.name).unchanged(ref.subpath, fingerprint)
        except ConfigurationError as e:
            log.warning(
                "whether '%s' changed while step '%s' ran is not known: %s",
                *(ref, self.step.name, e.message),
            )
            return None

    def _fingerprint(self, ref: ResourceRef) -> Fingerprint | None:
        """What an output is now; None: nobody can tell, and who reads it next looks."""
        try:
            return self.ws.get_resource(ref.name).fingerprint(ref.subpath)
        except ConfigurationError as e:
            log.warning(
                "what step '%s' wrote to '%s' is not known: %s", *(self.step.name, ref, e.message)
            )
            return None

    def _targets(self) -> list[ResourceRef]:
        """The outputs' refs; where another step wrote an overlapping one meanwhile, that."""
        targets: list[ResourceRef] = []
        for ref in self.step.outputs:
            clash = [
                e.ref
                for e in self.entries.values()
                if e.output and e.ref != ref and e.ref.touches(ref)
            ]
            if clash:
                log.warning(
                    "the output '%s' of step '%s' overlaps with %s, and is recorded as that",
                    *(ref, self.step.name, ", ".join(f"'{c}'" for c in clash)),
                )
            targets += clash or [ref]
        return list(dict.fromkeys(targets))

    def _forget(self) -> None:
        """The outputs' state is unknown: the step may have written half of them."""
        for ref in self.step.outputs:
            for entry in self.entries.values():
                if (
                    entry.ref == ref
                    or ref.covers(entry.ref)
                    or (entry.output and entry.ref.covers(ref))
                ):
                    self.replace(entry)
                    self.current[entry.ref] = Current(ref=entry.ref, certificate=None)
            self.current.setdefault(ref, Current(ref=ref, certificate=None))


@contextmanager
def turn(ws: OpenWorkspace) -> Iterator[None]:
    """The journal's lock, everything that happened before known, the dead accounted for."""
    ws.check_writable()
    with ws.journal.locked():
        finish_interrupted(ws)
        ws.catch_up(own=True)
        ws.look_again()
        for dead in living(ws)[1]:
            ws.record([(f.STEP_ABORTED, _died(ws, dead).to_json())])
        yield


def _died(ws: OpenWorkspace, start: StepStart) -> StepRecord:
    """The end of a step whose process is gone: what it wrote is unknown."""
    current: dict[ResourceRef, Current] = {}
    superseded = []
    for ref in start.outputs:
        current[ref] = Current(ref=ref, certificate=None)
        for entry in ws.index.entries_touching(ws.id, ws.instance, ref):
            if entry.ref == ref or ref.covers(entry.ref):
                current[entry.ref] = Current(ref=entry.ref, certificate=None)
                if entry.certificate.hash is None:
                    superseded.append(entry.certificate.id)
    return StepRecord(
        id=start.step,
        name=start.name,
        start_time=start.start_time,
        execution_time_seconds=None,
        parameters={},
        metrics={},
        command_line=None,
        run_from=None,
        description=None,
        environment=None,
        commit=None,
        error="its process ended without a word",
        inputs=(),
        code=(),
        outputs=(),
        described=frozenset(),
        current=tuple(current.values()),
        superseded=tuple(superseded),
        read_while_written={},
        changed_while_running=(),
    )


def _step_name(ws: OpenWorkspace, key: str) -> str:
    return next((s.name for s in ws.index.running(ws.id, ws.instance) if s.step == key), key)
