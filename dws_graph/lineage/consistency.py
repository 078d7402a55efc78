"""No step depends on two versions of one ref, nor on one that was overwritten since.

Source: docs/formats.md, "Consistency".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dws_graph.backends.views import Entry, Touch, WalkRow
from dws_graph.errors import ConfigurationError, LineageConflictError, LineageConsistencyError
from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef, first_overlap, normal_subpath
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import Reading


def check_overlap(refs: Sequence[ResourceRef], what: str) -> None:
    """Refuse refs of which one covers another.

    Args:
        refs: Of one kind.
        what: What they are: `inputs`, `code`, `outputs`.

    Raises:
        LineageConflictError: Names both.
        ConfigurationError: A path is not in its plain form.
    """
    for ref in refs:
        if ref.subpath is not None and (
            ref.subpath.startswith("/") or normal_subpath(ref.subpath) != ref.subpath
        ):
            raise ConfigurationError(
                f"the path '{ref.subpath}' is not in its plain form within '{ref.name}'",
                hint="Give it relative to the resource, with '/' between its parts, without '..'.",
            )
    found = first_overlap(list(refs))
    if found is not None:
        outer, inner = found
        raise LineageConflictError(
            f"the {what} '{outer}' and '{inner}' overlap: the first covers the second",
            hint=f"Name '{outer}' alone, or only parts that lie beside one another.",
        )


def check_another(refs: Sequence[ResourceRef], ref: ResourceRef) -> None:
    """Refuse an output that a step has already, or that overlaps with one.

    Raises:
        LineageConflictError: Names both.
    """
    if ref in refs:
        raise LineageConflictError(
            f"the step has the output '{ref}' already", hint="Name each output once."
        )
    check_overlap([*refs, ref], "outputs")


def check_output(ws: OpenWorkspace, ref: ResourceRef) -> None:
    """Refuse an output that overlaps with a different one that a step has written.

    Raises:
        LineageConflictError: Names both.
        ConfigurationError: The resource cannot be written as it is here.
    """
    ws.get_resource(ref.name).output_precheck()
    for entry in ws.index.entries_touching(ws.id, ws.instance, ref):
        if entry.output and entry.ref != ref and entry.ref.touches(ref):
            raise LineageConflictError(
                f"the output '{ref}' overlaps with '{entry.ref}', which another step wrote",
                hint=f"Write to '{entry.ref}' itself, or to a path beside it.",
            )


def check_consistent(
    ws: OpenWorkspace, readings: Sequence[Reading], step: str, written: Collection[ResourceRef] = ()
) -> None:
    """Refuse inputs that go back to two versions of one ref, or to an overwritten one.

    Args:
        ws: The workspace, its index up to date.
        readings: Of the step's inputs.
        step: Its name, for the message.
        written: What the step writes: a version that it replaces is no conflict.

    Raises:
        LineageConsistencyError: Names the ref, both versions, and the step to run again.
    """
    readings = [r for r in readings if r.ref not in written]
    rows = ws.index.walk([r.certificate.id for r in readings if r.certificate is not None])
    fresh = {r.ref for r in readings if r.certificate is None}
    current = current_entries(ws, {row.certificate.ref for row in rows if is_own(ws, row)})
    seen: dict[tuple[str | None, ResourceRef], WalkRow] = {}
    for row in rows:
        cert = row.certificate
        if cert.ref in fresh and is_own(ws, row):
            _refuse(ws, step, cert.ref, row, "the one on disk now, read by this step")
        other = seen.setdefault((row.workspace, cert.ref), row)
        if not cert.same_version(other.certificate):
            older, newer = sorted(
                (row, other), key=lambda r: _age(r, current.get(r.certificate.ref))
            )
            by = "this step" if newer.reader is None else f"'{_name(ws, newer.reader)}'"
            _refuse(ws, step, cert.ref, older, f"{_short(newer.certificate)}, read by {by}")
    for row in rows:
        entry = current.get(row.certificate.ref) if is_own(ws, row) else None
        if row.reader is None or entry is None or entry.certificate.same_version(row.certificate):
            continue
        newer_step = step_since(ws, row, entry)
        if newer_step is not None:
            by = (
                f"{_short(entry.certificate)}, which '{_name(ws, newer_step)}' has read or "
                "written since"
            )
            _refuse(ws, step, row.certificate.ref, row, by)


def is_own(ws: OpenWorkspace, row: WalkRow) -> bool:
    """Whether a version is of this workspace: others' resources may have the same names."""
    return row.workspace in (ws.id, None)


def _age(row: WalkRow, entry: Entry | None) -> tuple[bool, bool, str]:
    """Sorts the version to replace first: not read by this step, not current, read earlier."""
    is_current = entry is not None and entry.certificate.same_version(row.certificate)
    return row.reader is None, is_current, row.reader or ""


def current_entries(ws: OpenWorkspace, refs: set[ResourceRef]) -> dict[ResourceRef, Entry]:
    """What is current of these refs."""
    found = (ws.index.entry(ws.id, ws.instance, ref) for ref in refs)
    return {entry.ref: entry for entry in found if entry is not None}


def step_since(ws: OpenWorkspace, row: WalkRow, entry: Entry) -> str | None:
    """The step that read or wrote the current version after the walked one was read."""

    def counts(touch: Touch) -> bool:
        return touch.instance == ws.instance or entry.via == f.CURRENT_SET

    ended = (ws.index.ended(row.reader) or "") if row.reader else ""
    then = min(ended, row.reader or "")  # its id: it read when it began, not when it ended
    newer = [t for t in ws.index.touched_by(entry.certificate.id) if counts(t) and t.fact > then]
    return newer[-1].step if newer else None


def _refuse(ws: OpenWorkspace, step: str, ref: ResourceRef, row: WalkRow, newer: str) -> None:
    again = "this step" if row.reader is None else _name(ws, row.reader)
    hint = f"Run '{again}' again first, and the steps between it and this one."
    of = ""
    if not is_own(ws, row):
        name = ws.index.workspace_name(row.workspace or "") or "another workspace"
        of = f" of {name}"
        hint = f"Import resources that {name} made from one version of '{ref}'."
    raise LineageConsistencyError(
        f"step '{step}' would depend on '{ref}'{of} at two versions: {_short(row.certificate)}, "
        f"read by '{again}', and {newer}",
        hint=hint,
    )


def _name(ws: OpenWorkspace, key: str) -> str:
    found = ws.index.step(key)
    return found.name if found else key


def _short(cert: Certificate) -> str:
    return cert.hash[:8] if cert.hash else f"version {cert.version}"
