"""Results files: the current one, or a snapshot's."""

from __future__ import annotations

from typing import Any, TypedDict

from dws_graph.api.session import opened
from dws_graph.errors import ConfigurationError
from dws_graph.model.values import to_plain
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.results_files import RESULTS_FILE, ResultsFile, results_files
from dws_graph.workspace.snapshots import all_metadata, find_snapshot

Found = tuple[dict[str, Any], str]


class OtherResults(TypedDict):
    """A results file beside the first; `path` is `resource:/path`."""

    path: str
    results: dict[str, Any]


class ResultsReport(OtherResults):
    """Of `dws report results`: the first results file, and the others."""

    others: list[OtherResults]


def get_results(
    workspace_uri_or_path: str | None = None,
    tag_or_hash: str | None = None,
    resource_name: str | None = None,
    verbose: bool = False,
) -> Found | None:
    """The content of a results file.

    Args:
        workspace_uri_or_path: The workspace; else the enclosing one.
        tag_or_hash: Of a snapshot; else the current file, or the newest snapshot's.
        resource_name: A results resource; else the first that has a file.
        verbose: Tell more.

    Returns:
        The content and where it is, as `resource:/path`; None when there is none.

    Raises:
        ConfigurationError: There is no such resource or snapshot, or its role is not results.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return get_results_in(ws, tag_or_hash, resource_name)


def get_results_in(
    ws: OpenWorkspace, tag_or_hash: str | None = None, resource_name: str | None = None
) -> Found | None:
    """See `get_results`."""
    if resource_name is not None:
        ws.validate_resource_name(resource_name, expected_role="results")
    found = _files(ws, tag_or_hash, resource_name)
    return (found[0].read(), str(found[0])) if found else None


def _files(
    ws: OpenWorkspace, tag_or_hash: str | None, resource_name: str | None
) -> list[ResultsFile]:
    """The current results files, or the newest snapshot's that has some; or that snapshot's."""
    names = [resource_name] if resource_name is not None else list(ws.get_resource_names())
    resources = [ws.get_resource(name) for name in names]
    if tag_or_hash is not None:
        folders = [find_snapshot(ws, tag_or_hash).relative_destination_path]
    else:
        folders = ["", *(m.relative_destination_path for m in reversed(all_metadata(ws)))]
    for folder in folders:
        if found := results_files(resources, folder.strip("/")):
            return found
    return []


def report_results(
    tag_or_hash: str | None = None,
    resource_name: str | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> ResultsReport:
    """The same as plain JSON (numbers that JSON lacks are the strings `NaN`, `Infinity`).

    Raises:
        ConfigurationError: There are no results; or see `get_results`.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return report_results_in(ws, tag_or_hash, resource_name)


def report_results_in(
    ws: OpenWorkspace, tag_or_hash: str | None = None, resource_name: str | None = None
) -> ResultsReport:
    """See `report_results`."""
    if resource_name is not None:
        ws.validate_resource_name(resource_name, expected_role="results")
    found = _files(ws, tag_or_hash, resource_name)
    if not found:
        where = f"resource '{resource_name}'" if resource_name else "any results resource"
        when = f" of snapshot {tag_or_hash}" if tag_or_hash else ""
        raise ConfigurationError(
            f"there is no {RESULTS_FILE}{when} in {where}",
            hint="A step writes it with write_results(); its resource has the role results.",
        )
    first, *others = map(_read, found)
    return ResultsReport(**first, others=others)


def _read(file: ResultsFile) -> OtherResults:
    return OtherResults(path=str(file), results=to_plain(file.read(), RESULTS_FILE))
