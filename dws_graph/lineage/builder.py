"""`LineageBuilder`: says what a step reads, writes and is called, then begins it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from dws_graph.errors import ApiParamError, ConfigurationError
from dws_graph.lineage.recording import Step
from dws_graph.lineage.step import Lineage, ResultsLineage, results_resource
from dws_graph.lineage.surroundings import run_from
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import clean_text, to_plain
from dws_graph.resources.terms import ResourceRoles
from dws_graph.workspace.opening import find_and_load_workspace, find_root
from dws_graph.workspace.telling import tell
from dws_graph.workspace.workspace import Workspace

Self = TypeVar("Self", bound="LineageBuilder")
_PYTHON = re.compile(r"(python|pypy)[0-9.]*(\.exe)?", re.IGNORECASE)


class LineageBuilder:
    """Declares a step; each method returns the builder, so that calls can be chained.

    with (
        LineageBuilder()
        .as_script_step()
        .with_parameters({"gamma": 0.01})
        .with_input_path("../data")
        .as_results_step("../results")
        .eval()
    ) as lineage:
        ...
        lineage.write_results({"accuracy": accuracy})
    """

    def __init__(self) -> None:
        self._step_name: str | None = None
        self._script: str | None = None
        self._command_line: list[str] | None = None
        self._parameters: dict[str, Any] | None = None
        self._inputs: list[str | ResourceRef] | None = None
        self._no_inputs = False
        self._code: list[str | ResourceRef] = []
        self._outputs: list[str | ResourceRef] = []
        self._results_dir: str | ResourceRef | None = None
        self._description: str | None = None
        self._workspace_dir: str | None = None

    def with_workspace_directory(self: Self, workspace_dir: str) -> Self:
        """Say where the workspace is, when neither the script nor this directory is in it."""
        self._workspace_dir = workspace_dir
        return self

    def with_step_name(self: Self, step_name: str) -> Self:
        """Name the step.

        Raises:
            ApiParamError: It has a name already.
        """
        if self._step_name is not None:
            raise ApiParamError(f"the step has the name '{self._step_name}' already")
        if not step_name:
            raise ApiParamError("the step's name is empty")
        self._step_name = clean_text(step_name)
        return self

    def as_script_step(self: Self) -> Self:
        """Name the step after the script that runs, and record script and command line.

        Raises:
            ApiParamError: It has a name already, or no script runs.
        """
        argv = list(sys.argv)
        script = argv[0] if argv else ""
        if _PYTHON.fullmatch(os.path.basename(script)) and len(argv) > 1:
            script = argv[1]
        if not script or script in ("-c", "-m"):
            raise ApiParamError(
                "no script runs, so the step cannot be named after it",
                hint="Call with_step_name() and with_code_path() instead.",
            )
        self.with_step_name(os.path.basename(script).removesuffix(".py"))
        self._script = script
        self._command_line = [sys.executable, *argv]
        self._code.append(script)
        return self

    def with_parameters(self: Self, parameters: Mapping[str, Any]) -> Self:
        """Give the step's parameters.

        Raises:
            ApiParamError: They were given already, or JSON cannot hold one of them.
        """
        if self._parameters is not None:
            raise ApiParamError("the step has parameters already")
        self._parameters = to_plain({**parameters}, "parameters")
        return self

    def with_input_path(self: Self, path: str) -> Self:
        """Add an input by its path; it must lie in a resource."""
        return self._with_inputs([path])

    def with_input_paths(self: Self, paths: Iterable[str]) -> Self:
        """Add several inputs by their paths."""
        return self._with_inputs(paths)

    def with_input_ref(self: Self, ref: ResourceRef) -> Self:
        """Add an input by its resource, and path within it."""
        return self._with_inputs([ref])

    def _with_inputs(self: Self, inputs: Iterable[str | ResourceRef]) -> Self:
        if self._no_inputs:
            raise ApiParamError("the step was said to have no inputs")
        self._inputs = [*(self._inputs or []), *inputs]
        return self

    def with_no_inputs(self: Self) -> Self:
        """Say that the step reads nothing.

        Raises:
            ApiParamError: It was given inputs.
        """
        if self._inputs is not None:
            raise ApiParamError("the step has inputs already")
        self._no_inputs = True
        return self

    def with_code_path(self: Self, path: str) -> Self:
        """Add code by its path in a resource of role code; it stands for the whole resource."""
        self._code.append(path)
        return self

    def with_code_ref(self: Self, ref: ResourceRef) -> Self:
        """Add code by its resource, and path within it."""
        self._code.append(ref)
        return self

    def with_output_path(self: Self, path: str) -> Self:
        """Declare an output by its path in a resource; see `with_output_ref`."""
        self._outputs.append(path)
        return self

    def with_output_ref(self: Self, ref: ResourceRef) -> Self:
        """Declare an output before the step begins.

        A step that updates what it reads in place may then read newer data beside it. The same
        output, added again while the step runs, counts once.
        """
        self._outputs.append(ref)
        return self

    def as_results_step(
        self: Self, results_dir: str | ResourceRef, run_description: str | None = None
    ) -> Self:
        """Say that the step makes results.

        Args:
            results_dir: In a resource with files.
            run_description: What this run is about.

        Raises:
            ApiParamError: It was said already.
        """
        if self._results_dir is not None:
            raise ApiParamError(f"the step has the results directory '{self._results_dir}' already")
        self._results_dir = results_dir
        self._description = run_description
        return self

    def eval(self) -> Lineage:
        """Begin the step.

        Returns:
            A `ResultsLineage` after `as_results_step`, else a `Lineage`.

        Raises:
            ApiParamError: Name, parameters or the decision about inputs is missing.
            ConfigurationError: A path lies in no resource, or there is no workspace.
            LineageConflictError, LineageConsistencyError: The refs do not go together; nothing
                was recorded.
        """
        name = self._step_name or self._name_of_code()
        if name is None:
            raise ApiParamError("the step has no name", hint="Call with_step_name().")
        if self._parameters is None:
            raise ApiParamError(
                f"step '{name}' has no parameters", hint="Call with_parameters(), with {} for none."
            )
        if self._inputs is None and not self._no_inputs:
            raise ApiParamError(
                f"step '{name}' has no inputs", hint="Call with_input_path(), or with_no_inputs()."
            )
        ws = self._workspace()
        try:
            return self._begin(ws, name, self._parameters)
        except BaseException:
            ws.close()
            raise

    def _begin(self, ws: Workspace, name: str, parameters: dict[str, Any]) -> Lineage:
        code = [_code_ref(ws, item) for item in self._code]
        inputs = [_input_ref(ws, item) for item in self._inputs or ()]
        outputs = [_output_ref(ws, item) for item in self._outputs]
        results = None if self._results_dir is None else _results_ref(ws, self._results_dir)
        if results is not None and results not in outputs:
            outputs.append(results)
        step = Step(
            ws=ws,
            name=name,
            parameters=parameters,
            command_line=self._command_line,
            run_from=run_from(ws) if self._command_line else None,
            description=self._description,
        )
        step.begin(inputs, code, outputs)
        return Lineage(step) if results is None else ResultsLineage(step, results)

    def _name_of_code(self) -> str | None:
        for item in self._code:
            path = item if isinstance(item, str) else item.subpath or item.name
            return os.path.basename(path.rstrip("/")).removesuffix(".py").removesuffix(".ipynb")
        return None

    def _workspace(self) -> Workspace:
        named = self._workspace_dir
        if named is None and self._script is not None:
            try:
                named = str(find_root(Path(self._script).resolve().parent))
            except ConfigurationError:
                named = None
        return find_and_load_workspace(True, False, named, notify=tell)


def _code_ref(ws: Workspace, item: str | ResourceRef) -> ResourceRef:
    if isinstance(item, ResourceRef):
        ws.validate_resource_name(item.name, expected_role=ResourceRoles.CODE)
        return item
    return ResourceRef(ws.map_local_path_to_resource(item, expecting_a_code_resource=True).name)


def _input_ref(ws: Workspace, item: str | ResourceRef) -> ResourceRef:
    if isinstance(item, ResourceRef):
        ws.validate_resource_name(item.name, item.subpath)
        return item
    if not os.path.exists(item):
        raise ConfigurationError(f"the input {item} does not exist")
    return ws.map_local_path_to_resource(item)


def _output_ref(ws: Workspace, item: str | ResourceRef) -> ResourceRef:
    if isinstance(item, ResourceRef):
        ws.validate_resource_name(item.name)
        return item.recorded()
    return ws.map_local_path_to_resource(item)


def _results_ref(ws: Workspace, item: str | ResourceRef) -> ResourceRef:
    ref = item.recorded() if isinstance(item, ResourceRef) else ws.map_local_path_to_resource(item)
    results_resource(ws, ref)
    return ref
