"""What lies between two nodes, and the command that runs it again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.service.browsing import Seen
from tests.service.pipelines import keys
from tests.service.processes import PATIENCE, Served, dws
from tests.service.test_filter import CLEAN, EXTRA, MODEL, RAW, REPORT, drawn, pick, shown

BETWEEN = [RAW, "clean", CLEAN, "fit", MODEL, "report", REPORT]


@pytest.fixture
def client(of_pipeline: Served) -> Iterator[httpx.Client]:
    with of_pipeline.client() as made:
        yield made


def test_a_slice_has_what_lies_between_whichever_end_is_named_first(client: httpx.Client):
    known = keys(client)
    there = client.get("/api/v1/slice", params={"node": known[RAW], "to": known[REPORT]}).json()
    back = client.get("/api/v1/slice", params={"node": known[REPORT], "to": known[RAW]}).json()

    assert [node["name"] for node in there["nodes"]] == BETWEEN
    assert [step["name"] for step in there["steps"]] == ["clean", "fit", "report"]
    assert (there["nodes"], there["command"]) == (back["nodes"], back["command"])


def test_what_no_way_joins_is_said(client: httpx.Client):
    known = keys(client)
    answer = client.get("/api/v1/slice", params={"node": known[EXTRA], "to": known[MODEL]})

    assert answer.status_code == 404
    assert "No way leads" in answer.json()["detail"]


def test_the_command_of_a_slice_runs_it_again(
    client: httpx.Client, pipeline_root: Path, tmp_path: Path
):
    known = keys(client)
    found = client.get("/api/v1/slice", params={"node": known[RAW], "to": known[REPORT]}).json()
    copy = tmp_path / "copy"
    shutil.copytree(pipeline_root, copy, symlinks=True)
    (copy / "source-data" / "raw").write_text("123456789\n")
    before = len(steps(copy))
    ran = shell(copy, found["command"])

    assert ran.returncode == 0, ran.stderr
    assert (copy / "results" / "report" / "r").read_text().strip() == "10"
    assert steps(copy)[before:] == ["clean", "fit", "report"]


def test_the_command_of_a_script_that_records_itself_runs_it_again(
    local: Served, demo_root: Path, tmp_path: Path
):
    with local.client() as client:
        rows = client.get("/api/v1/steps", params={"name": "digits_svc"}).json()["items"]
        step = client.get(f"/api/v1/steps/{rows[0]['id']}").json()
        ends = {"node": step["inputs"][0]["id"], "to": step["outputs"][0]["id"]}
        found = client.get("/api/v1/slice", params=ends).json()
    copy = tmp_path / "copy"
    shutil.copytree(demo_root, copy, symlinks=True)
    before = len(steps(copy))
    ran = shell(copy, found["command"])

    assert ran.returncode == 0, ran.stderr
    assert steps(copy)[before:] == ["digits_svc"]


def test_a_command_stops_where_a_step_fails(
    client: httpx.Client, pipeline_root: Path, tmp_path: Path
):
    known = keys(client)
    found = client.get("/api/v1/slice", params={"node": known[RAW], "to": known[REPORT]}).json()
    copy = tmp_path / "copy"
    shutil.copytree(pipeline_root, copy, symlinks=True)
    (copy / "code" / "fit.sh").write_text("exit 3\n")

    assert shell(copy, found["command"]).returncode == 3
    assert not (copy / "results" / "report").exists()


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """As a person does who has pasted it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def steps(root: Path) -> list[str]:
    """The names of its steps, in the order in which they ran."""
    import json

    told = dws(root, "steps", "--format", "json")
    assert told.returncode == 0, told.stderr
    return [one["name"] for one in reversed(json.loads(told.stdout))]


@pytest.mark.needs("chromium")
@pytest.mark.sentence("slice")
def test_a_slice_is_asked_for_by_keys_and_its_command_copied(
    see: Callable[..., Seen], of_pipeline: Served, client: httpx.Client
):
    known = keys(client)
    seen = see(of_pipeline)
    page = seen.page
    seen.go(f"/graph?node={known[RAW]}&detail=certificates")
    drawn(seen)
    pick(page, REPORT)
    page.get_by_role("link", name="Slice to here").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"to={known[REPORT]}"))
    page.wait_for_selector("html[data-ready]", state="attached")
    api = client.get("/api/v1/slice", params={"node": known[RAW], "to": known[REPORT]}).json()

    expect(page.locator("#figure h1")).to_have_text(f"{RAW} to {REPORT}")
    assert shown_of_steps(page.evaluate("nodes.map((n) => n.id)"), api)
    expect(page.locator("#again")).to_have_text(api["command"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == api["command"]


def shown_of_steps(ids: list[str], api: dict) -> bool:
    return set(ids) == {node["key"] for node in api["nodes"]}


@pytest.mark.needs("chromium")
@pytest.mark.sentence("slice")
def test_a_slice_is_a_link_without_scripts_and_may_be_filtered(
    see: Callable[..., Seen], of_pipeline: Served, client: httpx.Client
):
    known = keys(client)
    seen = see(of_pipeline)
    page = seen.page
    seen.go(f"/graph?node={known[RAW]}&to={known[REPORT]}&detail=certificates&filter=kind:step")
    drawn(seen)
    assert shown(page) == {known[name] for name in ("clean", "fit", "report")}
    page.get_by_role("link", name="All around").click()
    drawn(seen)
    page.locator("#twin summary").click()
    row = page.locator("#twin tbody tr").filter(has_text=REPORT).last
    row.get_by_role("link", name="slice").click()

    expect(page).to_have_url(re.compile(f"to={known[REPORT]}"))
