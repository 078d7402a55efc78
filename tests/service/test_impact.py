"""What a change would reach: as a table, as JSON, as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from dws_graph.api.service.impacts import harmless
from tests.service.browsing import Seen
from tests.service.pipelines import keys
from tests.service.processes import Served
from tests.service.test_filter import CLEAN, EXTRA, MODEL, RAW, REPORT


@pytest.fixture
def client(of_pipeline: Served) -> Iterator[httpx.Client]:
    with of_pipeline.client() as made:
        yield made


def impact(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get("/api/v1/impact", params=query).json()["items"]
    return rows


def test_all_that_is_downstream_is_told_with_how_far_and_by_which_step(client: httpx.Client):
    known = keys(client)
    rows = impact(client, node=known[RAW])

    assert {row["name"]: row["away"] for row in rows} == {
        "clean": 1,
        CLEAN: 1,
        "fit": 2,
        MODEL: 2,
        "=1+1": 2,
        EXTRA: 2,
        "report": 3,
        REPORT: 3,
    }
    [model] = [row for row in rows if row["name"] == MODEL]
    step = client.get(f"/api/v1/steps/{known['fit']}").json()
    assert (model["kind"], model["resource"]) == ("data", "intermediate-data")
    assert model["workspace_name"] == "pipeline"
    assert (model["step"], model["step_name"], model["time"]) == (
        step["id"],
        "fit",
        step["start_time"],
    )
    assert (model["key"], model["versions"]) == (known[MODEL], 1)


def test_what_is_stale_is_told_with_the_reason(client: httpx.Client):
    told = {row["name"]: row["stale"] for row in impact(client, node=keys(client)[RAW])}

    assert told["clean"] == told[CLEAN] == [f"input changed: {RAW}"]
    assert told["fit"] == [f"upstream stale: {CLEAN}"]


def test_a_ref_means_all_its_versions_and_what_lies_in_it(client: httpx.Client):
    workspace = client.get("/api/v1/workspaces").json()["items"][0]["id"]
    rows = impact(client, workspace=workspace, ref="intermediate-data", sort="name")

    assert [row["name"] for row in rows] == ["=1+1", "fit", "report", REPORT]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    "sort", ["away", "kind", "name", "workspace", "resource", "stale", "time", "step"]
)
def test_pages_hold_each_row_once_in_the_order_asked_for(
    client: httpx.Client, sort: str, order: str
):
    query = {"node": keys(client)[RAW], "sort": sort, "order": order}
    whole = impact(client, **query)
    paged, cursor = [], None
    for _ in range(5):
        more: dict[str, str] = {"cursor": cursor} if cursor else {}
        answer = client.get("/api/v1/impact", params={**query, "limit": 3, **more}).json()
        paged.append(answer["items"])
        cursor = answer["next"]
        if not cursor:
            break

    assert [len(page) for page in paged] == [3, 3, 2]
    assert [row for page in paged for row in page] == whole
    value = {"workspace": "workspace_name", "step": "step_name"}.get(sort, sort)
    told = [row[value] or "" for row in whole if sort != "stale" and row[value]]
    assert told == sorted(told, reverse=order == "desc")
    if sort == "stale":
        assert bool(whole[0]["stale"]) == (order == "asc") or all(row["stale"] for row in whole)


def test_a_filter_leaves_rows_out(client: httpx.Client):
    start = keys(client)[RAW]
    found = impact(client, node=start, filter="kind:step and +report", sort="time")

    assert [row["name"] for row in found] == ["clean", "fit", "report"]
    assert [row["away"] for row in found] == [1, 2, 3]
    assert {row["name"] for row in impact(client, node=start, depth=1)} == {"clean", CLEAN}


def test_the_csv_has_the_same_rows_and_no_formula(client: httpx.Client):
    query = {"node": keys(client)[RAW], "sort": "name"}
    answer = client.get("/api/v1/impact", params={**query, "format": "csv"})
    head, *rows = csv.reader(io.StringIO(answer.text))
    told = [dict(zip(head, row, strict=True)) for row in rows]
    expected = impact(client, **query)

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="impact.csv"'
    assert "content-length" not in answer.headers  # it is streamed
    assert [row["id"] for row in told] == [row["key"] for row in expected]
    assert [int(row["steps away"]) for row in told] == [row["away"] for row in expected]
    assert "'=1+1" in {row["name"] for row in told}
    for row in rows:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row), row


def test_hostile_names_are_cells_and_no_more(of_hostile: Served):
    with of_hostile.client() as client:
        workspace = client.get("/api/v1/workspaces").json()["items"][0]["id"]
        query = {"workspace": workspace, "ref": "source-data", "sort": "name"}
        answer = client.get("/api/v1/impact", params={**query, "format": "csv"})
        expected = impact(client, **query)
    _, *rows = csv.reader(io.StringIO(answer.text))

    assert len(rows) == len(expected) > 8
    assert {len(row) for row in rows} == {10}
    assert not re.search(r"[\x00-\x08]", answer.text)


CELLS = (
    *(("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(1)", "'@SUM(1)")),
    *((" =1", "' =1"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("\n@x", "'\n@x")),
    *(("\uff1d1", "'\uff1d1"), ("a=1", "a=1"), ("", ""), (3, 3), ("a\x00b", "a\ufffdb")),
)


@pytest.mark.parametrize(("cell", "made"), CELLS)
def test_no_cell_is_a_formula(cell: str | int, made: str | int):
    assert harmless(cell) == made


WRONG: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 400),
    ({"node": "nothing"}, 404),
    ({"ref": "raw"}, 400),
    ({"workspace": "0b54d1b2-7a0a-4a39-9d3c-7a7d8a5b1f0e", "ref": "raw"}, 404),
    ({"node": "x", "sort": "colour"}, 422),
    ({"node": "x", "cursor": "x"}, 400),
)


@pytest.mark.parametrize(("query", "status"), WRONG)
@pytest.mark.parametrize("path", ["/api/v1/impact", "/impact"])
def test_what_makes_no_sense_is_refused(
    client: httpx.Client, path: str, query: dict[str, str], status: int
):
    answer = client.get(path, params=query)

    assert answer.status_code == status
    assert answer.json()["status"] == status


def cells(seen: Seen, number: int) -> list[str]:
    found = seen.page.locator(f".impact tbody td:nth-child({number})").all_inner_texts()
    return [text.strip() for text in found]


@pytest.mark.needs("chromium")
@pytest.mark.sentence("impact")
def test_the_table_is_sorted_filtered_and_saved(
    see: Callable[..., Seen], of_pipeline: Served, client: httpx.Client
):
    known = keys(client)
    seen = see(of_pipeline)
    page = seen.page
    seen.go(f"/steps/{known['clean']}")
    page.get_by_role("link", name="Impact").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What was made from clean")
    page.get_by_role("link", name="Name").click()
    page.get_by_role("link", name="Name").click()
    expect(page).to_have_url(re.compile("sort=name&order=desc"))
    rows = impact(client, node=known["clean"], sort="name", order="desc")

    assert cells(seen, 3) == [row["name"] for row in rows]
    assert [int(far) for far in cells(seen, 1)] == [row["away"] for row in rows]
    assert cells(seen, 6) == ["; ".join(row["stale"]) for row in rows]
    expect(page.locator("th[aria-sort='descending']")).to_contain_text("Name")
    page.locator("#how [name=filter]").fill("kind:data and is:stale")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("filter=kind"))
    left = impact(
        client, node=known["clean"], sort="name", order="desc", filter="kind:data and is:stale"
    )
    assert cells(seen, 3) == [row["name"] for row in left]
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV").click()
    _, *told = csv.reader(io.StringIO(saved.value.path().read_text()))
    assert [row[-1] for row in told] == [row["key"] for row in left]


@pytest.mark.needs("chromium")
@pytest.mark.sentence("impact")
def test_the_table_leads_to_the_graph_and_back(
    see: Callable[..., Seen], of_pipeline: Served, client: httpx.Client
):
    known = keys(client)
    seen = see(of_pipeline)
    seen.go(f"/certificates/{known[CLEAN]}")
    seen.page.get_by_role("link", name="Impact").click()
    seen.page.get_by_role("link", name="Graph").click()
    seen.page.wait_for_selector("html[data-ready]", state="attached")
    seen.page.get_by_role("link", name="Impact").click()

    expect(seen.page.get_by_role("heading", level=1)).to_have_text(f"What was made from {CLEAN}")
    assert cells(seen, 3) == [row["name"] for row in impact(client, node=known[CLEAN])]
