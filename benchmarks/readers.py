"""A service under load: 200 readers at once and a writer, on a workspace's index and on Neo4j.

    python -m benchmarks.readers [--readers 200] [--seconds 60] [--steps 2000] [--view index|neo4j]

A real workspace is made (see `pipelines.py`), and `dws serve --data` serves it, in a process of its
own: at first its index, then the Neo4j that it was synced into, a local server (see
`tests/neo4j/local.py`). Each reader has a connection, and asks all routes and pages in turn,
without a pause; one in fifty sends Cypher, too. Ten listen to `/events`. The writer records steps
one after the other. Prints the answers of each route, and what half of them, 99 in 100 and the
slowest took; `(health)` asks nothing of a view: it shows how long the event loop was held.

Afterwards each step that was acknowledged has to be in the view, and the view to hold what the
journal folds to. Exits with status 1 where that is not so, or any answer was an error.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import httpx

from benchmarks.load import Connection, Request, Tally, percentile, run
from benchmarks.pipelines import LAST, grow, make_workspace
from dws_graph.backends.graph.connecting import GraphAddress
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump, diff_dumps
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.team import fold_waiting
from tests.neo4j.local import Address, LocalServer
from tests.service.processes import Served, serving

LISTENERS = 10
CYPHER = 50  # one reader in so many sends it
COUNT = "MATCH (s:Step)-[:WROTE]->(c) RETURN s.name AS name, count(c) AS n ORDER BY name LIMIT 20"


def requests_of(client: httpx.Client, root: Path) -> list[Request]:
    """Every route and page, about things of a workspace; a graph may hold others, too."""

    def get(path: str) -> dict:
        found: dict = client.get(f"/api/v1/{path}").raise_for_status().json()
        return found

    with open_workspace(root, batch=True) as here:
        ws = here.id
    step = get(f"steps?workspace={ws}")["items"][-1]["id"]
    snapshots = get(f"workspaces/{ws}/snapshots")["items"]
    instance = get(f"workspaces/{ws}/instances")["items"][0]["id"]
    versions = f"workspaces/{ws}/certificates?ref={LAST}"
    certificate = get(versions)["items"][0]["id"]
    at = f"workspace={ws}&ref={LAST}"
    asked = {
        "workspaces": "workspaces",
        "resources": f"workspaces/{ws}/resources",
        "refs": f"workspaces/{ws}/refs?resource=made",
        "instances": f"workspaces/{ws}/instances",
        "versions": versions,
        "certificate": f"certificates/{certificate}",
        "steps": "steps",
        "steps by metric": "steps?metric=accuracy%3E0.7",
        "step": f"steps/{step}",
        "snapshots": f"workspaces/{ws}/snapshots",
        "upstream": f"lineage/upstream?{at}",
        "downstream": f"lineage/downstream?node={step}&depth=3",
        "neighbourhood": f"lineage/neighbourhood?{at}&depth=2",
        "export": f"export/upstream?{at}&format=json",
        "stale": f"workspaces/{ws}/stale?instance={instance}",
        "search": "search?q=stage",
        "ready": "ready",
        "metrics": "metrics",
    }
    if snapshots:
        asked["snapshot"] = f"workspaces/{ws}/snapshots/{snapshots[0]['hash']}"
    pages = {
        "page: overview": "/",
        "page: workspace": f"/workspaces/{ws}",
        "page: steps": "/steps",
        "page: step": f"/steps/{step}",
        "page: version": f"/certificates/{certificate}",
        "page: search": "/search?q=stage",
        "page: graph": f"/graph?{at}&depth=6",
    }
    return [
        *(Request(name, f"/api/v1/{path}") for name, path in asked.items()),
        *(Request(name, path) for name, path in pages.items()),
    ]


def laps(requests: Sequence[Request], readers: int) -> list[Callable[[], Iterator[Request]]]:
    """What each reader asks for: all in turn, each beginning elsewhere."""
    cypher = Request("cypher", "/api/v1/cypher", "POST", {"cypher": COUNT})
    found = []
    for reader in range(readers):
        begin = reader * 7 % len(requests)
        mine = [*requests[begin:], *requests[:begin]]
        found.append(partial(itertools.cycle, [*mine, cypher] if reader % CYPHER == 0 else mine))
    return found


@contextlib.contextmanager
def listening(served: Served) -> Iterator[None]:
    """Some who follow the events meanwhile."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(served.client("read"))
        for _ in range(LISTENERS):
            stack.enter_context(client.stream("GET", "/api/v1/events"))
        yield


def measure(
    served: Served, root: Path, readers: int, seconds: float
) -> tuple[Tally, dict[str, str]]:
    """The load, on a service that runs."""
    with served.client("read") as client:
        requests = requests_of(client, root)
        for request in requests:  # each is asked once without counting
            client.get(request.path).raise_for_status()
    with listening(served):
        url, tokens = served.url, served.tokens
        return asyncio.run(
            run(lambda scope: Connection(url, tokens[scope]), laps(requests, readers), seconds)
        )


def table(tally: Tally, seconds: float) -> None:
    """Prints what each route took."""
    print(f"{'':18}{'answers':>9}{'p50':>10}{'p99':>10}{'slowest':>10}  ms")
    for route, took in sorted(tally.seconds.items()):
        columns = [percentile(took, 0.5), percentile(took, 0.99), max(took)]
        shown = "".join(f"{value * 1e3:10.0f}" for value in columns)
        print(f"{route:18}{len(took):9,}{shown}")
    print(
        f"{tally.answers / seconds:,.0f} answers a second; errors: {dict(tally.errors) or 'none'}"
    )


def is_whole(root: Path, acknowledged: dict[str, str], address: Address | None) -> list[str]:
    """What is wrong with what the view holds after all."""
    with open_workspace(root, batch=True) as ws, Index(None) as anew:
        ws.catch_up()
        anew.apply(ws.journal.since({}))
        held = ws.index.dump() if address is None else _in_graph(ws.id, address)
        wrong = diff_dumps(held, anew.dump())
    steps = {n["properties"]["id"] for n in held["nodes"] if n["labels"] == ["Step"]}
    lost = [run for run, step in acknowledged.items() if step not in steps]
    return [*wrong[:5], *(f"{run} is lost" for run in lost[:5])]


def _in_graph(workspace: str, address: Address) -> Dump:
    graph = Neo4jGraph(_known(address), workspace)
    try:
        return graph.dump()
    finally:
        graph.close()


def _known(address: Address) -> GraphAddress:
    return GraphAddress(url=address.url, user=address.user, password=address.password)


def sync(root: Path, address: Address) -> None:
    """Bring the workspace's facts into the server."""
    with open_workspace(root, batch=True) as ws:
        graph = Neo4jGraph(_known(address), ws.id)
        fold_waiting(graph, ws.journal)
        graph.close()


def under_load(root: Path, folder: Path, args: argparse.Namespace, address: Address | None) -> bool:
    """One view: prints what it took; whether all is well."""
    what = "Neo4j" if address else "the index"
    print(f"\n{args.readers} readers and a writer for {args.seconds:g} s, on {what}")
    load = os.getloadavg()[0]
    with serving(root, folder, "--host", "0.0.0.0", "--data", str(root)) as served:
        tally, acknowledged = measure(served, root, args.readers, args.seconds)
        begin = time.monotonic()
        served.stop()
        ended = time.monotonic() - begin
        said = served.said.read_text()
    table(tally, args.seconds)
    wrong = is_whole(root, acknowledged, address)
    print(
        f"{len(acknowledged):,} steps recorded; it ended within {ended:.1f} s; load before: {load}"
    )
    for line in (*wrong, *said.splitlines()[:10]):
        print(f"wrong: {line}")
    return not (tally.errors or wrong or said)


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--steps", type=int, default=2_000, help="of the workspace, at first")
    parser.add_argument("--view", choices=["index", "neo4j"], help="this one alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dws-readers-") as name:
        folder, good = Path(name), True
        (folder / "gitconfig").write_text("[user]\n    name = B\n    email = b@example.com\n")
        os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
        ws = make_workspace(folder)
        grow(ws, args.steps, 20)
        ws.close()
        if args.view != "neo4j":
            good = under_load(ws.root, folder / "index", args, None)
        if args.view != "index":
            server = LocalServer(folder / "server", lasting=True)
            server.start()
            try:
                os.environ.update(server.address.environment())
                sync(ws.root, server.address)
                good = under_load(ws.root, folder / "neo4j", args, server.address) and good
            finally:
                server.stop()
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
