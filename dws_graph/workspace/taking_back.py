"""Undoing the last operation.

A commit with the files of before, and a fact that the operation's facts were never said. Undoing
that does the operation again.
Source: docs/formats.md, "Undoing and renaming".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.git.command import decoded
from dws_graph.backends.git.index import ScratchIndex
from dws_graph.backends.journal.journal import Draft
from dws_graph.errors import ConfigurationError, UserAbort, some_of
from dws_graph.model import facts as f
from dws_graph.model.facts import Fact
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.moving import stamps
from dws_graph.resources.restoring import keep_commit
from dws_graph.workspace import layout
from dws_graph.workspace.before import entries_again, entries_before
from dws_graph.workspace.committing import (
    check_repository,
    content_commit,
    finish_interrupted,
    intended,
    last_operation,
    sealed_segments,
    settle,
)
from dws_graph.workspace.edited import check_not_edited
from dws_graph.workspace.filtering import filter_as_set
from dws_graph.workspace.intent import PULL, Intent, as_path
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.pulling import pull_again
from dws_graph.workspace.reading import living
from dws_graph.workspace.restoring import states_of
from dws_graph.workspace.taking import always
from dws_graph.workspace.undoing import take_back_files
from dws_graph.workspace.undoing_pulls import never_said, note_as_before, plan_pull

SHARED = frozenset({"snapshot", "add", "remove", "rename"})  # not undone once they were pushed
UNDONE = frozenset({*SHARED, PULL, "restore", "config", "tag", "delete-snapshot"})
ON_STEPS = frozenset({"snapshot", "restore", PULL})  # each step since may build on it
ENDED = (f.STEP_COMPLETED, f.STEP_ABORTED, f.LINEAGE_IMPORTED)
LOG = "See what was done: dws log."
UNDID, AGAIN = "Undid", "Did again"  # before what it was, in the subjects of commits


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing the last operation does.

    Attributes:
        last: The operation.
        operation: Its name; of an undo, that of what it took back.
        what: It, in words.
        changed: Files of the workspace's repository that it changed: mode and id before.
        files: Content before of those that it wrote to disk; None of those that were not there.
        more: What else is done to files, in lines.
    """

    last: Intent
    operation: str
    what: str
    changed: dict[bytes, tuple[str, str] | None]
    files: dict[str, bytes | None]
    more: tuple[str, ...] = ()

    @property
    def again(self) -> bool:
        """Whether it does again what was undone."""
        return self.last.undoes is not None

    def describe(self) -> list[str]:
        """The plan in lines."""
        verb = "Do again" if self.again else "Undo"
        lines = [f"{verb}: {self.what}"]
        own = [path for path in self.files if path.startswith(f"{layout.FOLDER}/")]
        others = {path: content for path, content in self.files.items() if path not in own}
        lines += [f"  delete   {path}" for path, content in others.items() if content is None]
        lines += [f"  restore  {path}" for path, content in others.items() if content]
        if own:
            files = "1 file" if len(own) == 1 else f"{len(own)} files"
            lines.append(f"  restore  {files} in which the workspace keeps its state")
        copied = sum(len(self.last.moves[folder]) for folder in self.last.copied)
        moved = sum(map(len, self.last.moves.values())) - copied
        if moved:
            lines.append(f"  move     {moved} of its files to where they were")
        if copied:
            verb = "copy   " if self.last.back else "delete "
            lines.append(f"  {verb}  its copies of {copied} files")
        lines += [f"  restore  the files of {name}" for name in self._restored()]
        return [*lines, *self.more]

    def _restored(self) -> tuple[str, ...]:
        return self.last.touched if self.last.save is not None else ()


def plan_undo(ws: OpenWorkspace) -> UndoPlan:
    """Decide what undoing does; everything that can be refused is refused here.

    Raises:
        ConfigurationError: There is nothing to undo, or something since depends on it.
    """
    last = last_operation(ws)
    if last is None:
        raise ConfigurationError("nothing was done here that can be undone", hint=LOG)
    operation = last.undoes or last.operation
    if operation not in UNDONE:
        raise ConfigurationError(f"the last command, {operation}, cannot be undone", hint=LOG)
    if operation == PULL:
        what, lines = plan_pull(ws, last)
        _check_steps(ws, last, operation)
        return UndoPlan(last, operation, what, {}, {}, lines)
    changed, what = _committed(ws, last, operation)
    paths = [p for p in (*last.written, *last.removed) if not p.startswith(f"{layout.JOURNAL}/")]
    files = ws.git.cats(last.old, paths) if last.old else dict.fromkeys(paths)
    for path, content in ws.git.cats("HEAD", paths).items():
        if ws.file_content(path) != content:
            raise ConfigurationError(
                f"{path} was changed since the {operation}, and not committed",
                hint=f"Take it back first: git checkout HEAD -- {path}.",
            )
    _check_moves(ws, last, operation)
    _check_steps(ws, last, operation)
    if operation == "restore":
        check_not_edited(ws, last)
        _check_states(ws, last)
    return UndoPlan(last, operation, what, changed, files)


def _committed(
    ws: OpenWorkspace, last: Intent, operation: str
) -> tuple[dict[bytes, tuple[str, str] | None], str]:
    """What the operation's commit changed, and its subject; refuses what was built on it."""
    if last.commit is None or last.old is None:
        return {}, f"{operation} of this copy"
    head = ws.git.head()
    branch = ws.git.branch()
    if (
        head is None
        or last.branch != f"refs/heads/{branch}"
        or not ws.git.is_ancestor(last.commit, head)
    ):
        raise ConfigurationError(
            f"the branch does not hold the commit of the {operation} any more",
            hint="Undo it on the branch on which it was done.",
        )
    if operation in SHARED and last.undoes is None and _is_shared(ws, last.commit):
        hint = "Delete it instead: dws delete-snapshot." if operation == "snapshot" else LOG
        raise ConfigurationError(
            f"the {operation} was pushed: others may have built on it", hint=hint
        )
    journal = f"{layout.JOURNAL}/".encode()
    changed = {
        path: before
        for path, before in ws.git.changed(last.old, last.commit).items()
        if not path.startswith(journal)
    }
    since = sorted(changed.keys() & ws.git.changed(last.commit, head).keys())
    if since:
        raise ConfigurationError(
            f"{some_of([decoded(path) for path in since], 3)} was committed since the {operation}",
            hint="Revert that commit first: git revert.",
        )
    return changed, _first_said(ws.git.text("log", "-1", "--format=%s", last.commit))


def _first_said(subject: str) -> str:
    """What was done, however often it was undone and done again since."""
    while (rest := subject.removeprefix(f"{UNDID}: ").removeprefix(f"{AGAIN}: ")) != subject:
        subject = rest
    return subject


def _is_shared(ws: OpenWorkspace, commit: str) -> bool:
    return bool(ws.git.text("for-each-ref", "--contains", commit, "--count=1", "refs/remotes"))


def _check_moves(ws: OpenWorkspace, last: Intent, operation: str) -> None:
    """Files moved go back where nothing is, and what is moved again is what was moved first."""
    for folder, moves in last.moves.items():
        root = ws.root / folder
        now = [move.source for move in moves]
        if last.back and stamps(root, now) != last.stamps.get(folder, [[] for _ in now]):
            raise ConfigurationError(
                f"files in {root} were changed since the {operation} was undone",
                hint="Do it anew, with the files as they are now.",
            )
        back = not last.back and folder not in last.copied
        taken = [path for path in now if back and _exists(root / path)]
        if taken:
            raise ConfigurationError(
                f"{root / taken[0]} was written since the {operation}",
                hint="Move it away first.",
            )


def _check_states(ws: OpenWorkspace, last: Intent) -> None:
    """What a restore brought, of types that git does not hold, can be taken back."""
    for name in last.touched:
        resource = ws.get_resource(name)
        if isinstance(resource, (GitResource, GitSubdirectoryResource)):
            continue
        if name not in last.states:
            raise ConfigurationError(
                f"what {resource} held before the restore was not kept",
                hint="It stays as it is. " + LOG,
            )
        resource.restore_precheck(last.states[name])


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _check_steps(ws: OpenWorkspace, last: Intent, operation: str) -> None:
    """No step since may have read, or written, what would not have been."""
    names = set(last.touched)
    for step in living(ws)[0]:
        if operation in ON_STEPS or any(ref.name in names for ref in step.outputs):
            raise ConfigurationError(
                f"step '{step.name}' is running since the {operation}",
                hint="Undo it when the step has ended, if it fails.",
            )
    for fact in _facts_since(ws, last):
        if fact.kind not in ENDED:
            continue
        if operation in ON_STEPS or names & _resources_of(fact):
            what = fact.body.get("name") or fact.body.get("resource")
            verb = "was imported" if fact.kind == f.LINEAGE_IMPORTED else "was recorded"
            raise ConfigurationError(
                f"'{what}' {verb} since the {operation}, and may depend on it",
                hint="It stays as it is. " + LOG,
            )


def _facts_since(ws: OpenWorkspace, last: Intent) -> Iterator[Fact]:
    seq = Fact.from_line(last.lines[-1]).seq if last.lines else last.seen.get(ws.instance)
    if seq is not None:
        for raw in ws.journal.raw_after(seq).splitlines():
            yield Fact.from_line(raw)


def _resources_of(fact: Fact) -> set[str]:
    """The resources that a step, or an import, names."""
    if fact.kind == f.LINEAGE_IMPORTED:
        return {fact.body["resource"]}
    step = f.StepRecord.from_json(fact.body)
    refs: list[ResourceRef] = [c.ref for c in (*step.inputs, *step.code, *step.outputs)]
    return {ref.name for ref in refs}


def undo_last(ws: OpenWorkspace, *, confirm: Callable[[str], bool] = always) -> UndoPlan:
    """Take back the last operation of this copy; one that was taken back is done again.

    Args:
        ws: The workspace.
        confirm: Asked, with the plan, before anything changes.

    Raises:
        ConfigurationError: There is none, or something since depends on it; nothing was changed.
        UserAbort: The answer was no; nothing was changed.
    """
    with ws.locked():
        ws.catch_up()
        branch = check_repository(ws)
        plan = plan_undo(ws)
        if not confirm("\n".join(plan.describe())):
            raise UserAbort("nothing was undone")
        if plan.operation == PULL and plan.again:
            pull_again(ws, plan.last)
            return plan
        intent = _intent(ws, plan, branch)
        with intended(ws, intent):
            take_back_files(ws, plan.last)
            for name, state in plan.last.states.items():
                ws.get_resource(name).restore(state)
            fault("files taken back")
            (_go_back if plan.operation == PULL else _commit)(ws, plan, intent)
        ws.reload()
        if plan.operation == "config":
            filter_as_set(ws)
    return plan


def _intent(ws: OpenWorkspace, plan: UndoPlan, branch: str) -> Intent:
    """How all is now, so that this can be undone as well."""
    last, head = plan.last, ws.git.head()
    saved = None
    if last.save is not None and last.folders:
        message = f"What was not committed before undoing: {plan.what}"
        saved = content_commit(ws, head, last.folders, message) or head
        if saved is not None and saved != head:
            keep_commit(ws.git, saved)
    again = last.undoes is not None
    return Intent(
        operation=plan.operation if again else "undo",
        undoes=None if again else plan.operation,
        instance=ws.instance,
        branch=branch,
        old=head,
        moves=last.moves,
        copied=last.copied,
        kept_folders=last.kept_folders,
        back=not last.back,
        stamps=last.stamps,
        save=saved,
        folders=last.folders,
        repositories=_heads(ws, last),
        states=states_of(ws.get_resource(name) for name in last.states),
        brought_to=last.states,
        targets=_targets(last),
        outside=dict(last.before),
        removed=tuple(path for path, content in plan.files.items() if content is None),
        aside=last.aside,
        touched=last.touched,
        updates=last.updates,
        seen=last.seen,
        # the others change no file that a fingerprint is taken of
        entries=_entries(ws, plan),
    )


def _entries(ws: OpenWorkspace, plan: UndoPlan) -> tuple[Json, ...]:
    """What is current now; of a pull, which is not done again, what was current before."""
    if plan.operation == PULL:
        return plan.last.entries
    return entries_before(ws, set(plan.last.touched)) if plan.operation in ON_STEPS else ()


def _targets(last: Intent) -> dict[str, str]:
    """Where the files of an operation go when it is taken back: to what they were before it."""
    found = dict(last.repositories)
    if last.save is not None:
        found |= dict.fromkeys(last.folders, last.save)
    return found


def _heads(ws: OpenWorkspace, last: Intent) -> dict[str, str]:
    """The commits of the repositories that are about to change, with all that was not committed."""
    found = {}
    for resource in ws.get_resources():
        if isinstance(resource, GitResource) and resource.local_path is not None:
            folder = as_path(ws.root, resource.local_path)
            if folder in last.repositories and (head := resource.save_uncommitted()) is not None:
                found[folder] = head
    return found


def _commit(ws: OpenWorkspace, plan: UndoPlan, intent: Intent) -> None:
    """The commit with the files of before; the same as a fact."""
    last, old = plan.last, intent.old
    if old is None:
        raise ConfigurationError("the workspace has no commit yet")
    with ws.journal.locked():
        finish_interrupted(ws)
        ws.catch_up()
        _check_steps(ws, last, plan.operation)  # one may have ended meanwhile: all is taken back
        facts = [Fact.from_line(text).id for text in last.lines]
        body: Json = {"operation": plan.operation, "again": plan.again, "facts": facts}
        drafts: list[Draft] = [(f.UNDONE, {**body, "current": entries_again(ws, last.entries)})]
        lines = ws.journal.draft(drafts)
        files = {path: content for path, content in plan.files.items() if content is not None}
        files |= sealed_segments(ws, old, lines)
        with ScratchIndex(ws.git) as index:
            index.put_tree(old)
            index.remove([decoded(p) for p, before in plan.changed.items() if before is None])
            index.put_ids({p: before for p, before in plan.changed.items() if before is not None})
            index.add_blobs({p: c for p, c in files.items() if p.startswith(layout.JOURNAL)})
            tree = index.write_tree()
        verb = AGAIN if plan.again else UNDID
        commit = ws.git.commit_tree(tree, [old], f"{verb}: {plan.what}")
        reset = [*files, *map(decoded, plan.changed)]
        settle(ws, intent, commit, lines, files, reset=reset)


def _go_back(ws: OpenWorkspace, plan: UndoPlan, intent: Intent) -> None:
    """The branch as it was before a pull; that what it recorded was never said, as a fact."""
    last = plan.last
    if last.old is None:
        raise ConfigurationError("the workspace had no commit yet")
    with ws.journal.locked():
        finish_interrupted(ws)
        ws.catch_up()
        _check_steps(ws, last, plan.operation)  # one may have ended meanwhile
        lines = ws.journal.draft([never_said(ws, last)])
        note_as_before(ws, last)
        keep_commit(ws.git, str(last.commit))  # it can be done again
        settle(ws, intent, last.old, lines, {}, reset=[])
