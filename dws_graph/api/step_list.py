"""The recorded steps: listed, found by name or digits, retracted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, TypedDict

from dws_graph.api.refs import parse_ref
from dws_graph.api.session import opened
from dws_graph.backends.views import StepFilter, StepInfo
from dws_graph.errors import ApiParamError, LineageNotFoundError
from dws_graph.lineage.retracting import of_another
from dws_graph.lineage.retracting import retract_step as retract
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import local_text, to_plain, utc_text
from dws_graph.workspace.opened import OpenWorkspace

STATUSES = ("completed", "failed", "retracted")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DIGITS = 8
SHOWN = 8  # candidates that an error names
_AGO = re.compile(r"(\d{1,9})([mhdw])")
_PREFIX = re.compile(r"[0-9a-f-]+")


class StepRow(TypedDict):
    """A recorded step; `status` is `completed`, `failed` or `retracted`, `start_time` UTC."""

    key: str
    name: str
    status: str
    start_time: str
    execution_time_seconds: float | None
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    inputs: list[str]
    outputs: list[str]
    instance: str
    hostname: str
    error: str | None


class RetractedStep(TypedDict):
    """A retraction; `new` is false where the step was retracted already."""

    key: str
    name: str
    start_time: str
    reason: str
    time: str
    instance: str
    hostname: str
    new: bool


def steps(
    name: str | None = None,
    *,
    ref: str | ResourceRef | None = None,
    status: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    since: str | dt.datetime | None = None,
    limit: int | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> list[StepRow]:
    """The recorded steps of all copies of the workspace, newest first.

    Args:
        name: With this name.
        ref: That read or wrote this, a part of it, or what it is a part of.
        status: `completed` or `failed`, and not retracted; or `retracted`.
        parameters: Whose parameters have these values, all of them, compared as JSON values.
        since: Started then or later: a time, ISO text (local without a zone), `7d`, `12h`.
        limit: The newest so many.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ApiParamError: The status, a parameter or the time is none.
        ConfigurationError: There is no such resource.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        chosen = choose_steps_in(
            ws, name, ref=ref, status=status, parameters=parameters, since=since
        )
        return steps_in(ws, chosen, limit)


def choose_steps_in(
    ws: OpenWorkspace,
    name: str | None = None,
    *,
    ref: str | ResourceRef | None = None,
    status: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    since: str | dt.datetime | None = None,
) -> StepFilter:
    """What `steps_in` and `count_steps_in` take; see `steps`."""
    if status is not None and status not in STATUSES:
        raise ApiParamError(
            f"'{status}' is no status of a step", hint=f"There are: {', '.join(STATUSES)}."
        )
    return StepFilter(
        workspace=ws.id,
        name=name,
        status=status,
        refs=None if ref is None else _touching(ws, ref),
        parameters=to_plain(dict(parameters or {}), "parameters"),
        since=None if since is None else _moment(since),
    )


def steps_in(
    ws: OpenWorkspace, chosen: StepFilter | None = None, limit: int | None = None
) -> list[StepRow]:
    """See `steps`."""
    hostnames = ws.index.hostnames(ws.id)
    found = ws.index.chosen_steps(chosen or choose_steps_in(ws), limit)
    return [_row(step, hostnames) for step in found]


def count_steps_in(ws: OpenWorkspace, chosen: StepFilter | None = None) -> int:
    """How many steps `steps_in` would list without a limit."""
    return ws.index.count_steps(chosen or choose_steps_in(ws))


def find_step_in(ws: OpenWorkspace, text: str) -> StepInfo:
    """The step that a person names.

    Args:
        ws: The workspace.
        text: Its id, 8 or more digits that no other id begins with, or a name, which means the
            newest step of that name.

    Raises:
        LineageNotFoundError: There is none, it is of another workspace, or the text fits several;
            names them.
    """
    named = ws.index.steps(ws.id, name=text, limit=1)
    keys = _keys(ws, text)
    found = [*keys, *(s.id for s in named if s.id not in keys)]
    if text in keys:  # a whole id
        found = [text]
    if len(found) > 1:
        candidates = [_told(ws, key) for key in found[:SHOWN]]
        more = " and others" if len(found) > SHOWN else ""
        raise LineageNotFoundError(
            f"'{text}' fits several steps: {', '.join(candidates)}{more}",
            hint="Give more digits of the id.",
        )
    step = ws.index.step(found[0]) if found else None
    if step is not None:
        return step
    if (imported := ws.index.step(text.lower())) is not None:
        raise of_another(ws, imported)
    running = ws.index.running(ws.id, ws.instance)
    if any(text in (s.name, s.step) for s in running):
        raise LineageNotFoundError(
            f"step '{text}' is still running", hint="It is recorded when it ends."
        )
    raise LineageNotFoundError(
        f"there is no step '{text}'",
        hint=f"Give a name, an id, or {DIGITS} or more digits of one: see dws steps.",
    )


def retract_step(
    step: str,
    reason: str = "",
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> RetractedStep:
    """Take a step out of lineage: it is still shown, but nothing goes back to it any more.

    Args:
        step: Its id, 8 or more digits of it, or a name: the newest step of that name.
        reason: For people.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Returns:
        The retraction; the one there was when the step was retracted already.

    Raises:
        LineageNotFoundError: There is no such step, or the text fits several.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return retract_step_in(ws, step, reason)


def retract_step_in(ws: OpenWorkspace, step: str, reason: str = "") -> RetractedStep:
    """See `retract_step`."""
    found = find_step_in(ws, step)
    made, new = retract(ws, found.id, reason)
    return RetractedStep(
        key=found.id,
        name=found.name,
        start_time=found.start_time,
        reason=made.reason,
        time=made.time,
        instance=made.instance,
        hostname=ws.index.hostnames(ws.id).get(made.instance, ""),
        new=new,
    )


def shown_status(step: StepInfo) -> str:
    """`completed`, `failed`, or `retracted` whatever it was before."""
    return "retracted" if step.retracted else step.status


def _row(step: StepInfo, hostnames: Mapping[str, str]) -> StepRow:
    return StepRow(
        key=step.id,
        name=step.name,
        status=shown_status(step),
        start_time=step.start_time,
        execution_time_seconds=step.execution_time_seconds,
        parameters=step.parameters,
        metrics=step.metrics,
        inputs=[str(c.ref) for c in step.inputs],
        outputs=[str(c.ref) for c in step.outputs],
        instance=step.instance,
        hostname=hostnames.get(step.instance, ""),
        error=step.error,
    )


def _touching(ws: OpenWorkspace, ref: str | ResourceRef) -> tuple[ResourceRef, ...]:
    wanted = ref if isinstance(ref, ResourceRef) else parse_ref(ws, ref)
    return tuple(ws.index.refs_touching(ws.id, wanted))


def _moment(since: str | dt.datetime) -> str:
    """A time, or how long ago, as the graph holds it."""
    if isinstance(since, dt.datetime):
        return utc_text(since)
    try:
        if ago := _AGO.fullmatch(since.strip().lower()):
            span = dt.timedelta(**{UNITS[ago[2]]: int(ago[1])})
            return utc_text(dt.datetime.now(dt.timezone.utc) - span)
        iso = re.sub(r"[zZ]$", "+00:00", since.strip())
        return utc_text(dt.datetime.fromisoformat(iso))
    except (ValueError, OverflowError):
        raise ApiParamError(
            f"'{since}' is no time",
            hint="Give 2026-11-24, 2026-11-24T09:30, or how long ago: 30m, 12h, 7d, 2w.",
        ) from None


def _keys(ws: OpenWorkspace, text: str) -> list[str]:
    """Ids that begin with these digits; hyphens may be left out."""
    plain = text.lower()
    digits = plain.replace("-", "")
    if not _PREFIX.fullmatch(plain) or not DIGITS <= len(digits) <= 32:
        return []
    ends = (8, 12, 16, 20, 32)
    groups = [digits[a:b] for a, b in zip((0, *ends), ends, strict=False)]
    return ws.index.step_keys(ws.id, "-".join(filter(None, groups)), SHOWN + 1)


def _told(ws: OpenWorkspace, key: str) -> str:
    step = ws.index.step(key)
    when = local_text(step.start_time).replace("T", " ")[:19] if step else ""
    return f"{key} ({step.name} at {when})" if step else key
