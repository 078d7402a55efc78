"""A service beside other commands, and its beginning and end."""

from __future__ import annotations

import shutil
import signal
import socket
import threading
from pathlib import Path

import pytest

from tests.service.processes import PATIENCE, dws, serving

SLOW = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(*) AS n"


@pytest.fixture
def own(demo_root: Path, tmp_path: Path) -> Path:
    """A workspace that the test may change."""
    root = tmp_path / "own"
    shutil.copytree(demo_root, root, symlinks=True)
    return root


def test_what_commands_record_shows_on_the_next_request(own: Path, tmp_path: Path):
    with serving(own, tmp_path / "s") as served, served.client() as client:
        before = client.get("/api/v1/steps").json()["items"]
        ran = dws(
            *(own, "run", "--step-name", "beside", "-o", "results:/new", "--"),
            *("python", "-c", "import os; os.makedirs('results/new', exist_ok=True)"),
        )
        assert ran.returncode == 0, ran.stderr
        after = client.get("/api/v1/steps").json()["items"]
        page = client.get("/steps").text
        taken = dws(own, "snapshot", "-m", "beside it", "beside-1")
        assert taken.returncode == 0, taken.stderr
        workspace = after[0]["workspace"]
        snapshots = client.get(f"/api/v1/workspaces/{workspace}/snapshots").json()["items"]
        shown = client.get(f"/workspaces/{workspace}").text

    assert [row["name"] for row in after] == ["beside", *(row["name"] for row in before)]
    assert ">beside</a>" in page
    assert snapshots[0]["tags"] == ["beside-1"]
    assert "beside it" in shown


def test_a_service_holds_no_lock_between_requests(own: Path, tmp_path: Path):
    with serving(own, tmp_path / "s") as served, served.client() as client:
        for path in ("/", "/api/v1/steps", "/cypher"):
            assert client.get(path).status_code == 200
        asked = client.post("/api/v1/cypher", json={"cypher": "MATCH (s:Step) RETURN s.name AS n"})
        assert asked.status_code == 200
        stopped = dws(own, "config", "--help")
        tagged = dws(own, "tag", "LR-1", "also-this")

    assert stopped.returncode == tagged.returncode == 0, tagged.stderr


def test_an_answer_under_way_ends_before_the_service_does(own: Path, tmp_path: Path):
    got: list[int] = []

    def ask() -> None:
        with served.client() as client:
            body = {"cypher": SLOW, "timeout": 3}
            got.append(client.post("/api/v1/cypher", json=body).status_code)

    with serving(own, tmp_path / "s") as served:
        with served.client() as client:
            client.post("/api/v1/cypher", json={"cypher": "RETURN 1 AS a"})
            asking = threading.Thread(target=ask)
            asking.start()
            while not _is_busy(served.port):
                client.get("/api/v1/health")
        status = served.stop()
        asking.join(PATIENCE)

    assert got == [400]  # it took longer than it may, and says so
    assert status == -signal.SIGTERM  # it ended by that, as who sent it expects
    assert "Traceback" not in served.said.read_text()


def _is_busy(port: int) -> bool:
    """Whether two connections have come: this test's own, and the one whose answer is awaited."""
    ours = f":{port:04X} "
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return sum(ours in line.split(maxsplit=2)[1] + " " and " 01 " in line for line in lines) > 1


def test_a_port_that_is_taken_is_named(own: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = dws(own, "serve", "--port", str(port))

    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [
        f"Error: cannot listen at 127.0.0.1, port {port}: Address already in use",
        "Another program may be there: give another port, or 0 for a free one.",
    ]


def test_without_a_workspace_it_says_how_to_make_one(tmp_path: Path):
    ran = dws(tmp_path, "serve", "--port", "0")

    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 2
    assert "is not in a workspace" in ran.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost.example"])
def test_others_reach_it_only_where_there_is_a_token(own: Path, tmp_path: Path, host: str):
    file = str(tmp_path / "none.json")
    ran = dws(own, "serve", "--port", "0", "--host", host, "--token-file", file)

    assert ran.returncode == 1
    assert ran.stderr.splitlines()[0] == (
        f"Error: others could read everything at {host}: there is no token"
    )
    assert len(ran.stderr.splitlines()) == 2
