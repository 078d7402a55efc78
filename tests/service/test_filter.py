"""Filters of the graph: asked by programs, and on the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.service.browsing import Seen
from tests.service.pipelines import keys
from tests.service.processes import Served

RAW, CLEAN, MODEL = "source-data", "intermediate-data:/clean", "intermediate-data:/model"
REPORT, EXTRA = "results:/report", "intermediate-data:/extra"
STEPS = {"clean", "fit", "report", "=1+1"}
DATA = {CLEAN, MODEL, REPORT, EXTRA, RAW}
FILTERS: tuple[tuple[str, set[str]], ...] = (
    ("fit", {"fit"}),
    ("*i*", {"fit", *DATA} - {REPORT} - {RAW}),
    (MODEL, {MODEL}),
    ("+fit", {RAW, "clean", CLEAN, "fit"}),
    ("1+fit", {"clean", CLEAN, "fit", RAW}),
    (f"1+{MODEL.replace(':', ':')}", {CLEAN, "fit", MODEL}),
    ("fit+", {"fit", MODEL, "report", REPORT}),
    ("fit+0", {"fit", MODEL}),
    ("+fit+", {RAW, "clean", CLEAN, "fit", MODEL, "report", REPORT}),
    ("kind:step", STEPS),
    ("kind:data", DATA),
    ("role:results", {REPORT}),
    ("resource:intermediate*", {CLEAN, MODEL, EXTRA}),
    ("tag:v1", {RAW, CLEAN, MODEL, "clean", "fit", REPORT, "report"}),
    ("tag:v? and kind:step", {"clean", "fit", "report"}),
    ("workspace:pipeline and kind:step", STEPS),
    ("workspace:other", set()),
    ("status:completed", STEPS),
    ('stale:"input changed"', {"clean", CLEAN}),
    ('is:stale and kind:step and not name:"=1+1"', {"clean", "fit", "report"}),
    ("since:2020-01-01", STEPS | DATA),
    ("before:2020-01-01", set()),
    ("(fit or report) and not f*", {"report"}),
)


@pytest.fixture
def client(of_pipeline: Served) -> Iterator[httpx.Client]:
    with of_pipeline.client() as made:
        yield made


def of(client: httpx.Client, asked: str, **query: Any) -> httpx.Response:
    return client.get(f"/api/v1/{asked}", params=query)


def names(answer: httpx.Response) -> set[str]:
    nodes = answer.json()["nodes"]
    return {n["name"] for n in nodes if n["properties"].get("role") != "code"}


@pytest.mark.parametrize(("text", "found"), FILTERS)
def test_a_filter_selects(client: httpx.Client, text: str, found: set[str]):
    start = keys(client)[RAW]
    whole = of(client, "lineage/downstream", node=start).json()
    answer = of(client, "lineage/downstream", node=start, filter=text)

    assert names(answer) == found
    assert answer.json()["filtered"] == len(whole["nodes"]) - len(answer.json()["nodes"])
    assert answer.json()["left_out"] == 0


def test_a_filter_goes_with_each_question(client: httpx.Client):
    known = keys(client)
    up = of(client, "lineage/upstream", node=known[REPORT], filter="kind:step")
    near = of(client, "lineage/neighbourhood", node=known["fit"], depth=1, filter="kind:data")
    dot = of(client, "export/upstream", node=known[REPORT], filter="kind:step", format="dot")
    json = of(client, "export/upstream", node=known[REPORT], filter="kind:step")

    assert names(up) == names(json) == {"clean", "fit", "report"}
    assert names(near) == {CLEAN, MODEL}
    assert "fit" in dot.text
    assert "model" not in dot.text


def test_lines_lead_over_what_a_filter_leaves_out(client: httpx.Client):
    known = keys(client)
    found = of(client, "lineage/upstream", node=known[REPORT], filter="kind:step").json()
    ways = {(e["source"], e["target"], e["type"]) for e in found["edges"]}

    assert ways == {
        (known["clean"], known["fit"], "VIA"),
        (known["fit"], known["report"], "VIA"),
    }


def test_a_limit_keeps_what_is_nearest_of_what_fits(client: httpx.Client):
    known = keys(client)
    query = {"node": known[REPORT], "filter": "kind:step", "limit": 2}
    found = of(client, "lineage/upstream", **query)

    assert names(found) == {"fit", "report"}
    assert found.json()["left_out"] == 1


WRONG = (
    ("kind:stap", "'stap' is no kind (at character 6)", "step, data"),
    ("fit and", "the filter ends where", "Write"),
    ("tag:v9", "no snapshot here has the tag 'v9'", "There is v1."),
    ("a" * 2_001, "", ""),
)


@pytest.mark.parametrize("question", ["lineage/upstream", "export/upstream", "impact"])
@pytest.mark.parametrize(("text", "said", "hint"), WRONG)
def test_a_wrong_filter_is_refused(
    client: httpx.Client, question: str, text: str, said: str, hint: str
):
    answer = of(client, question, node=keys(client)[REPORT], filter=text)

    assert answer.status_code == (422 if len(text) > 2_000 else 400)
    assert said in answer.json()["detail"]
    assert hint in answer.json().get("hint", "")


@pytest.fixture
def graph(see: Callable[..., Seen], of_pipeline: Served, client: httpx.Client) -> Seen:
    seen = see(of_pipeline)
    seen.go(f"/graph?node={keys(client)[RAW]}&detail=certificates")
    return drawn(seen)


def drawn(seen: Seen) -> Seen:
    seen.page.wait_for_selector("html[data-ready]", state="attached")
    return seen


def shown(page: Page) -> set[str]:
    """The ids of the nodes that are drawn, which the table beside them has, too."""
    ids = page.evaluate("nodes.map((n) => n.id)")
    named = page.evaluate("nodes.map((n) => n.name)")
    assert page.locator("#twin tbody button").all_text_contents() == named
    return set(ids)


def asked(client: httpx.Client, **query: Any) -> set[str]:
    """The same from the API: both ways from the raw data."""
    start = keys(client)[RAW]
    found = [
        of(client, f"lineage/{way}", node=start, **query).json()["nodes"]
        for way in ("upstream", "downstream")
    ]
    return {node["key"] for nodes in found for node in nodes}


@pytest.mark.needs("chromium")
@pytest.mark.sentence("filter_language")
def test_a_filter_is_typed_and_stands_in_the_address(graph: Seen, client: httpx.Client):
    page = graph.page
    whole = len(shown(page))
    text = "(+fit or role:results) and not kind:code"
    page.locator("#how [name=filter]").fill(text)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("filter=%28%2Bfit"))
    drawn(graph)

    assert shown(page) == asked(client, filter=text)
    expect(page.locator("#filtered")).to_contain_text(f"{whole - len(shown(page))} nodes do not")
    expect(page.locator("#how [name=filter]")).to_have_value(text)
    with page.expect_download() as saved:
        page.get_by_role("link", name="dot").click()
    assert "=1+1" not in saved.value.path().read_text()


@pytest.mark.needs("chromium")
@pytest.mark.sentence("filter_language")
def test_a_wrong_filter_is_marked_where_it_is_wrong(graph: Seen):
    page = graph.page
    page.locator("#how [name=filter]").fill("fit and kind:stap or x")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("'stap' is no kind")
    expect(page.locator("mark")).to_have_text("stap")
    expect(page.locator("#how [name=filter]")).to_have_attribute("aria-invalid", "true")
    page.locator("#how [name=filter]").fill("fit and kind:step")
    page.keyboard.press("Enter")
    drawn(graph)
    assert page.evaluate("nodes.map((n) => n.name)") == ["fit"]


def choose(graph: Seen, name: str, value: str) -> None:
    """By one of the inputs beside the filter."""
    page = graph.page
    page.get_by_text("Kind, resource, time").click()
    field = page.locator(f"details [name={name}]")
    if name in ("kind", "resource"):
        field.select_option(value)
    else:
        field.fill(value)
    page.locator("details.choices button").click()
    page.wait_for_url(re.compile("filter="))
    drawn(graph)


@pytest.mark.needs("chromium")
@pytest.mark.sentence("filter_kind")
@pytest.mark.parametrize("kind", ["step", "data", "code"])
def test_one_kind_is_chosen(graph: Seen, client: httpx.Client, kind: str):
    choose(graph, "kind", kind)

    assert shown(graph.page) == asked(client, filter=f"kind:{kind}")
    expect(graph.page.locator("#how [name=kind]")).to_have_value(kind)
    empty = graph.page.get_by_text("Nothing fits the filter.")
    expect(empty).to_have_count(0 if shown(graph.page) else 2)  # beside the slider, and in place


@pytest.mark.needs("chromium")
@pytest.mark.sentence("filter_resource")
def test_one_resource_is_chosen(graph: Seen, client: httpx.Client):
    offered = graph.page.locator("#how [name=resource] option").all_text_contents()
    choose(graph, "resource", "intermediate-data")

    assert offered == ["all", "intermediate-data", "results", "source-data"]
    assert shown(graph.page) == asked(client, filter="resource:intermediate-data")


@pytest.mark.needs("chromium")
@pytest.mark.sentence("filter_time")
@pytest.mark.parametrize(("name", "key"), [("since", "since"), ("until", "before")])
def test_a_time_is_chosen(graph: Seen, client: httpx.Client, name: str, key: str):
    choose(graph, name, "2026-01-02T03:04")

    assert shown(graph.page) == asked(client, filter=f"{key}:2026-01-02T03:04Z")
    expect(graph.page.locator(f"#how [name={name}]")).to_have_value("2026-01-02T03:04")


@pytest.mark.needs("chromium")
@pytest.mark.sentence("filter_time")
def test_a_choice_and_a_filter_go_together(
    see: Callable[..., Seen], client: httpx.Client, of_pipeline: Served
):
    seen = see(of_pipeline)
    known = keys(client)
    when = of(client, f"steps/{known['report']}").json()["start_time"]
    query = httpx.QueryParams(
        node=known[RAW], detail="certificates", filter="not fit", kind="step", since=when
    )
    seen.go(f"/graph?{query}")
    drawn(seen)

    found = asked(client, filter=f"not fit and kind:step and since:{when}")
    assert shown(seen.page) == found == {known["report"], known["=1+1"]}


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("query", ["kind=x", "since=x", "filter=tag:v9"])
def test_what_makes_no_sense_is_said(
    see: Callable[..., Seen], of_pipeline: Served, client: httpx.Client, query: str
):
    seen = see(of_pipeline)
    seen.go(f"/graph?node={keys(client)[RAW]}&{query}")

    expect(seen.page.get_by_role("alert")).to_contain_text(query.split("=")[-1].split(":")[-1])
    expect(seen.page.locator("#figure")).to_have_count(0)
    problem = client.get(f"/graph/drawing?node={keys(client)[RAW]}&{query}")
    assert problem.status_code == 400


def lit(page: Page) -> set[str] | None:
    found = page.evaluate(
        "view.lit && [...view.lit].filter(Boolean).map((id) => byId.get(id).name)"
    )
    return None if found is None else set(found)


def pick(page: Page, name: str) -> None:
    """By its button in the table, as a keyboard does."""
    if not page.locator("#twin[open]").count():
        page.locator("#twin summary").click()
    page.locator("#twin tbody button").get_by_text(name, exact=True).first.focus()
    page.keyboard.press("Enter")


@pytest.mark.needs("chromium")
@pytest.mark.sentence("focus")
def test_what_is_selected_stands_out_with_its_lineage_and_the_rest_fades(
    graph: Seen, client: httpx.Client
):
    page = graph.page
    assert lit(page) is None
    pick(page, "fit")
    known = keys(client)
    both = [
        names(of(client, f"lineage/{way}", node=known["fit"])) for way in ("upstream", "downstream")
    ]

    here = set(page.evaluate("nodes.map((n) => n.name)"))
    assert lit(page) == (both[0] | both[1]) & here
    assert here - (lit(page) or set()) == {"=1+1", EXTRA}
    page.locator("#panel").focus()
    page.keyboard.press("Escape")
    assert lit(page) is None


@pytest.mark.needs("chromium")
@pytest.mark.sentence("depth")
def test_the_depth_of_what_stands_out_is_chosen_up_to_the_full_path(graph: Seen):
    page = graph.page
    pick(page, REPORT)
    full = lit(page)
    page.locator("#depth").select_option("1")

    assert full == {RAW, "clean", CLEAN, "fit", MODEL, "report", REPORT}
    assert lit(page) == {MODEL, "report", REPORT}
    expect(page).to_have_url(re.compile("near=1"))
    page.locator("#depth").select_option("Infinity")
    assert lit(page) == full


@pytest.mark.needs("chromium")
@pytest.mark.sentence("depth")
def test_only_so_many_steps_are_asked_for(graph: Seen, client: httpx.Client):
    page = graph.page
    page.locator("#how [name=depth]").fill("1")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("depth=1"))
    drawn(graph)

    assert shown(page) == asked(client, depth=1)
