"""The graph in time: at a snapshot, two versions over one another, and what was stale when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from playwright.sync_api import Page, expect

from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.lineage import LineageBuilder
from tests.backends.conftest import graph_address
from tests.backends.histories import Recorder
from tests.neo4j.local import Address
from tests.service.browsing import Seen
from tests.service.processes import Served, dws, serving

chromium = pytest.mark.needs("chromium")
HTML = {"accept": "text/html"}
A, B, C = "intermediate-data:/a.txt", "intermediate-data:/b.txt", "intermediate-data:/c.txt"


def run(root: Path, name: str, read: str, wrote: str, **parameters: int) -> None:
    """A step that copies a file, and adds to it."""
    source, target = (root / path for path in (read, wrote))
    builder = LineageBuilder().with_workspace_directory(str(root)).with_step_name(name)
    with builder.with_parameters(parameters).with_input_path(str(source)).eval() as step:
        step.add_output_path(str(target))
        target.write_text(f"{source.read_text()}{name} {parameters}\n")


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three snapshots: all is fresh; `train` is stale; all new, and `report`, retracted since."""
    root = tmp_path_factory.mktemp("timed") / "work"
    root.mkdir()
    raw, a, b, c = "source-data/raw.txt", *(f"intermediate-data/{n}.txt" for n in "abc")
    done = [dws(root, "init", "--create-resources", "all", "timed")]
    (root / raw).write_text("raw\n")
    run(root, "prepare", raw, a, k=1)
    run(root, "train", a, b)
    done.append(dws(root, "snapshot", "-m", "fresh", "one"))
    run(root, "prepare", raw, a, k=2)
    done.append(dws(root, "snapshot", "-m", "half", "two"))
    run(root, "train", a, b)
    run(root, "report", b, c)
    done.append(dws(root, "snapshot", "-m", "new", "three"))
    done.append(dws(root, "steps", "retract", "report", "--reason", "wrong", "--yes"))
    assert [one.returncode for one in done] == [0] * len(done), done
    with serving(root, tmp_path_factory.mktemp("of_timed")) as served:
        yield served


@pytest.fixture
def client(timed: Served) -> Iterator[httpx.Client]:
    with timed.client() as made:
        yield made


@pytest.fixture
def workspace(client: httpx.Client) -> str:
    found: str = client.get("/api/v1/workspaces").json()["items"][0]["id"]
    return found


def address(**words: str) -> str:
    return f"/graph?{urlencode(words)}"


def opened(seen: Seen, path: str) -> Page:
    seen.go(path)
    drawn(seen.page)
    return seen.page


def drawn(page: Page) -> None:
    page.wait_for_selector("html[data-ready]", state="attached")


def rows(page: Page) -> list[tuple[str, str]]:
    """(name, state) of each row of the table beside the picture."""
    found = page.locator("#twin tbody tr").evaluate_all(
        "rows => rows.map(r => [r.cells[1].textContent, r.cells[3].textContent])"
    )
    return sorted((name, state) for name, state in found)


def names(graph: dict[str, Any]) -> list[str]:
    return sorted(node["name"] for node in graph["nodes"])


def upstream(client: httpx.Client, **words: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/lineage/neighbourhood?{urlencode(words)}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_graph_at_a_snapshot_is_what_had_been_recorded(client: httpx.Client, workspace: str):
    step = [*"", "prepare", "source-data:/raw.txt"]
    one = upstream(client, workspace=workspace, ref=B, at="one")
    assert names(one) == sorted([A, B, "train", *step])
    assert {n["name"] for n in one["nodes"] if n["properties"].get("current")} == {A, B, step[1]}

    two = upstream(client, workspace=workspace, ref=B, at="two")
    assert names(two) == names(one)
    assert {n["name"] for n in two["nodes"] if n["properties"].get("current")} == {B, step[1]}

    three = upstream(client, workspace=workspace, ref=B, at="three")
    assert names(three) == sorted([A, B, C, "train", "report", *step])
    now = upstream(client, workspace=workspace, ref=B, depth="9")
    assert "report" not in names(now)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ({"at": "four"}, 404, "There is no such snapshot"),
        ({"at": "one", "ref": C}, 404, "Nothing was known of that at that snapshot."),
        ({"at": "one", "ref": "nothing:/here"}, 404, "Nothing was known"),
        ({"at": "one", "node": "none"}, 404, ""),
        ({"at": "../one"}, 404, "There is no such snapshot"),
        ({"at": "one", "ref": B, "node": "none"}, 400, "Name a node, or a ref."),
    ],
)
def test_a_past_that_is_not_there_is_said_to_be_so(
    client: httpx.Client, workspace: str, words: dict[str, str], status: int, said: str
):
    answer = client.get("/api/v1/lineage/upstream", params={"workspace": workspace, **words})

    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_a_moment_is_named_by_tag_hash_digits_or_id(client: httpx.Client, workspace: str):
    listed = client.get(f"/api/v1/workspaces/{workspace}/snapshots").json()["items"]
    two = next(one for one in listed if one["tags"] == ["two"])
    found = [
        upstream(client, workspace=workspace, ref=A, at=name)
        for name in ("two", two["hash"], two["hash"][:8], two["id"])
    ]
    assert found[1:] == found[:1] * 3


def test_a_node_of_later_is_said_not_to_have_been_there(client: httpx.Client, workspace: str):
    later = upstream(client, workspace=workspace, ref=C, at="three")["root"]
    page = client.get(address(node=later, at="one"), headers=HTML)

    assert page.status_code == 200
    assert f"Nothing of {C} had been recorded at snapshot one." in page.text


def test_snapshots_lead_to_their_graphs(client: httpx.Client, workspace: str):
    """A page of a snapshot and a search that found one led to a page of nothing."""
    found = client.get("/search?q=three", headers=HTML).text
    [path] = set(re.findall(r'href="(/workspaces/[^"]*/snapshots/[^"]*)"', found))
    text = client.get(path, headers=HTML).text
    [link] = re.findall(r'href="(/graph\?[^"]*at=[^"]*)"', text)
    shown = client.get(link.replace("&amp;", "&"), headers=HTML)
    assert shown.status_code == 200
    assert "prepare" in shown.text


def test_what_a_form_leaves_empty_says_nothing(client: httpx.Client, workspace: str):
    """The field of arrows was refused when it was empty."""
    words = {"workspace": workspace, "depth": "", "at": "", "against": ""}
    answer = client.get(address(**words), headers=HTML)

    assert answer.status_code == 200
    assert client.get(address(workspace=workspace, depth="0"), headers=HTML).status_code == 422


def test_the_slider_works_as_a_form(client: httpx.Client, workspace: str):
    hashes = [
        one["hash"]
        for one in client.get(f"/api/v1/workspaces/{workspace}/snapshots").json()["items"]
    ][::-1]
    for number, at in enumerate([*hashes, None, None]):
        answer = client.get(
            "/graph/moment",
            params={"moment": number, "workspace": workspace, "ref": B, "direction": "upstream"},
        )
        assert answer.status_code == 303
        expected = {"workspace": workspace, "ref": B, "direction": "upstream"}
        expected |= {"at": at} if at else {}
        assert dict(httpx.URL(answer.headers["location"]).params) == expected
        assert answer.headers["location"].startswith("/graph?")
    assert client.get("/graph/moment?moment=-1&workspace=x").status_code == 422


@chromium
@pytest.mark.sentence("time_slider")
def test_the_slider_moves_the_graph(see: Callable[..., Seen], timed: Served, workspace: str):
    """The same names, and what was current, as the API says."""
    seen = see(timed)
    page = opened(seen, address(workspace=workspace, ref=B))
    slider = page.get_by_label("As of")
    expect(page.locator("#moment-said")).to_have_text(re.compile("now"))
    expect(slider).to_have_attribute("max", "3")
    slider.focus()
    for label in ("three", "two", "one"):
        before = page.url
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#moment-said strong")).to_have_text(label)
        expect(page).not_to_have_url(before)
        drawn(page)
        expect(page.locator("#moment-said strong")).to_have_text(label)
        expect(page.get_by_label("As of")).to_be_focused()
        with timed.client() as client:
            told = upstream(client, workspace=workspace, ref=B, at=label)
        assert [name for name, _ in rows(page)] == names(told)
        current = {n["name"] for n in told["nodes"] if n["properties"].get("current")}
        assert {name for name, state in rows(page) if "current then" in state} == current
    expect(page.locator("#legend")).to_contain_text("current then")


@chromium
@pytest.mark.sentence("time_slider")
def test_the_buttons_beside_the_slider_go_one_snapshot_on(
    see: Callable[..., Seen], timed: Served, workspace: str
):
    seen = see(timed)
    page = opened(seen, address(workspace=workspace, at="two"))
    page.get_by_role("link", name="Earlier: one").click()
    drawn(page)
    expect(page.locator("#moment-said strong")).to_have_text("one")
    expect(page.locator("[rel=prev]")).to_have_count(0)
    for label in ("two", "three", "now"):
        page.locator("[rel=next]").click()
        drawn(page)
        expect(page.locator("#moment-said strong")).to_have_text(label)
    expect(page.locator("[rel=next]")).to_have_count(0)


@chromium
@pytest.mark.sentence("stale")
def test_what_was_stale_then_says_why(see: Callable[..., Seen], timed: Served, workspace: str):
    seen = see(timed)
    page = opened(seen, address(workspace=workspace, at="two"))
    why = f"stale: input changed: {A}"
    assert {name for name, state in rows(page) if why in state} == {"train", B}
    page.locator("summary").last.click()
    page.locator("#twin").get_by_role("button", name="train").click()
    expect(page.locator("#panel")).to_contain_text(f"input changed: {A}")
    for label in ("one", "three"):
        page = opened(seen, address(workspace=workspace, at=label))
        assert [state for _, state in rows(page) if "stale" in state] == []


@chromium
@pytest.mark.sentence("overlay")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_versions_lie_over_one_another(
    see: Callable[..., Seen], timed: Served, workspace: str, scheme: str
):
    """Told apart by sign, line and word, not by colour alone; counted; the same in the table."""
    with timed.client() as client:
        words = {"workspace": workspace, "at": "three", "against": "one"}
        told = client.get(f"/api/v1/overlay?{urlencode(words)}").json()
    changes = sorted((n["name"], n["properties"]["change"]) for n in told["nodes"])
    assert dict(changes) == {
        "source-data:/raw.txt": "same",
        **dict.fromkeys([A, B, "prepare", "train"], "changed"),
        **dict.fromkeys([C, "report"], "added"),
        **{name: "same" for name, change in changes if change == "same"},
    }
    seen = see(timed, scheme)
    page = opened(seen, address(**words))
    assert [name for name, _ in rows(page)] == [name for name, _ in changes]
    shown = [
        next((c for c in ("added", "dropped", "changed") if c in s), "same") for _, s in rows(page)
    ]
    assert shown == [change for _, change in changes]
    for change in ("added", "dropped", "changed", "same"):
        count = sum(one == change for _, one in changes)
        expect(page.locator(f".laid [data-change={change}] strong")).to_have_text(str(count))
    expect(page.locator(".laid")).to_contain_text("only in three (added)")
    expect(page.locator(".laid")).to_contain_text("only in one (dropped)")
    legend = page.locator("#legend")
    for words_of_it in ("added", "changed", "only in the second"):
        expect(legend).to_contain_text(words_of_it)


@chromium
@pytest.mark.sentence("overlay")
def test_an_overlay_is_reached_from_comparing_and_from_the_slider(
    see: Callable[..., Seen], timed: Served, workspace: str
):
    with timed.client() as client:
        listed = client.get(f"/api/v1/workspaces/{workspace}/snapshots").json()["items"]
    hashes = {one["tags"][0]: one["hash"] for one in listed}
    seen = see(timed)
    compared = urlencode([("s", hashes["one"]), ("s", hashes["three"])])
    seen.go(f"/workspaces/{quote(workspace)}/compare?{compared}")
    seen.page.get_by_role("link", name="Graph of three laid over one").click()
    drawn(seen.page)
    expect(seen.page.locator(".laid")).to_contain_text("three laid over one")

    page = opened(seen, address(workspace=workspace, ref=B, at="three"))
    page.get_by_label("laid over").select_option(hashes["two"])
    page.get_by_role("button", name="Look").click()
    drawn(page)
    expect(page.locator(".laid")).to_contain_text("three laid over two")
    expect(page.locator("#moment-said strong")).to_have_text("three")
    with page.expect_download() as saved:
        page.get_by_role("link", name="SVG").click()
    assert "\N{GREEK CAPITAL LETTER DELTA}" in Path(saved.value.path()).read_text()


def test_an_overlay_with_a_version_of_nothing_is_all_new(client: httpx.Client, workspace: str):
    words = {"workspace": workspace, "ref": C, "at": "three", "against": "one"}
    told = client.get(f"/api/v1/overlay?{urlencode(words)}").json()
    assert {n["properties"]["change"] for n in told["nodes"]} == {"added"}
    few = client.get(f"/api/v1/overlay?{urlencode({**words, 'limit': '2'})}").json()
    assert len(few["nodes"]) == 2
    assert few["left_out"] == len(told["nodes"]) - 2
    turned = {**words, "at": "one", "against": "two"}
    assert client.get(f"/api/v1/overlay?{urlencode(turned)}").status_code == 404


@pytest.mark.sentence("stale")
def test_stale_steps_of_other_workspaces_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, neo4j_address: Address
):
    """A team's graph: of a workspace that is not on this machine by what is recorded."""
    other = Recorder(workspace="0d0e0f00-1111-4222-8333-444444444444")
    other.created("other")
    other.step("prepare", ["raw"], ["clean"])
    other.snapshot("v1")
    other.edit("raw")
    other.step("look", ["raw"])
    other.snapshot("v2")
    graph = Neo4jGraph(graph_address(neo4j_address), other.workspace)
    graph.apply(other.lines)
    graph.close()
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "mine"
    root.mkdir()
    assert dws(root, "init", "mine").returncode == 0
    with serving(root, tmp_path / "served") as served, served.client(headers=HTML) as client:
        now = client.get(address(node=other.steps[0].id)).text
        then = client.get(address(node=other.steps[0].id, at="v1")).text

    assert "stale: input changed: raw" in now
    assert "stale: input changed: raw" not in then
    assert "prepare" in then
