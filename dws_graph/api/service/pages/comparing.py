"""The page of a snapshot, and of several side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from dws_graph.api.differences import flat
from dws_graph.api.service.comparison import (
    Side,
    contents_of,
    files_between,
    parameters_of,
    side_of,
)
from dws_graph.api.service.pages.rendering import page, shown
from dws_graph.api.service.problems import refused
from dws_graph.api.service.results import result_resources, results_in
from dws_graph.api.service.sources import Source
from dws_graph.api.service.v1.common import Ask, WorkspaceId
from dws_graph.backends.views import Questions

router = APIRouter(include_in_schema=False, prefix="/workspaces/{workspace}")
MOST_SIDES = 8
MOST_FILES = 500
DIGITS = 12
T = TypeVar("T")


class Line(NamedTuple):
    """What each side says of something; `differs`: not all the same."""

    name: str
    values: tuple[str, ...]
    differs: bool


@router.get("/snapshots/{snapshot}")
async def one_snapshot(
    request: Request, ask: Ask, workspace: WorkspaceId, snapshot: str
) -> HTMLResponse:
    """A snapshot: its metrics, what it contains, the steps that made that."""

    def asked(q: Questions) -> tuple[Side, str, list[str]]:
        side = side_of(q, workspace, snapshot)
        found = results_in(q, side.snapshot, result_resources(q, workspace))
        name = q.workspace_names([workspace]).get(workspace, workspace)
        return side, name, [str(one.certificate.ref) for one in found]

    side, name, found = await ask.ask(asked)
    return page(
        request,
        "snapshot.html.j2",
        section="overview",
        workspace=workspace,
        name=name,
        snapshot=side.snapshot,
        label=side.label,
        held=side.held,
        results=found,
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

    def looked() -> tuple[list[Side], str, list[Line] | None]:
        sides, name = ask.source.ask(asked)
        return sides, name, files_of(ask.source, sides)

    sides, name, files = await ask.slow(looked)
    parts = {
        "Metrics": lines_of(sides, lambda side: flat(side.snapshot.metrics)),
        "Parameters": lines_of(sides, _parameters),
        "Steps": lines_of(sides, _ran),
        "Content": lines_of(contents_of(sides), lambda found: found, short=DIGITS),
        **({} if files is None else {"Files": files}),
    }
    return page(
        request,
        "compare.html.j2",
        section="overview",
        workspace=workspace,
        name=name,
        sides=sides,
        left_out=max(0, len(files or ()) - MOST_FILES),
        everything=all,
        parts={
            title: [line for line in lines[:MOST_FILES] if line.differs or all]
            for title, lines in parts.items()
        },
        same={title: sum(not line.differs for line in lines) for title, lines in parts.items()},
    )


def lines_of(
    sides: Sequence[T], of: Callable[[T], Mapping[str, Any]], short: int | None = None
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


def files_of(source: Source, sides: Sequence[Side]) -> list[Line] | None:
    """A line for each file that is another one than in the first; None where nobody here knows."""
    told: list[dict[str, str]] = []
    for side in sides[1:]:
        found = files_between(source, sides[0].snapshot, side.snapshot)
        if found is None:
            return None
        told.append(
            {
                f"{resource}:/{path}": change
                for resource, files in found.items()
                for change, paths in files.items()
                for path in _paths(paths)
            }
        )
    names = sorted({name for one in told for name in one})
    return [_file_line(name, [one.get(name) for one in told]) for name in names]


def _file_line(name: str, changes: Sequence[str | None]) -> Line:
    """What became of a file of the first snapshot, or that it had none, in each of the others."""
    is_there = "added" not in changes
    same = "the same" if is_there else ""
    texts = {None: same, "added": "added", "changed": "changed", "removed": ""}
    return Line(name, ("there" if is_there else "", *(texts[one] for one in changes)), True)


def _paths(found: object) -> Sequence[str]:
    return found if isinstance(found, list) else ()


def _parameters(side: Side) -> dict[str, Any]:
    return {f"{step}: {name}": value for (step, name), value in parameters_of(side).items()}


def _ran(side: Side) -> dict[str, str]:
    return {name: step.start_time[:19].replace("T", " ") for name, step in side.steps.items()}
