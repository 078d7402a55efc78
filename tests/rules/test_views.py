"""One history, one graph: however it is folded, wherever it is."""

from __future__ import annotations

import itertools
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump, canonical
from dws_graph.model.facts import Line
from tests.backends.histories import Recorder
from tests.rules.lab import CLEAN, DATA, MODEL, Lab, fresh_dump, git


def grow(lab: Lab) -> None:
    """A history with each kind of fact that one instance records; its end is committed."""
    lab.step("prepare", ["raw"], [CLEAN], {"n": 1})
    lab.results_step([CLEAN], {"accuracy": 0.5})
    lab.snapshot("V1", "first")
    lab.write("raw:/a.csv", "edited\n")
    lab.step("prepare", ["raw"], [CLEAN], {"n": 2})
    lab.step("prepare", ["raw"], [CLEAN], {"n": 3})
    lab.begin("broken", [CLEAN], [MODEL]).abort("no disk")
    lab.write(f"{CLEAN}/data.txt", "by hand\n")
    lab.step("train", [CLEAN], [MODEL])
    lab.snapshot("V2", "second")
    lab.restore("V1")
    lab.step("prepare", ["raw"], [CLEAN], {"n": 4})
    lab.step("train", [CLEAN], [MODEL])
    lab.snapshot("V3", "third")


def less_current(dump: Dump, instance: str) -> Dump:
    edges = [e for e in dump["edges"] if e["properties"].get("instance") != instance]
    return canonical(dump["nodes"], edges)


def test_show_3_the_index_as_it_grew_is_the_index_folded_anew(lab):
    grow(lab)
    lab.step("since", [MODEL])
    grown = lab.ws.index.dump()
    assert fresh_dump(lab.ws) == grown
    lab.ws.close()
    shutil.rmtree(lab.root / ".dataworkspace/graph")
    lab.reopen()
    assert lab.ws.index.dump() == grown
    assert lab.upstream(MODEL).steps == {"prepare", "train"}


def test_show_3_fact_by_fact_is_the_same_as_at_once(lab):
    grow(lab)
    with closing(Index(None)) as index:
        for line in lab.ws.journal.since({}):
            index.apply([line])
        assert index.dump() == lab.ws.index.dump()


def test_show_3_the_embedded_graph_holds_the_same(lab, tmp_path):
    grow(lab)
    graph = EmbeddedGraph(tmp_path / "cypher.kgl")
    graph.apply(lab.ws.journal.since({}))
    assert graph.dump() == lab.ws.index.dump()


def clone(lab: Lab) -> Lab:
    git("clone", "-q", str(lab.root), str(lab.place / "clone"), cwd=lab.place)
    return Lab.at(lab.place / "clone")


def test_show_3_a_clone_has_it_all(lab):
    grow(lab)
    dump = lab.ws.index.dump()
    there = clone(lab)
    assert there.ws.instance != lab.ws.instance
    assert there.ws.id == lab.ws.id
    assert less_current(there.ws.index.dump(), there.ws.instance) == dump
    assert there.upstream(f"{MODEL}").steps == {"prepare", "train"}
    there.close()


def test_show_3_a_clone_lacks_only_what_is_not_in_git_yet(lab):
    grow(lab)
    sealed = lab.ws.index.dump()
    lab.step("since", [MODEL])
    there = clone(lab)
    assert less_current(there.ws.index.dump(), there.ws.instance) == sealed
    lab.write("code:/prep.py", "n = 9\n")
    lab.snapshot("V4")
    there.git("pull", "-q", "--ff-only")
    there.reopen()
    assert less_current(there.ws.index.dump(), there.ws.instance) == lab.ws.index.dump()
    there.close()


def segments(root: Path) -> list[Path]:
    return sorted((root / ".dataworkspace/journal").rglob("*.jsonl"))


def test_show_3_segments_of_two_instances_fold_in_any_order_to_one_graph(lab, tmp_path):
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V1")
    there = clone(lab)
    there.step("train", [CLEAN], [MODEL])
    there.write(f"{DATA}:/beside.txt", "1\n")
    there.step("look", [f"{DATA}:/beside.txt", "raw"])
    there.snapshot("W1")
    there.step("report", [MODEL])
    there.snapshot("W2")
    lab.git("pull", "-q", "--ff-only", str(there.root), "main")
    lab.reopen()
    lab.step("publish", [MODEL])
    lab.write("code:/prep.py", "n = 2\n")
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V2")
    there.git("pull", "-q", "--ff-only")
    there.reopen()

    lines: dict[str, list[Line]] = {}
    for line in lab.ws.journal.since({}):
        lines.setdefault(line.fact.instance, []).append(line)
    assert set(lines) == {lab.ws.instance, there.ws.instance}
    dump = lab.ws.index.dump()
    assert there.ws.index.dump() == dump
    for order in itertools.permutations(lines.values()):
        with closing(Index(None)) as index:
            index.apply(itertools.chain(*order))
            assert index.dump() == dump
    one, two = lines.values()
    for size in (1, 3, 7):
        mixed = [
            batch
            for n in range(0, max(len(one), len(two)), size)
            for batch in (two[n : n + size], one[n : n + size])
        ]
        with closing(Index(None)) as index:
            for batch in mixed:
                index.apply(batch)
            assert index.dump() == dump
    graph = EmbeddedGraph(tmp_path / "cypher.kgl")
    graph.apply(itertools.chain(two, one))
    assert graph.dump() == dump
    there.close()


def test_show_3_every_commit_seals_its_facts_once(lab):
    grow(lab)
    sealed = b"".join(path.read_bytes() for path in segments(lab.root))
    local = (lab.root / ".dataworkspace/local/journal.jsonl").read_bytes()
    assert sealed == local
    for path in segments(lab.root):
        name = path.relative_to(lab.root).as_posix()
        assert lab.git("rev-parse", f"HEAD:{name}") == lab.git("hash-object", str(path))


# Show 5: reachability


def diamonds(levels: int) -> Recorder:
    """Each level is two steps that read both outputs of the one before: 2^levels paths."""
    recorder = Recorder()
    recorder.step("first", ["raw"], ["d:/0a", "d:/0b"])
    for n in range(1, levels + 1):
        both = [f"d:/{n - 1}a", f"d:/{n - 1}b"]
        recorder.step(f"left {n}", both, [f"d:/{n}a"])
        recorder.step(f"right {n}", both, [f"d:/{n}b"])
    recorder.step("last", [f"d:/{levels}a", f"d:/{levels}b"], ["out"])
    return recorder


def chain(length: int) -> Recorder:
    recorder = Recorder()
    for n in range(length):
        recorder.step(f"step {n}", [f"c:/{n}"], [f"c:/{n + 1}"])
    return recorder


@pytest.mark.parametrize(
    ("recorder", "end", "steps"),
    [(diamonds(20), "out", 42), (chain(2000), "c:/2000", 2000)],
    ids=["diamond of 2^20 paths", "chain of 2,000"],
)
def test_show_5_upstream_reads_a_few_rows_a_node(recorder, end, steps):
    cert = next(c for ref, c in recorder.current.items() if str(ref) == end)
    with closing(Index(None)) as index:
        index.apply(recorder.lines)
        answer = index.upstream([cert.id])
        assert len([n for n in answer.nodes if n.kind == "step"]) == steps
        assert len({e.source for e in answer.edges} | {cert.id}) == len(answer.nodes)
        assert index.visited <= 4 * len(answer.nodes)


def test_show_5_the_cost_grows_with_the_answer_not_with_the_graph():
    def visited(others: int) -> int:
        recorder = diamonds(5)
        for n in range(others):
            recorder.step(f"other {n}", ["raw"], [f"o:/{n}"])
        (cert,) = [c for ref, c in recorder.current.items() if str(ref) == "out"]
        with closing(Index(None)) as index:
            index.apply(recorder.lines)
            index.upstream([cert.id])
            return index.visited

    assert visited(500) == visited(0)
