"""One recorded step in full."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

from dws_graph.api.session import opened
from dws_graph.api.sides import as_on_disk
from dws_graph.api.step_list import find_step_in, shown_status
from dws_graph.backends.views import StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace.code_commits import CodeCommit, CodeCommits
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.shell_lines import recording_command, run_directory, shell_line


class Producer(TypedDict):
    """The step that wrote something; `failed`: that left it so."""

    key: str
    name: str
    retracted: bool
    failed: bool


class StepCertificate(TypedDict):
    """What a step read or wrote; `producer` is None for what no step wrote."""

    ref: str
    hash: str | None
    status: str
    version: int | None
    producer: Producer | None


class StepEnvironment(TypedDict):
    """What a step ran in; nothing but `hash` where no fact here says more."""

    hash: str
    python: str | None
    platform: str | None
    packages: list[str]


class StepRetracted(TypedDict):
    """Since when a step is retracted, where that was said, and why."""

    time: str
    instance: str
    hostname: str
    reason: str


class WrittenMeanwhile(TypedDict):
    """An input that another step was writing while this one read it."""

    ref: str
    key: str
    name: str


class StepDetails(TypedDict):
    """Everything about a step, as `dws steps show` tells of it; times are UTC.

    `directory` is where it ran from on this machine, `command` the line for a shell that records
    it again. `commit` holds the code that ran; `code_edited`: with edits since, or None: whether
    is not known.
    """

    key: str
    name: str
    status: str
    start_time: str
    execution_time_seconds: float | None
    description: str | None
    error: str | None
    retracted: StepRetracted | None
    instance: str
    hostname: str
    inputs: list[StepCertificate]
    code: list[StepCertificate]
    outputs: list[StepCertificate]
    read_while_written: list[WrittenMeanwhile]
    changed_while_running: list[str]
    commit: str | None
    code_edited: bool | None
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    environment: StepEnvironment | None
    run_from: str | None
    directory: str | None
    command_line: list[str] | None
    command: str | None


def show_step(
    step: str, workspace_uri_or_path: str | None = None, verbose: bool = False
) -> StepDetails:
    """Everything about a step.

    Args:
        step: Its id, 8 or more digits of it, or a name: the newest step of that name.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        LineageNotFoundError: There is no such step, or the text fits several.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return show_step_in(ws, step)


def show_step_in(ws: OpenWorkspace, step: str) -> StepDetails:
    """See `show_step`."""
    found = find_step_in(ws, step)
    hostnames = ws.index.hostnames(ws.id)
    directory = run_directory(ws, found)
    at = _code_at(ws, found)
    words = recording_command(found)
    where = ResourceRef(str(found.run_from[0]), found.run_from[1]) if found.run_from else None
    return StepDetails(
        key=found.id,
        name=found.name,
        status=shown_status(found),
        start_time=found.start_time,
        execution_time_seconds=found.execution_time_seconds,
        description=found.description,
        error=found.error,
        retracted=_retracted(ws, found, hostnames),
        instance=found.instance,
        hostname=hostnames.get(found.instance, ""),
        inputs=_certificates(ws, found.inputs),
        code=_certificates(ws, found.code),
        outputs=_certificates(ws, found.outputs),
        read_while_written=[
            WrittenMeanwhile(ref=ref, key=key, name=_name(ws, key))
            for ref, key in found.read_while_written.items()
        ],
        changed_while_running=list(found.changed_while_running),
        commit=at.commit if at else found.commit,
        code_edited=at.edited if at else None,
        parameters=found.parameters,
        metrics=found.metrics,
        environment=_environment(ws, found),
        run_from=str(where) if where else None,
        directory=str(directory) if directory else None,
        command_line=found.command_line,
        command=shell_line(words, directory) if words is not None else None,
    )


def _code_at(ws: OpenWorkspace, step: StepInfo) -> CodeCommit | None:
    if not step.code:
        return None
    ran = step.code[0]
    return CodeCommits(ws).of(step, as_on_disk(ws, [ran]).get(ran.id, ran))


def _certificates(ws: OpenWorkspace, certs: Iterable[Certificate]) -> list[StepCertificate]:
    certs = list(certs)
    ids = [c.id for c in certs]
    written, retracted = ws.index.producers(ids), ws.index.retracted_producers(ids)
    left = ws.index.left_by(ids)
    found = []
    for cert in certs:
        key = written.get(cert.id) or retracted.get(cert.id) or left.get(cert.id)
        producer = None
        if key is not None:
            producer = Producer(
                key=key,
                name=_name(ws, key),
                retracted=key == retracted.get(cert.id),
                failed=key == left.get(cert.id),
            )
        found.append(
            StepCertificate(
                ref=str(cert.ref),
                hash=cert.hash,
                status=cert.status,
                version=cert.version,
                producer=producer,
            )
        )
    return found


def _name(ws: OpenWorkspace, key: str) -> str:
    step = ws.index.step(key)
    return step.name if step else ""


def _retracted(
    ws: OpenWorkspace, step: StepInfo, hostnames: dict[str, str]
) -> StepRetracted | None:
    made = ws.index.retraction(ws.id, step.id)
    if made is None:
        return None
    return StepRetracted(
        time=made.time,
        instance=made.instance,
        hostname=hostnames.get(made.instance, ""),
        reason=made.reason,
    )


def _environment(ws: OpenWorkspace, step: StepInfo) -> StepEnvironment | None:
    if step.environment is None:
        return None
    known = ws.index.environment(ws.id, step.environment)
    return StepEnvironment(
        hash=step.environment,
        python=known.python if known else None,
        platform=known.platform if known else None,
        packages=list(known.packages) if known else [],
    )
