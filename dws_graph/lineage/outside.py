"""Recording steps of programs that have no workspace: what they tell becomes facts.

A program tells of a run by its own id: that it starts, and that it completed or failed, or all at
once when it has ended. Each is one turn under the journal's lock, and is on disk before it is
answered. The same said again changes nothing; something else of the same run is refused.
Source: docs/formats.md, "Recording from outside".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dws_graph.errors import ConfigurationError, LineageConflictError, RunConflictError
from dws_graph.lineage.consistency import check_another, check_output, check_overlap
from dws_graph.lineage.outside_end import end_of
from dws_graph.lineage.recording import LONGEST_ERROR, turn
from dws_graph.model import facts as f
from dws_graph.model.certificates import hashed
from dws_graph.model.facts import StepStart
from dws_graph.model.ids import uuid7
from dws_graph.model.outside import OutsideRead, OutsideStart, Run
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, parse_utc, to_plain, utc_now
from dws_graph.resources.terms import ResourceRoles
from dws_graph.workspace.adding import add_outside
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.scrubbing import (
    scrubbed_command_line,
    scrubbed_metrics,
    scrubbed_parameters,
    scrubbed_text,
)

Named = tuple[ResourceRef, str | None]
"""A ref, and the hash of its content where it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a program tells of a step, in one request.

    Attributes:
        name: The step's.
        inputs, code, outputs: Refs, each with the hash of its content where it is known.
        parameters, metrics: Plain JSON.
        command_line: The program and its arguments.
        description: Of the run.
        producer: What the program is called.
        started, ended: UTC.
        error: Why it failed.
    """

    name: str = ""
    inputs: tuple[Named, ...] = ()
    code: tuple[Named, ...] = ()
    outputs: tuple[Named, ...] = ()
    parameters: Json = field(default_factory=dict)
    metrics: Json = field(default_factory=dict)
    command_line: list[str] | None = None
    description: str | None = None
    producer: str = ""
    started: str | None = None
    ended: str | None = None
    error: str | None = None

    def digest(self, what: str) -> str:
        """SHA-256 of the request, by which the same one is known again."""
        said = [what, *(getattr(self, name) for name in self.__slots__)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def start_run(ws: OpenWorkspace, run: str, told: Told) -> Run:
    """Record that a run has begun, and what it reads.

    Args:
        ws: The workspace.
        run: The program's own id of it.
        told: What it tells.

    Raises:
        RunConflictError: Something else was told of this run.
        LineageConflictError: Refs overlap.
        ConfigurationError: A name or path cannot be one.
    """
    told, request = _prepared(ws, run, told, "start")
    ws.catch_up(own=True)
    if (known := _started(ws, run, request)) is not None:
        return known
    _add_resources(ws, told)
    with turn(ws):
        if (known := _started(ws, run, request)) is not None:
            return known
        start = _new_start(ws, run, told, request)
        for ref in start.outputs:
            check_output(ws, ref)
        ws.record([(f.STEP_STARTED, start.to_json())])
        return _recorded(ws, run)


def complete_run(ws: OpenWorkspace, run: str, told: Told) -> Run:
    """Record that a run has completed; of one that was not started, that it did both.

    Raises:
        RunConflictError: Something else was told of this run.
        LineageConflictError: Refs overlap.
        ConfigurationError: A name or path cannot be one.
    """
    return _end_run(ws, run, told, f.STEP_COMPLETED)


def fail_run(ws: OpenWorkspace, run: str, told: Told) -> Run:
    """Record that a run has failed: what it wrote is not known.

    Raises:
        RunConflictError, LineageConflictError, ConfigurationError: As `complete_run`.
    """
    return _end_run(ws, run, replace(told, error=told.error or "failed"), f.STEP_ABORTED)


def find_run(ws: OpenWorkspace, run: str) -> Run | None:
    """A run as it stands; None where no program told of it."""
    ws.catch_up(own=True)
    return ws.index.run(ws.id, ws.instance, run)


def _started(ws: OpenWorkspace, run: str, request: str) -> Run | None:
    known = ws.index.run(ws.id, ws.instance, run)
    if known is None or known.began == request:
        return known
    said = "when it had ended" if known.began is None else "by another request"
    raise RunConflictError(
        f"the run '{run}' was recorded {said}", hint="Give each run an id of its own."
    )


def _end_run(ws: OpenWorkspace, run: str, told: Told, kind: str) -> Run:
    told, request = _prepared(ws, run, told, kind)
    ws.catch_up(own=True)
    if (known := _ended(ws, run, told, request, kind)) is not None:
        return known
    _add_resources(ws, told)
    with turn(ws):
        if (known := _ended(ws, run, told, request, kind)) is not None:
            return known
        begun = ws.index.run(ws.id, ws.instance, run)
        before: tuple[ResourceRef, ...] = ()
        if begun is None:
            start = _new_start(ws, run, told, request)
        else:
            begin = _start_of(ws, begun)
            start, before = _gone_on(ws, begin, told), begin.outputs
        for ref in start.outputs if kind == f.STEP_COMPLETED else ():
            if ref not in before:
                check_output(ws, ref)
        seconds = _seconds(start.start_time, told.ended)
        record = end_of(ws, start, told.metrics, seconds, request, told.error)
        ws.record([(kind, record.to_json())])
        return _recorded(ws, run)


def _ended(ws: OpenWorkspace, run: str, told: Told, request: str, kind: str) -> Run | None:
    """The run, if it has ended like that; refuses what does not go with what is known of it."""
    known = ws.index.run(ws.id, ws.instance, run)
    if known is None:
        if not told.name:
            raise ConfigurationError(
                f"the run '{run}' was not started, and has no name",
                hint="Start it first, or give the name of its step now.",
            )
        return None
    if known.ended is None:
        return None
    if known.ended == request:
        return known
    how = "another end" if known.status == _STATUS[kind] else f"that it has {_STATUS[kind]}"
    raise RunConflictError(
        f"the run '{run}' has {known.status} already, and {how} is told now",
        hint="Give each run an id of its own.",
    )


_STATUS = {f.STEP_COMPLETED: "completed", f.STEP_ABORTED: "failed"}


def _recorded(ws: OpenWorkspace, run: str) -> Run:
    """What was just recorded; where the index could not take it in, the answer says so."""
    ws.catch_up(own=True)
    found = ws.index.run(ws.id, ws.instance, run)
    if found is None:
        raise ConfigurationError(f"the run '{run}' was recorded, and is not in the index")
    return found


# What is told


def _prepared(ws: OpenWorkspace, run: str, told: Told, what: str) -> tuple[Told, str]:
    """What is told as it may be recorded, and its digest."""
    if scrubbed_text(ws, run) != run:
        raise ConfigurationError(
            "the id of the run has what looks like a secret in it",
            hint="Name it without: an id is recorded as it is.",
        )
    text = scrubbed_text
    told = replace(
        told,
        name=text(ws, told.name),
        parameters=scrubbed_parameters(ws, to_plain(told.parameters, "parameters")),
        metrics=scrubbed_metrics(ws, to_plain(told.metrics, "metrics")),
        command_line=None
        if told.command_line is None
        else scrubbed_command_line(ws, told.command_line),
        description=None if told.description is None else text(ws, told.description),
        producer=text(ws, told.producer),
        error=None if told.error is None else text(ws, told.error)[:LONGEST_ERROR],
    )
    request = told.digest(what)
    names = ws.names_now()
    told = replace(
        told,
        inputs=_renamed(told.inputs, names),
        code=_renamed(told.code, names),
        outputs=_renamed(told.outputs, names),
    )
    for kind, refs in (("inputs", told.inputs), ("code", told.code), ("outputs", told.outputs)):
        check_overlap([ref for ref, _ in refs], kind)
    return told, request


def _renamed(refs: Sequence[Named], names: Mapping[str, str]) -> tuple[Named, ...]:
    """Each ref once, under its resource's name of now.

    Raises:
        LineageConflictError: One has two hashes.
    """
    found: dict[ResourceRef, str | None] = {}
    for ref, given in refs:
        ref = ResourceRef(names.get(ref.name, ref.name), ref.subpath)
        if ref in found and found[ref] != given:
            raise LineageConflictError(f"'{ref}' is named twice, with different hashes")
        found[ref] = given
    return tuple(found.items())


def _add_resources(ws: OpenWorkspace, told: Told) -> None:
    """Those that are named for the first time, by what they are for the step."""
    roles: dict[str, str] = {}
    for refs, role in (
        (told.code, ResourceRoles.CODE),
        (told.outputs, ResourceRoles.INTERMEDIATE_DATA),
        (told.inputs, ResourceRoles.SOURCE_DATA_SET),
    ):
        for ref, _ in refs:
            roles.setdefault(ref.name, role)
    add_outside(ws, roles)


def _seconds(started: str, ended: str | None) -> float:
    took = parse_utc(ended or utc_now()) - parse_utc(started)
    if took.total_seconds() < 0:
        if ended is None:  # its clock is ahead of ours
            return 0.0
        raise ConfigurationError(
            "the run has ended before it started", hint="Give both times with their zone, or none."
        )
    return round(took.total_seconds(), 6)


# What it reads is decided when it is first named


def _new_start(ws: OpenWorkspace, run: str, told: Told, request: str) -> StepStart:
    return StepStart(
        step=uuid7(ws.journal.head().id),  # greater than the ids of all that it can read
        name=told.name,
        start_time=told.started or told.ended or utc_now(),
        outputs=tuple(ref for ref, _ in told.outputs),
        pid=0,  # no process here
        pid_started="",
        outside=OutsideStart(
            run=run,
            request=request,
            producer=told.producer,
            inputs=_reads(ws, told.inputs),
            code=_reads(ws, told.code),
            hashes={str(ref): given for ref, given in told.outputs if given is not None},
            parameters=told.parameters,
            command_line=told.command_line,
            description=told.description,
        ),
    )


def _start_of(ws: OpenWorkspace, run: Run) -> StepStart:
    """What was told of a run that is under way; of a copied folder, in the copy."""
    instances = dict.fromkeys([ws.instance, *(key[1] for key in ws.index.applied())])
    for instance in instances:
        for start in ws.index.running(ws.id, instance):
            if start.step == run.step:
                return start
    raise RunConflictError(f"the run '{run.run}' is not under way")


def _gone_on(ws: OpenWorkspace, start: StepStart, told: Told) -> StepStart:
    """What was told when it started, and what is told now."""
    outside = start.outside
    if outside is None:
        raise RunConflictError(f"the step '{start.name}' is none of a program outside")
    for before, now, what in (
        (start.name, told.name, "name"),
        (start.start_time, told.started or "", "start"),
        (outside.producer, told.producer, "producer"),
    ):
        if now and now != before:
            raise RunConflictError(
                f"the run '{outside.run}' was started with another {what}",
                hint="What was told of a run at its start need not be told again.",
            )
    outputs, hashes = list(start.outputs), dict(outside.hashes)
    for ref, given in told.outputs:
        if ref not in outputs:
            check_another(outputs, ref)
            outputs.append(ref)
        if given is not None and hashes.setdefault(str(ref), given) != given:
            raise RunConflictError(
                f"the run '{outside.run}' was started with another hash of {ref}"
            )
    return replace(
        start,
        outputs=tuple(outputs),
        outside=replace(
            outside,
            inputs=_more(ws, outside.run, outside.inputs, told.inputs, "inputs"),
            code=_more(ws, outside.run, outside.code, told.code, "code"),
            hashes=hashes,
            parameters={**outside.parameters, **told.parameters},
            command_line=told.command_line or outside.command_line,
            description=told.description or outside.description,
        ),
    )


def _more(
    ws: OpenWorkspace, run: str, reads: Sequence[OutsideRead], told: Sequence[Named], what: str
) -> tuple[OutsideRead, ...]:
    known = {read.ref: read for read in reads}
    for ref, given in told:
        if given is not None and ref in known and known[ref].hash != given:
            raise RunConflictError(f"the run '{run}' was started with another hash of {ref}")
    new = [(ref, given) for ref, given in told if not any(r.touches(ref) for r in known)]
    found = {read.ref: read for read in _reads(ws, new)}
    check_overlap([*known, *found], what)
    return tuple({**found, **known}.values())


def _reads(ws: OpenWorkspace, refs: Sequence[Named]) -> tuple[OutsideRead, ...]:
    """What reading these refs reads, each once."""
    found: dict[ResourceRef, OutsideRead] = {}
    for ref, given in refs:
        for read in [_by_hash(ws, ref, given)] if given is not None else _as_current(ws, ref):
            found.setdefault(read.ref, read)
    return tuple(found.values())


def _by_hash(ws: OpenWorkspace, ref: ResourceRef, given: str) -> OutsideRead:
    """A version by its content: the current one if that has it, else the newest that had."""
    entry = ws.index.entry(ws.id, ws.instance, ref)
    now = None if entry is None else entry.certificate
    own = given if ref.subpath else None  # the hash is of what the ref names
    known = ws.index.known(ws.id, ref, hash=given, subpath_hash=own)
    if now is not None and any(c.id == now.id for c in known):
        found = now
    else:
        found = known[0] if known else hashed(ws.id, ref, given, own)
    return OutsideRead(ref=ref, hash=given, certificate=found.id, before=now.id if now else None)


def _as_current(ws: OpenWorkspace, ref: ResourceRef) -> list[OutsideRead]:
    """What is current of a ref: of it, its parts, or the nearest that covers it.

    What a step wrote is believed to be there still, also while another run writes it: one that is
    never ended would take the lineage of all that read it.
    """
    entries = ws.index.entries_touching(ws.id, ws.instance, ref)
    chosen = [e for e in entries if e.ref == ref or ref.covers(e.ref)]
    if not chosen and entries:
        chosen = [max(entries, key=lambda e: len(e.ref.subpath or ""))]
    if not chosen:
        return [OutsideRead(ref=ref, hash=None, certificate=None, before=None)]
    reads = []
    for entry in chosen:
        cert = entry.certificate
        believed = entry.output or cert.hash is None
        reads.append(
            OutsideRead(
                ref=entry.ref,
                hash=None,
                certificate=cert.id if believed else None,
                before=cert.id,
            )
        )
    return reads
