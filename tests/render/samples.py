"""Realistic subgraphs: the digits demo, a 30-node pipeline, hundreds of runs, hostile names."""

from __future__ import annotations

import random
from typing import Any

from dws_graph.model.subgraph import Edge, Node, Subgraph

HOSTILE = (
    "</script><script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 2">',
    "\"'><svg/onload=window.pwned=3>",
    'a & b < c > d "quoted" \'single\' `tick` \\N \\\\ \\"',
    "{{ 7 * 7 }} {% raw %} ${8 * 8} #quot; ]]> --> <!--",
    "line\nbreak\ttab\x00nul \u202etxt.exe \udce9 \u65e5\u672c\u8a9e\U0001f4c8",
    "x" * 5000,
    "",
)


class Maker:
    """Collects nodes and edges; names become keys, made unique by a number."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []

    def certificate(self, name: str, *, status: str = "hashed", **properties: Any) -> str:
        resource, _, subpath = name.partition(":/")
        digits = f"{random.Random(len(self.nodes)).getrandbits(160):040x}"
        return self._add(
            "certificate",
            name,
            {
                "workspace": "0b54d1b2-7a0a-4a39-9d3c-7a7d8a5b1f0e",
                "resource": resource,
                "subpath": subpath or None,
                "hash": digits if status == "hashed" else None,
                "version": 1,
                "status": status,
                "role": "intermediate-data",
                "produced": True,
                **properties,
            },
        )

    def source(self, name: str, **properties: Any) -> str:
        return self.certificate(name, role="source-data", produced=False, **properties)

    def code(self, name: str, **properties: Any) -> str:
        return self.certificate(name, role="code", produced=False, **properties)

    def step(
        self,
        name: str,
        reads: list[str],
        writes: list[str],
        *,
        code: str | None = None,
        **properties: Any,
    ) -> str:
        at = len(self.nodes)
        key = self._add(
            "step",
            name,
            {
                "status": "completed",
                "start_time": f"2026-11-{1 + at % 28:02}T09:{at % 60:02}:30.120000Z",
                "execution_time_seconds": round(0.4 + (at * 37 % 4000) / 7, 1),
                "parameters": {},
                "metrics": {},
                "command_line": ["python", f"code/{name}.py"],
                "instance": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
                **properties,
            },
        )
        self.edges += [Edge(r, key, "READ_BY") for r in reads]
        self.edges += [Edge(key, w, "WROTE") for w in writes]
        if code:
            self.edges.append(Edge(code, key, "CODE_OF"))
        return key

    def subgraph(self, root: str = "", *, complete: bool = True) -> Subgraph:
        return Subgraph(
            root=root, complete=complete, nodes=tuple(self.nodes), edges=tuple(self.edges)
        )

    def _add(self, kind: Any, name: str, properties: dict[str, Any]) -> str:
        key = f"{kind[:4]}-{len(self.nodes)}"
        self.nodes.append(Node(key=key, kind=kind, name=name, properties=properties))
        return key


def digits() -> Subgraph:
    """The quick start: two trainings on one data set, each with a model and its metrics."""
    m = Maker()
    data = m.source("digits-data")
    code = m.code("code:/train.py")
    root = ""
    for gamma, accuracy in ((0.01, 0.6894), (0.001, 0.9689)):
        results = m.certificate("results", role="results")
        m.step(
            "train",
            [data],
            [results],
            code=code,
            parameters={"gamma": gamma, "C": 1.0, "kernel": "rbf", "shuffle": False},
            metrics={"accuracy": accuracy, "f1": accuracy - 0.0041},
            command_line=["python", "train.py", "--gamma", str(gamma)],
        )
        root = results
    return m.subgraph(root)


def one_run() -> Subgraph:
    """One training: data, code, a step and its result."""
    m = Maker()
    data, code = m.source("digits-data"), m.code("code:/train.py")
    results = m.certificate("results", role="results")
    m.step("train", [data], [results], code=code, metrics={"accuracy": 0.9689})
    return m.subgraph(results)


def forecast() -> Subgraph:
    """About thirty nodes, each state among them."""
    m = Maker()
    weather, sales = m.source("weather"), m.source("sales:/2026", stale="content changed")
    code, notebook = m.code("code"), m.code("notebooks:/forecast.ipynb")
    clean, holdout = m.certificate("staging:/clean"), m.certificate("staging:/holdout")
    features = m.certificate("features:/daily")
    weekly = m.certificate("features:/weekly", status="not kept")
    splits = m.certificate("splits", stale=["input changed"])
    small, large = m.certificate("models:/small.onnx"), m.certificate("models:/large.onnx")
    embeddings = m.certificate("features:/embeddings.npy")
    m.step("prepare", [weather, sales], [clean, holdout], code=code)
    m.step("features", [clean, weather], [features], code=code, parameters={"window": 7})
    m.step("features-weekly", [clean], [weekly], code=code)
    m.step("embed", [features], [embeddings], code=notebook)
    m.step("split", [features, weekly, holdout], [splits], code=code, parameters={"seed": 42})
    m.step("train", [splits], [small], code=code, parameters={"depth": 4, "lr": 0.1})
    m.step("train", [splits, embeddings], [large], code=code, parameters={"depth": 12, "lr": 0.03})
    for model, rmse in ((small, 14.2), (large, 11.7)):
        scores = m.certificate("scores", status="pending", role="results")
        m.step("evaluate", [model, holdout], [scores], code=code, metrics={"rmse": rmse})
    report = m.certificate("reports:/november-forecast-of-all-regions.html", role="results")
    m.step("report", [large, weather], [report], code=notebook)
    m.step("publish", [report, large], [], code=code, status="failed")
    served = m.certificate("exports:/model.tar.gz", role="results")
    m.step("export", [large, small], [served], code=code)
    m.nodes.append(
        Node(
            key="snap",
            kind="snapshot",
            name="v1.2",
            properties={"hash": "9f" * 20, "number": 3, "tags": ["v1.2"], "message": "November"},
        )
    )
    m.edges += [Edge("snap", served, "CONTAINS"), Edge("snap", report, "CONTAINS")]
    return m.subgraph(report, complete=False)


def pipelines(runs: int = 45, *, seed: int = 2) -> Subgraph:
    """Runs of prepare .. report on shared sources: 45 are about 500 nodes."""
    rng = random.Random(seed)
    m = Maker()
    sources = [m.source(f"source-{i}") for i in range(6)]
    code = m.code("code")
    stages = ["prepare", "features", "split", "train", "evaluate", "report"]
    earlier: list[str] = []
    root = ""
    for run in range(runs):
        last = rng.choice(sources)
        chosen = stages[: rng.randint(4, 6)]
        for stage in chosen:
            reads = [last]
            if rng.random() < 0.3:
                reads.append(rng.choice(sources))
            if earlier and rng.random() < 0.08:
                reads.append(rng.choice(earlier))
            role = "results" if stage == chosen[-1] else "intermediate-data"
            writes = [
                m.certificate(
                    f"{stage}:/{rng.choice(['daily', 'weekly', 'model.onnx', 'orders.parquet'])}",
                    role=role,
                    status="not kept" if rng.random() < 0.05 else "hashed",
                    stale=rng.random() < 0.06,
                )
                for _ in range(rng.choice([1, 1, 2]))
            ]
            status = "failed" if rng.random() < 0.03 else "completed"
            m.step(
                stage,
                list(dict.fromkeys(reads)),
                writes,
                code=code,
                status=status,
                parameters={"run": run},
            )
            last = root = writes[0]
            earlier += writes
    return m.subgraph(root)


def chain(length: int) -> Subgraph:
    """One step after the other: data, step, data, step, ..."""
    m = Maker()
    last = m.source("start")
    for i in range(length):
        after = m.certificate(f"data:/{i}")
        m.step(f"step-{i}", [last], [after])
        last = after
    return m.subgraph(last)


def fan(count: int) -> Subgraph:
    """So many scores of one data set, and a report on all of them."""
    m = Maker()
    data, scores = m.source("holdout"), []
    for i in range(count):
        scores.append(m.certificate(f"scores:/{i}.json"))
        m.step(
            "score",
            [data],
            scores[-1:],
            parameters={"seed": i, "kernel": ("linear", "rbf")[i % 2]},
            metrics={"auc": round(0.6 + i / 1000, 3)},
            status="failed" if i % 97 == 5 else "completed",
        )
    report = m.certificate("summary", role="results")
    m.step("report", scores, [report])
    return m.subgraph(report)


def hostile() -> Subgraph:
    """Names, parameters and hashes that would like to be code."""
    m = Maker()
    data = m.source(HOSTILE[0])
    for i, text in enumerate(HOSTILE):
        out = m.certificate(text, role="results", comment=text, stale=text)
        m.step(
            text,
            [data],
            [out],
            code=m.code(text),
            parameters={text: text, "n": i},
            metrics={text: float("nan")},
            command_line=["python", "-c", text],
        )
    return m.subgraph(data)


def empty() -> Subgraph:
    """Nothing recorded yet."""
    return Subgraph(root="", complete=True, nodes=(), edges=())
