"""Commits of the workspace's repository, and what follows them.

The branch moves once an operation, and that is the moment it is done. Before, everything can be
undone; after, the rest is only carried out: the local journal gets the lines that the commit
seals, files of the commit come to disk, the user's index follows for the committed paths.
Source: docs/formats.md, "Write order".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import Begun, make_folder, write_atomic
from dws_graph.backends.git.command import check_git
from dws_graph.backends.git.index import ScratchIndex, reset_index
from dws_graph.backends.git.merging import changes
from dws_graph.backends.git.remembering import Answers
from dws_graph.backends.git.state import check_settled
from dws_graph.backends.journal.journal import Draft
from dws_graph.backends.journal.lines import last_fact, read_lines
from dws_graph.errors import ConfigurationError, GitError, JsonError, some_of
from dws_graph.model.facts import Fact, Line, line_hash
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.moving import SNAPSHOTS, move_again, remove_empty
from dws_graph.resources.terms import LINEAGE_FILE
from dws_graph.resources.updating import bring_files
from dws_graph.workspace import layout
from dws_graph.workspace.aside import delete_tree, is_aside
from dws_graph.workspace.intent import PULL, Intent, as_path, keep_intent, read_intent, write_intent
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.undoing import is_ours, undo

_sealed: Answers[int] = Answers()  # by commit and instance


def check_repository(ws: OpenWorkspace) -> str:
    """The workspace's branch (full ref name), if its repository can be committed to.

    Raises:
        GitError: HEAD is detached, a merge or the like is under way, or git knows no name.
    """
    check_git()
    check_settled(ws.git, "the workspace's repository")
    branch = ws.git.branch()
    if branch is None:
        raise GitError(
            "the workspace's repository is on no branch (detached HEAD)",
            hint="Type: git switch BRANCH.",
        )
    ws.git.check_identity()
    return f"refs/heads/{branch}"


def commit_change(
    ws: OpenWorkspace,
    message: str,
    files: Mapping[str, bytes],
    drafts: Iterable[Draft] = (),
    *,
    operation: str = "change",
    remove: Sequence[str] = (),
    more: Callable[[Intent], Intent] = lambda intent: intent,
) -> None:
    """One change of the workspace's own files: one commit, with the facts that tell of it.

    Args:
        ws: The workspace, locked by the caller or not.
        message: Of the commit.
        files: Content by path from the root.
        drafts: Facts that become true with the commit.
        operation: For people, should it be interrupted.
        remove: Files, and folders, that the commit takes out; files go from disk too.
        more: Adds to the intent: what moves, what lies outside of the commit.
    """
    with ws.locked():
        branch = check_repository(ws)
        old = ws.git.head()
        gone = tuple(path for path in remove if (ws.root / path).is_file())
        intent = Intent(
            operation=operation, instance=ws.instance, branch=branch, old=old, removed=gone
        )
        intent = more(intent)
        with intended(ws, intent) if intent.moves else nullcontext():
            for folder, moves in intent.moves.items():
                move_again(ws.root / folder, moves)
            _commit_files(ws, intent, message, files, drafts, remove)
        ws.reload()


def _commit_files(
    ws: OpenWorkspace,
    intent: Intent,
    message: str,
    files: Mapping[str, bytes],
    drafts: Iterable[Draft],
    remove: Sequence[str],
) -> None:
    old = intent.old
    with ws.journal.locked(), ScratchIndex(ws.git) as index:
        finish_interrupted(ws)
        lines = ws.journal.draft(drafts)
        sealed = sealed_segments(ws, old, lines)
        index.reset_outside([layout.FOLDER + "/none"], old)
        index.remove(remove)
        index.add_blobs({**files, **sealed})
        tree = index.write_tree()
        if old is not None and tree == ws.git.tree_of(old):
            return
        commit = ws.git.commit_tree(tree, [old] if old else [], message)
        reset = [*files, *sealed, *remove]
        settle(ws, intent, commit, lines, {**files, **sealed}, reset=reset)


@contextmanager
def intended(ws: OpenWorkspace, intent: Intent) -> Iterator[None]:
    """Write down what is about to be done; what fails before it is done is undone."""
    write_intent(ws.root / layout.INTENT, intent)
    fault("intent written")
    try:
        yield
    except BaseException:
        left = read_intent(ws.root / layout.INTENT)
        if left is not None and not _is_done(ws, left):
            undo(ws, left)
        raise


def settle(
    ws: OpenWorkspace,
    intent: Intent,
    commit: str,
    lines: Sequence[Line],
    files: Mapping[str, bytes],
    *,
    reset: Sequence[str],
    begun: Begun | None = None,
) -> None:
    """Make an operation done: move the branch, then carry out the rest.

    Args:
        ws: The workspace; the caller holds the journal's lock.
        intent: The operation.
        commit: What it comes to.
        lines: What the journal gets.
        files: Content by path from the root.
        reset: Paths that the user's index is to have as the commit has them.
        begun: Those of the files that are on disk already but for their names.

    Raises:
        GitError: Somebody committed meanwhile; nothing happened.
    """
    before = {path: ws.file_content(path) for path in intent.outside}
    intent = replace(intent, before={**before, **intent.before})
    texts = [line.fact.to_line() for line in lines]
    intent = intent.with_commit(commit, texts, files, reset)
    write_intent(ws.root / layout.INTENT, intent)
    fault("intent names commit")
    ws.git.update_ref(intent.branch, commit, intent.old, reason=f"dws {intent.operation}")
    fault("branch moved")
    if sealed := [path for path in files if path.startswith(f"{layout.JOURNAL}/{ws.instance}/")]:
        _sealed.know((commit, ws.instance), _last_seq(files[max(sealed)]))
    carry_out(ws, intent, files, begun)


def carry_out(
    ws: OpenWorkspace,
    intent: Intent,
    files: Mapping[str, bytes] | None = None,
    begun: Begun | None = None,
) -> None:
    """What follows the commit; doing it twice is as doing it once.

    Args:
        ws: The workspace.
        intent: The operation, done.
        files: Content of the files to write; None to ask the commit for it.
        begun: Those of them that are on disk already but for their names.
    """
    commit = intent.commit
    if commit is None:
        raise GitError("an operation without a commit cannot be carried out")
    if intent.instance == ws.instance:  # else a copied folder reads them from the segment
        with ws.journal.locked():
            head = ws.journal.head()
            facts = [Fact.from_line(text) for text in intent.lines]
            lines = [
                Line(fact, line_hash(text), head.offset)  # offsets are counted again when read
                for fact, text in zip(facts, intent.lines, strict=True)
            ]
            ws.journal.append_lines(lines)
            _note_sealed(ws)
    fault("journal appended")
    contents = ws.git.cats(commit, intent.written) if files is None else files
    with begun or Begun() as ahead:
        _bring(ws, {path: contents[path] for path in intent.written}, ahead)
    for path, content in intent.outside.items():
        if is_ours(ws, intent, path):
            _put(ws.root / path, content)
    for path in intent.removed:
        _put(ws.root / path, None)
    gone = [path for path, content in intent.outside.items() if content is None]
    for folder in intent.moves:
        below = {os.path.relpath(p, folder) for p in gone if Path(p).is_relative_to(folder)}
        remove_empty(ws.root / folder, {os.path.dirname(path) for path in below})
    if intent.removed or intent.moves:
        ws.reload()
        remove_empty(ws.root, _left_empty(ws, intent.removed))
        for folder in workspace_folders(ws):
            make_folder(ws.root / folder)
    _commit_exported(ws, intent)
    changed = _update_files(ws, intent)
    fault("files written")
    reset_index(ws.git, commit, [*intent.reset, *changed])
    fault("index reset")
    ws.catch_up()
    if intent.undoes == PULL:
        from dws_graph.workspace.undoing_pulls import current_again, forget

        forget(ws, intent)
        if intent.instance == ws.instance:
            current_again(ws, intent.entries)
    elif intent.updates and intent.instance == ws.instance:
        from dws_graph.workspace.arriving import arrive, arrived_names, follow_renames

        follow_renames(ws)
        arrive(ws, arrived_names(ws, changed, intent.repositories))
    _is_last(ws, intent)


def _bring(ws: OpenWorkspace, contents: Mapping[str, bytes | None], begun: Begun) -> None:
    """Write what is not on disk like that already."""
    begin(ws, contents, begun)
    begun.finish()


def begin(ws: OpenWorkspace, contents: Mapping[str, bytes | None], begun: Begun) -> None:
    """Have on disk, but for its name, what is not on disk like that already.

    Hash trees are not waited for: they are checked when they are read, and then taken from the
    commit if a power cut has left half of one.
    """
    differing: dict[Path, bytes] = {}
    trees: dict[Path, bytes] = {}
    for path, content in contents.items():
        target = ws.root / path
        if content is None or target in begun:
            continue
        if target.is_file() and target.read_bytes() == content:
            continue
        make_folder(target.parent)
        to = trees if path.startswith(f"{layout.HASH_TREES}/") else differing
        to[target] = content
    begun.add(differing)
    begun.add(trees, fsync=False)


def _put(path: Path, content: bytes | None) -> None:
    """Write a file, or take it away."""
    if content is not None:
        make_folder(path.parent)
        write_atomic(path, content)
    elif os.path.lexists(path):
        fault(f"unlink {path.name}")
        path.unlink()


def _left_empty(ws: OpenWorkspace, removed: Iterable[str]) -> set[str]:
    """The folders of files that were removed; those that are resources stay, empty or not."""
    kept = {os.path.normpath(folder) for folder in workspace_folders(ws)}
    return {os.path.dirname(path) for path in removed} - kept


def _is_last(ws: OpenWorkspace, intent: Intent) -> None:
    """The operation can be undone from now on; what the one before it kept aside goes."""
    discard_aside(ws, keep=intent.aside)
    keep_intent(ws.root / layout.INTENT, ws.root / layout.LAST)


def keep_uncommitted(
    ws: OpenWorkspace,
    operation: str,
    before: dict[str, bytes | None],
    brought: Sequence[str] = (),
) -> None:
    """Keep what an operation that makes no commit is about to change, so that it can be undone.

    Args:
        ws: The workspace.
        operation: Its name.
        before: {path: what the file holds}; None of one that is not there.
        brought: Resources whose files it changed without keeping those of before: then it cannot.
    """
    discard_aside(ws)
    branch = ws.git.branch()
    intent = Intent(
        operation=operation,
        instance=ws.instance,
        branch=f"refs/heads/{branch}" if branch else "",
        old=None,
        before=before,
        brought=tuple(brought),
    )
    write_intent(ws.root / layout.LAST, intent)


def last_operation(ws: OpenWorkspace) -> Intent | None:
    """The operation that this copy of the workspace did last; None where it did none."""
    try:
        found = read_intent(ws.root / layout.LAST)
    except JsonError:
        return None  # it can be done without
    return found if found is not None and found.instance == ws.instance else None


def discard_aside(ws: OpenWorkspace, keep: Sequence[str] = ()) -> None:
    """Delete what the last operation had moved aside, but for these folders."""
    last = last_operation(ws)
    for folder in last.aside if last else ():
        path = ws.root / folder
        if folder not in keep and is_aside(path):
            delete_tree(path)


def _update_files(ws: OpenWorkspace, intent: Intent) -> list[bytes]:
    """Bring to disk what a pulled commit changed; the paths."""
    if not intent.updates or intent.old is None or intent.commit is None:
        return []
    changed = changes(ws.git, intent.old, intent.commit)
    left = bring_files(ws.git, changed)
    if left:
        ws.notify(f"{some_of(left)}: left as it is, since it was changed meanwhile")
    ws.reload()
    for folder in workspace_folders(ws):  # git keeps no empty ones
        make_folder(ws.root / folder)
    return list(changed)


def _commit_exported(ws: OpenWorkspace, intent: Intent) -> None:
    """Commit the `lineage.json` just written into repositories of their own."""
    for resource in ws.get_resources() if intent.outside else ():
        if not isinstance(resource, GitResource) or not resource.is_exported():
            continue
        path = resource.local_path
        here = f"{as_path(ws.root, path)}/" if path else ""
        if path and intent.outside.get(f"{here}{LINEAGE_FILE}") is not None:
            below = [f"{here}{LINEAGE_FILE}", *(p for p in intent.outside if _is_copys(p, here))]
            try:
                resource.commit_lineage([file.removeprefix(here) for file in below])
            except GitError:  # a lock that a killed git left, say: the next command goes on here
                raise
            except ConfigurationError as e:  # it is on another branch since: nothing is lost
                ws.notify(f"{path / LINEAGE_FILE} is not committed: {e.message}")


def _is_copys(path: str, folder: str) -> bool:
    """Whether a file is the `lineage.json` of a snapshot's results, in a resource's folder."""
    return path.startswith(f"{folder}{SNAPSHOTS}/") and path.endswith(f"/{LINEAGE_FILE}")


def finish_interrupted(ws: OpenWorkspace) -> bool:
    """Carry out the rest of an operation that was killed after its commit.

    Every appender calls it under the journal's lock, or its fact would get the number of one
    that the commit has sealed already.

    Returns:
        Whether there was one.
    """
    intent = read_intent(ws.root / layout.INTENT)
    if intent is None or intent.commit is None or intent.instance != ws.instance:
        return False
    if not _is_done(ws, intent):
        return False
    if ws.journal.head().seq < Fact.from_line(intent.lines[-1]).seq if intent.lines else False:
        ws.journal.append_lines([Line(Fact.from_line(t), line_hash(t), 0) for t in intent.lines])
    return True


def recover(ws: OpenWorkspace) -> None:
    """Finish or undo what a killed command left; a living one is left alone."""
    if not ws.writable or not (ws.root / layout.INTENT).exists():
        return
    with ws.locked_at_once() as got:
        if got:
            recover_locked(ws)
            ws.reload()


def recover_locked(ws: OpenWorkspace) -> None:
    """The same for one who holds the workspace's lock."""
    intent = read_intent(ws.root / layout.INTENT)
    if intent is None:
        return
    if intent.commit is not None and _is_done(ws, intent):
        carry_out(ws, intent)
        ws.notify(f"finished an interrupted {intent.operation}")
    else:
        undo(ws, intent)
        ws.notify(f"undid an interrupted {intent.operation}")


def _is_done(ws: OpenWorkspace, intent: Intent) -> bool:
    """Whether the branch holds the operation's commit; where that is an earlier one, no more."""
    tip = ws.git.object_id(f"{intent.branch}^{{commit}}")
    if tip is None or intent.commit is None or not ws.git.has_commit(intent.commit):
        return False
    if tip == intent.commit:
        return True
    if intent.undoes != PULL or intent.old in (None, intent.commit):
        return ws.git.is_ancestor(intent.commit, tip)
    # the branch held the earlier commit from the beginning, and is back when it holds no later one
    return ws.git.is_ancestor(intent.commit, tip) and not ws.git.is_ancestor(intent.old, tip)


def sealed_segments(ws: OpenWorkspace, at: str | None, lines: Sequence[Line]) -> dict[str, bytes]:
    """What a commit seals: the facts that its branch does not hold yet, as segment files.

    Args:
        ws: The workspace; the caller holds the journal's lock.
        at: The commit that the new one follows.
        lines: Facts that become true with the commit.
    """
    files = {}
    seq = _sealed_up_to(ws, at, ws.instance)
    raw = ws.journal.raw_after(seq, _hint(ws, seq))
    raw += "".join(line.fact.to_line() + "\n" for line in lines).encode()
    if raw:
        files[f"{layout.JOURNAL}/{ws.instance}/{seq + 1:010d}.jsonl"] = raw
    for instance, paths in ws.journal.others().items():
        folder = f"{layout.JOURNAL}/{instance}"
        for path in paths:  # of a copied folder, whose journal came along
            sealed = ws.root / folder / path.name
            if not sealed.exists():
                files[f"{folder}/{path.name}"] = path.read_bytes()
            elif path.stat().st_size > sealed.stat().st_size:
                files |= _tail(ws, path, folder)
    return files


def _tail(ws: OpenWorkspace, path: Path, folder: str) -> dict[str, bytes]:
    """What a journal that came along holds beyond its sealed segments, as one more of them.

    Its name ends with this instance's, since the other may seal the same facts itself.
    """
    ends = [last_fact(other) for other in (ws.root / folder).glob("*.jsonl")]
    seq = max((end.seq for end in ends if end), default=0)
    lines = [line.fact for line in read_lines(path, local=False) if line.fact.seq > seq]
    raw = "".join(fact.to_line() + "\n" for fact in lines).encode()
    return {f"{folder}/{seq + 1:010d}-{ws.instance[:8]}.jsonl": raw} if raw else {}


def _sealed_up_to(ws: OpenWorkspace, at: str | None, instance: str) -> int:
    """The highest number of an instance's facts that a commit holds."""
    if at is None:
        return 0
    return _sealed.get((at, instance), lambda: _ask_sealed(ws, at, instance))


def _ask_sealed(ws: OpenWorkspace, at: str, instance: str) -> int:
    folder = f"{layout.JOURNAL}/{instance}"
    names = ws.git.names_in(at, folder)
    return _last_seq(ws.git.cat(at, f"{folder}/{max(names)}") or b"") if names else 0


def _last_seq(segment: bytes) -> int:
    return Fact.from_line(segment.rstrip(b"\n").rsplit(b"\n", 1)[-1]).seq


def _hint(ws: OpenWorkspace, seq: int) -> int:
    """The offset in the local journal after fact `seq`, where it was noted; else 0."""
    try:
        noted = ws.read_object(layout.SEALED, missing_ok=True)
    except (OSError, GitError):
        return 0
    size = ws.journal.path.stat().st_size if ws.journal.path.exists() else 0
    fits = noted.get("seq") == seq and noted.get("offset", 0) <= size
    return int(noted["offset"]) if fits else 0


def _note_sealed(ws: OpenWorkspace) -> None:
    head = ws.journal.head()
    text = f'{{"seq":{head.seq},"offset":{head.offset}}}\n'
    write_atomic(ws.root / layout.SEALED, text.encode(), fsync=False)


def content_commit(
    ws: OpenWorkspace,
    head: str | None,
    folders: Sequence[str],
    message: str,
    *,
    but: Sequence[str] = (),
) -> str | None:
    """A commit of what is in these folders now, as an object that no branch names.

    Args:
        ws: The workspace.
        head: The commit it follows.
        folders: Of git-subdirectory resources.
        message: Of the commit.
        but: Files in them that it leaves out.

    Returns:
        `head` itself when nothing changed.
    """
    if not folders:
        return head
    with ScratchIndex(ws.git) as index:
        index.reset_outside(folders, head)
        index.add(list(folders))
        index.remove(but)
        tree = index.write_tree()
        if head is not None and tree == ws.git.tree_of(head):
            return head
        index.lend(folders, head)
        return ws.git.commit_tree(tree, [head] if head else [], message)


def workspace_folders(ws: OpenWorkspace) -> list[str]:
    """The folders of the workspace's own repository that are resources."""
    return [
        resource.relative_path
        for resource in ws.get_resources()
        if isinstance(resource, GitSubdirectoryResource)
    ]


def existing_folders(root: str | os.PathLike[str]) -> list[str]:
    """All folders below one, relative to it, so that empty ones can be made again."""
    found = []
    for top, folders, _ in os.walk(root):
        for name in folders:
            found.append(os.path.relpath(os.path.join(top, name), root))
    return found
