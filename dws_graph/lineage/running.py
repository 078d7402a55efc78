"""Running a command as a step: what it reads and writes is as told."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dws_graph.errors import ApiParamError, ConfigurationError, DwsError, PathNotAResourceError
from dws_graph.lineage.commands import KILLED, Child, check_program, child
from dws_graph.lineage.outcomes import missing, states, take_metrics
from dws_graph.lineage.recording import Step
from dws_graph.lineage.scripts import name_of, script_of
from dws_graph.lineage.step import results_resource
from dws_graph.lineage.surroundings import run_from
from dws_graph.model.facts import StepRecord
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import to_plain
from dws_graph.resources.terms import ResourceRoles
from dws_graph.workspace import environment
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.scrubbing import scrubbed_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRun:
    """A command, and what is told of it.

    Attributes:
        command: The program and its arguments.
        step_name: None: the name of the script, else of the program.
        inputs, outputs: What it reads and writes.
        code: None: the code resource that its script lies in, if any.
        parameters: By name.
        metrics_file: A JSON file that the command writes.
        results: Where `results.json` goes, in a results resource; an output, too.
    """

    command: Sequence[str]
    step_name: str | None = None
    inputs: Sequence[ResourceRef] = ()
    outputs: Sequence[ResourceRef] = ()
    code: Sequence[ResourceRef] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics_file: str | None = None
    results: ResourceRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """How a command ended, and what was recorded.

    Attributes:
        exit_status: The command's; 128+N when signal N killed it.
        step: The step's id.
        step_name: Its name.
        inputs, code, outputs: What it read, and wrote; nothing when it failed.
        unknown: The outputs of a failed command, whose state is unknown now.
        error: How it failed; None: it did not.
        warnings: For people: what did not go as told.
    """

    exit_status: int
    step: str
    step_name: str
    inputs: tuple[ResourceRef, ...]
    code: tuple[ResourceRef, ...]
    outputs: tuple[ResourceRef, ...]
    unknown: tuple[ResourceRef, ...] = ()
    error: str | None = None
    warnings: tuple[str, ...] = ()


def run_command(ws: OpenWorkspace, what: ToRun, *, pass_signals: bool = False) -> RunReport:
    """Run a command as a step, with our streams, and without a shell.

    Args:
        ws: The workspace.
        what: The command.
        pass_signals: Interrupts and the like go to the command, and it is recorded how that ends;
            for a process that does nothing else.

    Raises:
        CommandNotRunError: There is no such program, or it cannot be run.
        ConfigurationError: A ref does not exist, or is of another role.
        LineageConflictError, LineageConsistencyError: The refs do not go together; the command
            did not run and nothing was recorded.
    """
    _check_command(what.command)
    step, inputs, code, outputs = _plan(ws, what)
    before = states(ws, what.metrics_file, what.results)
    step.begin(inputs, code, outputs, all_outputs=True)
    with child(pass_signals=pass_signals) as process:
        ended = _run(step, process, what.command)
        step.took()
        if ended:
            return _report(step, step.abort(_how(ended)), ended)
        warnings = [
            *take_metrics(step, what.metrics_file, what.results, before),
            *missing(ws, outputs),
        ]
        return _report(step, step.complete(), ended, warnings)


def _check_command(command: Sequence[str]) -> None:
    if isinstance(command, str) or not command:
        raise ApiParamError(
            "a command is a list of its words", hint='Give ["python", "train.py"], for example.'
        )
    if any("\0" in word for word in command):
        raise ApiParamError("a word of the command holds a NUL", hint="Leave it out.")
    check_program(command[0])


def _plan(
    ws: OpenWorkspace, what: ToRun
) -> tuple[Step, list[ResourceRef], list[ResourceRef], list[ResourceRef]]:
    """The step, its inputs, code and outputs; all that can be refused before is refused here."""
    script = script_of(what.command)
    code = _code_of(ws, script) if what.code is None else list(what.code)
    for ref in what.inputs:
        ws.validate_resource_name(ref.name, ref.subpath)
    for ref in code:
        ws.validate_resource_name(ref.name, ref.subpath, expected_role=ResourceRoles.CODE)
    outputs = list(what.outputs)
    for ref in outputs:
        ws.validate_resource_name(ref.name)
    if what.results is not None:
        _check_results(ws, what.results)
        if what.results not in outputs:
            outputs.append(what.results)
    name = name_of(what.command, script) if what.step_name is None else what.step_name
    if not name:
        raise ApiParamError("the step's name is empty", hint="Leave it out, or give one.")
    step = Step(
        ws=ws,
        name=name,
        parameters=to_plain({**what.parameters}, "parameters"),
        command_line=list(what.command),
        run_from=run_from(ws),
        run={
            "inputs": _told(what.inputs),
            "outputs": _told(what.outputs),
            "code": _told(code),
            "metrics": None if what.metrics_file is None else scrubbed_text(ws, what.metrics_file),
            "results": None if what.results is None else str(what.results.recorded()),
        },
    )
    return step, list(what.inputs), code, outputs


def _told(refs: Sequence[ResourceRef]) -> list[str]:
    return [str(ref.recorded()) for ref in refs]


def _code_of(ws: OpenWorkspace, script: str | None) -> list[ResourceRef]:
    if script is None:
        return []
    try:
        return [ResourceRef(ws.map_local_path_to_resource(script, True).name)]
    except PathNotAResourceError:
        return []


def _check_results(ws: OpenWorkspace, results: ResourceRef) -> None:
    """Refuse what `results.json` could not be written to once the command has ended."""
    ws.validate_resource_name(results.name, expected_role=ResourceRoles.RESULTS)
    resource = results_resource(ws, results)
    resource.check_writable()
    if results.subpath is not None and resource.does_subpath_exist(
        results.subpath, must_be_file=True
    ):
        raise ConfigurationError(
            f"the results directory '{results}' is a file", hint="Name the folder that it is in."
        )


def _run(step: Step, process: Child, command: Sequence[str]) -> int:
    """Start the command and wait for it; what prevents that ends the step, too."""
    try:
        process.start(command, environment.of_command(step.id))
        return process.wait()
    except BaseException as e:
        process.stop()
        step.abort(e.message if isinstance(e, DwsError) else type(e).__name__)
        raise


def _how(ended: int) -> str:
    """How a command failed, in words."""
    if ended > 0:
        return f"exit status {ended}"
    known = {int(s): s.name for s in signal.Signals}
    return f"killed by {known.get(-ended, f'signal {-ended}')}"


def _report(step: Step, record: StepRecord, ended: int, warnings: Sequence[str] = ()) -> RunReport:
    return RunReport(
        exit_status=ended if ended >= 0 else KILLED - ended,
        step=record.id,
        step_name=record.name,
        inputs=tuple(c.ref for c in record.inputs),
        code=tuple(c.ref for c in record.code),
        outputs=tuple(c.ref for c in record.outputs),
        unknown=() if record.error is None else tuple(step.outputs),
        error=record.error,
        warnings=tuple(warnings),
    )
