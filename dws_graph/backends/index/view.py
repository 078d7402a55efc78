"""`Index`: a view and all its questions, as one object over one SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from filelock import FileLock

from dws_graph.backends.index import (
    asking,
    dumping,
    half_written,
    importing,
    listing,
    overview,
    paging,
    past,
    reaching,
    recording,
    renaming,
    runs,
    searching,
    stats,
)
from dws_graph.backends.index.applying import apply_rows
from dws_graph.backends.index.noting import note
from dws_graph.backends.index.stats import StatPiece
from dws_graph.backends.index.store import IndexDamagedError, Store, remove_files
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
    told_of_instances,
)
from dws_graph.backends.views import (
    Applied,
    AppliedMap,
    Dump,
    DumpItem,
    Entry,
    EnvironmentInfo,
    Hit,
    HitKind,
    Links,
    Pass,
    Progress,
    Retraction,
    SnapshotInfo,
    StaleStep,
    StepFilter,
    StepInfo,
    Touch,
    WalkRow,
    chunks,
    next_facts,
)
from dws_graph.errors import InternalError, ViewError
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Fact, Line, StepStart
from dws_graph.model.folding import fold
from dws_graph.model.outside import Run
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Subgraph

APPLIED = "SELECT workspace, instance, seq, hash, offset FROM applied"
SET_APPLIED = """
INSERT OR REPLACE INTO applied (workspace, instance, seq, hash, offset, time)
VALUES (?, ?, ?, ?, ?, ?)
"""


def open_index(path: Path) -> tuple[Index, bool]:
    """Opens the index; a damaged file, or one of another schema version, is begun anew.

    Returns:
        The index, and whether it was begun anew: then all facts are to be applied.
    """
    try:
        return Index(path), False
    except IndexDamagedError:
        with FileLock(f"{os.fspath(path)}.lock"):
            try:
                return Index(path), False  # another process has begun it anew meanwhile
            except IndexDamagedError:
                remove_files(path)
                return Index(path), True


def discard_index(path: Path) -> None:
    """Deletes the index's files, when damage shows after it was opened; it must be closed."""
    with FileLock(f"{os.fspath(path)}.lock"):
        remove_files(path)


class Index:
    """The graph of one workspace, all its instances, and what it imported.

    Attributes:
        name: `index`.
        path: Its file; None when it is in memory.
        visited: How many rows the last `upstream` or `downstream` read to find its answer.
    """

    name = "index"

    def __init__(self, path: Path | None) -> None:
        """Opens the file, made when missing; see `open_index` for a damaged one.

        Raises:
            IndexDamagedError: The file is damaged, or of another schema version.
            ViewError: It cannot be opened now.
        """
        self.path = path
        self.visited = 0
        self._store = Store(path)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._store.close()

    # Facts in

    def apply(self, lines: Iterable[Line], *, progress: Progress | None = None) -> int:
        """Folds facts in, each exactly once, 1,000 a transaction.

        Args:
            lines: In order per instance; those already applied are skipped.
            progress: Called after each transaction with the number of lines it took.

        Returns:
            How many were applied now.

        Raises:
            JournalError: A line is missing, or is another one than was applied; those before it
                are applied.
            ViewAmendedError: A line amends what is applied; those before it are applied.
            ViewError: The file cannot be written, or is damaged.
        """
        total = 0
        one = Pass(anew=not self.applied())
        for chunk in chunks(lines):
            with self._store.write() as c:
                count, error = self._fold(c, chunk, one)
            if error:
                raise error
            total += count
            if progress:
                progress(len(chunk))
        return total

    def _fold(
        self, c: sqlite3.Connection, chunk: Iterable[Line], one: Pass
    ) -> tuple[int, InternalError | None]:
        fresh, news, error = next_facts(self.applied(), chunk, one)
        if fresh:
            apply_rows(c, fold(line.fact for line in fresh))
            for line in fresh:
                note(c, line.fact)
            told = told_of_instances(fresh)
            rows = ((*key, *last, told[key].time) for key, last in news.items())
            c.executemany(SET_APPLIED, rows)
        return len(fresh), error

    def apply_anew(
        self, since: Callable[[AppliedMap], Iterable[Line]], *, progress: Progress | None = None
    ) -> int:
        """Folds every fact anew, beside the file, and replaces its content in one transaction.

        Other processes use the file meanwhile, which is never deleted under them.

        Args:
            since: The lines that a view lacks, by what it has.
            progress: As for `apply`.

        Returns:
            How many were applied.

        Raises:
            JournalError: As `apply`; the index stays as it was.
            IndexDamagedError: The file cannot be kept.
        """
        if self.path is None:
            raise ViewError("an index in memory is not folded anew: it is made for each command")
        beside = self.path.with_name(f"{self.path.name}.anew")
        with FileLock(f"{os.fspath(self.path)}.lock"):
            remove_files(beside)  # of one that was killed
            try:
                with Index(beside) as fresh:
                    total = fresh.apply(since({}), progress=progress)
                with self._store.replacing(beside) as c:
                    # what others have applied meanwhile must not be missing again
                    one = Pass(anew=False)
                    for chunk in chunks(since(self.applied())):
                        count, error = self._fold(c, chunk, one)
                        if error:
                            raise error
                        total += count
            finally:
                remove_files(beside)
        return total

    def applied(self) -> AppliedMap:
        """The last fact applied of each (workspace, instance)."""
        return {(ws, inst): Applied(*last) for ws, inst, *last in self._store.rows(APPLIED)}

    def dump(self) -> Dump:
        """All nodes and edges in canonical form."""
        return dumping.dump(self._store)

    def items(self) -> Iterator[DumpItem]:
        """The same one by one, in no order: not all are held in memory."""
        return dumping.items(self._store)

    def size(self) -> int:
        """Bytes of the database."""
        return dumping.size(self._store)

    def counts(self) -> dict[str, int]:
        """How many `facts`, `nodes`, `edges`, and nodes of each label."""
        return dumping.counts(self._store)

    # Recording

    def entries(self, workspace: str, instance: str, resource: str | None = None) -> list[Entry]:
        """What is current in an instance, by ref; refs whose state is unknown are left out."""
        return recording.entries(self._store, workspace, instance, resource)

    def entries_touching(self, workspace: str, instance: str, ref: ResourceRef) -> list[Entry]:
        """What is current of a ref, of those that cover it, and of those it covers."""
        return recording.entries_touching(self._store, workspace, instance, ref)

    def entry(self, workspace: str, instance: str, ref: ResourceRef) -> Entry | None:
        """What is current of a ref itself."""
        return recording.entry(self._store, workspace, instance, ref)

    def certificate(self, key: str) -> Certificate | None:
        """One certificate; None where no fact applied describes it."""
        return self.certificates([key]).get(key)

    def certificates(self, ids: Iterable[str]) -> dict[str, Certificate]:
        """Those of the ids that are described certificates."""
        return recording.certificates(self._store, ids)

    def known(
        self,
        workspace: str,
        ref: ResourceRef,
        *,
        hash: str | None = None,
        subpath_hash: str | None = None,
    ) -> list[Certificate]:
        """The hashed certificates of a ref with this content, newest first.

        Where both sides have a subpath's hash, it decides; else the resource's hash does. All
        hashed ones of the ref when neither is given.
        """
        return recording.known(self._store, workspace, ref, hash, subpath_hash)

    def became(self, ids: Iterable[str]) -> dict[str, str]:
        """For each placeholder merged into another certificate: that one, in the end."""
        return recording.became(self._store, ids)

    def highest_version(self, workspace: str, instance: str, ref: ResourceRef) -> int:
        """The highest version that an instance gave to a ref; 0 when none."""
        return recording.highest_version(self._store, workspace, instance, ref)

    def renames(self) -> list[Fact]:
        """The facts that renamed resources, of all instances."""
        return renaming.renames(self._store)

    def highest_number(self, workspace: str, instance: str) -> int:
        """The highest number of an instance's snapshots; 0 when none."""
        return recording.highest_number(self._store, workspace, instance)

    def base(self, workspace: str, instance: str) -> str | None:
        """The hash of the snapshot that an instance took or restored last."""
        return recording.base(self._store, workspace, instance)

    def running(self, workspace: str, instance: str) -> list[StepStart]:
        """The steps of an instance that started and did not end."""
        return recording.running(self._store, workspace, instance)

    def run(self, workspace: str, instance: str, run: str) -> Run | None:
        """A run that a program outside told of, by its own id of it; None: none did."""
        return runs.run(self._store, workspace, instance, run)

    def environment_seen(self, workspace: str, instance: str, env: str) -> bool:
        """Whether an instance has recorded what the environment of this hash holds."""
        return recording.environment_seen(self._store, workspace, instance, env)

    def hostnames(self, workspace: str) -> dict[str, str]:
        """{instance: the name it last gave its machine}."""
        return recording.hostnames(self._store, workspace)

    def workspace_names(self, ids: Iterable[str]) -> dict[str, str]:
        """The names of workspaces by id; those of no known name are left out."""
        return asking.workspace_names(self._store, ids)

    def producers(self, ids: Iterable[str]) -> dict[str, str]:
        """{certificate: the step that wrote it}; those that none wrote are left out."""
        return asking.producers(self._store, ids)

    def retracted_producers(self, ids: Iterable[str]) -> dict[str, str]:
        """{certificate: the retracted step that wrote it}; those of no such step are left out."""
        return asking.retracted_producers(self._store, ids)

    def half_written(self, workspace: str, instance: str) -> dict[ResourceRef, str]:
        """{ref: the failed step that may have written half of it}; see `half_written`."""
        return half_written.refs(self._store, workspace, instance)

    def left_by(self, ids: Iterable[str]) -> dict[str, str]:
        """{certificate: the failed step that left that content}; others are left out."""
        return half_written.left_by(self._store, ids)

    def touched_by(self, certificate: str) -> list[Touch]:
        """The completed steps that read or wrote a certificate, in the order of their facts."""
        return asking.touched_by(self._store, certificate)

    def ended(self, step: str) -> str | None:
        """The fact that says that a step completed; None where there is none."""
        return asking.ended(self._store, step)

    def stale(
        self, workspace: str, instance: str, changed: Collection[ResourceRef] = ()
    ) -> list[StaleStep]:
        """The steps to run again in an instance; see `Questions.stale`."""
        with self._store.read():
            held = [entry.certificate for entry in self.entries(workspace, instance)]
            writers = self.producers(cert.id for cert in held)
            found = (self.step(key) for key in sorted(set(writers.values())))
            infos = {info.id: info for info in found if info is not None}
        return stale_given(workspace, held, writers, infos, changed)

    def walk(self, ids: Collection[str]) -> list[WalkRow]:
        """The certificates that rule 2.1 looks at, with the steps through which.

        Those given come with reader None. Code is not walked, nor the version of a ref that the
        step which read it replaced.
        """
        return reaching.walk(self._store, ids)

    # Imports

    def imports(self, workspace: str, instance: str) -> dict[str, str]:
        """The digest of the `lineage.json` that an instance took in last, by resource."""
        return importing.imports(self._store, workspace, instance)

    def has_imported(self, workspace: str, resource: str, digest: str) -> bool:
        """Whether any instance took in this `lineage.json`."""
        return importing.has_imported(self._store, workspace, resource, digest)

    def with_workspaces(self, ids: Iterable[str]) -> dict[str, importing.Owned]:
        """Those of the ids that are described certificates, each with its workspace."""
        return importing.with_workspaces(self._store, ids)

    def origins(self, ids: Iterable[str]) -> dict[str, list[importing.Owned]]:
        """What each of the certificates was imported from; those that were not are left out."""
        return importing.origins(self._store, ids)

    def workspace_name(self, workspace: str) -> str | None:
        """The name of a workspace, if it is known."""
        return importing.workspace_name(self._store, workspace)

    def role(self, workspace: str, resource: str) -> str | None:
        """The role of a resource of any workspace, if it is known."""
        return importing.role(self._store, workspace, resource)

    # Steps, refs, snapshots

    def step(self, key: str) -> StepInfo | None:
        """One step in full."""
        return asking.step(self._store, key)

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
        """Steps, newest first.

        Args:
            workspace: Of this workspace alone; needed with `ref`.
            name: With this name.
            status: `completed` or `failed`, and not retracted; or `retracted`.
            ref: That read or wrote a version of it.
            since: Started then (UTC text) or later.
            limit: At most so many.
        """
        refs = None if ref is None else (ref,)
        chosen = StepFilter(workspace=workspace, name=name, status=status, refs=refs, since=since)
        return listing.steps(self._store, chosen, limit)

    def chosen_steps(
        self, chosen: StepFilter, limit: int | None = None, after: Place | None = None
    ) -> list[StepInfo]:
        """Steps by all that they can be chosen by, newest first; at most so many."""
        return listing.steps(self._store, chosen, limit, after)

    def count_steps(self, chosen: StepFilter) -> int:
        """How many steps are meant."""
        return listing.count(self._store, chosen)

    def step_keys(self, workspace: str, prefix: str, limit: int) -> list[str]:
        """The ids of steps that begin so, sorted; at most so many."""
        return listing.keys(self._store, workspace, prefix, limit)

    def retraction(self, workspace: str, step: str) -> Retraction | None:
        """Why a step was retracted; None when it was not."""
        return asking.retraction(self._store, workspace, step)

    def environment(self, workspace: str, env: str) -> EnvironmentInfo | None:
        """What the environment of this hash holds; None where that is not known."""
        return asking.environment(self._store, workspace, env)

    def refs(
        self,
        workspace: str,
        resource: str | None = None,
        *,
        limit: int | None = None,
        after: ResourceRef | None = None,
    ) -> list[ResourceRef]:
        """The refs of a workspace, or of one of its resources, sorted.

        Args:
            workspace: Of this workspace.
            resource: Of this resource alone.
            limit: At most so many.
            after: The last one of the page before.
        """
        return overview.refs(self._store, workspace, resource, limit, after)

    def refs_touching(self, workspace: str, ref: ResourceRef) -> list[ResourceRef]:
        """The refs with versions that are a ref, cover it, or are covered by it, sorted."""
        return asking.refs_touching(self._store, workspace, ref)

    def has_refs(self, workspace: str, resource: str) -> bool:
        """Whether anything was recorded of a resource, which may have been removed since."""
        return asking.has_refs(self._store, workspace, resource)

    def certificates_of(self, workspace: str, ref: ResourceRef) -> list[Certificate]:
        """All versions of a ref, newest first."""
        return asking.certificates_of(self._store, workspace, ref)

    def versions(
        self, workspace: str, ref: ResourceRef, limit: int, after: Place | None = None
    ) -> list[Version]:
        """A page of the versions of a ref, newest first."""
        return paging.versions(self._store, workspace, ref, limit, after)

    def readers(self, certificate: str, limit: int, after: Place | None = None) -> list[Reader]:
        """A page of the steps that read a certificate, newest first; retracted ones did not."""
        return paging.readers(self._store, certificate, limit, after)

    def snapshots(self, workspace: str) -> list[SnapshotInfo]:
        """The workspace's snapshots, oldest first."""
        return asking.snapshots(self._store, workspace)

    def newest_snapshots(
        self, workspace: str, limit: int, after: Place | None = None
    ) -> list[SnapshotInfo]:
        """A page of the workspace's snapshots, newest first."""
        return paging.newest_snapshots(self._store, workspace, limit, after)

    def taken_by(self, workspace: str) -> dict[str, str | None]:
        """The instance that took each snapshot, by hash; None of those that were deleted."""
        return asking.taken_by(self._store, workspace)

    def snapshot(self, workspace: str, snapshot_hash: str) -> SnapshotInfo | None:
        """One snapshot, by its full hash."""
        return asking.snapshot(self._store, workspace, snapshot_hash)

    def contains(self, workspace: str, snapshot_hash: str) -> list[tuple[Certificate, bool]]:
        """What a snapshot contains, by ref; whether the ref had an entry, not only a hash."""
        return asking.contains(self._store, workspace, snapshot_hash)

    def snapshot_certificates(self, workspace: str, snapshot_hash: str) -> list[Held]:
        """What a snapshot contains, by ref; that never changes."""
        return paging.snapshot_certificates(self._store, workspace, snapshot_hash)

    def snapshot_steps(
        self, workspace: str, snapshot_hash: str, limit: int, after: Place | None = None
    ) -> list[StepInfo]:
        """A page of the steps that wrote what a snapshot contains, newest first."""
        return paging.snapshot_steps(self._store, workspace, snapshot_hash, limit, after)

    # Overviews

    def workspaces(self, limit: int, after: Place | None = None) -> list[WorkspaceInfo]:
        """A page of the workspaces that are known, by name, then id; those of no name first."""
        return overview.workspaces(self._store, limit, after)

    def resources(self, workspace: str, limit: int, after: str = "") -> list[ResourceInfo]:
        """A page of the resources of a workspace, by name; `after` is the last name before."""
        return overview.resources(self._store, workspace, limit, after)

    def instances(self, workspace: str) -> list[InstanceInfo]:
        """The copies of a workspace that recorded anything, the last active first."""
        return overview.instances(self._store, workspace)

    def current(self, workspace: str, instance: str) -> dict[ResourceRef, Certificate]:
        """What is current in an instance, by ref."""
        return {entry.ref: entry.certificate for entry in self.entries(workspace, instance)}

    # Reachability

    def upstream(
        self,
        starts: Collection[str],
        *,
        root: str = "",
        depth: int | None = None,
        retracted: bool = False,
    ) -> Subgraph:
        """All that the starts were made from.

        Args:
            starts: Ids of certificates or steps, or of refs, which mean all their certificates.
            root: The id that was asked for.
            depth: How many steps to go back; None for all.
            retracted: As it ran: also over steps that were retracted since.
        """
        return self._reach(starts, root, depth, down=False, retracted=retracted)

    def downstream(
        self, starts: Collection[str], *, root: str = "", depth: int | None = None
    ) -> Subgraph:
        """All that was made from the starts; arguments as for `upstream`."""
        return self._reach(starts, root, depth, down=True)

    def _reach(
        self,
        starts: Collection[str],
        root: str,
        depth: int | None,
        *,
        down: bool,
        retracted: bool = False,
    ) -> Subgraph:
        with self._store.read():
            found = reaching.reach(self._store, starts, down=down, depth=depth, retracted=retracted)
            self.visited = found.visited
            return reaching.subgraph(self._store, found, root)

    def neighbourhood(
        self, starts: Collection[str], *, root: str = "", depth: int = 1, limit: int = 200
    ) -> Subgraph:
        """What lies around the starts, both ways.

        Args:
            starts: As for `upstream`.
            root: The id that was asked for.
            depth: How many edges away.
            limit: At most so many nodes: the nearest, and of equally near ones the first by id.
        """
        with self._store.read():
            found = reaching.reach_around(self._store, starts, depth=depth, limit=limit)
            return reaching.subgraph(self._store, found, root)

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
        with self._store.read():
            return past.lineage(
                self._store, starts, moment, root=root, up=up, down=down, depth=depth
            )

    def known_then(self, ids: Collection[str], moment: Moment) -> set[str]:
        """Those of the ids that anything was known of at a moment."""
        with self._store.read():
            return past.known(self._store, ids, moment)

    def links(self, ids: Collection[str]) -> Links:
        """The arrows into steps and certificates, and how many lead away from each."""
        with self._store.read():
            return reaching.links(self._store, ids)

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
        return searching.search(self._store, text, workspace, limit, kind, after)

    # The stat cache

    def get_stats(self, under: str) -> dict[str, tuple[str, str]]:
        """{path: (stat, sha1)} kept of a path and all below it."""
        return stats.get_stats(self._store, under)

    def get_stat_pieces(self, under: str) -> list[StatPiece]:
        """What is kept of a folder and all below it in pieces; what `get_stats` has is newer."""
        return stats.get_pieces(self._store, under)

    def put_stats(
        self,
        kept: Iterable[tuple[str, str, str]],
        *,
        forget: Iterable[str] = (),
        pieces: Mapping[str, Iterable[StatPiece]] | None = None,
    ) -> None:
        """Keeps files by path, stat and hash, and drops others; pieces replace a folder's."""
        stats.put_stats(self._store, kept, forget, pieces)
