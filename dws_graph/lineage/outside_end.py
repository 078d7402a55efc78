"""The last fact of a step that a program outside has told of; made under the journal's lock."""

from __future__ import annotations

from dws_graph.backends.views import Entry
from dws_graph.lineage.ending import Ending
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Current, StepRecord, StepStart
from dws_graph.model.ids import uuid7
from dws_graph.model.outside import OutsideEnd, OutsideRead
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json
from dws_graph.workspace.opened import OpenWorkspace


def end_of(
    ws: OpenWorkspace,
    start: StepStart,
    metrics: Json,
    seconds: float,
    request: str,
    error: str | None,
) -> StepRecord:
    """What the fact says.

    Args:
        ws: The workspace, its index up to date.
        start: All that was told of the step.
        metrics: What was measured.
        seconds: How long it took.
        request: SHA-256 of the request that ended it.
        error: Why it failed; None: it completed.
    """
    return _Ending(ws, start).record(metrics, seconds, request, error)


class _Ending(Ending):
    def __init__(self, ws: OpenWorkspace, start: StepStart) -> None:
        super().__init__(ws, start.name, start.start_time)
        self.start = start
        self._read: dict[ResourceRef, Certificate] = {}

    def record(self, metrics: Json, seconds: float, request: str, error: str | None) -> StepRecord:
        start, outside = self.start, self.start.outside
        if outside is None:
            raise ValueError("a step of this workspace's own")
        inputs = tuple(map(self._reading, outside.inputs))
        code = tuple(map(self._reading, outside.code))
        outputs: tuple[Certificate, ...] = ()
        if error is None:
            outputs = tuple(
                self._written(ref, outside.hashes.get(str(ref))) for ref in self._targets()
            )
        else:
            self._forget()
        return StepRecord(
            id=start.step,
            name=start.name,
            start_time=start.start_time,
            execution_time_seconds=seconds,
            parameters=outside.parameters,
            metrics=metrics,
            command_line=outside.command_line,
            run_from=None,
            description=outside.description,
            environment=None,
            commit=None,
            error=error,
            inputs=inputs,
            code=code,
            outputs=outputs,
            described=frozenset(self.described),
            current=tuple(self.current.values()),
            superseded=tuple(dict.fromkeys(self.superseded)),
            read_while_written={},
            changed_while_running=(),
            outside=OutsideEnd(run=outside.run, request=request, producer=outside.producer),
        )

    # What it read

    def _reading(self, read: OutsideRead) -> Certificate:
        """The certificate of what was read, as it stands now; the same as input and as code."""
        if read.ref not in self._read:
            entry = self.ws.index.entry(self.ws.id, self.ws.instance, read.ref)
            known = read.certificate is not None
            self._read[read.ref] = self._known(read, entry) if known else self._unknown(read, entry)
        return self._read[read.ref]

    def _known(self, read: OutsideRead, entry: Entry | None) -> Certificate:
        index = self.ws.index
        key = read.certificate or ""
        key = index.became([key]).get(key, key)
        cert = index.certificate(key)
        if cert is None:  # content that nobody told of before
            cert = Certificate(
                id=key,
                ref=read.ref,
                hash=read.hash,
                subpath_hash=read.hash if read.ref.subpath else None,
            )
            self.described.add(key)
        if read.hash is not None and self._is_now(read, cert, entry):
            self.replace(entry)
            self.current[read.ref] = Current(
                ref=read.ref, certificate=cert.id, output=bool(index.producers([cert.id]))
            )
        return cert

    def _is_now(self, read: OutsideRead, cert: Certificate, entry: Entry | None) -> bool:
        """Whether what was read is what is there: not where it was an older version of a step's."""
        if (entry and entry.certificate.id) != read.before or self._writes(read.ref):
            return False
        if entry is None:
            return True
        older = entry.output and bool(self.ws.index.producers([cert.id]))
        return entry.certificate.id != cert.id and not older

    def _unknown(self, read: OutsideRead, entry: Entry | None) -> Certificate:
        """What no step wrote, and no hash was told of."""
        if entry is not None and not entry.output and entry.certificate.hash is None:
            return entry.certificate  # another run was here first
        changed = (entry and entry.certificate.id) != read.before
        lost = changed or self._writes(read.ref)
        cert = self.placeholder(read.ref, "input", superseded=lost)
        if not lost:
            self.replace(entry)
            self.current[read.ref] = Current(ref=read.ref, certificate=cert.id)
        return cert

    def _writes(self, ref: ResourceRef) -> bool:
        return any(out.touches(ref) for out in self.start.outputs)

    # What it wrote

    def _targets(self) -> list[ResourceRef]:
        """The outputs' refs; where another step wrote an overlapping one meanwhile, that."""
        targets: list[ResourceRef] = []
        for ref in self.start.outputs:
            targets += [e.ref for e in self.touching(ref) if e.output and e.ref != ref] or [ref]
        return list(dict.fromkeys(targets))

    def _written(self, ref: ResourceRef, hashval: str | None) -> Certificate:
        """A version of its own, with its hash where one was told; current from now on."""
        self.make_way(ref, self.touching(ref))
        if hashval is None:
            cert = self.placeholder(ref, "output")
        else:
            cert = Certificate(
                id=uuid7(),
                ref=ref,
                hash=hashval,
                subpath_hash=hashval if ref.subpath else None,
                comment=self.comment,
            )
            self.described.add(cert.id)
        self.current[ref] = Current(ref=ref, certificate=cert.id, output=True)
        return cert

    def _forget(self) -> None:
        """The outputs' state is unknown: the step may have written half of them."""
        for ref in self.start.outputs:
            self.make_way(ref, self.touching(ref))
            self.current[ref] = Current(ref=ref, certificate=None)
