"""The last fact of a step that a program outside has told of; made under the journal's lock."""

from __future__ import annotations

from dws_graph.backends.views import Entry
from dws_graph.model.certificates import Certificate, Kind
from dws_graph.model.facts import Current, StepRecord, StepStart
from dws_graph.model.ids import uuid7
from dws_graph.model.outside import OutsideEnd, OutsideRead
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, local_text
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


class _Ending:
    def __init__(self, ws: OpenWorkspace, start: StepStart) -> None:
        self.ws, self.start = ws, start
        self.current: dict[ResourceRef, Current] = {}
        self.superseded: list[str] = []
        self.described: set[str] = set()
        self._versions: dict[ResourceRef, int] = {}
        self._read: dict[ResourceRef, Certificate] = {}
        at = local_text(start.start_time).replace("T", " ")
        self._comment = f"Step {start.name} at {at}"

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
            self._replace(entry)
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
        cert = self._placeholder(read.ref, "input", superseded=lost)
        if not lost:
            self._replace(entry)
            self.current[read.ref] = Current(ref=read.ref, certificate=cert.id)
        return cert

    def _writes(self, ref: ResourceRef) -> bool:
        return any(out.touches(ref) for out in self.start.outputs)

    # What it wrote

    def _targets(self) -> list[ResourceRef]:
        """The outputs' refs; where another step wrote an overlapping one meanwhile, that."""
        targets: list[ResourceRef] = []
        for ref in self.start.outputs:
            entries = self.ws.index.entries_touching(self.ws.id, self.ws.instance, ref)
            targets += [e.ref for e in entries if e.output and e.ref != ref] or [ref]
        return list(dict.fromkeys(targets))

    def _written(self, ref: ResourceRef, hashval: str | None) -> Certificate:
        """A version of its own, with its hash where one was told; current from now on."""
        for entry in self._covered(ref):
            self._replace(entry)
            if entry.ref != ref:  # else it would hide the new one
                self.current[entry.ref] = Current(ref=entry.ref, certificate=None)
        if hashval is None:
            cert = self._placeholder(ref, "output")
        else:
            cert = Certificate(
                id=uuid7(),
                ref=ref,
                hash=hashval,
                subpath_hash=hashval if ref.subpath else None,
                comment=self._comment,
            )
            self.described.add(cert.id)
        self.current[ref] = Current(ref=ref, certificate=cert.id, output=True)
        return cert

    def _forget(self) -> None:
        """The outputs' state is unknown: the step may have written half of them."""
        for ref in self.start.outputs:
            for entry in self._covered(ref):
                self._replace(entry)
                self.current[entry.ref] = Current(ref=entry.ref, certificate=None)
            self.current[ref] = Current(ref=ref, certificate=None)

    def _covered(self, ref: ResourceRef) -> list[Entry]:
        entries = self.ws.index.entries_touching(self.ws.id, self.ws.instance, ref)
        return [e for e in entries if e.ref == ref or ref.covers(e.ref)]

    def _replace(self, entry: Entry | None) -> None:
        """What was current gives way: without a hash it will never have one."""
        if entry is None or entry.certificate.hash is not None or entry.certificate.superseded:
            return
        self.superseded.append(entry.certificate.id)

    def _placeholder(
        self, ref: ResourceRef, kind: Kind, *, superseded: bool = False
    ) -> Certificate:
        highest = self.ws.index.highest_version(self.ws.id, self.ws.instance, ref)
        version = max(highest, self._versions.get(ref, 0)) + 1
        self._versions[ref] = version
        cert = Certificate(
            id=uuid7(),
            ref=ref,
            version=version,
            kind=kind,
            superseded=superseded,
            instance=self.ws.instance,
            comment=self._comment,
        )
        self.described.add(cert.id)
        return cert
