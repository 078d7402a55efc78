"""What the team's graph costs: facts into Neo4j, and what something was made from, asked there.

For each size a real workspace is made (see `pipelines.py`) and synced into a server: the one that
DWS_GRAPH_URL names, else a local one (see `tests/neo4j/local.py`). Beside it the same content, the
nodes and edges as they are in the end, is written by hand: one UNWIND a label and type, as many
rows at a time as go in fastest. Then `upstream` is asked of one ref with some 50 ancestors;
the best of some runs is printed.

    python -m benchmarks.neo4j [STEPS...]      (so: as a script it would hide the driver, by name)

Exits with status 1 when `sync` takes more than 1.5 times as long as writing by hand, or `upstream`
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
from pathlib import Path
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
LIMIT = 1.5
NODES = "UNWIND $rows AS r MERGE (n:<label> {id: r.id}) SET n += r.props"
EDGES = """
UNWIND $rows AS r
MATCH (a:<from> {id: r.source})
MATCH (b:<to> {id: r.target})
MERGE (a)-[e:<type>]->(b)
SET e += r.props
"""


class Cost(NamedTuple):
    """Of one workspace; seconds."""

    steps: int
    sync: float
    by_hand: float
    upstream: float
    ancestors: int


@contextmanager
def server(folder: Path) -> Iterator[GraphAddress]:
    """The server that the environment names, else one of our own."""
    if url := os.environ.get("DWS_GRAPH_URL"):
        user, password = (os.environ.get(f"DWS_GRAPH_{name}") for name in ("USER", "PASSWORD"))
        yield GraphAddress(url, os.environ.get("DWS_GRAPH_DATABASE"), user, password or "")
        return
    own = LocalServer(folder / "server", lasting=True)
    own.start()
    try:
        os.environ.update(own.address.environment())
        yield GraphAddress(own.address.url, None, own.address.user, own.address.password)
    finally:
        own.stop()


def make(folder: Path, steps: int) -> Path:
    """A workspace of so many steps, with a snapshot every 10,000, two at least."""
    folder.mkdir()
    program = str(Path(__file__).with_name("pipelines.py"))
    command = [sys.executable, program, str(folder), str(steps), str(max(2, steps // 10_000))]
    begin = time.perf_counter()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DWS_GRAPH_")}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    print(f"{steps:,} steps: made in {time.perf_counter() - begin:.0f} s", flush=True)
    return folder / "workspace"


def took(work: Callable[[], object]) -> float:
    """How long something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


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


def measure(root: Path, address: GraphAddress, steps: int) -> Cost:
    """What everything costs for one workspace."""
    seconds = took(lambda: sync(root))
    ws = find_and_load_workspace(True, False, str(root))
    graph = Neo4jGraph(address, ws.id)
    try:
        starts = resolve_ref(LAST, workspace_uri_or_path=str(root)).starts
        questions = GraphQuestions(graph.connection.reading)
        found = questions.upstream(starts)
        times = [took(lambda: questions.upstream(starts)) for _ in range(RUNS)]
        texts = content(graph)
        hand = took(lambda: by_hand(graph.connection, texts))
    finally:
        graph.close()
        ws.close()
    return Cost(steps, seconds, hand, min(times), len(found.nodes) - 1)


def judged(costs: list[Cost]) -> int:
    """Prints all; the exit status."""
    print(f"{'steps':>10}{'sync':>12}{'by hand':>12}{'ratio':>8}{'upstream':>14}")
    for cost in costs:
        rates = [f"{cost.steps / seconds:,.0f}/s" for seconds in (cost.sync, cost.by_hand)]
        ratio = cost.sync / cost.by_hand
        asked = f"{cost.upstream * 1000:.1f} ms of {cost.ancestors}"
        print(f"{cost.steps:>10,}{rates[0]:>12}{rates[1]:>12}{ratio:>8.2f}{asked:>20}")
    wrong = [f"sync takes {c.sync / c.by_hand:.2f} times as long at {c.steps:,} steps"
             for c in costs[-1:] if c.sync > LIMIT * c.by_hand]  # fmt: skip
    growth = costs[-1].upstream / costs[0].upstream
    if growth > LIMIT:
        wrong.append(f"upstream takes {growth:.2f} times as long at the last size")
    print(*wrong, sep="\n")
    return bool(wrong)


def main() -> int:
    """Makes and measures all; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 100_000])
    sizes = parser.parse_args().sizes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "gitconfig").write_text("[user]\n    name = B\n    email = b@example.com\n")
        os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
        roots = [make(folder / str(size), size) for size in sizes]
        with server(folder) as address:
            costs = [measure(root, address, size) for root, size in zip(roots, sizes, strict=True)]
    return judged(costs)


if __name__ == "__main__":
    sys.exit(main())
