"""What the team's graph costs: facts into Neo4j, and what something was made from, asked there.

For each size a real workspace is made (see `pipelines.py`) and synced into a server: the one that
DWS_GRAPH_URL names, else a local one (see `tests/neo4j/local.py`). Beside it the same content, the
nodes and edges as they are in the end, is written by hand: one UNWIND a label and type, as many
rows at a time as go in fastest, by a client that has them in memory; `sync` also reads the journal
and folds it, in a process of its own. Both are timed, and, where the server is a local one, the CPU
time of client and server together is taken: on a busy machine it is the one to go by. Each is done
some times without counting, since a server compiles its code as it goes, and then in turn, each
time into an empty graph; the median counts. Then `upstream` is asked of one
ref with some 50 ancestors; the best of some runs is printed.

    python -m benchmarks.neo4j [--repeat N] [--workspaces FOLDER] [STEPS...]

(As a script it would hide the driver.) Workspaces are kept in the folder, if one is given, for the
next time.

Exits with status 1 when `sync` takes more than 1.5 times the time of writing by hand, or `upstream`
at the last size more than 1.5 times as long as at the first.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from dws_graph.api import resolve_ref
from dws_graph.backends.graph.connecting import Connection, GraphAddress
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.graph.questions import GraphQuestions
from dws_graph.workspace.opening import find_and_load_workspace
from tests.neo4j.local import LocalServer

LAST = "made:/s13a"
BATCH = 5_000  # rows by hand at a time
RUNS = 30
WARM = 20_000  # steps that are written, by sync and by hand, before it counts
LIMIT = 1.5
NODES = "UNWIND $rows AS r MERGE (n:<label> {id: r.id}) SET n += r.props"
EDGES = """
UNWIND $rows AS r
MATCH (a:<from> {id: r.source})
MATCH (b:<to> {id: r.target})
MERGE (a)-[e:<type>]->(b)
SET e += r.props
"""


class Took(NamedTuple):
    """Seconds, by the clock and of CPU; of the server where it is a local one."""

    wall: float
    client: float
    server: float

    @property
    def cpu(self) -> float:
        """Of both."""
        return self.client + self.server

    def __str__(self) -> str:
        return f"{self.wall:.1f} s (CPU {self.client:.1f} + {self.server:.1f} s)"


class Cost(NamedTuple):
    """Of one workspace: each of `sync` and `by_hand` as often as it was done; seconds."""

    steps: int
    sync: list[Took]
    by_hand: list[Took]
    upstream: float
    ancestors: int

    def ratios(self) -> tuple[float, float]:
        """The medians of the times, and of the CPU times, that `sync` takes to those by hand."""
        pairs = list(zip(self.sync, self.by_hand, strict=True))
        wall = median(sync.wall / hand.wall for sync, hand in pairs)
        return wall, median(sync.cpu / hand.cpu for sync, hand in pairs)


@contextmanager
def server(folder: Path) -> Iterator[tuple[GraphAddress, int | None]]:
    """The server that the environment names, else one of our own, and its process."""
    if url := os.environ.get("DWS_GRAPH_URL"):
        user, password = (os.environ.get(f"DWS_GRAPH_{name}") for name in ("USER", "PASSWORD"))
        yield GraphAddress(url, os.environ.get("DWS_GRAPH_DATABASE"), user, password or ""), None
        return
    own = LocalServer(folder / "server", lasting=True)
    own.start()
    try:
        os.environ.update(own.address.environment())
        given = own.address
        yield GraphAddress(given.url, None, given.user, given.password), own.pid
    finally:
        own.stop()


def make(folder: Path, steps: int) -> Path:
    """A workspace of so many steps, with a snapshot every 10,000, two at least."""
    made = folder / "made"
    if made.exists():
        return folder / "workspace"
    folder.mkdir()
    program = str(Path(__file__).with_name("pipelines.py"))
    command = [sys.executable, program, str(folder), str(steps), str(max(2, steps // 10_000))]
    begin = time.perf_counter()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DWS_GRAPH_")}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    made.touch()
    print(f"{steps:,} steps: made in {time.perf_counter() - begin:.0f} s", flush=True)
    return folder / "workspace"


def took(work: Callable[[], object], pid: int | None = None) -> Took:
    """How long something takes, in this process and its children, and in that one."""
    begin = (time.perf_counter(), _own_cpu(), _cpu_of(pid))
    work()
    end = (time.perf_counter(), _own_cpu(), _cpu_of(pid))
    return Took(*(after - before for before, after in zip(begin, end, strict=True)))


def _own_cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _cpu_of(pid: int | None) -> float:
    """Of another process, where the system tells."""
    stat = Path(f"/proc/{pid}/stat")
    if pid is None or not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sync(root: Path) -> None:
    """As a person would type it."""
    command = [sys.executable, "-m", "dws_graph", "graph", "sync", "--view", "neo4j"]
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)


def content(graph: Neo4jGraph) -> list[tuple[str, list[dict[str, Any]]]]:
    """(text, rows) that write what the graph holds of the workspace, under other ids."""
    nodes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    edges: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    labels: dict[str, str] = {}
    dump = graph.dump()
    for node in dump["nodes"]:
        properties = {k: v for k, v in node["properties"].items() if k != "id"}
        properties["workspace"] = f"{graph.workspace} by hand"
        key = node["properties"]["id"]
        labels[key] = node["labels"][0]  # Certificate, before Hash and Placeholder
        text = NODES.replace("<label>", labels[key])
        more = "".join(f" SET n:{label}" for label in node["labels"][1:])
        nodes[text + more].append({"id": f"{key} by hand", "props": properties})
    for edge in dump["edges"]:
        row = {end: f"{edge[end]} by hand" for end in ("source", "target")}  # type: ignore[literal-required]
        ends = (labels[edge["source"]], edge["type"], labels[edge["target"]])
        edges[ends].append({**row, "props": edge["properties"]})
    texts = list(nodes.items())
    for (source, kind, target), rows in edges.items():
        text = EDGES.replace("<from>", source).replace("<type>", kind).replace("<to>", target)
        texts.append((text, rows))
    return texts


def by_hand(connection: Connection, texts: list[tuple[str, list[dict[str, Any]]]]) -> None:
    """Writes it."""
    for text, rows in texts:
        for at in range(0, len(rows), BATCH):
            some = rows[at : at + BATCH]
            connection.write(lambda tx, t=text, s=some: tx.run(t, rows=s).consume())


def measure(root: Path, address: GraphAddress, pid: int | None, steps: int, repeat: int) -> Cost:
    """What everything costs for one workspace."""
    ws = find_and_load_workspace(True, False, str(root))
    graph = Neo4jGraph(address, ws.id)
    copy = Neo4jGraph(address, f"{ws.id} by hand")
    try:
        syncs: list[Took] = []
        hands: list[Took] = []
        warm = max(1, WARM // steps)
        for number in range(1 - warm, repeat + 1):
            graph.drop()
            synced = took(lambda: sync(root), pid)
            texts = content(graph)
            written = took(partial(by_hand, graph.connection, texts), pid)
            copy.drop()
            note = "" if number > 0 else ", not counted"
            print(f"{steps:,} steps, {number}: {synced}, by hand {written}{note}", flush=True)
            if number > 0:
                syncs.append(synced)
                hands.append(written)
        starts = resolve_ref(LAST, workspace_uri_or_path=str(root)).starts
        questions = GraphQuestions(graph.connection.reading)
        found = questions.upstream(starts)
        times = [took(lambda: questions.upstream(starts)).wall for _ in range(RUNS)]
    finally:
        graph.close()
        copy.close()
        ws.close()
    return Cost(steps, syncs, hands, min(times), len(found.nodes) - 1)


def judged(costs: list[Cost]) -> int:
    """Prints all; the exit status."""
    print(f"{'steps':>10}{'sync':>12}{'by hand':>12}{'ratio':>8}{'of CPU':>8}{'upstream':>20}")
    for cost in costs:
        walls = [median(one.wall for one in some) for some in (cost.sync, cost.by_hand)]
        rates = [f"{cost.steps / seconds:,.0f}/s" for seconds in walls]
        wall, cpu = cost.ratios()
        asked = f"{cost.upstream * 1000:.1f} ms of {cost.ancestors}"
        print(f"{cost.steps:>10,}{rates[0]:>12}{rates[1]:>12}{wall:>8.2f}{cpu:>8.2f}{asked:>20}")
    ratio = costs[-1].ratios()[0]
    wrong = [f"sync takes {ratio:.2f} times as long as by hand"] if ratio > LIMIT else []
    growth = costs[-1].upstream / costs[0].upstream
    if growth > LIMIT:
        wrong.append(f"upstream takes {growth:.2f} times as long at the last size")
    print(*wrong, sep="\n")
    return bool(wrong)


def main() -> int:
    """Makes and measures all; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 100_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workspaces", type=Path, help="a folder for the next time, too")
    options = parser.parse_args()
    sizes = options.sizes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "gitconfig").write_text("[user]\n    name = B\n    email = b@example.com\n")
        os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
        kept = options.workspaces.resolve() if options.workspaces else folder
        kept.mkdir(parents=True, exist_ok=True)
        roots = [make(kept / str(size), size) for size in sizes]
        with server(folder) as (address, pid):
            costs = [
                measure(root, address, pid, size, options.repeat)
                for root, size in zip(roots, sizes, strict=True)
            ]
    return judged(costs)


if __name__ == "__main__":
    sys.exit(main())
