"""`Lineage` and `ResultsLineage`: a step under way, as scripts hold it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TypeVar

from dws_graph.errors import ConfigurationError, LineageConsistencyError, LineageError
from dws_graph.lineage.recording import Step
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import from_plain, local_text, to_plain
from dws_graph.resources.file_resource import FileResource
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.results_files import RESULTS_FILE
from dws_graph.workspace.telling import log

_HANDED_OVER = "made a results step"  # not ended, but no longer this object's
Self = TypeVar("Self", bound="Lineage")


def results_resource(ws: OpenWorkspace, results: ResourceRef) -> FileResource:
    """The resource that a step's results go into.

    Raises:
        ConfigurationError: There is none, or it has no files.
    """
    resource = ws.get_resource(results.name)
    if not isinstance(resource, FileResource):
        raise ConfigurationError(f"resource '{resource.name}' has no files for results")
    return resource


class Lineage:
    """A step under way; made by `LineageBuilder.eval`.

    A context manager: leaving the block completes the step; an exception aborts it, and goes on.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._ended: str | None = None

    @property
    def step_name(self) -> str:
        """The step's name."""
        return self._step.name

    @property
    def key(self) -> str:
        """The step's id."""
        return self._step.id

    def add_param(self, name: str, value: Any) -> None:
        """Add a parameter of the step, or change one.

        Raises:
            ApiParamError: JSON cannot hold the value; names it and its type.
        """
        self._check_open()
        plain = to_plain(value, name)
        self._step.add_parameters({name: plain})

    def add_input_path(self, path: str) -> None:
        """Add an input that was found while the step runs.

        Args:
            path: In a resource; it must exist.

        Raises:
            ConfigurationError: It does not exist, or lies in no resource.
            LineageConsistencyError: It does not go together with the other inputs.
        """
        self._check_open()
        if not os.path.exists(path):
            raise ConfigurationError(f"the input {path} does not exist")
        self.add_input_ref(self._step.ws.map_local_path_to_resource(path))

    def add_input_ref(self, ref: ResourceRef) -> None:
        """Add an input that was found while the step runs; the same one twice counts once.

        Raises:
            LineageConsistencyError: It does not go together with the other inputs.
        """
        self._check_open()
        self._step.ws.validate_resource_name(ref.name)
        self._step.add_inputs([ref])

    def refresh_input_ref(self, ref: ResourceRef) -> None:
        """Read an input again, the data of which the step itself has got, from an API.

        Without that, data which change while the step runs are none that it can be said to have
        read.

        Raises:
            LineageConsistencyError: It does not go together with the other inputs.
        """
        self._check_open()
        self._step.ws.validate_resource_name(ref.name)
        self._step.read_again(ref)

    def add_output_path(self, path: str) -> None:
        """Add an output; one that was declared before `eval` is that one.

        Args:
            path: In a resource; it need not exist yet.

        Raises:
            PathNotAResourceError: It lies in none.
            LineageConflictError: It overlaps with another output.
        """
        self._check_open()
        self.add_output_ref(self._step.ws.map_local_path_to_resource(path))

    def add_output_ref(self, ref: ResourceRef) -> None:
        """Add an output; when the step fails, its state is unknown.

        One that was declared before `eval` is that one.

        Raises:
            LineageConflictError: It overlaps with another output.
        """
        self._check_open()
        self._step.ws.validate_resource_name(ref.name)
        self._step.add_output(ref)

    def as_results(self, results: ResourceRef) -> ResultsLineage:
        """Go on as a step that makes results, for one that knew of none when it began.

        The same step goes on in what is returned, which alone completes or aborts it:

            with lineage.as_results(ResourceRef("results")) as results_lineage:
                results_lineage.write_results({"accuracy": accuracy})

        Args:
            results: Where the results go, in a resource with files; an output from now on.

        Raises:
            LineageConflictError: It overlaps with another output; this object goes on.
            ConfigurationError: The resource has no files; this object goes on.
        """
        self._check_open()
        results = results.recorded()
        results_resource(self._step.ws, results)
        self.add_output_ref(results)
        self._ended = _HANDED_OVER
        return ResultsLineage(self._step, results)

    def complete(self) -> None:
        """Record the step; its outputs are current from now on. Happens once.

        Raises:
            LineageConsistencyError: What the step reads goes together only if it updates an input
                in place, which it has not declared as an output; it is recorded as failed.
        """
        if self._has_ended("complete"):
            return
        try:
            self._step.complete()
        except LineageConsistencyError:
            self._end("aborted")
            raise
        self._end("completed")

    def abort(self, error: str = "aborted") -> None:
        """Record that the step failed; the state of its outputs is unknown. Happens once.

        Args:
            error: Why.
        """
        if self._has_ended("abort"):
            return
        self._step.abort(error)
        self._end("aborted")

    def _end(self, how: str) -> None:
        self._ended = how
        self._step.ws.close()

    def _has_ended(self, what: str) -> bool:
        if self._ended is not None:
            log.warning(
                "step '%s' was %s already: %s() does nothing", self._step.name, self._ended, what
            )
        return self._ended is not None

    def _check_open(self) -> None:
        if self._ended is not None:
            raise LineageError(
                f"step '{self._step.name}' was {self._ended} already",
                hint=(
                    "Use the object that as_results() returned."
                    if self._ended == _HANDED_OVER
                    else "Make a new step with LineageBuilder."
                ),
            )

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ended is not None:
            return
        if kind is None:
            self.complete()
        else:
            text = f"{kind.__name__}: {error}" if str(error) else kind.__name__
            self.abort(text)


class ResultsLineage(Lineage):
    """A step that makes results; `write_results` writes their summary."""

    def __init__(self, step: Step, results: ResourceRef) -> None:
        super().__init__(step)
        self._results = results

    @property
    def results_ref(self) -> ResourceRef:
        """Where the results go."""
        return self._results

    def as_results(self, results: ResourceRef) -> ResultsLineage:
        """Refused: the step makes results already."""
        raise LineageError(
            f"step '{self._step.name}' has the results directory '{self._results}' already"
        )

    def write_results(self, metrics: Mapping[str, Any]) -> None:
        """Write `results.json`: the step, its parameters and these metrics.

        Args:
            metrics: By name; what JSON cannot hold is refused.

        Raises:
            ApiParamError: A metric cannot be held by JSON; names it and its type.
        """
        self._check_open()
        self._step.set_metrics(to_plain(metrics, "metrics"))
        where = write_results_file(self._step, self._results)
        print(f"Wrote results to {where}")  # noqa: T201  # 1.6 does, too


def write_results_file(step: Step, results: ResourceRef) -> str:
    """Write a step's `results.json`.

    Args:
        step: Under way; it has its metrics.
        results: Where its results go.

    Returns:
        `RESOURCE:PATH` of the file.
    """
    resource = results_resource(step.ws, results)
    below = results.subpath
    path = RESULTS_FILE if below is None else f"{below}/{RESULTS_FILE}"
    data = {
        "step": step.name,
        "start_time": local_text(step.start_time),
        "execution_time_seconds": step.took(),
        "parameters": from_plain(step.parameters),
        "run_description": step.description,
        "metrics": from_plain(step.metrics),
    }
    resource.add_results_file(data, path)
    return f"{resource.name}:{path}"
