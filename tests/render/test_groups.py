from __future__ import annotations

from dws_graph.render.details import Fact
from dws_graph.render.dot import to_dot
from dws_graph.render.drawing import drawing_of
from dws_graph.render.groups import TIMES, grouped
from dws_graph.render.mermaid import to_mermaid
from dws_graph.render.picture import Picture, picture_for
from dws_graph.render.svg import draw_svg
from tests.render import samples


def names(picture: Picture) -> list[str]:
    return [node.name for node in picture.nodes]


def arrows(picture: Picture) -> set[tuple[str, str]]:
    name = {node.key: node.name for node in picture.nodes}
    return {(name[e.source], name[e.target]) for e in picture.edges}


def test_steps_of_one_name_and_what_they_wrote_become_one_each():
    picture = grouped(picture_for(samples.fan(300), "steps"), "steps")

    assert arrows(picture) == {
        ("holdout", f"score {TIMES}300"),
        (f"score {TIMES}300", f"scores {TIMES}300"),
        (f"scores {TIMES}300", "report"),
        ("report", "summary"),
    }
    assert [n.shape for n in picture.nodes if n.members] == ["between", "step"]


def test_a_group_says_how_many_failed_and_which_values_occur():
    picture = grouped(picture_for(samples.fan(300), "steps"), "steps")

    (steps,) = (n for n in picture.nodes if n.name == f"score {TIMES}300")

    assert steps.states == ("several", "failed")
    assert steps.second == "4 failed"
    assert set(steps.details) >= {
        Fact("steps", "300"),
        Fact("failed", "4"),
        Fact("seed", "0 … 299 (300 values)", "parameters"),
        Fact("kernel", "linear, rbf", "parameters"),
    }


def test_a_group_says_why_some_of_it_are_stale():
    fan = samples.fan(5)
    one, other = [n.key for n in fan.nodes if n.name == "score"][:2]

    picture = picture_for(fan, "steps", {one: ["input changed"], other: ["code changed"]})

    (steps,) = (n for n in grouped(picture, "steps").nodes if n.name == f"score {TIMES}5")
    assert steps.second == "2 stale"
    assert [f.value for f in steps.details if f.name == "stale because"] == [
        "input changed",
        "code changed",
    ]


def test_a_group_with_many_reasons_says_how_many_it_left_out():
    fan = samples.fan(20)
    keys = [n.key for n in fan.nodes if n.name == "score"]

    picture = picture_for(fan, "steps", {key: [f"input changed: {key}"] for key in keys})

    (steps,) = (n for n in grouped(picture, "steps").nodes if n.name == f"score {TIMES}20")
    said = [f.value for f in steps.details if f.name == "stale because"]
    assert said == [*(f"input changed: {key}" for key in keys[:7]), "and 13 more"]


def test_versions_of_a_resource_and_the_steps_that_write_them_become_one():
    picture = grouped(picture_for(samples.fan(300), "certificates"), "resources")

    (scores,) = (n for n in picture.nodes if n.name == f"scores {TIMES}300")

    assert len(scores.members) == 600
    assert arrows(picture) == {
        ("holdout", f"scores {TIMES}300"),
        (f"scores {TIMES}300", "report"),
        ("report", "summary"),
    }


def test_what_was_asked_for_and_what_is_alone_stay_as_they_are():
    picture = picture_for(samples.digits(), "steps")

    made = grouped(picture, "steps")

    (root,) = (n for n in picture.nodes if "root" in n.states)
    assert root in made.nodes
    assert names(made).count("results") == 2  # the one asked for, and the other one
    assert "digits-data" in names(made)
    assert f"train {TIMES}2" in names(made)


def test_later_ones_that_were_made_from_earlier_ones_lead_back():
    m = samples.Maker()
    data, model = m.source("data"), m.certificate("models")
    m.step("train", [data], [model])
    for _ in range(2):
        better = m.certificate("models")
        m.step("train", [data, model], [better])
        model = better

    picture = grouped(picture_for(m.subgraph(), "certificates"), "steps")

    assert arrows(picture) == {
        ("data", f"train {TIMES}3"),
        (f"train {TIMES}3", f"models {TIMES}3"),
        (f"models {TIMES}3", f"train {TIMES}3"),
    }


def test_every_node_is_in_one_place_and_no_edge_is_lost():
    picture = picture_for(samples.pipelines(45), "steps")

    for by in ("steps", "resources"):
        made = grouped(picture, by)
        where = {key: n.key for n in made.nodes for key in n.members or (n.key,)}
        drawn = {(e.source, e.target, e.stroke) for e in made.edges}

        assert list(where) != []
        assert set(where) == {n.key for n in picture.nodes}
        assert sum(len(n.members or (n.key,)) for n in made.nodes) == len(picture.nodes)
        assert len(made.nodes) < 30
        assert {
            (where[e.source], where[e.target], e.stroke)
            for e in picture.edges
            if where[e.source] != where[e.target]
        } == drawn


def test_all_formats_draw_groups():
    fan = samples.fan(300)

    assert to_dot(fan, title="t", group="steps").count(" -> ") == 4
    assert to_mermaid(fan, group="steps").count("---") == 1
    assert f"score {TIMES}300" in to_dot(fan, title="t", group="steps")
    svg = draw_svg(drawing_of(fan, group="steps"), title="t")
    assert f"score {TIMES}300" in svg
    assert "several in one" in svg
