"""Pulling: fetch and merge as objects, refuse what must be refused, then change files.

What only copying can tell (rclone's files) is copied first: should that fail, nothing else was
changed. Until the workspace's branch moves, the rest can be undone; afterwards files follow it.
Resources that came along are cloned last, each by itself. Source: docs/formats.md, "Pulling".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dws_graph.backends.faults import fault
from dws_graph.backends.git.merging import changes
from dws_graph.backends.git.remotes import Remote
from dws_graph.backends.journal.journal import Draft
from dws_graph.errors import ConfigurationError, DwsError
from dws_graph.model.values import parse_json
from dws_graph.resources.base import Resource
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.sharing import Shared
from dws_graph.resources.terms import Ask, default_answer
from dws_graph.resources.updating import below, check_free
from dws_graph.workspace import layout
from dws_graph.workspace.arriving import arrive, arrived_names, follow_renames
from dws_graph.workspace.cloning import clone_missing, told_of_folders
from dws_graph.workspace.committing import (
    finish_interrupted,
    intended,
    keep_uncommitted,
    settle,
)
from dws_graph.workspace.filtering import fill_in_all, filter_as_set, told_of_pointers
from dws_graph.workspace.intent import PULL, Intent, as_path
from dws_graph.workspace.kept_content import fetch_kept
from dws_graph.workspace.merging import Settling, check_tags
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.params import FILTERS
from dws_graph.workspace.reading import living
from dws_graph.workspace.sharing import (
    Sharing,
    chosen,
    origin_unless,
    places_of,
    shared_branch,
    shown_origin,
)
from dws_graph.workspace.snapshots import all_metadata
from dws_graph.workspace.trusting import check_incoming
from dws_graph.workspace.undoing_pulls import as_it_was, never_said, pulled_repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a pull will do, decided before any file changes.

    Attributes:
        shared: The workspace's branch.
        old: Its commit now.
        new: The one to go to; `old` when the origin has nothing new.
        resources: With the commit that each is to go to.
        copies: Those of which copying alone finds out what is new.
        same: Those that have nothing new.
        left: {resource: why it is left out}.
    """

    shared: Shared
    old: str
    new: str
    resources: tuple[tuple[Resource, str], ...]
    same: tuple[Resource, ...]
    left: dict[str, str]
    copies: tuple[Resource, ...] = ()


def pull_all(
    ws: OpenWorkspace,
    *,
    only: Sequence[str] | None = None,
    skip: Sequence[str] | None = None,
    only_workspace: bool = False,
    ask: Ask = default_answer,
) -> Sharing:
    """Bring what is new at the origins: of the workspace, and of its resources.

    Args:
        ws: The workspace.
        only: Of the resources, these alone.
        skip: All resources but these.
        only_workspace: No resource.
        ask: Asked where a resource that came along is to be put.

    Raises:
        ApiParamError: The choices exclude one another.
        ConfigurationError: Something has changes that are not committed, both sides changed the
            same, or an origin cannot be reached: nothing was changed.
    """
    with ws.locked():
        ws.catch_up()
        if ws.get_local_param(FILTERS):
            filter_as_set(ws)  # none that git was told of since
        fill_in_all(ws)
        folders = {resource.local_path for resource in ws.get_resources()}
        meant, left = chosen(ws, only, skip, only_workspace)
        plan = _plan(ws, meant, left, origin_unless(ws, only))
        copied, notes = _copy(ws, plan.copies)
        notes += _change(ws, plan, brought=copied)
        if copied:
            arrive(ws, copied)
        cloned: dict[str, str] = {}
        if not only_workspace:
            wanted = None if only is None else list(only)
            cloned, missing = clone_missing(ws, ask, only=wanted, skip=skip or ())
            left |= missing
        notes += fetch_kept(ws, {resource.name for resource in meant} - cloned.keys())
        if cloned or plan.resources or plan.new != plan.old:
            notes += told_of_pointers(ws)
            had = {r.name for r in ws.get_resources() if r.local_path in folders}
            notes += told_of_folders(ws, had | cloned.keys())
        same = [*plan.same, *(r for r in plan.copies if r.name not in copied)]
        changed = [*(r.name for r, _ in plan.resources), *copied, *cloned]
        return Sharing(
            url=shown_origin(ws),
            changed=tuple(changed),
            places=places_of(ws, changed),
            same=tuple(resource.name for resource in same),
            left=plan.left,
            workspace=plan.new != plan.old,
            notes=(*notes, *(f"{name} is now in {where}" for name, where in cloned.items())),
        )


def _plan(
    ws: OpenWorkspace, meant: Sequence[Resource], left: dict[str, str], remote: Remote | None
) -> _Plan:
    """Everything that can be refused is refused here."""
    shared = shared_branch(ws)
    old = ws.git.head()
    if old is None:
        raise ConfigurationError("the workspace has no commit yet")
    here = [resource for resource in meant if not resource.needs_cloning()]
    for resource in here:
        resource.pull_precheck()
    new = old
    if remote is not None:
        new = shared.incoming(remote, Settling(ws.git, ws.resource_params)) or old
    changed = changes(ws.git, old, new) if new != old else {}
    if changed:
        check_incoming(ws, old, new, changed)
        _check_tags(ws, new, [name.decode("utf-8", "replace") for name in changed])
        check_free(ws.git, changed, "the pull")
    found: list[tuple[Resource, str]] = []
    same: list[Resource] = []
    copies: list[Resource] = []
    for resource in here:
        if resource.is_in_workspace():
            continue
        if (why := resource.not_pulled()) is not None:
            left[resource.name] = why
        elif not resource.tells_incoming():
            copies.append(resource)
        elif (target := resource.incoming()) is not None:
            found.append((resource, target))
        else:
            same.append(resource)
    plan = _Plan(
        shared=shared,
        old=old,
        new=new,
        resources=tuple(found),
        copies=tuple(copies),
        same=tuple(same),
        left=left,
    )
    _check_not_written(ws, plan, changed)
    return plan


def _check_tags(ws: OpenWorkspace, new: str, changed: Sequence[str]) -> None:
    """Refuse two snapshots of one tag: one here, one at the origin."""
    ours = all_metadata(ws)
    after = {m.hashval: m for m in ours}
    prefix, suffix = layout.metadata("").removesuffix("_md.json"), "_md.json"
    for path in changed:
        if path.startswith(prefix) and path.endswith(suffix):
            hashval = path.removeprefix(prefix).removesuffix(suffix)
            after.pop(hashval, None)
            if (raw := ws.git.cat(new, path)) is not None:
                after[hashval] = SnapshotMetadata.from_json(parse_json(raw, file=path))
    check_tags(after.values(), {tag: m.hashval for m in ours for tag in m.tags})


def _check_not_written(ws: OpenWorkspace, plan: _Plan, changed: Mapping[bytes, object]) -> None:
    """Refuse to change what a running step is writing."""
    names = {resource.name for resource in (*(r for r, _ in plan.resources), *plan.copies)}
    folders = [r for r in ws.get_resources() if isinstance(r, GitSubdirectoryResource)]
    names |= {r.name for r in folders if below(changed, r.relative_path)}
    for step in living(ws)[0]:
        if any(ref.name in names for ref in step.outputs):
            raise ConfigurationError(
                f"step '{step.name}' is writing to a resource that would be pulled",
                hint="Pull when it has ended.",
            )


def pull_again(ws: OpenWorkspace, undone: Intent) -> None:
    """Do again the pull that was undone last; the caller holds the workspace's lock.

    Args:
        ws: The workspace.
        undone: What undoing it did.

    Raises:
        ConfigurationError: A step is writing what would be changed.
    """
    shared = shared_branch(ws)
    targets = [
        (r, undone.repositories[as_path(ws.root, r.folder)])
        for r in pulled_repositories(ws, undone)
    ]
    plan = _Plan(
        shared=shared,
        old=undone.commit or "",
        new=undone.old or "",
        resources=tuple(targets),
        same=(),
        left={},
    )
    _change(ws, plan, [never_said(ws, undone)])
    clone_missing(ws)  # what it had cloned is where it was


def _copy(ws: OpenWorkspace, resources: Sequence[Resource]) -> tuple[list[str], list[str]]:
    """Bring what copying alone finds out; the names of those that changed, and notes.

    What one brought stays, and is known, where the next one fails.
    """
    copied: list[str] = []
    notes: list[str] = []
    try:
        for resource in resources:
            before = resource.fingerprint()
            try:
                notes += resource.pull()
            finally:
                if before is None or not resource.unchanged(None, before):
                    copied.append(resource.name)
                    keep_uncommitted(ws, PULL, {}, copied)  # an undo must not pass over it
            fault("resource copied")
    except DwsError:
        arrive(ws, copied)
        raise
    return copied, notes


def _change(
    ws: OpenWorkspace,
    plan: _Plan,
    drafts: Sequence[Draft] = (),
    *,
    brought: Sequence[str] = (),
) -> list[str]:
    """Bring the resources, then the workspace: its branch moves once, and facts become true."""
    if not plan.resources and plan.new == plan.old:
        _merged_by_hand(ws, plan)
        return []
    repositories = {
        as_path(ws.root, resource.folder): head
        for resource, _ in plan.resources
        if isinstance(resource, GitResource) and (head := resource.git.head()) is not None
    }
    changed = changes(ws.git, plan.old, plan.new)
    intent = Intent(
        operation=PULL,
        instance=ws.instance,
        branch=f"refs/heads/{plan.shared.branch}",
        old=plan.old,
        repositories=repositories,
        targets={
            as_path(ws.root, resource.folder): target
            for resource, target in plan.resources
            if isinstance(resource, GitResource)
        },
        updates=True,
        brought=tuple(brought),
        **as_it_was(ws, arrived_names(ws, changed, repositories)),
    )
    notes: list[str] = []
    with intended(ws, intent):
        for resource, target in plan.resources:
            notes += resource.restore(target)
            fault("resource pulled")
        with ws.journal.locked():
            finish_interrupted(ws)
            ws.catch_up()
            _check_not_written(ws, plan, changed)  # a step may have begun meanwhile
            check_free(ws.git, changed, "the pull")
            settle(ws, intent, plan.new, ws.journal.draft(drafts), {}, reset=[])
    _note(ws, plan)
    return notes


def _merged_by_hand(ws: OpenWorkspace, plan: _Plan) -> None:
    """Find out what is current where the user has merged himself what was to be pulled."""
    before = plan.shared.came_by_hand()
    if before:
        follow_renames(ws)
    changed = changes(ws.git, before, plan.new) if before else {}
    names = arrived_names(ws, changed, {})
    names += [resource.name for resource in plan.same if resource.came_by_hand()]
    if before or names:
        arrive(ws, names)
    _note(ws, plan)


def _note(ws: OpenWorkspace, plan: _Plan) -> None:
    """Remember what the origins have, which is here now."""
    plan.shared.note_pulled()
    for resource in (*plan.same, *(resource for resource, _ in plan.resources)):
        resource.pulled()  # the pull may have brought it another name
