"""The resource type that docs/extending.md begins with does what the page says."""

from __future__ import annotations

import importlib
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dws_graph.resources import registry
from tests.cli.conftest import Dws, dws, folder  # noqa: F401

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"


class Counter(BaseHTTPRequestHandler):
    count = 1

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(Counter.count).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Counter)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's package, as it lies in site-packages."""
    toml, module = re.findall(r"```(?:toml|python)\n(# .*?)```", PAGE.read_text(), re.S)
    [entry] = re.findall(r'^queue = "(.*)"$', toml, re.M)
    site = tmp_path / "site"
    about = site / "dws_queue-0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: dws-queue\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text(f"[dws_graph.resources]\nqueue = {entry}\n")
    (site / "dws_queue.py").write_text(module)
    monkeypatch.syspath_prepend(str(site))
    registry.forget()
    yield
    monkeypatch.undo()
    registry.forget()
    sys.modules.pop("dws_queue", None)
    importlib.invalidate_caches()


def test_it_is_added_read_and_seen_to_change(dws: Dws, url: str) -> None:  # noqa: F811
    dws("init", "--create-resources", "intermediate-data")
    assert "queue  A queue, known by its counter." in dws("add", "-h").out
    dws("add", "queue", "--role", "source-data", "--name", "orders", url)
    out = "intermediate-data"
    words = ("--step-name", "count", "-i", "orders", "-o", out, "--no-trace", "--")
    dws("run", *words, "sh", "-c", f"echo 1 > {out}/got")
    dws("snapshot", "v1")
    assert dws.json("lineage", "stale") == []

    Counter.count += 1

    assert [row["step"] for row in dws.json("lineage", "stale")] == ["count"]
    dws("snapshot", "v2")
    changes = {r["name"]: r["change"] for r in dws.json("diff", "v1", "v2")["resources"]}
    assert changes["orders"] == "changed"
    assert "has no 'part'" in dws.refused("run", "-i", "orders:/part", "--no-trace", "--", "true")


def test_a_server_that_is_down_is_one_sentence(dws: Dws, url: str) -> None:  # noqa: F811
    dws("init")
    dws("add", "queue", "--role", "source-data", "--name", "orders", "http://127.0.0.1:1")
    err = dws.refused("snapshot", "v1")
    assert "resource 'orders' cannot be asked" in err
    assert "Is the server up?" in err
