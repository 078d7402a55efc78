"""The pages of workspaces, steps and versions."""

from __future__ import annotations

import shlex
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from dws_graph.api.service.cursors import cursor, place
from dws_graph.api.service.pages.history import (
    Better,
    label,
    metrics_of,
    number_of,
    plot_of,
    rows_of,
)
from dws_graph.api.service.pages.rendering import page, status_of_step
from dws_graph.api.service.problems import not_found, refused
from dws_graph.api.service.retractions import retraction_of
from dws_graph.api.service.sources import Source
from dws_graph.api.service.staleness import copy_of, reasons_now, stale_steps
from dws_graph.api.service.v1.common import Ask, Cursor
from dws_graph.api.service.v1.filters import step_filter
from dws_graph.backends.overviews import WorkspaceInfo
from dws_graph.backends.views import Questions, SnapshotInfo, StepFilter
from dws_graph.model.subgraph import Subgraph
from dws_graph.workspace.shell_lines import recording_command

router = APIRouter(include_in_schema=False)
ROWS, FEW, MANY = 50, 12, 1_000
Short = Annotated[str | None, Query(max_length=1_000)]


class _Column(NamedTuple):
    """A heading of the table of snapshots, which sorts it."""

    name: str
    url: str
    number: bool
    sorted: str


@router.get("/")
async def overview(request: Request, ask: Ask, cursor: Cursor = None) -> HTMLResponse:
    """All workspaces."""
    after = place(cursor)

    def asked() -> list[tuple[WorkspaceInfo, int | None]]:
        found = ask.source.ask(lambda q: q.workspaces(ROWS + 1, after))
        return [(ws, _stale_count(ask.source, ws.id)) for ws in found]

    found = await ask.slow(asked)
    return page(
        request,
        "overview.html.j2",
        section="overview",
        workspaces=found[:ROWS],
        next=_next("/", found, lambda pair: pair[0].place),
    )


def _stale_count(source: Source, workspace: str) -> int | None:
    """How many steps are to be run again; None where nothing was recorded yet."""
    copy = copy_of(source, workspace)
    return None if copy is None else len(stale_steps(source, workspace, copy))


def _next(path: str, rows: Any, after: Any, **more: Any) -> str:
    if len(rows) <= ROWS:
        return ""
    return f"{path}?{urlencode({**more, 'cursor': cursor(after(rows[ROWS - 1]))})}"


@router.get("/workspaces/{workspace}")
async def one_workspace(
    request: Request,
    ask: Ask,
    workspace: str,
    metric: Short = None,
    colours: str = "none",
    baseline: Short = None,
    sort: Short = None,
    order: str = "desc",
    filter: Short = None,
    larger: Short = None,
    smaller: Short = None,
) -> HTMLResponse:
    """A workspace: its resources, snapshots with their metrics, last steps."""

    def asked(q: Questions) -> tuple[Any, ...]:
        names = q.workspace_names([workspace])
        return (
            names.get(workspace),
            q.resources(workspace, MANY),
            q.snapshots(workspace),
            q.chosen_steps(StepFilter(workspace=workspace), FEW),
        )

    name, resources, snapshots, steps = await ask.ask(asked)
    if name is None and not (resources or snapshots or steps):
        raise not_found("There is no such workspace.")
    newest = list(reversed(snapshots))
    wanted = (filter or "").lower()
    fitting = [s for s in newest if wanted in f"{label(s)}\n{s.message}".lower()]
    metrics = metrics_of(newest)
    chosen = metric if metric in metrics else metrics[0] if metrics else ""
    base = next((s for s in newest if s.hash == baseline), newest[-1] if newest else None)
    ordered = _sorted(fitting, sort, order)
    kept = {
        "metric": chosen,
        "colours": colours,
        "baseline": base.hash if base else "",
        "filter": filter or "",
        "larger": larger or "",
        "smaller": smaller or "",
    }
    better = Better(_words(larger), _words(smaller))
    return page(
        request,
        "workspace.html.j2",
        section="overview",
        id=workspace,
        name=name or workspace,
        resources=resources,
        steps=steps,
        rows=rows_of(ordered, metrics, colours, base, better),
        metrics=metrics,
        metric=chosen,
        colours=colours,
        baseline=base.hash if base else "",
        filter=filter,
        larger=larger,
        smaller=smaller,
        snapshots=newest,
        label=label,
        sort=sort,
        order=order,
        columns=_columns(workspace, metrics, sort, order, kept),
        plot=plot_of(newest, chosen, better) if chosen else None,
        next="",
    )


def _words(text: str | None) -> frozenset[str]:
    return frozenset(word.strip() for word in (text or "").split(",") if word.strip())


def _sorted(snapshots: list[SnapshotInfo], sort: str | None, order: str) -> list[SnapshotInfo]:
    """By a column, what has no value last; else newest first."""
    if not sort:
        return snapshots

    def key(snapshot: SnapshotInfo) -> Any:
        plain = {
            "number": snapshot.number,
            "tag": label(snapshot),
            "taken": snapshot.timestamp,
            "message": snapshot.message,
        }
        return plain[sort] if sort in plain else number_of(snapshot.metrics.get(sort))

    known = [s for s in snapshots if key(s) is not None]
    known.sort(key=key, reverse=order != "asc")
    return [*known, *(s for s in snapshots if key(s) is None)]


def _columns(
    workspace: str, metrics: list[str], sort: str | None, order: str, kept: dict[str, str]
) -> list[_Column]:
    found = []
    heads = [("number", "#"), ("tag", "Snapshot"), ("taken", "Taken (UTC)"), ("message", "Message")]
    for key, said in [*heads, *((m, m) for m in metrics)]:
        turned = "asc" if sort == key and order != "asc" else "desc"
        query = urlencode({**kept, "sort": key, "order": turned})
        url = f"/workspaces/{quote(workspace, safe='')}?{query}#snapshots"
        state = ("ascending" if order == "asc" else "descending") if sort == key else ""
        found.append(_Column(said, url, key == "number" or key in metrics, state))
    return found


@router.get("/steps")
async def steps(
    request: Request,
    ask: Ask,
    workspace: Short = None,
    name: Short = None,
    status: Short = None,
    parameter: Short = None,
    metric: Short = None,
    since: Short = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Steps, newest first."""
    given = {
        "workspace": workspace or None,
        "name": name or None,
        "status": status or None,
        "parameter": parameter or None,
        "metric": metric or None,
        "since": since or None,
    }
    if given["status"] not in (None, "completed", "failed", "retracted"):
        raise refused("That is no status of a step.", "There are: completed, failed, retracted.")
    chosen = step_filter(
        workspace=given["workspace"],
        name=given["name"],
        status=given["status"],
        ref=None,
        parameters=[parameter] if parameter else [],
        metrics=[metric] if metric else [],
        since=given["since"],
        until=None,
    )
    after = place(cursor)
    found = await ask.ask(lambda q: q.chosen_steps(chosen, ROWS + 1, after))
    asked = {key: value for key, value in given.items() if value}
    return page(
        request,
        "steps.html.j2",
        section="steps",
        steps=found[:ROWS],
        asked=given,
        next=_next("/steps", found, lambda s: s.place, **asked),
    )


@router.get("/steps/{step}")
async def one_step(request: Request, ask: Ask, step: str) -> HTMLResponse:
    """A step: what it read, code, parameters, environment, a command line to copy."""
    told = await ask.slow(lambda: _step_of(ask.source, step))
    return page(request, "step.html.j2", section="steps", **told)


def _step_of(source: Source, key: str) -> dict[str, Any]:
    """What the page of a step shows."""

    def asked(q: Questions) -> dict[str, Any]:
        step = q.step(key)
        if step is None:
            raise not_found("There is no such step.")
        words = recording_command(step)
        env = step.environment
        return {
            "step": step,
            "ended": status_of_step(step),
            "retraction": retraction_of(q, step),
            "environment": q.environment(step.workspace, env) if env else None,
            "workspace": q.workspace_names([step.workspace]).get(step.workspace, step.workspace),
            "left": (step.run or {}).get("outputs") or (),
            "command": shlex.join(words) if words else "",
        }

    told = source.ask(asked)
    step = told["step"]
    return {**told, "stale": reasons_now(source, step.workspace, step.id)}


@router.get("/certificates/{certificate}")
async def one_certificate(request: Request, ask: Ask, certificate: str) -> HTMLResponse:
    """A version of a ref: who wrote it, who read it, where it came from, its other versions."""
    told = await ask.slow(lambda: _version_of(ask.source, certificate))
    return page(request, "certificate.html.j2", **told)


def _version_of(source: Source, key: str) -> dict[str, Any]:
    """What the page of a version shows."""

    def asked(q: Questions) -> tuple[str, dict[str, Any]]:
        cert = q.certificates([key]).get(key)
        if cert is None:
            raise not_found("There is no such version.")
        near = q.neighbourhood([key], root=key, depth=1, limit=200)
        this = next((n for n in near.nodes if n.key == key), None)
        workspace = str(this.properties.get("workspace") or "") if this else ""
        writer = q.producers([key]).get(key)
        readers = [
            edge.target
            for edge in near.edges
            if edge.source == key and edge.type in ("READ_BY", "CODE_OF")
        ]
        return workspace, {
            "cert": cert,
            "workspace": _named(q, workspace),
            "producer": q.step(writer) if writer else None,
            "readers": [s for s in map(q.step, dict.fromkeys(readers)) if s is not None],
            "versions": q.certificates_of(workspace, cert.ref)[:FEW] if workspace else [cert],
            "story": story_of(q.upstream([key], root=key)),
        }

    workspace, told = source.ask(asked)
    return {**told, "stale": reasons_now(source, workspace, key)}


def _named(q: Questions, workspace: str) -> tuple[str, str] | None:
    """A workspace's id and name, where there is one."""
    if not workspace:
        return None
    return workspace, q.workspace_names([workspace]).get(workspace, workspace)


def story_of(up: Subgraph) -> list[str]:
    """Where something came from, a sentence a step, in the order in which they ran."""
    names = {node.key: node.name for node in up.nodes}
    lines = []
    for node in up.nodes:
        if node.kind != "step":
            continue
        read = [names[e.source] for e in up.edges if e.target == node.key]
        wrote = [names[e.target] for e in up.edges if e.source == node.key]
        source = f" from {_listed(read)}" if read else ""
        lines.append(f"{node.name} made {_listed(wrote) or 'nothing that is still known'}{source}.")
    return lines


def _listed(names: list[str]) -> str:
    several = list(dict.fromkeys(names))
    if len(several) > FEW:
        several = [*several[:FEW], f"{len(several) - FEW} more"]
    if len(several) < 2:
        return "".join(several)
    return f"{', '.join(several[:-1])} and {several[-1]}"
