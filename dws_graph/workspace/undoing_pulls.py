"""Undoing a pull: the branch goes back to where it was, and what came along is not known any more.

No commit says so: the next pull would take that for a merge, and bring nothing.
Source: docs/formats.md, "Undoing and renaming".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import sync_folder, write_atomic
from dws_graph.backends.git.command import Git, decoded
from dws_graph.backends.git.merging import Change, changes, merge_base
from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.journal.journal import Draft
from dws_graph.backends.journal.lines import last_fact, read_lines
from dws_graph.backends.journal.taking_in import TAKEN_IN, file_names, segments
from dws_graph.errors import ConfigurationError, some_of
from dws_graph.model import facts as f
from dws_graph.model.facts import Current, Fact
from dws_graph.model.values import Json, parse_json
from dws_graph.resources.git import GitResource
from dws_graph.resources.sharing import Shared
from dws_graph.resources.updating import check_free
from dws_graph.workspace import layout
from dws_graph.workspace.aside import delete_tree
from dws_graph.workspace.before import entries_again, entries_before
from dws_graph.workspace.intent import PULL, Intent, as_path
from dws_graph.workspace.of_16 import SEEN_SNAPSHOTS
from dws_graph.workspace.opened import OpenWorkspace

ARRIVED = (f.CURRENT_SET, f.TAGGED, f.RESOURCE_RENAMED)  # what a pull records; see `arriving`
LOCAL_FILES = (layout.LOCAL_PARAMS, layout.RESOURCE_LOCAL_PARAMS)


# Before a pull


def as_it_was(ws: OpenWorkspace, names: Collection[str]) -> Json:
    """What the intent of a pull keeps of the time before: its fields, by name.

    Args:
        ws: The workspace, its index up to date.
        names: Of resources whose content the pull changes.
    """
    return {
        "before": {path: ws.file_content(path) for path in LOCAL_FILES},
        "seen": {instance: last.seq for (_, instance), last in ws.index.applied().items()},
        "touched": tuple(names),
        "entries": entries_before(ws, names),
    }


# What undoing it does


def plan_pull(ws: OpenWorkspace, last: Intent) -> tuple[str, tuple[str, ...]]:
    """Decide what undoing a pull does, or doing it again; refused where something depends on it.

    Returns:
        The pull in words; and what becomes of files, in lines.

    Raises:
        ConfigurationError: There are commits, or edits, since.
    """
    if last.brought:
        raise ConfigurationError(
            f"the last pull changed files of {some_of(list(last.brought))}, of which no earlier "
            "version is kept",
            hint="Nothing was changed. Bring back there what is to be here, then type: dws pull.",
        )
    if last.commit is None or last.old is None:
        raise ConfigurationError("the last pull brought nothing that can be taken back")
    if not last.seen:
        raise ConfigurationError("the last pull was done by an earlier version of this program")
    undone = " was undone" if last.undoes else ""
    if last.branch != f"refs/heads/{ws.git.branch()}" or ws.git.head() != last.commit:
        raise ConfigurationError(
            f"there are commits since the pull{undone}, which may depend on it",
            hint="Nothing was changed. See them: git log.",
        )
    repositories = pulled_repositories(ws, last)
    for resource in repositories:
        resource.pull_precheck()  # on its branch, and nothing that is not committed
        if resource.git.head() != last.targets[as_path(ws.root, resource.folder)]:
            raise ConfigurationError(
                f"there are commits in {resource.folder} since the pull{undone}, which may depend "
                "on it",
                hint=f"Nothing was changed. See them: git -C {resource.folder} log.",
            )
    changed = changes(ws.git, last.commit, last.old)
    check_free(ws.git, changed, "doing it again" if undone else "undoing the pull")
    names = [resource.name for resource in repositories]
    count = len(ws.git.text("rev-list", f"{last.old}...{last.commit}").split())
    what = [f"{count} commit{'' if count == 1 else 's'} of the workspace"] if count else []
    lines = tuple(_lines(ws, last, changed, names))
    return f"pull of {' and '.join([*what, *names])}", lines


def pulled_repositories(ws: OpenWorkspace, last: Intent) -> list[GitResource]:
    """The resources of repositories of their own that a pull, or undoing it, brought elsewhere."""
    return [
        resource
        for resource in ws.get_resources()
        if isinstance(resource, GitResource)
        and resource.local_path is not None
        and as_path(ws.root, resource.folder) in last.targets
    ]


def _lines(
    ws: OpenWorkspace, last: Intent, changed: Mapping[bytes, Change], repositories: Iterable[str]
) -> Iterator[str]:
    verb = "bring  " if last.undoes else "restore"
    for path, (_, before) in sorted(changed.items()):
        if not path.startswith(f"{layout.FOLDER}/".encode()):
            yield f"  {'delete ' if before is None else verb}  {decoded(path)}"
    for name in repositories:
        yield f"  {verb}  the files of {name}"
    if last.undoes:
        return
    local = last.before.get(layout.RESOURCE_LOCAL_PARAMS) or b"{}"
    known = {params.get("local_path") for params in parse_json(local, file="").values()}
    for other in ws.get_resources():
        if other.is_in_workspace() or other.local_path is None:
            continue
        if other.get_local_params().get("local_path") not in known:
            yield f"  leave    {other.local_path}, which the pull has cloned"


def never_said(ws: OpenWorkspace, last: Intent) -> Draft:
    """The fact that takes back those of a pull, or of undoing one: what was current after it."""
    own = [Fact.from_line(text) for text in last.lines]
    seq = own[-1].seq if own else last.seen.get(ws.instance, 0)
    since = map(Fact.from_line, ws.journal.raw_after(seq).splitlines())
    facts = [fact.id for fact in (*own, *(fact for fact in since if fact.kind in ARRIVED))]
    again = last.undoes is not None
    return f.UNDONE, {"operation": PULL, "again": again, "facts": facts, "current": []}


def note_as_before(ws: OpenWorkspace, last: Intent) -> None:
    """What the origins have is news again, also for who merges it by hand."""
    branch = last.branch.removeprefix("refs/heads/")
    repositories: list[tuple[Git, str, str | None]] = [(ws.git, branch, last.old)]
    for resource in pulled_repositories(ws, last):
        before = last.repositories[as_path(ws.root, resource.folder)]
        repositories.append((resource.git, resource.branch, before))
    for git, name, commit in repositories:
        shared = Shared(git, name, "")
        tip = shared.fetched()
        base = merge_base(git, commit, tip) if commit and tip else None
        if base is not None:
            shared.note(base)


# Once the branch is back


def forget(ws: OpenWorkspace, intent: Intent) -> None:
    """Take away what was recorded elsewhere and came with the pull; the views are folded anew.

    Args:
        ws: The workspace, its files as they were before the pull.
        intent: Of undoing it; in a copied folder, the journal of whoever began that stays whole.
    """
    folder = ws.journal.segments_folder
    for instance in file_names(folder):
        if instance != intent.instance:
            _forget_after(folder / instance, intent.seen.get(instance, 0))
    fault("segments forgotten")
    (ws.root / SEEN_SNAPSHOTS).unlink(missing_ok=True)
    EmbeddedGraph(ws.root / layout.CYPHER, ws.notify).remove()
    renames, ws.journal.renames = ws.journal.renames, tuple  # the index still knows what went
    try:
        ws.fold_anew()
    finally:
        ws.journal.renames = renames


def _forget_after(kept: Path, seq: int) -> None:
    if seq == 0:
        delete_tree(kept)
        return
    (kept / TAKEN_IN).unlink(missing_ok=True)
    for name in segments(kept):
        path = kept / name
        end = last_fact(path)
        if end is None or end.seq <= seq:
            continue
        lines = [line.fact for line in read_lines(path, local=False) if line.fact.seq <= seq]
        if lines:
            write_atomic(path, "".join(fact.to_line() + "\n" for fact in lines).encode())
        else:
            path.unlink()
    sync_folder(kept)


def current_again(ws: OpenWorkspace, entries: Iterable[Json]) -> None:
    """Record what was current before the pull, now that the files are back, with other times."""
    now = {e.ref: e for e in ws.index.entries(ws.id, ws.instance)}
    changed = []
    for item in entries:
        was = Current.from_json(item)
        entry = now.get(was.ref)
        same = entry is not None and (entry.certificate.id, entry.output) == (
            was.certificate,
            was.output,
        )
        resource = ws.get_resource(was.ref.name)
        stamped = entry.fingerprint if entry else None
        fresh = stamped is not None and resource.unchanged(was.ref.subpath, stamped)
        if not same or (item["fits"] and not fresh):
            changed.append(item)
    if changed:
        body = {"hostname": ws.hostname, "current": entries_again(ws, changed), "undoes": PULL}
        ws.record([(f.CURRENT_SET, body)])
