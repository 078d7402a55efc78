from __future__ import annotations

import pytest

from dws_graph.model.subgraph import Edge, Node, Subgraph
from dws_graph.render.details import Fact
from dws_graph.render.drawing import drawing_of
from dws_graph.render.html import to_html
from dws_graph.render.look import CHANGES, SHAPES, TONES, WIDTHS
from dws_graph.render.picture import PictureNode, picture_for, picture_of
from tests.render import samples


def certificate(key: str, **properties) -> Node:
    return Node(key=key, kind="certificate", name=key, properties={"hash": "ab" * 20, **properties})


def step(key: str, **properties) -> Node:
    return Node(key=key, kind="step", name=key, properties=properties)


def drawn(*nodes: Node, edges: tuple[Edge, ...] = (), root: str = "") -> dict[str, PictureNode]:
    subgraph = Subgraph(root=root, complete=True, nodes=nodes, edges=edges)
    return {n.key: n for n in picture_of(subgraph).nodes}


@pytest.mark.parametrize(
    ("properties", "shape"),
    [
        ({"role": "source-data", "produced": True}, "source"),
        ({"role": "intermediate-data", "produced": False}, "source"),
        ({"role": "intermediate-data", "produced": True}, "intermediate"),
        ({"role": "results", "produced": True}, "result"),
        ({"role": "code", "produced": False}, "code"),
    ],
)
def test_a_certificate_is_drawn_by_its_role(properties, shape):
    assert drawn(certificate("c", **properties))["c"].shape == shape


def test_what_is_only_run_is_code_whatever_its_role():
    nodes = certificate("c", role="intermediate-data", produced=True), step("s")
    run, read = Edge("c", "s", "CODE_OF"), Edge("c", "s", "READ_BY")

    assert "c" not in drawn(*nodes, edges=(run,))
    assert drawn(*nodes, edges=(run, read))["c"].shape == "intermediate"
    assert drawn(*nodes, edges=(run,), root="c")["c"].shape == "code"


def test_code_is_a_line_in_the_details_of_its_steps():
    digits = samples.digits()

    folded, whole = picture_of(digits), picture_of(digits, fold_code=False)

    steps = [n for n in folded.nodes if n.shape == "step"]
    assert [d for n in steps for d in n.details if d.group == "code"] == [
        Fact("code:/train.py", "c386bbc4", "code")
    ] * 2
    assert "code" not in folded.shapes()
    assert len(whole.nodes) == len(folded.nodes) + 1
    assert whole.strokes() == ["code"]


def test_data_between_steps_is_a_name_on_their_line():
    picture = picture_for(samples.forecast(), "steps")

    shapes = {n.name: (n.shape, n.role) for n in picture.nodes}
    assert shapes["models:/large.onnx"] == ("between", "intermediate")
    assert shapes["weather"] == ("source", "source")
    assert shapes["exports:/model.tar.gz"] == ("result", "result")
    assert shapes["reports:/november-forecast-of-all-regions.html"] == ("result", "result")
    assert len(picture.nodes) == len(picture_of(samples.forecast()).nodes)
    assert {n.shape for n in picture_for(samples.forecast(), "certificates").nodes} == {
        *("source", "intermediate", "result", "step", "code", "snapshot"),
    }


def test_data_on_a_line_takes_less_room():
    whole, line = (
        {n.name: n for n in picture_of(samples.forecast(), fold_data=fold).nodes}["splits"]
        for fold in (False, True)
    )

    assert line.height < whole.height
    assert line.width < whole.width


def test_marks_say_why_a_node_is_stale():
    subgraph = Subgraph(
        root="", complete=True, nodes=(step("a"), step("b"), certificate("c")), edges=()
    )

    nodes = picture_of(subgraph, marks={"a": ["code changed", "upstream stale"], "c": []}).nodes

    assert [n.states for n in nodes] == [("stale",), (), ()]
    assert nodes[0].second == "code changed"
    assert nodes[0].details[:2] == (
        Fact("stale because", "code changed"),
        Fact("stale because", "upstream stale"),
    )


def test_code_that_a_step_wrote_is_not_folded():
    nodes = step("make"), certificate("c", role="code", produced=True), step("run")
    edges = (Edge("make", "c", "WROTE"), Edge("c", "run", "CODE_OF"))

    assert drawn(*nodes, edges=edges)["c"].shape == "code"


def test_states_and_second_lines():
    nodes = drawn(
        certificate("gone", status="not kept", hash=None, produced=True),
        certificate("soon", status="pending", hash=None, produced=True),
        certificate("old", stale="input changed", produced=True),
        step("bad", status="failed", execution_time_seconds=26.5),
        step("good", status="completed", execution_time_seconds=0.04),
        root="old",
    )

    assert {k: (n.states, n.second) for k, n in nodes.items()} == {
        "gone": (("not_kept",), "not kept"),
        "soon": (("pending",), "pending"),
        "old": (("root", "stale"), "abababab · input changed"),
        "bad": (("failed",), "failed · 26.5 s"),
        "good": ((), "0.04 s"),
    }
    assert nodes["old"].words() == "intermediate old, abababab · input changed, asked for, stale"
    assert nodes["gone"].words() == "intermediate gone, not kept"


def test_details_tell_parameters_metrics_and_the_command():
    node = drawn(
        step(
            "train",
            start_time="2026-11-03T09:12:30.120000Z",
            command_line=["python", "train.py", "--name", "two words"],
            parameters={"gamma": 0.001, "layers": [1, 2], "seed": None},
            metrics={"accuracy": 0.96888888},
            environment="1f",
        )
    )["train"]

    assert node.details == (
        Fact("started", "2026-11-03 09:12:30 UTC"),
        Fact("command", "python train.py --name 'two words'"),
        Fact("gamma", "0.001", "parameters"),
        Fact("layers", "[1, 2]", "parameters"),
        Fact("seed", "none", "parameters"),
        Fact("accuracy", "0.968889", "metrics"),
    )


def test_a_long_name_is_cut_in_the_middle_and_kept_whole_beside():
    name = "features:/2026/11/november-forecast-of-all-regions.parquet"
    node = drawn(certificate(name, produced=True))[name]

    assert node.name == name
    assert node.label.startswith("features:/")
    assert node.label.endswith(".parquet")
    assert "…" in node.label
    assert node.width <= WIDTHS[1]


def test_a_usual_name_is_not_cut():
    for name in ("intermediate-data:/clean", "sklearn-digits-dataset", "results:/logreg/model.bin"):
        assert drawn(certificate(name, produced=True))[name].label == name


def test_a_page_is_as_high_as_it_needs_where_no_height_is_given():
    few, many = (
        Subgraph(root="", complete=True, nodes=tuple(step(f"s{i}") for i in range(n)), edges=())
        for n in (2, 200)
    )
    assert "height: 440px" in to_html(few, title="few", height=None)
    assert "height: 800px" in to_html(many, title="many", height=None)
    assert "height: 800px" in to_html(few, title="few")


def test_edges_to_nodes_that_are_not_there_are_left_out():
    subgraph = Subgraph(
        root="", complete=True, nodes=(step("a"),), edges=(Edge("a", "b", "WROTE"),)
    )

    assert picture_of(subgraph).edges == ()


def test_the_legend_lists_only_what_is_shown():
    picture = picture_of(samples.digits())

    assert picture.shapes() == ["source", "result", "step"]
    assert picture.states() == ["root"]
    assert picture.strokes() == []


def test_edges_that_share_a_line_share_its_legs():
    drawing = drawing_of(samples.pipelines(12))

    assert len(drawing.legs) < sum(map(len, drawing.runs))
    assert len(drawing.runs) == len(drawing.picture.edges)
    assert drawing_of(samples.pipelines(12)) == drawing


def luminance(colour: str) -> float:
    def linear(part: str) -> float:
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return sum(
        share * linear(colour[i : i + 2]) for share, i in ((0.2126, 1), (0.7152, 3), (0.0722, 5))
    )


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["light", "dark"])
def test_lines_and_words_can_be_told_from_what_is_behind_them(page):
    tone = {name: getattr(tones, page) for name, tones in TONES.items()}
    lines = [*SHAPES, *CHANGES, "edge", "stale", "failed", "selected", "downstream"]
    fills = ["page", "panel", *(f"{s}-fill" for s in SHAPES if s != "step")]

    assert all(contrast(tone[line], tone["page"]) >= 3 for line in lines)
    assert all(contrast(tone[word], tone[f]) >= 4.5 for word in ("text", "second") for f in fills)
    assert contrast(tone["step-text"], tone["step-fill"]) >= 4.5
    assert contrast(tone["step-second"], tone["step-fill"]) >= 4.5
    assert contrast(tone["failed"], tone["page"]) >= 4.5
