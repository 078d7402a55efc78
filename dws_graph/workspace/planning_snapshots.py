"""What a snapshot will do: decided, and refused, before anything changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dws_graph.backends.git.large import set_up_for_disk
from dws_graph.errors import ConfigurationError
from dws_graph.model.facts import Fingerprint, StepStart
from dws_graph.model.values import Json, clean_text, parse_utc, to_plain, utc_now
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.moving import Move
from dws_graph.workspace import environment
from dws_graph.workspace.committing import check_repository, workspace_folders
from dws_graph.workspace.intent import as_path
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.names import check_template, fill_template
from dws_graph.workspace.of_16 import is_theirs
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import living
from dws_graph.workspace.results_files import metrics_of, results_files
from dws_graph.workspace.scrubbing import scrubbed_metrics, scrubbed_text
from dws_graph.workspace.snapshots import all_metadata
from dws_graph.workspace.tagging import check_free

Confirm = Callable[[str], bool]
Progress = Callable[[str, int, int], None]  # resource, done, total
HIDDEN_IN_MESSAGE = "what looks like a secret in the message is not kept: it became ***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a snapshot will do, decided before anything changes.

    Attributes:
        moves: Of results, by resource: to the snapshot's folder.
        copied: Those of them that are exported, and stay: as they were before the copies.
        is_unchanged: No copies are made, since nothing has changed since an earlier snapshot.
    """

    branch: str
    old: str
    tag: str | None
    message: str
    number: int
    timestamp: str
    destination: str
    moves: dict[str, list[Move]]
    copied: dict[str, Fingerprint]
    metrics: Json
    folders: list[str]
    running: list[StepStart]
    snapshots: list[SnapshotMetadata]
    notes: list[str] = field(default_factory=list)
    is_unchanged: bool = False

    @property
    def moved(self) -> set[str]:
        """The resources of which nothing is left where it was."""
        return self.moves.keys() - self.copied.keys()


def files_of(ws: OpenWorkspace, name: str) -> FileResource:
    """The resource of this name.

    Raises:
        ConfigurationError: It has no files.
    """
    resource = ws.get_resource(name)
    if not isinstance(resource, FileResource):
        raise ConfigurationError(f"resource '{name}' has no files")
    return resource


def folder_of(ws: OpenWorkspace, name: str) -> str:
    """Where its files are, as intents say it."""
    return as_path(ws.root, files_of(ws, name).folder)


def plan_of(ws: OpenWorkspace, tag: str | None, message: str) -> Plan:
    """Everything that can be refused is refused here."""
    snapshots = all_metadata(ws)
    if tag is not None:
        check_free(tag, snapshots)
    branch = check_repository(ws)
    set_up_for_disk(ws.git, workspace_folders(ws))
    resources = list(ws.get_resources())
    for resource in resources:
        resource.snapshot_precheck()
    old = ws.git.head()
    if old is None:
        raise ConfigurationError("the workspace has no commit yet", hint="Run 'dws doctor'.")
    said = scrubbed_text(ws, message)
    running, _ = living(ws)
    now = utc_now()
    number = next_number(ws, snapshots)
    template = ws.get_global_param("results.dir_template")
    check_template(template)  # the file may have been edited
    destination = fill_template(
        template,
        username=environment.username(),
        hostname=ws.hostname,
        number=number,
        tag=tag,
        at=parse_utc(now).astimezone(),
    )
    moves: dict[str, list[Move]] = {}
    copied: dict[str, Fingerprint] = {}
    for resource in resources:
        if resource.has_results_role() and isinstance(resource, FileResource):
            before = resource.fingerprint() if resource.is_exported() else None
            found = _plan_results(ws, resource, destination, running)
            if found:
                moves[resource.name] = found
            if found and before is not None:
                copied[resource.name] = before
    metrics, notes = metrics_of(results_files(resources))
    if said != clean_text(message):
        notes.insert(0, HIDDEN_IN_MESSAGE)
    return Plan(
        branch=branch,
        old=old,
        tag=tag,
        message=said,
        number=number,
        timestamp=now,
        destination=destination,
        moves=moves,
        copied=copied,
        metrics=scrubbed_metrics(ws, to_plain(metrics, "metrics")),
        folders=workspace_folders(ws),
        running=running,
        snapshots=snapshots,
        notes=notes,
    )


def next_number(ws: OpenWorkspace, snapshots: Sequence[SnapshotMetadata]) -> int:
    """One above the highest that this copy ever gave; 1.6 gave its snapshots the count of all."""
    taken = ws.index.taken_by(ws.id)
    theirs = any(is_theirs(taken.get(m.hashval)) for m in snapshots if m.hostname == ws.hostname)
    given = ws.index.highest_number(ws.id, ws.instance)
    return max(given, len(snapshots) if theirs else 0) + 1


def _plan_results(
    ws: OpenWorkspace, resource: FileResource, destination: str, running: list[StepStart]
) -> list[Move]:
    for step in running:
        if any(ref.name == resource.name for ref in step.outputs):
            raise ConfigurationError(
                f"step '{step.name}' is writing to results '{resource.name}' now",
                hint="Take the snapshot when it has ended.",
            )
    excluded = ws.get_global_param("results.move_exclude_files")
    if isinstance(resource, GitSubdirectoryResource) and not resource.local_path.is_dir():
        return []  # git keeps no empty folder: a clone has none
    return resource.plan_results(destination, excluded)
