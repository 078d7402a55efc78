"""Lists by pages, and what overviews show, in every view that is asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar

import pytest

from dws_graph.backends.overviews import Place, Version
from dws_graph.backends.views import Hit, HitKind, MetricIs, Questions, StepFilter
from dws_graph.errors import ApiParamError
from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate
from dws_graph.model.values import parse_utc
from tests.backends.conftest import Folded, Recorders
from tests.backends.histories import A, B, Recorder, digest, fresh_id, ref

HOSTILE = [
    "' OR 1=1 --",
    'a"b',
    "a\\b",
    "$.x",
    "`n`",
    "}) DETACH DELETE n //",
    "é\uffff",
    "\U0001f600",
]


class Row(Protocol):
    """A row of a page."""

    @property
    def place(self) -> Place: ...


R = TypeVar("R", bound=Row)


def pages(ask: Callable[[int, Place | None], list[R]], size: int) -> Iterator[list[R]]:
    """Page after page, until one is not full."""
    after = None
    while True:
        page = ask(size, after)
        yield page
        if len(page) < size:
            return
        after = page[-1].place


def all_of(ask: Callable[[int, Place | None], list[R]], size: int) -> list[R]:
    return [row for page in pages(ask, size) for row in page]


def orders(keys: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Both ways in which a view may sort names: by code points, or by UTF-16 units."""
    some = list(keys)
    return [sorted(some), sorted(some, key=lambda key: [part.encode("utf-16-be") for part in key])]


# Steps


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"name": "s"},
        {"text": "S"},
        {"refs": (ref("raw"),)},
        {"status": "completed"},
        {"parameters": {"even": True}},
        {"metrics": (MetricIs("n", ">=", 2),)},
    ],
)
def test_steps_by_pages_are_those_of_one_list(
    folded: Folded, recorder: Recorders, how: dict[str, Any]
):
    a = recorder()
    for n in range(7):
        a.step(
            "s" if n % 3 else "t s",
            ["raw"],
            ["x"],
            parameters={"even": n % 2 == 0},
            metrics={"n": n},
        )
    chosen = StepFilter(workspace=a.workspace, **how)
    with folded(a) as view:
        whole = view.chosen_steps(chosen)
        assert len(whole) == view.count_steps(chosen) > 3
        for size in (1, 2, 3, 100):
            assert all_of(partial(view.chosen_steps, chosen), size) == whole


def test_steps_that_began_at_one_moment_are_on_one_page_each(folded: Folded, recorder: Recorders):
    a = recorder()
    start = a.start("s")
    for _ in range(5):
        a.step("s", start=a.start("s"))
    recorded = [a.step("same", start=_at(a, start.start_time)) for _ in range(5)]
    chosen = StepFilter(workspace=a.workspace, name="same")
    with folded(a) as view:
        found = all_of(partial(view.chosen_steps, chosen), 2)

    assert [s.id for s in found] == sorted((s.id for s in recorded), reverse=True)


def _at(a: Recorder, time: str) -> f.StepStart:
    """A step that starts then."""
    return f.StepStart(
        step=a.start("same").step, name="same", start_time=time, outputs=(), pid=1, pid_started="1"
    )


def test_a_step_recorded_between_two_pages_is_on_no_later_one(folded: Folded, recorder: Recorders):
    a = recorder()
    before = [a.step("s").id for _ in range(4)]
    chosen = StepFilter(workspace=a.workspace)
    with folded(a) as view:
        first = view.chosen_steps(chosen, 2)
    a.step("s")
    with folded(a) as view:
        second = view.chosen_steps(chosen, 2, first[-1].place)
        third = view.chosen_steps(chosen, 2, second[-1].place)

    assert [s.id for s in (*first, *second)] == before[::-1]
    assert third == []


def test_steps_of_any_workspace_by_pages(folded: Folded, recorder: Recorders):
    name = f"of two {uuid.uuid4()}"
    a, b = recorder(), Recorder(B, str(uuid.uuid4()))
    recorded = [r.step(name).id for r in (a, b, a, b, a)]
    everywhere = StepFilter(name=name)
    with folded(a, b) as view:
        found = all_of(partial(view.chosen_steps, everywhere), 2)
        assert view.count_steps(StepFilter(text=name[3:].upper())) == 5

    assert sorted(s.id for s in found) == sorted(recorded)
    places = [s.place for s in found]
    assert places == sorted(places, reverse=True)


def test_steps_are_chosen_by_when_they_began(folded: Folded, recorder: Recorders):
    a = recorder()
    one, two, three = (a.step("s") for _ in range(3))

    with folded(a) as view:

        def found(**how: Any) -> list[str]:
            return [s.id for s in view.chosen_steps(StepFilter(workspace=a.workspace, **how))]

        assert found(until=three.start_time) == [two.id, one.id]
        assert found(since=two.start_time, until=three.start_time) == [two.id]
        assert found(since=two.start_time, until=two.start_time) == []
        assert found(until=two.start_time, name="s") == [one.id]
        until = StepFilter(workspace=a.workspace, until=three.start_time)
        assert view.count_steps(until) == 2
        assert [s.id for s in view.chosen_steps(until, 5, Place(two.start_time, two.id))] == [
            one.id
        ]


def test_steps_are_chosen_by_a_text_in_their_name(folded: Folded, recorder: Recorders):
    a = recorder()
    names = ["Überprüfen", "train model", "100%", *HOSTILE]
    recorded = {name: a.step(name).id for name in names}
    with folded(a) as view:
        for name in names:
            chosen = StepFilter(workspace=a.workspace, text=name.upper())
            assert [s.id for s in view.chosen_steps(chosen)] == [recorded[name]], name
        assert view.count_steps(StepFilter(workspace=a.workspace, text="%")) == 1
        assert view.count_steps(StepFilter(workspace=a.workspace, text="")) == len(names)


METRICS: list[dict[str, Any]] = [
    {"n": 1, "loss": 0.5},
    {"n": 1.0, "loss": -0.25},
    {"n": "1", "loss": "NaN"},
    {"n": True, "loss": "Infinity"},
    {"n": [1], "loss": {"x": 1}},
    {"n": 2**70, "loss": None},
    {"n": 1e-300},
    {},
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([("n", "=", 1)], [0, 1]),
        ([("n", "=", 1.0)], [0, 1]),
        ([("n", "<", 1)], [6]),
        ([("n", "<=", 1)], [0, 1, 6]),
        ([("n", ">=", 1)], [0, 1, 5]),
        ([("n", ">", 1)], [5]),
        ([("n", ">", 2**64)], [5]),
        ([("n", "=", 2**70)], [5]),
        ([("n", "<", -(2**70))], []),
        ([("loss", "<", 1)], [0, 1]),
        ([("loss", "<", 0)], [1]),
        ([("loss", ">", 0), ("n", "<=", 1)], [0]),
        ([("n", ">", 0), ("n", "<", 1)], [6]),
        ([("none", ">", 0)], []),
    ],
)
def test_steps_are_chosen_by_metrics_that_are_numbers(
    folded: Folded, recorder: Recorders, asked: list[tuple[Any, ...]], expected: list[int]
):
    a = recorder()
    recorded = [a.step("s", metrics=metrics).id for metrics in METRICS]
    chosen = StepFilter(workspace=a.workspace, metrics=tuple(MetricIs(*m) for m in asked))
    with folded(a) as view:
        found = [s.id for s in view.chosen_steps(chosen)]
        assert view.count_steps(chosen) == len(expected)
        assert [s.id for s in view.chosen_steps(chosen, 1)] == found[:1]

    assert found == [recorded[n] for n in reversed(expected)]


def test_a_metric_may_have_any_name(folded: Folded, recorder: Recorders):
    a = recorder()
    recorded = {name: a.step("s", metrics={name: 1, "n": 2}).id for name in HOSTILE}
    with folded(a) as view:
        for name in HOSTILE:
            chosen = StepFilter(workspace=a.workspace, metrics=(MetricIs(name, "=", 1),))
            assert [s.id for s in view.chosen_steps(chosen)] == [recorded[name]], name
        everything = StepFilter(workspace=a.workspace)
        assert view.count_steps(everything) == len(HOSTILE)


@pytest.mark.parametrize(
    ("comparison", "number"),
    [
        ("!=", 1),
        ("< 1 OR 1", 1),
        ("<", float("nan")),
        ("<", float("inf")),
        ("<", True),
        ("<", "1"),
        ("<", None),
        ("<", 10**400),
    ],
)
def test_what_no_metric_can_be_compared_with_is_refused(comparison: Any, number: Any):
    with pytest.raises(ApiParamError, match="metric 'loss'"):
        MetricIs("loss", comparison, number)


def test_many_steps_are_looked_at_until_a_page_is_full(folded: Folded, recorder: Recorders):
    a = recorder()
    last = a.step("s", metrics={"n": 2**70}).id
    for _ in range(2_100):
        a.step("s", metrics={"n": "no number"})
    chosen = StepFilter(workspace=a.workspace, metrics=(MetricIs("n", ">", 0),))
    with folded(a) as view:
        assert [s.id for s in view.chosen_steps(chosen, 1)] == [last]
        assert view.count_steps(chosen) == 1


# Versions, readers, snapshots, refs


def test_versions_of_a_ref_by_pages(folded: Folded, recorder: Recorders):
    a = recorder()
    for n in range(6):
        a.step("s", ["raw"], ["x"])
        if n % 2:
            a.snapshot(contents={"raw": f"raw {n % 4}"})
        a.edit("raw")
    with folded(a) as view:
        for name in ("raw", "x", "none"):
            whole = view.certificates_of(a.workspace, ref(name))
            for size in (1, 2, 100):
                found = all_of(partial(view.versions, a.workspace, ref(name)), size)
                assert [v.certificate for v in found] == whole
                assert all((v.time or "").endswith("Z") for v in found)
        assert len(view.versions(a.workspace, ref("x"), 100)) == 6


def test_readers_of_a_certificate_by_pages(folded: Folded, recorder: Recorders):
    a = recorder()
    made = a.step("prepare", [], ["clean"])
    one = a.step("train", ["clean"], ["model"])
    two = a.step("check", code=["clean"])
    both = a.step("both", ["clean"], code=["clean"])
    failed = a.step("train", ["clean"], ["model"], error="killed")
    gone = a.step("gone", ["clean"])
    a.retract(gone.id)
    clean = made.outputs[0].id
    with folded(a) as view:
        whole = view.readers(clean, 100)
        assert all_of(partial(view.readers, clean), 2) == whole
        assert view.readers("none", 10) == []

    assert [(r.step, r.name, r.status, r.as_input, r.as_code) for r in whole] == [
        (failed.id, "train", "failed", True, False),
        (both.id, "both", "completed", True, True),
        (two.id, "check", "completed", False, True),
        (one.id, "train", "completed", True, False),
    ]
    assert [r.start_time for r in whole] == [s.start_time for s in (failed, both, two, one)]
    assert {r.workspace for r in whole} == {a.workspace}


def test_a_reader_of_what_was_merged_reads_what_it_became(folded: Folded, recorder: Recorders):
    a = recorder()
    step = a.step("train", ["raw"], ["model"])
    a.snapshot()
    with folded(a) as view:
        assert [r.step for r in view.readers(a.current[ref("raw")].id, 10)] == [step.id]
        assert view.readers(step.inputs[0].id, 10) == []


def test_snapshots_newest_first_by_pages(folded: Folded, recorder: Recorders):
    a = recorder()
    taken = []
    for n in range(5):
        a.step("train", ["raw"], ["model"])
        taken.append(a.snapshot(f"v{n}"))
    a.tag("only-named", digest("unknown here"))
    a.delete(taken.pop(2), "v2")
    with folded(a) as view:
        whole = view.snapshots(a.workspace)[::-1]
        for size in (1, 2, 100):
            assert all_of(partial(view.newest_snapshots, a.workspace), size) == whole
        assert view.newest_snapshots(B, 10) == []

    assert [s.hash for s in whole] == taken[::-1]


def test_a_snapshot_tells_what_it_contains_and_the_steps_that_wrote_that(
    folded: Folded, recorder: Recorders
):
    a = recorder()
    one = a.step("prepare", ["raw"], ["clean:/a", "clean:/b"])
    first = a.snapshot()
    two = a.step("train", ["clean:/a"], ["model"], code=["code"])
    second = a.snapshot()
    a.step("train", ["clean:/a"], ["model"])
    with folded(a) as view:
        held = view.snapshot_certificates(a.workspace, second)
        before = view.snapshot_certificates(a.workspace, first)
        steps = view.snapshot_steps(a.workspace, second, 10)
        paged = all_of(partial(view.snapshot_steps, a.workspace, second), 1)
        assert view.snapshot_certificates(a.workspace, digest("none")) == []
        assert view.snapshot_steps(a.workspace, digest("none"), 10) == []

    assert [(str(h.certificate.ref), h.output) for h in held] == [
        ("clean:/a", True),
        ("clean:/b", True),
        ("code", False),
        ("model", True),
        ("raw", False),
    ]
    assert {h.certificate.status for h in held} == {"hashed"}
    assert [h.certificate.ref.name for h in before] == ["clean", "clean", "raw"]
    assert [s.id for s in steps] == [two.id, one.id]
    assert paged == steps


def test_what_a_retracted_step_wrote_is_no_output_of_a_snapshot(
    folded: Folded, recorder: Recorders
):
    a = recorder()
    step = a.step("train", ["raw"], ["model"])
    taken = a.snapshot()
    a.retract(step.id)
    with folded(a) as view:
        held = view.snapshot_certificates(a.workspace, taken)
        assert view.snapshot_steps(a.workspace, taken, 10) == []

    assert [(h.certificate.ref.name, h.output) for h in held] == [("model", False), ("raw", False)]


def test_refs_by_pages(folded: Folded, recorder: Recorders):
    a = recorder()
    names = ["a", "a-b", "a:/x", "a:/x/y", "b:/é", "b:/\U0001f600", "b:/\uffff", "c"]
    a.step("s", names)
    with folded(a) as view:
        whole = view.refs(a.workspace)
        for resource in (None, "a", "none"):
            expected = view.refs(a.workspace, resource)
            found, after = [], None
            while page := view.refs(a.workspace, resource, limit=2, after=after):
                found += page
                after = page[-1]
            assert found == expected

    by_part = {(r.name, r.subpath or ""): r for r in map(ref, names)}
    assert whole in [[by_part[key] for key in some] for some in orders(by_part)]


def test_what_a_search_finds_by_pages(folded: Folded, recorder: Recorders):
    a = recorder()
    for n in range(4):
        a.step(f"train {n}", [f"training-{n}:/Train"], ["x"])
        a.snapshot(f"trained-{n}")

    with folded(a) as view:
        whole = view.search("train", a.workspace)
        for size in (1, 3, 100):
            assert whole == [
                *_found(view, "resource", "train", a.workspace, size),
                *_found(view, "ref", "train", a.workspace, size),
                *_found(view, "snapshot", "train", a.workspace, size),
                *_found(view, "step", "train", a.workspace, size),
            ]
    kinds = ("resource", "ref", "snapshot", "step")
    assert [hit.kind for hit in whole] == [kind for kind in kinds for _ in range(4)]


def _found(
    view: Questions, kind: HitKind, text: str, workspace: str | None, size: int
) -> list[Hit]:
    return all_of(
        lambda limit, after: view.search(text, workspace, limit, kind=kind, after=after), size
    )


def test_a_search_goes_on_across_workspaces(folded: Folded, recorder: Recorders):
    a, b = recorder(), Recorder(B, str(uuid.uuid4()))
    name = f"data-{uuid.uuid4()}"
    for one in (a, b):
        one.step(name, [name], [f"{name}:/x"])
    with folded(a, b) as view:
        kinds: tuple[HitKind, ...] = ("ref", "step")
        for kind in kinds:
            hits = _found(view, kind, name, None, 1)
            assert len(set(hits)) == len(hits)
            assert {h.workspace for h in hits} == {a.workspace, b.workspace}
            assert len(hits) == (4 if kind == "ref" else 2)


# Overviews


def test_a_workspace_is_counted_and_has_a_time(folded: Folded, recorder: Recorders):
    a = recorder()
    a.created("overview")
    a.resource("unused")
    a.step("prepare", ["raw"], ["clean"])
    with folded(a) as view:
        [early] = _mine(view, a)
    a.step("train", ["clean"], ["model"], error="killed")
    gone = a.snapshot()
    a.step("train", ["clean"], ["model"])
    a.retract(a.steps[0].id)
    a.snapshot()
    a.delete(gone)
    a.remove("raw")
    a.tag("only-named", digest("unknown here"))
    with folded(a) as view:
        [info] = _mine(view, a)
        last = view.newest_snapshots(a.workspace, 1)[0].timestamp

    assert (early.name, early.resources, early.steps, early.snapshots) == ("overview", 3, 1, 0)
    assert early.time == a.steps[0].start_time
    assert (info.resources, info.steps, info.snapshots) == (3, 3, 1)
    assert info.time == last


def _mine(view: Questions, *recorders: Recorder, size: int = 100) -> list[Any]:
    ids = {r.workspace for r in recorders}
    return [w for w in all_of(view.workspaces, size) if w.id in ids]


def test_workspaces_are_sorted_by_name_then_id_over_all_pages(folded: Folded, recorder: Recorders):
    names = ["b", "a", "a", "é", "\U0001f600", "\uffff", None]
    recorders = [Recorder(A, str(uuid.uuid4())) for _ in names]
    given = list(zip(names, recorders, strict=True))
    for name, one in given:
        if name is None:
            one.step("s")
        else:
            one.created(name)
    with folded(*recorders) as view:
        small = _mine(view, *recorders, size=3)
        whole = _mine(view, *recorders)

    assert small == whole
    assert [w.place for w in whole] in orders((n or "", r.workspace) for n, r in given)
    assert (whole[1].resources, whole[1].steps, whole[1].snapshots, whole[1].time) == (
        0,
        0,
        0,
        None,
    )


def test_resources_are_what_the_graph_knows_of_them(folded: Folded, recorder: Recorders):
    a = recorder()
    a.resource("unused", "results", "git")
    a.resource("clean")
    one = a.step("prepare", ["raw"], ["clean:/a", "clean:/b"])
    two = a.step("train", ["clean:/a"], ["model"])
    a.retract(two.id)
    a.remove("raw")
    with folded(a) as view:
        found = {r.name: r for r in view.resources(a.workspace, 100)}
        names: list[str] = []
        while page := view.resources(a.workspace, 3, names[-1] if names else ""):
            names += [r.name for r in page]
        assert view.resources(B, 10) == []

    assert names == list(found) == ["clean", "model", "raw", "unused"]
    assert {n: (r.role, r.type, r.removed, r.refs) for n, r in found.items()} == {
        "clean": ("intermediate-data", "file", False, 2),
        "model": (None, None, False, 1),
        "raw": ("source-data", "file", True, 1),
        "unused": ("results", "git", False, 0),
    }
    times = {name: r.time for name, r in found.items()}
    assert times == {
        "clean": two.start_time,
        "model": two.start_time,
        "raw": one.start_time,
        "unused": None,
    }


def test_a_resource_that_was_touched_long_ago_has_its_time(folded: Folded, recorder: Recorders):
    a = recorder()
    first = a.step("prepare", ["raw", "old"], ["clean"])
    last = a.step("prepare", ["raw"], ["clean"])
    for _ in range(1_010):
        a.step("train", ["clean"])
    a.snapshot()  # of what no step touches any more
    with folded(a) as view:
        found = {r.name: r.time for r in view.resources(a.workspace, 100)}

    assert found == {
        "clean": a.steps[-1].start_time,
        "old": first.start_time,
        "raw": last.start_time,
    }


def test_instances_tell_their_machine_and_when_they_were_last_active(
    folded: Folded, recorder: Recorders
):
    a, b, c = recorder(), recorder(B), recorder(str(uuid.uuid4()))
    theirs = recorder(str(uuid.uuid5(uuid.UUID(A), "1.6")))
    for one in (a, b, theirs):
        one.created(hostname=f"host of {one.instance}")
    b.set_current([], hostname="renamed")
    for _ in range(3):
        b.step("s")
    c.step("s", ["raw"])
    with folded(a, b, c, theirs) as view:
        found = view.instances(a.workspace)
        assert view.instances(str(uuid.uuid4())) == []

    assert [(i.id, i.hostname, i.time) for i in found] == [
        (b.instance, "renamed", b.lines[-1].fact.time),
        (c.instance, None, c.lines[-1].fact.time),
        (a.instance, f"host of {a.instance}", a.lines[-1].fact.time),
    ]


def test_an_instance_keeps_its_name_when_more_is_told(folded: Folded, recorder: Recorders):
    a = recorder()
    a.created(hostname="laptop")
    with folded(a) as view:
        [before] = view.instances(a.workspace)
    a.step("s")
    with folded(a) as view:
        [after] = view.instances(a.workspace)

    assert before.hostname == after.hostname == "laptop"
    assert (before.time, after.time) == tuple(a.lines[n].fact.time for n in (0, -1))


def test_what_is_current_is_that_of_an_instance(folded: Folded, recorder: Recorders):
    a, b = recorder(), recorder(B)
    a.step("prepare", ["raw"], ["clean:/b", "clean:/a"])
    a.snapshot()
    b.set_current(a.current.values())
    a.step("prepare", ["raw"], ["clean:/a"])
    a.step("train", ["raw"], ["clean:/b"], error="killed")
    with folded(a, b) as view:
        here, there = view.current(a.workspace, A), view.current(a.workspace, B)
        assert view.current(a.workspace, str(uuid.uuid4())) == {}

    assert here == a.current
    assert there == b.current
    assert list(map(str, there)) == ["clean:/a", "clean:/b", "raw"]


def test_the_time_of_a_version_is_read_from_its_rank():
    certificate = Certificate(id=B, ref=ref("raw"))
    told = "2026-11-28T19:21:00.123000Z"
    ms = round(parse_utc(told).timestamp() * 1000)
    made = str(uuid.UUID(int=ms << 80 | 0x7 << 76 | 0b10 << 62))

    def time(rank: str) -> str | None:
        return Version(certificate=certificate, rank=rank).time

    assert time(made) == told
    assert time(f"-{made}") == told  # as an import told of it
    assert time(fresh_id())
    assert [time(rank) for rank in ("", "no id", B, f"ffffffff-ffff-7{B[15:]}")] == [None] * 4
