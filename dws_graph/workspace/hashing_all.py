"""Every resource of a workspace, hashed; and whether one changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.resources import hash_workers
from dws_graph.resources.base import Resource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.local_files import LocalFileResource
from dws_graph.resources.many_files import MANY
from dws_graph.resources.terms import LINEAGE_FILE, told_of_nested
from dws_graph.resources.walking import holds_many
from dws_graph.workspace.committing import content_commit
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.planning_snapshots import Plan, Progress
from dws_graph.workspace.resolving import Hashed
from dws_graph.workspace.stats import IndexStatCache


def hire(ws: OpenWorkspace) -> None:
    """Start the processes that many files are hashed by."""
    local = (r for r in ws.get_resources() if type(r) is LocalFileResource and r.compute_hash)
    if any(holds_many(resource.place, MANY) for resource in local):
        hash_workers.hire()


class Caches(ExitStack):
    """The stat caches of what was hashed; they are written at the end, if not before."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[IndexStatCache] = []

    def of(self, ws: OpenWorkspace, folder: Path) -> IndexStatCache:
        """That of a folder."""
        self._all.append(cache := self.enter_context(IndexStatCache(ws.index, folder)))
        return cache

    def write(self) -> None:
        """Write what was found so far."""
        for cache in self._all:
            cache.write()


def hash_all(
    ws: OpenWorkspace, plan: Plan, progress: Progress | None, caches: Caches
) -> tuple[str, dict[str, Hashed]]:
    """The commit that holds the content of the workspace's folders, and every resource hashed."""
    stale = [
        f"{r.relative_path}/{LINEAGE_FILE}"
        for r in ws.get_resources()
        if isinstance(r, GitSubdirectoryResource) and r.is_exported()
    ]
    message = f"Content of snapshot {plan.tag or plan.number}"
    content = content_commit(ws, plan.old, plan.folders, message, but=stale) or plan.old
    fault("content committed")
    return content, {
        r.name: _hash(ws, r, content, plan, progress, caches) for r in ws.get_resources()
    }


def _hash(
    ws: OpenWorkspace,
    resource: Resource,
    content: str,
    plan: Plan,
    progress: Progress | None,
    caches: Caches,
) -> Hashed:
    moved_to = plan.destination if resource.name in plan.moves else None
    copied = resource.name in plan.copied
    if isinstance(resource, GitSubdirectoryResource):
        taken = resource.at_commit(content)
        nested = ws.git.nested(plan.old, content, resource.relative_path)
        taken = replace(taken, notes=told_of_nested(resource, nested))
        return Hashed(resource, taken, moved_to, copied)
    report = None
    if progress is not None:
        show, name = progress, resource.name

        def report(done: int, total: int, doing: str = "") -> None:
            show(f"{name} ({doing})" if doing else name, done, total)

    if resource.local_path is None:
        return Hashed(resource, resource.take_snapshot(None, report), moved_to, copied)
    cache = caches.of(ws, resource.local_path)
    return Hashed(resource, resource.take_snapshot(cache, report), moved_to, copied)


def looks_of(ws: OpenWorkspace) -> dict[str, str]:
    """What each resource as a whole looks like, to see whether one changes while it is hashed.

    Of a fingerprint it is what stays the same for files that stay as they are, whenever it is
    taken. Local files say themselves what they looked like when they were hashed (`Taken.seen`),
    so nobody need look before.
    """
    found = {}
    for resource in ws.get_resources():
        if type(resource) is LocalFileResource:
            continue
        if (fingerprint := resource.fingerprint()) is not None:
            found[resource.name] = fingerprint.digest.partition("-")[0]
    return found


@contextmanager
def looking_again(ws: OpenWorkspace) -> Iterator[Callable[[], dict[str, str]]]:
    """Look at local files in a thread; gives what waits for it, and looks at all others."""
    local = [r for r in ws.get_resources() if type(r) is LocalFileResource]
    with ThreadPoolExecutor(1, thread_name_prefix="dws-look") as pool:
        begun = {
            resource.name: pool.submit(copy_context().run, resource.look) for resource in local
        }
        yield lambda: {
            **looks_of(ws),
            **{name: look.result().digest for name, look in begun.items()},
        }


def changed_since(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """The resources that are not as they were."""
    return {name for name in now if before.get(name) != now[name]}
