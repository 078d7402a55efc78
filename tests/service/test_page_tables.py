"""The pages of workspaces, snapshots and steps in a real Chromium: what they show is the API's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.backends.histories import Recorder
from tests.service.browsing import Seen
from tests.service.of_records import recorded_workspace
from tests.service.processes import Served, serving

pytestmark = pytest.mark.needs("chromium")
ACCURACY = [0.71, 0.9, 0.55, 0.903, 0.88, 0.9]
LOSS = [0.5, 0.2, 0.9, 0.21, 0.35, 0.19]


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A workspace of six snapshots with metrics, one of which lacks one."""
    root = tmp_path_factory.mktemp("experiments") / "work"

    def tell(a: Recorder) -> None:
        a.resource("raw", "source-data")
        a.resource("results", "results")
        for n, (accuracy, loss) in enumerate(zip(ACCURACY, LOSS, strict=True)):
            metrics: dict[str, Any] = {"accuracy": accuracy}
            metrics |= {} if n == 2 else {"loss": loss}
            parameters = {"alpha": n / 10, "model": "ridge" if n % 2 else "lasso"}
            a.step("train", ["raw"], ["results"], parameters=parameters, metrics=metrics)
            a.snapshot(f"try-{n}", **metrics)

    recorded_workspace(root, tell)
    with serving(root, tmp_path_factory.mktemp("served")) as served:
        yield served


def asked(served: Served, path: str, **query: Any) -> Any:
    with served.client() as client:
        answer = client.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def home(experiments: Served) -> str:
    return f"/workspaces/{asked(experiments, '/workspaces')['items'][0]['id']}"


def snapshots(served: Served, home: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asked(served, f"{home}/snapshots")["items"]
    return found


def column(seen: Seen, number: int) -> list[str]:
    """The texts of a column of the table of snapshots, counted from 1, without marks."""
    cells = seen.page.locator(f"#history tbody td:nth-child({number})").all_inner_texts()
    return [re.sub(r"[^\w.-]", "", cell.split("\n")[0]) for cell in cells]


def arrived(seen: Seen, address: str) -> None:
    """Wait until the page of that address is there, after a click that leads to it."""
    expect(seen.page).to_have_url(re.compile(address))
    seen.page.wait_for_load_state()


@pytest.mark.sentence("overview")
def test_the_overview_shows_workspaces_their_activity_and_what_is_stale(
    see: Callable[..., Seen], local: Served
):
    [workspace] = asked(local, "/workspaces")["items"]
    at = f"/workspaces/{workspace['id']}"
    instance = asked(local, f"{at}/instances")["items"][0]["id"]
    stale = len(asked(local, f"{at}/stale", instance=instance)["items"])
    seen = see(local)
    seen.go("/")
    row = seen.page.locator("#workspaces tbody tr")

    expect(row.locator("a")).to_have_text(workspace["name"])
    expect(row.locator("time")).to_have_attribute("datetime", workspace["time"])
    numbers = [str(workspace[name]) for name in ("resources", "steps", "snapshots")]
    expect(row.locator("td.number")).to_have_text(numbers)
    expect(row.locator("td").last).to_have_text(re.compile(f"^{stale} step" if stale else "none"))
    row.locator("a").click()
    expect(seen.page).to_have_url(re.compile(at))


@pytest.mark.sentence("workspace")
def test_a_workspace_shows_its_resources_and_snapshots(
    see: Callable[..., Seen], experiments: Served, home: str
):
    resources = asked(experiments, f"{home}/resources")["items"]
    newest = snapshots(experiments, home)
    seen = see(experiments)
    seen.go(home)

    names = seen.page.locator("#resources + .scroll tbody tr td:first-child")
    expect(names).to_have_text([one["name"] for one in resources])
    assert column(seen, 3) == [one["tags"][0] for one in newest]
    assert [float(text) for text in column(seen, 6)] == [s["metrics"]["accuracy"] for s in newest]
    assert column(seen, 7) == [str(s["metrics"].get("loss", "")) for s in newest]


@pytest.mark.sentence("snapshot_table")
def test_the_table_is_sorted_and_filtered_and_marks_the_best(
    see: Callable[..., Seen], experiments: Served, home: str
):
    newest = snapshots(experiments, home)
    by_accuracy = sorted((s["metrics"]["accuracy"] for s in newest), reverse=True)
    seen = see(experiments)
    seen.go(home)
    seen.page.locator("#history th a", has_text="accuracy").click()
    arrived(seen, "order=desc")
    assert [float(text) for text in column(seen, 6)] == by_accuracy
    expect(seen.page.locator("#history th[aria-sort=descending]")).to_have_text("accuracy")
    seen.page.locator("#history th a", has_text="accuracy").click()
    arrived(seen, "order=asc")
    assert [float(text) for text in column(seen, 6)] == by_accuracy[::-1]

    best = seen.page.locator("#history tr", has=seen.page.locator("td:nth-child(6) .best"))
    expect(best.locator("td:nth-child(3)")).to_have_text(["try-3"])
    least = seen.page.locator("#history tr", has=seen.page.locator("td:nth-child(7) .best"))
    expect(least.locator("td:nth-child(3)")).to_have_text(["try-5"])

    seen.page.get_by_label("Find", exact=True).fill("TRY-4")
    seen.page.get_by_role("button", name="Show").click()
    expect(seen.page.locator("#history tbody tr")).to_have_count(1)
    assert column(seen, 3) == ["try-4"]
    expect(seen.page).to_have_url(re.compile("sort=accuracy"))
    seen.page.get_by_label("Find", exact=True).fill("nothing so called")
    seen.page.get_by_role("button", name="Show").click()
    expect(seen.page.get_by_text("No snapshot has that")).to_be_visible()


@pytest.mark.sentence("snapshot_table")
def test_the_heat_map_colours_by_rank(see: Callable[..., Seen], experiments: Served, home: str):
    newest = snapshots(experiments, home)
    seen = see(experiments)
    seen.go(home)
    seen.page.locator("select[name=colours]").select_option("heat")
    seen.page.get_by_role("button", name="Show").click()
    arrived(seen, "colours=heat")

    for metric, place, sign in (("accuracy", 6, 1), ("loss", 7, -1)):
        values = [s["metrics"].get(metric) for s in newest]
        ranks = sorted({sign * v for v in values if v is not None})
        cells = seen.page.locator(f"#history tbody td:nth-child({place})")
        looks = cells.evaluate_all("cells => cells.map((cell) => cell.className)")
        for value, look in zip(values, looks, strict=True):
            shade = None if value is None else ranks.index(sign * value) * 6 / (len(ranks) - 1)
            assert look == ("number missing" if shade is None else f"number heat-{round(shade)}")
    colours = [
        seen.page.locator(f"#history td.heat-{n}").first.evaluate(
            "cell => getComputedStyle(cell).backgroundColor.match(/\\d+/g).map(Number)"
        )
        for n in (0, 6)
    ]
    assert colours[0][0] > colours[0][1]  # red
    assert colours[1][1] > colours[1][0]  # green


@pytest.mark.sentence("snapshot_table")
def test_the_table_is_coloured_beside_a_baseline(
    see: Callable[..., Seen], experiments: Served, home: str
):
    seen = see(experiments)
    seen.go(home)
    seen.page.locator("select[name=colours]").select_option("baseline")
    seen.page.locator("select[name=baseline]").select_option(label="try-1")
    seen.page.get_by_role("button", name="Show").click()
    arrived(seen, "colours=baseline")
    table = {
        row.locator("td:nth-child(3)").inner_text(): [
            (row.locator(f"td:nth-child({place})").get_attribute("class") or "").split()[1:]
            for place in (6, 7)
        ]
        for row in seen.page.locator("#history tbody tr").all()
    }

    assert table == {
        "try-5": [["near"], ["better"]],
        "try-4": [["worse"], ["worse"]],
        "try-3": [["near"], ["worse"]],  # 0.903 is within half a percent of 0.9
        "try-2": [["worse"], ["missing"]],
        "try-1": [[], []],
        "try-0": [["worse"], ["worse"]],
    }


@pytest.mark.sentence("snapshot_table")
def test_a_person_says_of_which_metric_less_is_better(
    see: Callable[..., Seen], experiments: Served, home: str
):
    seen = see(experiments)
    seen.go(f"{home}?{urlencode({'smaller': 'accuracy, other', 'larger': 'loss'})}")

    def best(place: int) -> str:
        mark = seen.page.locator(f"td:nth-child({place}) .best")
        row = seen.page.locator("#history tbody tr", has=mark)
        return row.locator("td:nth-child(3)").inner_text()

    assert (best(6), best(7)) == ("try-2", "try-0")


@pytest.mark.sentence("metric_plot")
def test_a_metric_is_plotted_over_snapshots(
    see: Callable[..., Seen], experiments: Served, home: str
):
    oldest = snapshots(experiments, home)[::-1]
    seen = see(experiments)
    seen.go(home)
    seen.page.locator("select[name=metric]").select_option("loss")
    seen.page.get_by_role("button", name="Show").click()
    expect(seen.page.locator(".plot svg > title")).to_have_text("loss over snapshots")

    circles = seen.page.locator(".plot circle")
    points = circles.evaluate_all(
        "all => all.map((c) => [c.querySelector('title').textContent, c.getAttribute('class'),"
        " Number(c.getAttribute('cx')), Number(c.getAttribute('cy'))])"
    )
    known = [(s["tags"][0], s["metrics"]["loss"]) for s in oldest if "loss" in s["metrics"]]
    assert [title for title, *_ in points] == [f"{tag}: {value:g}" for tag, value in known]
    assert [x for *_, x, _ in points] == sorted(x for *_, x, _ in points)
    heights = [-y for *_, y in points]  # the axis goes down
    assert sorted(range(5), key=heights.__getitem__) == sorted(range(5), key=lambda n: known[n][1])
    assert [title for title, look, *_ in points if look == "best"] == ["try-5: 0.19"]


@pytest.mark.sentence("compare")
def test_snapshots_are_compared_side_by_side(
    see: Callable[..., Seen], experiments: Served, home: str
):
    chosen = snapshots(experiments, home)[:3]
    seen = see(experiments)
    seen.go(home)
    for one in chosen:
        seen.page.get_by_label(f"Compare {one['tags'][0]}").check()
    seen.page.get_by_role("button", name="Compare").click()
    expect(seen.page.locator("thead th a")).to_have_text([one["tags"][0] for one in chosen])
    rows = {
        row.locator("td").first.inner_text(): row.locator("td").all_inner_texts()[1:]
        for row in seen.page.locator("tr.differs").all()
    }

    assert rows["accuracy"] == [f"{one['metrics']['accuracy']:g}" for one in chosen]
    assert rows["train: alpha"] == ["0.5", "0.4", "0.3"]
    assert len(set(rows["train"])) == 3
    a, b = (one["hash"] for one in chosen[:2])
    found = asked(experiments, f"{home}/snapshots/{a}/diff/{b}")
    content = {one["name"]: (one["a"][:12], one["b"][:12]) for one in found["content"]}
    assert {name: tuple(rows[name][:2]) for name in content} == content
    assert {one["name"] for one in found["metrics"]} == {"accuracy", "loss"}
    assert [(one["step"], one["name"], one["a"], one["b"]) for one in found["parameters"]] == [
        ("train", "alpha", 0.5, 0.4),
        ("train", "model", "ridge", "lasso"),
    ]
    assert found["steps"] == {"added": [], "removed": [], "changed": ["train"]}


@pytest.mark.sentence("compare")
def test_the_files_that_differ_are_told_where_the_workspace_is(
    see: Callable[..., Seen], local: Served
):
    [workspace] = asked(local, "/workspaces")["items"]
    home = f"/workspaces/{workspace['id']}"
    chosen = [one["hash"] for one in snapshots(local, home)][::-1]
    files = asked(local, f"{home}/snapshots/{chosen[0]}/diff/{chosen[1]}")["files"]
    expected = sorted(
        (f"{resource}:/{path}", change)
        for resource, found in files.items()
        for change, paths in found.items()
        for path in paths
    )
    seen = see(local)
    seen.go(f"{home}/compare?{urlencode([('s', one) for one in chosen])}")
    rows = seen.page.locator("tbody", has_text="Files").locator("tr.differs").all()

    assert expected
    assert [
        (row.locator("td").first.inner_text(), row.locator("td").nth(2).inner_text())
        for row in rows
    ] == expected


@pytest.mark.sentence("step")
def test_a_step_shows_all_that_was_recorded_of_it(see: Callable[..., Seen], local: Served):
    row = asked(local, "/steps")["items"][0]
    step = asked(local, f"/steps/{row['id']}")
    env = asked(local, f"/workspaces/{row['workspace']}/environments/{step['environment']}")
    seen = see(local)
    seen.go(f"/steps/{row['id']}")
    main = seen.page.locator("main")

    for kind in ("inputs", "code", "outputs"):
        assert step[kind]
        for cert in step[kind]:
            link = main.locator(f"a[href='/certificates/{cert['id']}']")
            expect(link).to_have_text(cert["ref"]["name"])
    terms = dict(
        zip(main.locator("dt").all_inner_texts(), main.locator("dd").all_inner_texts(), strict=True)
    )
    plain = {name: value for name, value in step["parameters"].items() if isinstance(value, str)}
    assert plain.items() <= terms.items()
    assert terms["Commit"] == step["commit"]
    expect(main.get_by_text(f"{env['python']} on {env['platform']}")).to_be_visible()
    main.locator("summary", has_text=f"{len(env['packages'])} packages").click()
    expect(main.locator("details pre")).to_contain_text(env["packages"][0])
    for word in step["command_line"][1:]:
        expect(main.locator("#command")).to_contain_text(Path(word).name)
    seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    main.get_by_role("button", name="Copy").click()
    expect(main.get_by_role("button", name="Copied")).to_be_visible()
    copied = seen.page.evaluate("navigator.clipboard.readText()")
    assert copied == main.locator("#command").inner_text()
    assert json.dumps(step["producer"]) == "null"
