"""The page of a snapshot, and of several side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from dws_graph.api.differences import flat
from dws_graph.api.service.pages.history import label
from dws_graph.api.service.pages.rendering import page, shown
from dws_graph.api.service.problems import not_found, refused
from dws_graph.api.service.v1.common import Ask, WorkspaceId
from dws_graph.backends.overviews import Held
from dws_graph.backends.views import Questions, SnapshotInfo, StepInfo

router = APIRouter(include_in_schema=False, prefix="/workspaces/{workspace}")
MOST_STEPS = 500
MOST_SIDES = 8
DIGITS = 12


class Side(NamedTuple):
    """A snapshot with what it contains, by ref, and the steps that wrote that, by name."""

    snapshot: SnapshotInfo
    label: str
    content: Mapping[str, str]
    steps: Mapping[str, StepInfo]
    held: Sequence[Held]


class Line(NamedTuple):
    """What each side says of something; `differs`: not all the same."""

    name: str
    values: tuple[str, ...]
    differs: bool


def side_of(q: Questions, workspace: str, snapshot_hash: str) -> Side:
    """A snapshot with all that the pages tell of it.

    Raises:
        Problem: There is no such snapshot.
    """
    snapshot = q.snapshot(workspace, snapshot_hash)
    if snapshot is None:
        raise not_found("There is no such snapshot.")
    held = q.snapshot_certificates(workspace, snapshot_hash)
    steps = q.snapshot_steps(workspace, snapshot_hash, MOST_STEPS)
    return Side(
        snapshot,
        label(snapshot),
        {str(one.certificate.ref): one.certificate.hash or "not hashed" for one in held},
        {step.name: step for step in reversed(steps)},
        held,
    )


@router.get("/snapshots/{snapshot}")
async def one_snapshot(
    request: Request, ask: Ask, workspace: WorkspaceId, snapshot: str
) -> HTMLResponse:
    """A snapshot: its metrics, what it contains, the steps that made that."""

    def asked(q: Questions) -> tuple[Side, str]:
        side = side_of(q, workspace, snapshot)
        return side, q.workspace_names([workspace]).get(workspace, workspace)

    side, name = await ask.ask(asked)
    return page(
        request,
        "snapshot.html.j2",
        section="overview",
        workspace=workspace,
        name=name,
        snapshot=side.snapshot,
        label=side.label,
        held=side.held,
        steps=list(side.steps.values()),
    )


@router.get("/compare")
async def compare(
    request: Request,
    ask: Ask,
    workspace: WorkspaceId,
    s: Annotated[list[str], Query(max_length=MOST_SIDES)] = [],  # noqa: B006 - FastAPI copies it
    all: bool = False,
) -> HTMLResponse:
    """Snapshots side by side: parameters, metrics, steps, content."""
    wanted = list(dict.fromkeys(s))
    if len(wanted) < 2:
        raise refused("There is nothing to compare.", "Mark two snapshots or more.")

    def asked(q: Questions) -> tuple[list[Side], str]:
        sides = [side_of(q, workspace, one) for one in wanted]
        return sides, q.workspace_names([workspace]).get(workspace, workspace)

    sides, name = await ask.ask(asked)
    parts = {
        "Metrics": lines_of(sides, lambda side: flat(side.snapshot.metrics)),
        "Parameters": lines_of(sides, _parameters),
        "Steps": lines_of(sides, _ran),
        "Content": lines_of(sides, lambda side: side.content, short=DIGITS),
    }
    return page(
        request,
        "compare.html.j2",
        section="overview",
        workspace=workspace,
        name=name,
        sides=sides,
        everything=all,
        parts={
            title: [line for line in lines if line.differs or all] for title, lines in parts.items()
        },
        same={title: sum(not line.differs for line in lines) for title, lines in parts.items()},
    )


def lines_of(
    sides: Sequence[Side], of: Callable[[Side], Mapping[str, Any]], short: int | None = None
) -> list[Line]:
    """A line for each name that any side has something of."""
    told = [of(side) for side in sides]
    names = sorted({name for one in told for name in one})
    lines = []
    for name in names:
        values = [shown(one[name]) if name in one else "" for one in told]
        differs = len({(name in one, value) for one, value in zip(told, values, strict=True)}) > 1
        lines.append(Line(name, tuple(v[:short] for v in values), differs))
    return lines


def _parameters(side: Side) -> dict[str, Any]:
    return dict(_named(side.steps.values()))


def _named(steps: Iterable[StepInfo]) -> Iterable[tuple[str, Any]]:
    for step in steps:
        for name, value in flat(step.parameters).items():
            yield f"{step.name}: {name}", value


def _ran(side: Side) -> dict[str, str]:
    return {name: step.start_time[:19].replace("T", " ") for name, step in side.steps.items()}
