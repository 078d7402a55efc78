"""What a command left: metrics, results, outputs. It is done: what is amiss is a warning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dws_graph.errors import ConfigurationError, DwsError
from dws_graph.lineage.recording import Step
from dws_graph.lineage.step import results_resource, write_results_file
from dws_graph.lineage.value_files import State, read_metrics, state_of
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json
from dws_graph.resources.file_resource import FileResource
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.results_files import RESULTS_FILE


def states(
    ws: OpenWorkspace, metrics_file: str | None, results: ResourceRef | None
) -> dict[str, State | None]:
    """What tells, of each file that a command may write metrics to, whether it did."""
    files = [] if metrics_file is None else [metrics_file]
    if results is not None:
        files.append(_results_file(ws, results))
    return {path: state_of(path) for path in files}


def take_metrics(
    step: Step,
    metrics_file: str | None,
    results: ResourceRef | None,
    before: Mapping[str, State | None],
) -> list[str]:
    """Give the step its metrics, and write `results.json`.

    Args:
        step: Whose command has ended.
        metrics_file: Written by the command.
        results: Where `results.json` goes.
        before: Their `states` when the command began.

    Returns:
        Warnings.
    """
    warnings = []
    metrics: Json = {}
    if metrics_file is not None:
        try:
            metrics = read_metrics(metrics_file, before[metrics_file])
        except ConfigurationError as e:
            warnings.append(f"{e.message}: no metrics are recorded")
    step.set_metrics(metrics)
    if results is not None:
        try:
            warnings += _write_results(step, results, before)
        except (DwsError, OSError) as e:
            why = e.message if isinstance(e, DwsError) else (e.strerror or str(e)).lower()
            warnings.append(f"results.json was not written to '{results}': {why}")
    return warnings


def _write_results(
    step: Step, results: ResourceRef, before: Mapping[str, State | None]
) -> list[str]:
    path = _results_file(step.ws, results)
    if not step.metrics and state_of(path) not in (None, before[path]):
        return [f"the command wrote {RESULTS_FILE} to '{results}' itself: it is left as it is"]
    write_results_file(step, results)
    return []


def _results_file(ws: OpenWorkspace, results: ResourceRef) -> str:
    resource = results_resource(ws, results)
    return str(resource.folder / (resource.real_subpath(results.subpath) or "") / RESULTS_FILE)


def missing(ws: OpenWorkspace, outputs: Sequence[ResourceRef]) -> list[str]:
    """Warnings of outputs that are not there."""
    ws.look_again()
    return [
        f"the output '{ref}' does not exist, though the command ended well"
        for ref in outputs
        if not _exists(ws, ref)
    ]


def _exists(ws: OpenWorkspace, ref: ResourceRef) -> bool:
    resource = ws.get_resource(ref.name)
    if not isinstance(resource, FileResource):
        try:
            return ref.subpath is None or resource.does_subpath_exist(ref.subpath)
        except ConfigurationError:  # said when the step is recorded
            return True
    if resource.local_path is None:
        return True  # nothing here could tell
    if ref.subpath is None:
        return resource.local_path.exists()
    return resource.does_subpath_exist(ref.subpath)
