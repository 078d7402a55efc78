"""`GraphQuestions`: what the product asks, answered by Neo4j, across all its workspaces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Protocol, TypeVar

from dws_graph.backends.graph import asking, listing, overview, paging, past, reaching, searching
from dws_graph.backends.graph.asking import Read
from dws_graph.backends.judging import stale_given
from dws_graph.backends.overviews import (
    Held,
    InstanceInfo,
    Moment,
    Place,
    Reader,
    ResourceInfo,
    Version,
    WorkspaceInfo,
)
from dws_graph.backends.views import (
    EnvironmentInfo,
    Hit,
    HitKind,
    Links,
    Retraction,
    SnapshotInfo,
    StaleStep,
    StepFilter,
    StepInfo,
    WalkRow,
)
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Subgraph

T = TypeVar("T")


class Reading(Protocol):
    """Does work in one transaction that only reads; on a passing fault again from its start."""

    def __call__(self, work: Callable[[Read], T]) -> T:
        """Returns what the work returns."""


class GraphQuestions:
    """The questions of `backends.views.Questions`; each is one transaction.

    Attributes:
        visited: How many edges the last `upstream` or `downstream` read to find its answer.
    """

    def __init__(self, reading: Reading) -> None:
        """Asks by `reading`."""
        self._reading = reading
        self.visited = 0

    def certificates(self, ids: Iterable[str]) -> dict[str, Certificate]:
        """Those of the ids that are described certificates."""
        wanted = list(ids)
        return self._reading(lambda read: asking.certificates(read, wanted))

    def certificates_of(self, workspace: str, ref: ResourceRef) -> list[Certificate]:
        """All versions of a ref, newest first."""
        return self._reading(lambda read: asking.certificates_of(read, workspace, ref))

    def versions(
        self, workspace: str, ref: ResourceRef, limit: int, after: Place | None = None
    ) -> list[Version]:
        """A page of the versions of a ref, newest first."""
        return self._reading(lambda read: paging.versions(read, workspace, ref, limit, after))

    def readers(self, certificate: str, limit: int, after: Place | None = None) -> list[Reader]:
        """A page of the steps that read a certificate, newest first; retracted ones did not."""
        return self._reading(lambda read: paging.readers(read, certificate, limit, after))

    def workspaces(self, limit: int, after: Place | None = None) -> list[WorkspaceInfo]:
        """A page of the workspaces that are known, by name, then id; those of no name first."""
        return self._reading(lambda read: overview.workspaces(read, limit, after))

    def resources(self, workspace: str, limit: int, after: str = "") -> list[ResourceInfo]:
        """A page of the resources of a workspace, by name; `after` is the last name before."""
        return self._reading(lambda read: overview.resources(read, workspace, limit, after))

    def instances(self, workspace: str) -> list[InstanceInfo]:
        """The copies of a workspace that recorded anything, the last active first."""
        return self._reading(lambda read: overview.instances(read, workspace))

    def current(self, workspace: str, instance: str) -> dict[ResourceRef, Certificate]:
        """What is current in an instance, by ref."""
        return self._reading(lambda read: asking.current_by_ref(read, workspace, instance))

    def refs(
        self,
        workspace: str,
        resource: str | None = None,
        *,
        limit: int | None = None,
        after: ResourceRef | None = None,
    ) -> list[ResourceRef]:
        """The refs that lineage names, sorted; see `Index.refs`."""
        return self._reading(lambda read: overview.refs(read, workspace, resource, limit, after))

    def workspace_names(self, ids: Iterable[str]) -> dict[str, str]:
        """The names of workspaces by id; those of no known name are left out."""
        wanted = list(ids)
        return self._reading(lambda read: asking.workspace_names(read, wanted))

    def producers(self, ids: Iterable[str]) -> dict[str, str]:
        """{certificate: the step that wrote it}; those that none wrote are left out."""
        wanted = list(ids)
        return self._reading(lambda read: asking.producers(read, wanted))

    def retracted_producers(self, ids: Iterable[str]) -> dict[str, str]:
        """{certificate: the retracted step that wrote it}; those of no such are left out."""
        wanted = list(ids)
        return self._reading(lambda read: asking.retracted_producers(read, wanted))

    def walk(self, ids: Collection[str]) -> list[WalkRow]:
        """The certificates that rule 2.1 looks at; see `Index.walk`."""
        return self._reading(lambda read: reaching.walk(read, ids))

    def step(self, step: str) -> StepInfo | None:
        """One step in full."""
        return self._reading(lambda read: asking.step(read, step))

    def steps(
        self,
        workspace: str | None = None,
        *,
        name: str | None = None,
        status: str | None = None,
        ref: ResourceRef | None = None,
        since: str | None = None,
        limit: int | None = None,
    ) -> list[StepInfo]:
        """Steps, newest first; see `Index.steps`."""
        refs = None if ref is None else (ref,)
        chosen = StepFilter(workspace=workspace, name=name, status=status, refs=refs, since=since)
        return self.chosen_steps(chosen, limit)

    def chosen_steps(
        self, chosen: StepFilter, limit: int | None = None, after: Place | None = None
    ) -> list[StepInfo]:
        """Steps by all that they can be chosen by, newest first; at most so many."""
        return self._reading(lambda read: listing.steps(read, chosen, limit, after))

    def count_steps(self, chosen: StepFilter) -> int:
        """How many steps are meant."""
        return self._reading(lambda read: listing.count(read, chosen))

    def step_keys(self, workspace: str, prefix: str, limit: int) -> list[str]:
        """The ids of steps that begin so, sorted; at most so many."""
        return self._reading(lambda read: asking.step_keys(read, workspace, prefix, limit))

    def retraction(self, workspace: str, step: str) -> Retraction | None:
        """Why a step was retracted; None when it was not."""
        return self._reading(lambda read: asking.retraction(read, workspace, step))

    def environment(self, workspace: str, env: str) -> EnvironmentInfo | None:
        """What the environment of this hash holds; None where no fact says so."""
        return self._reading(lambda read: asking.environment(read, workspace, env))

    def snapshots(self, workspace: str) -> list[SnapshotInfo]:
        """The workspace's snapshots, oldest first."""
        return self._reading(lambda read: asking.snapshots(read, workspace))

    def newest_snapshots(
        self, workspace: str, limit: int, after: Place | None = None
    ) -> list[SnapshotInfo]:
        """A page of the workspace's snapshots, newest first."""
        return self._reading(lambda read: paging.newest_snapshots(read, workspace, limit, after))

    def snapshot_certificates(self, workspace: str, snapshot_hash: str) -> list[Held]:
        """What a snapshot contains, by ref; that never changes."""
        return self._reading(
            lambda read: paging.snapshot_certificates(read, workspace, snapshot_hash)
        )

    def snapshot_steps(
        self, workspace: str, snapshot_hash: str, limit: int, after: Place | None = None
    ) -> list[StepInfo]:
        """A page of the steps that wrote what a snapshot contains, newest first."""
        return self._reading(
            lambda read: paging.snapshot_steps(read, workspace, snapshot_hash, limit, after)
        )

    def snapshot(self, workspace: str, snapshot_hash: str) -> SnapshotInfo | None:
        """One snapshot, by its full hash."""
        return self._reading(lambda read: asking.snapshot(read, workspace, snapshot_hash))

    def upstream(
        self, starts: Collection[str], *, root: str = "", depth: int | None = None
    ) -> Subgraph:
        """All that the starts were made from; arguments as for `Index.upstream`."""
        return self._reach(starts, root, depth, down=False)

    def downstream(
        self, starts: Collection[str], *, root: str = "", depth: int | None = None
    ) -> Subgraph:
        """All that was made from the starts, in any workspace."""
        return self._reach(starts, root, depth, down=True)

    def _reach(
        self, starts: Collection[str], root: str, depth: int | None, *, down: bool
    ) -> Subgraph:
        def work(read: Read) -> tuple[Subgraph, int]:
            found = reaching.reach(read, starts, down=down, depth=depth)
            return reaching.subgraph(read, found, root), found.visited

        graph, self.visited = self._reading(work)
        return graph

    def neighbourhood(
        self, starts: Collection[str], *, root: str = "", depth: int = 1, limit: int = 200
    ) -> Subgraph:
        """What lies around the starts, both ways; see `Index.neighbourhood`."""

        def work(read: Read) -> Subgraph:
            found = reaching.reach_around(read, starts, depth=depth, limit=limit)
            return reaching.subgraph(read, found, root)

        return self._reading(work)

    def lineage_then(
        self,
        starts: Collection[str],
        moment: Moment,
        *,
        root: str = "",
        up: bool = True,
        down: bool = True,
        depth: int | None = None,
    ) -> Subgraph:
        """What lay around the starts at a past moment; see `Questions.lineage_then`."""
        return self._reading(
            lambda read: past.lineage(
                read, starts, moment, root=root, up=up, down=down, depth=depth
            )
        )

    def known_then(self, ids: Collection[str], moment: Moment) -> set[str]:
        """Those of the ids that anything was known of at a moment."""
        return self._reading(lambda read: past.known(read, ids, moment))

    def links(self, ids: Collection[str]) -> Links:
        """The arrows into steps and certificates, and how many lead away from each."""
        return self._reading(lambda read: reaching.links(read, ids))

    def stale(
        self, workspace: str, instance: str, changed: Collection[ResourceRef] = ()
    ) -> list[StaleStep]:
        """The steps to run again in an instance; see `Questions.stale`."""

        def work(read: Read) -> list[StaleStep]:
            held = asking.current(read, workspace, instance)
            writers = asking.producers(read, (cert.id for cert in held))
            found = asking.steps_in_full(read, sorted(set(writers.values())))
            return stale_given(workspace, held, writers, {s.id: s for s in found}, changed)

        return self._reading(work)

    def search(
        self,
        text: str,
        workspace: str | None = None,
        limit: int = 50,
        *,
        kind: HitKind | None = None,
        after: Place | None = None,
    ) -> list[Hit]:
        """What has a text; see `Questions.search`."""
        return self._reading(
            lambda read: searching.search(read, text, workspace, limit, kind, after)
        )
