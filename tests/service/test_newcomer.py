"""What a newcomer found on the pages of a workspace whose results are parts of one resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dws_graph.api.service.pages.history import is_smaller_better
from tests.service.processes import Served, dws, serving

MODELS = ("linear", "tree")


def made(root: Path) -> None:
    """A snapshot before any step, then two of the same pipeline with another parameter."""
    root.mkdir()
    run(root, "init", "--create-resources", "all")
    for name in ("a", "b"):
        (root / "source-data" / f"{name}.txt").write_text(f"{name}\n")
    run(root, "snapshot", "first")
    for tag, text in (("second", "1"), ("third", "2")):
        step(
            root, "clean", "-i", "source-data:/a.txt", "-o", "intermediate-data:/clean/x", text="c"
        )
        step(root, "test", "-i", "source-data:/b.txt", "-o", "intermediate-data:/test/x", text=text)
        for model in MODELS:
            out = f"results:/{model}/x"
            step(root, f"fit {model}", "-i", "intermediate-data:/clean", "-o", out, text=text)
        run(root, "snapshot", tag)


def step(root: Path, name: str, *args: str, text: str) -> None:
    """Run a step that writes a text into its output, a file."""
    path = args[-1].replace(":/", "/")
    script = f"mkdir -p {path.rpartition('/')[0]} && echo {text} > {path}"
    *given, output = args
    folder = output.rpartition("/")[0]
    run(root, "run", "--step-name", name, *given, folder, "--", "sh", "-c", script)


def run(root: Path, *args: str) -> str:
    """A command that has to go well; what it prints."""
    done = dws(root, "--batch", *args)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("parts") / "ws"
    made(root)
    with serving(root, tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def client(parts: Served) -> Iterator[httpx.Client]:
    with parts.client() as client:
        yield client


@pytest.fixture
def workspace(client: httpx.Client) -> str:
    found: str = client.get("/api/v1/workspaces").json()["items"][0]["id"]
    return found


@pytest.fixture
def snapshots(client: httpx.Client, workspace: str) -> dict[str, str]:
    """{tag: hash}."""
    items = client.get(f"/api/v1/workspaces/{workspace}/snapshots").json()["items"]
    return {item["tags"][0]: item["hash"] for item in items}


def plain(html: str) -> str:
    """The text of a page."""
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html))


@pytest.mark.parametrize("name", ["loss", "linear/loss", "val_loss", "test.rmse", "tree/fit time"])
def test_less_is_better_of_losses_wherever_their_name_stands(name: str):
    assert is_smaller_better(name)
    assert not is_smaller_better(name.replace("loss", "gloss").replace("rmse", "r").strip("time"))


def test_the_overview_tells_what_is_stale_on_disk_as_the_command_does(
    parts: Served, client: httpx.Client, workspace: str
):
    file = parts.root / "source-data" / "b.txt"
    instance = client.get(f"/api/v1/workspaces/{workspace}/instances").json()["items"][0]["id"]
    asked = f"/api/v1/workspaces/{workspace}/stale?instance={instance}"
    assert client.get(asked).json()["items"] == []

    file.write_text("edited\n")
    stale = client.get(asked).json()["items"]
    shown = plain(client.get("/").text)
    said = run(parts.root, "lineage", "stale")
    file.write_text("b\n")

    assert [one["step"]["name"] for one in stale] == ["test"]
    assert "1 step" in shown
    assert "test" in said
    assert plain(client.get("/").text).count("1 step") == 0


def test_a_ref_stands_for_what_is_current_of_it_and_its_parts(
    parts: Served, client: httpx.Client, workspace: str
):
    def upstream(ref: str) -> set[str]:
        at = f"/api/v1/lineage/upstream?workspace={workspace}&ref={ref}"
        found = client.get(at).json()["nodes"]
        return {node["name"] for node in found if node["name"].startswith(f"{ref}:/")}

    assert upstream("results") == {f"results:/{model}" for model in MODELS}
    assert upstream("intermediate-data") == {"intermediate-data:/clean", "intermediate-data:/test"}
    assert all(
        ref in run(parts.root, "lineage", "upstream", "results") for ref in upstream("results")
    )


def test_results_are_found_by_their_resource(
    client: httpx.Client, workspace: str, snapshots: dict[str, str]
):
    asked = f"/api/v1/workspaces/{workspace}/results?ref=results"
    found = client.get(asked).json()["items"]
    page = client.get(f"/result?workspace={workspace}&ref=results")
    of_tree = client.get(f"/result?workspace={workspace}&ref=results:/tree").text

    newest = [one for one in found if one["snapshot"] == snapshots["third"]]
    assert [one["certificate"]["ref"]["name"] for one in newest] == [
        f"results:/{model}" for model in MODELS
    ]
    assert "<h1>results:/linear in third</h1>" in page.text
    assert "Beside it in third: results:/tree" in plain(page.text)
    assert "<h1>results:/tree in third</h1>" in of_tree


def test_parts_that_are_the_same_differ_in_no_comparison(
    parts: Served, client: httpx.Client, workspace: str, snapshots: dict[str, str]
):
    a, b = snapshots["second"], snapshots["third"]
    diff = client.get(f"/api/v1/workspaces/{workspace}/snapshots/{a}/diff/{b}").json()
    page = client.get(f"/workspaces/{workspace}/compare?s={a}&s={b}").text
    content = re.search(r">Content.*?</tbody>", page, re.DOTALL)

    changed = {one["name"] for one in diff["content"]}
    assert "intermediate-data:/test" in changed
    assert "intermediate-data:/clean" not in changed
    assert content is not None
    assert "intermediate-data:/test" in content[0]
    assert "intermediate-data:/clean" not in content[0]


def test_a_file_is_there_in_the_first_snapshot_unless_it_was_added(
    client: httpx.Client, workspace: str, snapshots: dict[str, str]
):
    order = [snapshots[tag] for tag in ("second", "third", "first")]
    page = client.get(f"/workspaces/{workspace}/compare?{'&'.join(f's={one}' for one in order)}")
    rows = dict(
        (plain(name).strip(), [plain(cell).strip() for cell in re.findall("<td>(.*?)</td>", rest)])
        for name, rest in re.findall("<tr[^>]*><td>(.*?)</td>(.*?)</tr>", page.text)
    )

    assert rows["intermediate-data:/test/x"] == ["there", "changed", "none"]
    assert rows["intermediate-data:/clean/x"] == ["there", "the same", "none"]
