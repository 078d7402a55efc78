"""Running a command as a step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dws_graph.api.refs import parse_ref
from dws_graph.api.session import opened
from dws_graph.errors import ConfigurationError, PathNotAResourceError
from dws_graph.lineage.running import RunReport, ToRun, run_command
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace.opened import OpenWorkspace

Refs = Iterable[str | ResourceRef]


def run_step(
    command: Sequence[str],
    *,
    step_name: str | None = None,
    inputs: Refs = (),
    outputs: Refs = (),
    code: Refs | None = None,
    parameters: Mapping[str, Any] | None = None,
    metrics_file: str | None = None,
    results: str | ResourceRef | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> RunReport:
    """Run a command, and record it as a step that reads and writes what is told here.

    The command runs from the current directory, without a shell, with the streams of this
    process. A command that fails is recorded as a failed step, and is no error.

    Args:
        command: The program and its arguments.
        step_name: Else the name of the script, or of the program.
        inputs: `resource`, `resource:/sub/path`, or paths on disk.
        outputs: Likewise; they need not exist yet.
        code: Likewise; else the code resource that the script on the command line lies in.
        parameters: By name.
        metrics_file: A JSON file with an object, which the command writes.
        results: A directory of a results resource, to which `results.json` is written.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        CommandNotRunError: There is no such program, or it cannot be run.
        ConfigurationError: There is no such resource or path.
        LineageConflictError, LineageConsistencyError: The refs do not go together; the command
            did not run and nothing was recorded.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return run_step_in(
            ws,
            command,
            step_name=step_name,
            inputs=inputs,
            outputs=outputs,
            code=code,
            parameters=parameters,
            metrics_file=metrics_file,
            results=results,
        )


def run_step_in(
    ws: OpenWorkspace,
    command: Sequence[str],
    *,
    step_name: str | None = None,
    inputs: Refs = (),
    outputs: Refs = (),
    code: Refs | None = None,
    parameters: Mapping[str, Any] | None = None,
    metrics_file: str | None = None,
    results: str | ResourceRef | None = None,
    pass_signals: bool = False,
) -> RunReport:
    """See `run_step`; for `pass_signals`, see `run_command`."""
    what = ToRun(
        command=command,
        step_name=step_name,
        inputs=[_there(ws, ref) for ref in _each(inputs)],
        outputs=[_to_be(ws, ref) for ref in _each(outputs)],
        code=None if code is None else [_there(ws, ref) for ref in _each(code)],
        parameters=parameters or {},
        metrics_file=metrics_file,
        results=None if results is None else _to_be(ws, results),
    )
    return run_command(ws, what, pass_signals=pass_signals)


def _each(refs: Refs) -> Refs:
    """The refs, where one alone may have been given."""
    return [refs] if isinstance(refs, (str, ResourceRef)) else refs


def _there(ws: OpenWorkspace, ref: str | ResourceRef) -> ResourceRef:
    return ref if isinstance(ref, ResourceRef) else parse_ref(ws, ref)


def _to_be(ws: OpenWorkspace, ref: str | ResourceRef) -> ResourceRef:
    """The ref of what may not exist yet: a path needs no `./` before it."""
    if isinstance(ref, ResourceRef):
        return ref
    try:
        return parse_ref(ws, ref)
    except PathNotAResourceError:
        raise
    except ConfigurationError as unknown:
        try:
            return ws.map_local_path_to_resource(ref)
        except PathNotAResourceError:
            raise unknown from None
