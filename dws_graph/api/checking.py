"""`dws doctor`: what is wrong with a workspace, and how to mend it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from dws_graph.api.checking_resources import check_kept_content, check_resources
from dws_graph.api.checking_snapshots import check_snapshots
from dws_graph.api.findings import REBUILD, Finding, error, from_git, note
from dws_graph.backends.comparing import differences, foreign_ids, less_foreign
from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.index import Index
from dws_graph.backends.journal.instance import read_instance
from dws_graph.backends.journal.lines import read_lines
from dws_graph.backends.mending import how_to_mend
from dws_graph.backends.views import View
from dws_graph.errors import ConfigurationError, DwsError, InternalError, ViewUnavailableError
from dws_graph.model.facts import Line
from dws_graph.model.values import parse_json
from dws_graph.workspace import layout
from dws_graph.workspace.committed import not_as_committed
from dws_graph.workspace.credentials import graph_url
from dws_graph.workspace.intent import read_intent
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.opening import find_and_load_workspace
from dws_graph.workspace.reading import living
from dws_graph.workspace.team import team_graph
from dws_graph.workspace.telling import tell

PLAIN_FILES = (
    layout.CONFIG,
    layout.OWN,
    layout.RESOURCES,
    layout.LOCAL_PARAMS,
    layout.RESOURCE_LOCAL_PARAMS,
    layout.OWN_LOCAL_PARAMS,
)
MISSPELT = b'"is_ouput"'


def doctor(workspace_uri_or_path: str | None = None, verbose: bool = False) -> list[Finding]:
    """Check a workspace; no findings when all is well.

    Args:
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no workspace.
    """
    try:
        ws = find_and_load_workspace(True, verbose, workspace_uri_or_path, notify=tell)
    except InternalError as e:  # a damaged file: that is what was asked for
        return [error(e.message, e.hint)]
    try:
        return doctor_in(ws)
    finally:
        ws.close()


def doctor_in(ws: OpenWorkspace) -> list[Finding]:
    """See `doctor`."""
    found: list[Finding] = []
    for check in (
        _files,
        check_snapshots,
        check_journal,
        _views,
        check_resources,
        check_kept_content,
        _leftovers,
    ):
        try:
            found += check(ws)
        except DwsError as e:
            found.append(error(e.message, e.hint))
    told = " ".join(f"{finding['what']} {finding['mend']}" for finding in found)
    return [*(f for path, f in _committed(ws) if path not in told), *found]


def _files(ws: OpenWorkspace) -> Iterator[Finding]:
    """Every metadata file is JSON."""
    folder = ws.root / layout.FOLDER
    paths = [ws.root / path for path in PLAIN_FILES]
    paths += sorted((folder / "snapshot_lineage").rglob("*.json"))
    misspelt = 0
    for path in paths:
        if not path.is_file():
            continue
        raw = path.read_bytes()
        try:
            parse_json(raw, file=str(path))
        except InternalError as e:
            yield error(e.message, from_git(ws, path))
        misspelt += MISSPELT in raw
    if misspelt:
        yield note(
            f"{misspelt} lineage files spell 'is_output' as Data Workspaces 1.6 does, 'is_ouput'",
            "Nothing to do: both are read.",
        )


def _committed(ws: OpenWorkspace) -> Iterator[tuple[str, Finding]]:
    """Every committed metadata file is as it was committed; those that are not, by path."""
    for path in not_as_committed(ws):
        yield (
            path,
            error(
                f"{ws.root / path} is not as it was committed",
                f"If you have not changed it: git checkout HEAD -- {shlex.quote(path)}. "
                "If you have, commit it.",
            ),
        )


def check_journal(ws: OpenWorkspace) -> Iterator[Finding]:
    """Every line names the line before it; what git holds of each copy is what is read here."""
    for path in ws.journal.damaged_copies():
        yield error(f"{path} is not what git has of it", how_to_mend(path))
    last: dict[str, Line] = {}
    for line in ws.journal.since({}):
        before = last.get(line.fact.instance)
        seq, hashval = (before.fact.seq, before.hash) if before else (0, "")
        if line.fact.seq != seq + 1 or line.fact.prev != hashval:
            yield error(
                f"{line.file}: fact {line.fact.seq} does not follow fact {seq}",
                how_to_mend(Path(line.file)),
            )
        last[line.fact.instance] = line
    sealed = ws.root / layout.JOURNAL / ws.instance
    mine = {line.fact.seq: line.hash for line in _own(ws)}
    for path in sorted(sealed.glob("*.jsonl")):
        for line in read_lines(path, local=False):
            if mine.get(line.fact.seq) != line.hash:
                yield error(
                    f"{path}: fact {line.fact.seq} is not the one in {ws.journal.path}",
                    f"See which of the two git knows: git log -p -- {layout.JOURNAL}.",
                )
                break


def _own(ws: OpenWorkspace) -> Iterator[Line]:
    if ws.journal.path.exists():
        yield from read_lines(ws.journal.path, local=True)


def _views(ws: OpenWorkspace) -> Iterator[Finding]:
    """Each view holds what a fold of the journal gives, as far as it is."""
    ws.catch_up()
    with TemporaryDirectory(prefix="dws-") as folder, Index(Path(folder) / "index.db") as fresh:
        fresh.apply(ws.journal.since({}))  # beside: it may be larger than memory
        yield from _differences(ws.index, fresh)
        cypher = EmbeddedGraph(ws.root / layout.CYPHER)
        if cypher.path.exists():
            yield from _compared(cypher, fresh)
        yield from _neo4j(ws, fresh)


def _neo4j(ws: OpenWorkspace, fresh: Index) -> Iterator[Finding]:
    """What the team's graph holds of this workspace, where it answers.

    Other copies may have recorded there what no pull has brought here yet; and what this one
    imported is told by the workspaces that it is of.
    """
    try:
        if graph_url(ws) is None:
            return
        with team_graph(ws) as graph:
            applied, have = graph.applied(), fresh.applied()
            more = (
                now.seq - (have[key].seq if key in have else 0)
                for key, now in applied.items()
                if key[1] != ws.instance
            )
            if ahead := sum(n for n in more if n > 0):
                yield note(
                    f"the view neo4j was not compared: it holds {ahead} facts of other copies "
                    "that are not here",
                    "They come with: dws pull.",
                )
            else:
                foreign = foreign_ids(fresh.items(), ws.id)
                yield from _compared(graph, fresh, foreign)
    except (ConfigurationError, ViewUnavailableError) as e:
        yield note(f"the view neo4j was not checked: {e.message}", e.hint)


def _compared(view: View, fresh: Index, foreign: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """A view that is not up to date is not compared."""
    applied, have = view.applied(), fresh.applied()
    if any(seq.seq > have[key].seq for key, seq in applied.items() if key in have) or (
        applied.keys() - have.keys()
    ):
        yield error(
            f"the view {view.name} holds facts that the journal lacks", REBUILD.format(view.name)
        )
    elif {k: v.hash for k, v in applied.items()} == {k: v.hash for k, v in have.items()}:
        yield from _differences(view, fresh, foreign)


def _differences(
    view: View, fresh: Index, foreign: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    pair = less_foreign(view.items, foreign), less_foreign(fresh.items, foreign)
    if found := differences(*pair, limit=3, names=(f"the view {view.name}", "the journal")):
        yield error(
            f"the view {view.name} is not what the journal gives: {'; '.join(found)}",
            REBUILD.format(view.name),
        )


def _leftovers(ws: OpenWorkspace) -> Iterator[Finding]:
    """No operation and no step was left half done; the copy knows itself."""
    if not ws.writable:
        yield note(f"{ws.folder} cannot be written", "Change its permissions to record steps.")
        return
    intent = read_intent(ws.root / layout.INTENT)
    if intent is not None:
        yield note(
            f"an operation is under way: {intent.operation}",
            "If no other dws runs, the next command finishes or undoes it.",
        )
    instance = read_instance(ws.root / layout.LOCAL)
    if instance is None or not instance.here or instance.id != ws.instance:
        yield error(
            f"{ws.root / layout.LOCAL} does not name this copy of the workspace",
            "The next command gives it a name of its own.",
        )
    for step in living(ws)[1]:
        yield note(
            f"step '{step.name}', begun {step.start_time}, never ended: its process is gone",
            "Run it again.",
        )
