"""Restoring a snapshot: plan, ask, save what is not committed, change files, one commit.

Results are always left as they are. Nothing a user wrote is lost: it is committed first. Source:
docs/formats.md, "Write order".
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dws_graph.backends.faults import fault
from dws_graph.backends.files import make_folder
from dws_graph.backends.git.index import ScratchIndex
from dws_graph.backends.git.large import set_up_for_disk
from dws_graph.errors import ApiParamError, ConfigurationError, UserAbort
from dws_graph.model import facts as f
from dws_graph.model.facts import Current
from dws_graph.resources.base import Resource
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.local_files import FILE
from dws_graph.resources.restoring import keep_commit, restore_files
from dws_graph.workspace.before import entries_before
from dws_graph.workspace.committing import (
    check_repository,
    content_commit,
    finish_interrupted,
    intended,
    sealed_segments,
    settle,
    workspace_folders,
)
from dws_graph.workspace.differing import cannot_come_back
from dws_graph.workspace.intent import Intent, as_path
from dws_graph.workspace.kept_content import as_kept
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import living
from dws_graph.workspace.snapshots import find_snapshot
from dws_graph.workspace.taking import always


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """What a restore will do.

    Attributes:
        snapshot: To which.
        restored: Resources whose files change, with the hash to restore by.
        left: {resource: why it stays as it is}.
        warnings: What of the snapshot cannot come back.
    """

    snapshot: SnapshotMetadata
    restored: tuple[tuple[Resource, str], ...]
    left: dict[str, str]
    warnings: tuple[str, ...] = ()

    def describe(self) -> list[str]:
        """The plan in lines."""
        names = ", ".join(self.snapshot.tags) or self.snapshot.hashval[:8]
        lines = [f"Restore to snapshot {names}:"]
        lines += [f"  restore  {resource.name}" for resource, _ in self.restored]
        lines += [f"  leave    {name} ({why})" for name, why in self.left.items()]
        lines += [f"Warning: {text}" for text in self.warnings]
        return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What a restore did.

    Attributes:
        snapshot: To which.
        restored: Names of the resources.
        left: {resource: why it stayed as it was}.
        notes: For people.
        warnings: As in the plan.
    """

    snapshot: SnapshotMetadata
    restored: tuple[str, ...]
    left: dict[str, str]
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many resources were restored."""
        return len(self.restored)


def plan_restore(
    ws: OpenWorkspace,
    name: str,
    only: Sequence[str] | None = None,
    leave: Sequence[str] | None = None,
    strict: bool = False,
) -> RestorePlan:
    """Decide what a restore will do; everything that can be refused is refused here.

    Args:
        ws: The workspace.
        name: Of the snapshot.
        only: Restore these alone; each must be restorable.
        leave: Leave these as they are.
        strict: Refuse, when one cannot be restored.

    Raises:
        ApiParamError: Both `only` and `leave` are given.
        ConfigurationError: There is no such snapshot or resource, or one cannot be restored.
    """
    if only and leave:
        raise ApiParamError("--only and --leave exclude one another")
    metadata = find_snapshot(ws, name)
    names = list(ws.get_resource_names())
    for given in (*(only or ()), *(leave or ())):
        if given not in names and given not in metadata.restore_hashes:
            ws.get_resource(given)
    strict = strict or bool(only)
    restored: list[tuple[Resource, str]] = []
    left: dict[str, str] = {}
    warnings: list[str] = []
    for given in only or ():
        if given in names and ws.get_resource(given).has_results_role():
            raise ConfigurationError(
                f"'{given}' is a results resource, which is never restored",
                hint=f"Its earlier files: {metadata.relative_destination_path}.",
            )
    for given in [*names, *(n for n in metadata.restore_hashes if n not in names)]:
        why = _why_left(ws, given, metadata, only, leave)
        if why is None:
            resource, target = ws.get_resource(given), metadata.restore_hashes[given]
            resource.restore_precheck(target or "")
            restored.append((resource, target or ""))
            continue
        text, is_problem = why
        if is_problem and strict:
            raise ConfigurationError(
                f"resource '{given}' cannot be restored: {text}",
                hint="Leave it out of --only." if only else "Leave --strict out.",
            )
        left[given] = text
        if is_problem and given in names and given in metadata.restore_hashes:
            lost = cannot_come_back(ws, given, metadata.hashval, _label(metadata))
            warnings += [lost] if lost else []
    return RestorePlan(
        snapshot=metadata, restored=tuple(restored), left=left, warnings=tuple(warnings)
    )


def _why_left(
    ws: OpenWorkspace,
    name: str,
    metadata: SnapshotMetadata,
    only: Sequence[str] | None,
    leave: Sequence[str] | None,
) -> tuple[str, bool] | None:
    """Why a resource is left as it is, and whether that is against the user's wish."""
    if only and name not in only:
        return "not asked for", False
    if leave and name in leave:
        return "as asked", False
    if name not in ws.get_resource_names():
        return "no longer in the workspace", True
    if name not in metadata.restore_hashes:
        return "added since the snapshot", True
    resource = ws.get_resource(name)
    if resource.has_results_role():
        return "results are never restored", False
    if metadata.restore_hashes[name] is None:
        if as_kept(resource) is not None:
            return "its content was not kept at that time", True
        return f"{resource.resource_type} resources keep no content to restore", True
    if resource.resource_type == FILE and as_kept(resource) is None:
        quoted = shlex.quote(name)
        return f"it keeps no content any more (dws config --resource {quoted} keep on)", True
    return None


def restore_snapshot(
    ws: OpenWorkspace,
    name: str,
    *,
    only: Sequence[str] | None = None,
    leave: Sequence[str] | None = None,
    strict: bool = False,
    confirm: Callable[[str], bool] = always,
) -> RestoreReport:
    """Bring files and lineage back to a snapshot.

    Args:
        ws: The workspace.
        name: Of the snapshot.
        only: See `plan_restore`.
        leave: See `plan_restore`.
        strict: See `plan_restore`.
        confirm: Asked, with the plan, before anything changes.

    Raises:
        ConfigurationError: It cannot be done; nothing was changed.
        UserAbort: The answer was no; nothing was changed.
    """
    with ws.locked():
        ws.catch_up()
        ws.look_again()
        branch = check_repository(ws)
        set_up_for_disk(ws.git, workspace_folders(ws))
        plan = plan_restore(ws, name, only, leave, strict)
        _check_not_written(ws, plan)
        if not confirm("\n".join(plan.describe())):
            raise UserAbort("nothing was restored")
        if not plan.restored:
            return _report(plan, [])
        return _change(ws, plan, branch)


def _check_not_written(ws: OpenWorkspace, plan: RestorePlan) -> None:
    names = {resource.name for resource, _ in plan.restored}
    for step in living(ws)[0]:
        if any(ref.name in names for ref in step.outputs):
            raise ConfigurationError(
                f"step '{step.name}' is writing to a resource that would be restored",
                hint="Restore when it has ended.",
            )


def _change(ws: OpenWorkspace, plan: RestorePlan, branch: str) -> RestoreReport:
    old = ws.git.head()
    if old is None:
        raise ConfigurationError("the workspace has no commit yet")
    folders = workspace_folders(ws)
    message = f"What was not committed before restoring {_label(plan.snapshot)}"
    saved = content_commit(ws, old, folders, message) or old
    changed = [r for r, _ in plan.restored if isinstance(r, GitSubdirectoryResource)]
    intent = Intent(
        operation="restore",
        instance=ws.instance,
        branch=branch,
        old=old,
        save=saved,
        folders=tuple(r.relative_path for r in changed),
        repositories=_heads(ws, (r for r, _ in plan.restored)),
        targets=_targets(ws, plan),
        states=states_of(r for r, _ in plan.restored),
        brought_to={r.name: target for r, target in plan.restored},
        touched=tuple(r.name for r, _ in plan.restored),
        entries=entries_before(ws, {r.name for r, _ in plan.restored}),
    )
    notes = []
    if saved != old:
        notes.append(f"what was not committed is now in commit {saved[:8]}")
        keep_commit(ws.git, saved)
    with intended(ws, intent):
        for resource, target in plan.restored:
            if isinstance(resource, GitSubdirectoryResource):
                below, what = resource.relative_path, str(resource)
                since = restore_files(ws.git, target, below, what, saved)
                make_folder(resource.local_path)
                if since is not None:
                    notes.append(f"{what}: what was written meanwhile is in commit {since[:8]}")
            else:
                notes += resource.restore(target)
            fault("resource restored")
        _commit(ws, plan, intent, saved, folders)
    return _report(plan, notes)


def _heads(ws: OpenWorkspace, resources: Iterable[Resource]) -> dict[str, str]:
    found = {}
    for resource in resources:
        if isinstance(resource, GitResource):
            head = resource.save_uncommitted()
            if head is not None:
                found[as_path(ws.root, resource.folder)] = head
    return found


def states_of(resources: Iterable[Resource]) -> dict[str, str]:
    """What brings back the content that resources have now, of those that git does not hold."""
    others = (r for r in resources if not isinstance(r, (GitResource, GitSubdirectoryResource)))
    return {r.name: state for r in others if (state := r.save_uncommitted()) is not None}


def _targets(ws: OpenWorkspace, plan: RestorePlan) -> dict[str, str]:
    found = {}
    for resource, target in plan.restored:
        if isinstance(resource, GitSubdirectoryResource):
            found[resource.relative_path] = target
        elif isinstance(resource, GitResource):
            found[as_path(ws.root, resource.folder)] = target
    return found


def _commit(
    ws: OpenWorkspace, plan: RestorePlan, intent: Intent, saved: str, folders: Sequence[str]
) -> None:
    """One commit with the restored content and the fact that tells of it."""
    with ws.journal.locked():
        finish_interrupted(ws)
        ws.catch_up()
        _check_not_written(ws, plan)  # a step may have begun meanwhile: then all is undone
        body = {
            "snapshot": plan.snapshot.hashval,
            "resources": [resource.name for resource, _ in plan.restored],
            "current": [c.to_json() for c in _lineage(ws, plan)],
            "superseded": _lost(ws, plan),
        }
        lines = ws.journal.draft([(f.RESTORED, body)])
        files = sealed_segments(ws, intent.old, lines)
        with ScratchIndex(ws.git) as index:
            index.put_tree(saved)
            for resource, target in plan.restored:
                if isinstance(resource, GitSubdirectoryResource):
                    index.remove([resource.relative_path])
                    below = resource.relative_path
                    tree = ws.git.tree_of(target, below)
                    if tree is not None:
                        index.put_below(below, tree)
            index.add_blobs(files)
            tree = index.write_tree()
        commit = ws.git.commit_tree(tree, [saved], f"Restored snapshot {_label(plan.snapshot)}")
        settle(ws, intent, commit, lines, files, reset=[*files, *folders])


def _lineage(ws: OpenWorkspace, plan: RestorePlan) -> list[Current]:
    """What is current from now on, of the restored resources: as in the snapshot, or unknown."""
    names = {resource.name for resource, _ in plan.restored}
    current = {
        e.ref: Current(ref=e.ref, certificate=None)
        for e in ws.index.entries(ws.id, ws.instance)
        if e.ref.name in names
    }
    held = [c for c, entry in ws.index.contains(ws.id, plan.snapshot.hashval) if entry]
    held = [c for c in held if c.ref.name in names]
    written = ws.index.producers([c.id for c in held])
    for cert in held:
        resource = ws.get_resource(cert.ref.name)
        current[cert.ref] = Current(
            ref=cert.ref,
            certificate=cert.id,
            output=cert.id in written,
            fingerprint=resource.fingerprint(cert.ref.subpath),
        )
    return list(current.values())


def _lost(ws: OpenWorkspace, plan: RestorePlan) -> list[str]:
    """Placeholders of the restored resources: no snapshot will hold their content."""
    names = {resource.name for resource, _ in plan.restored}
    return [
        e.certificate.id
        for e in ws.index.entries(ws.id, ws.instance)
        if e.ref.name in names and e.certificate.hash is None and not e.certificate.superseded
    ]


def _label(snapshot: SnapshotMetadata) -> str:
    return (snapshot.tags or [snapshot.hashval[:8]])[0]


def _report(plan: RestorePlan, notes: Iterable[str]) -> RestoreReport:
    return RestoreReport(
        snapshot=plan.snapshot,
        restored=tuple(resource.name for resource, _ in plan.restored),
        left=plan.left,
        notes=tuple(notes),
        warnings=plan.warnings,
    )
