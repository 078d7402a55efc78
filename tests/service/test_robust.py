"""What a service does when a client, an engine or a disk does not do what it should."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from dws_graph.api.service import query_process
from dws_graph.api.service.token_file import is_system_secret
from dws_graph.errors import QueryError
from tests.service.processes import PATIENCE, Served, dws, serving

IMPATIENT = """
import sys
from dws_graph.api.service.patience import PatientProtocol
from dws_graph.cli import main
PatientProtocol.HEAD_SECONDS = 0.2
sys.argv = ["dws", "serve", "--port", "0"]
main()
"""


def test_a_connection_without_a_request_and_one_with_half_a_head_are_closed(
    demo_root: Path, tmp_path: Path
):
    with serving(demo_root, tmp_path, program=IMPATIENT) as served:
        for begun in (b"", b"GET /api/v1/health HTTP/1.1\r\nHost: loc", b"GET / HT"):
            with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as made:
                made.sendall(begun)
                assert made.recv(1) == b""
        with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as made:
            made.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while part := made.recv(10_000):  # and then for want of another
                answer += part
            assert answer.startswith(b"HTTP/1.1 200")
        with served.client() as client:
            assert client.get("/api/v1/health").status_code == 200


def test_a_workspace_that_is_moved_away_is_no_fault_of_who_asks(demo_root: Path, tmp_path: Path):
    root = tmp_path / "here"
    shutil.copytree(demo_root, root, symlinks=True)
    with serving(root, tmp_path / "served") as served, served.client() as client:
        assert client.get("/api/v1/steps").status_code == 200
        root.rename(tmp_path / "away")
        away = client.get("/api/v1/steps")
        ready = client.get("/api/v1/ready")
        alive = client.get("/api/v1/health")
        (tmp_path / "away").rename(root)
        back = client.get("/api/v1/steps")

    assert (away.status_code, ready.status_code, alive.status_code) == (503, 503, 200)
    assert "not there any more" in away.json()["detail"]
    assert str(tmp_path) not in away.text
    assert back.status_code == 200


def test_a_cookie_is_named_by_the_port_that_was_given(shared: Served):
    with shared.client() as client:
        answer = client.post("/login", data={"token": shared.tokens["read"]})

    assert answer.headers["set-cookie"].startswith(f"dws-{shared.port}=")


ENDINGS = (
    (-signal.SIGKILL, b"", "more memory"),
    (1, b"Traceback ...\nMemoryError", "more memory"),
    (-signal.SIGABRT, b"memory allocation of 34359738368 bytes failed", "more memory"),
    (-signal.SIGSEGV, b"", "crashed"),
    (1, b"thread panicked at 'index out of bounds'", "crashed"),
)


@pytest.mark.parametrize(("status", "said", "told"), ENDINGS)
def test_a_crash_is_told_as_one_and_a_lack_of_memory_as_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, said: bytes, told: str
):
    ended = subprocess.CompletedProcess([], status, b"", said)
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: ended)

    with pytest.raises(QueryError, match=told):
        query_process.ask(tmp_path, "RETURN 1", {}, limit=1, timeout=1)


def test_requests_are_counted_by_the_template_of_their_route(local: Served):
    with local.client() as client:
        step = client.get("/api/v1/steps").json()["items"][0]["id"]
        asked = [
            f"/api/v1/steps/{step}",
            "/api/v1/steps/secret-of-a-client",
            "/nowhere/secret-of-a-client",
            "/static/secret-of-a-client/x.js",
            "/api/v1/workspaces/secret-of-a-client/snapshots",
        ]
        for path in asked:
            client.get(path)
            client.head(path)
        text = client.get("/api/v1/metrics").text

    assert 'route="/api/v1/steps/{step}"' in text
    assert 'route="(none)"' in text
    assert "secret-of-a-client" not in text
    assert step not in text


def as_stat(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((0o100000 | mode, 1, 1, 1, owner, 0, 10, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "owner", "taken"),
    [
        (0o444, 0, True),
        (0o440, 0, True),
        (0o644, 0, False),
        (0o464, 0, False),
        (0o446, 0, False),
        (0o444, 1000, False),
    ],
)
def test_a_file_of_tokens_may_be_a_secret_as_docker_gives_it(mode: int, owner: int, taken: bool):
    assert is_system_secret(as_stat(mode, owner)) is taken


def run_of(client: httpx.Client, run: str = "nightly-1", **more: Any) -> Any:
    body = {"name": "load", "inputs": [], "outputs": [{"resource": "lake"}], **more}
    done = client.post(f"/api/v1/runs/{run}/complete", json=body)
    assert done.status_code == 200, done.text
    return done.json()


def test_a_step_says_which_program_told_of_it(tmp_path: Path):
    from tests.service.serving import Served as Recording  # the one that has a workspace of its own

    served = Recording(tmp_path)
    served.start()
    try:
        with served.client() as client:
            base = httpx.Client(base_url=served.url, headers=client.headers, timeout=PATIENCE)
            with base:
                told = run_of(base, producer="airflow <b>")
                step = base.get(f"/api/v1/steps/{told['step']}").json()
                page = base.get(f"/steps/{told['step']}").text
    finally:
        served.kill()

    assert (step["producer"], step["run"]) == ("airflow <b>", "nightly-1")
    assert "airflow &lt;b&gt;" in page
    assert "<code>nightly-1</code>" in page


def test_a_snapshot_of_what_has_no_hash_says_who_has_to_tell_it(tmp_path: Path):
    from tests.service.serving import Served as Recording

    served = Recording(tmp_path)
    served.start()
    try:
        with served.client() as client:
            base = httpx.Client(base_url=served.url, headers=client.headers, timeout=PATIENCE)
            with base:
                run_of(base)
                refused = dws(served.data, "snapshot", "v1")
                hashed = {"outputs": [{"resource": "lake", "hash": "9b1c6d70aa01"}]}
                run_of(base, run="nightly-2", **hashed)
                taken = dws(served.data, "snapshot", "v1")
    finally:
        served.kill()

    assert refused.returncode == 1
    assert "'lake'" in refused.stderr
    assert 'tell of a new run with "hash" in its outputs' in refused.stderr
    assert taken.returncode == 0, taken.stderr
