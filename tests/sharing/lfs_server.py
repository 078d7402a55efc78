"""A small git-lfs server: the batch API, and its basic transfer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MIME = "application/vnd.git-lfs+json"


@dataclass
class LfsServer:
    """Where it is, what it has, and which objects it was asked for.

    Attributes:
        url: For `lfs.url`.
        folder: Of the objects, each a file with its id as name.
        sent: Ids of the objects that were sent to it, in order.
        fetched: Ids of those that it has given.
    """

    url: str
    folder: Path
    sent: list[str]
    fetched: list[str]

    def objects(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


class _Handler(BaseHTTPRequestHandler):
    server_of: LfsServer

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, body: bytes, kind: str = MIME) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self._body()
        if not self.path.endswith("/objects/batch"):
            self._answer(404, b'{"message": "no locks here"}')
            return
        asked = json.loads(body)
        found = [self._about(asked["operation"], o["oid"], o["size"]) for o in asked["objects"]]
        self._answer(200, json.dumps({"transfer": "basic", "objects": found}).encode())

    def _about(self, operation: str, oid: str, size: int) -> dict[str, Any]:
        there = (self.server_of.folder / oid).exists()
        about: dict[str, Any] = {"oid": oid, "size": size}
        if operation == "download" and not there:
            about["error"] = {"code": 404, "message": "Object does not exist"}
        elif operation == "download" or not there:
            about["actions"] = {operation: {"href": f"{self.server_of.url}/o/{oid}"}}
        return about

    def do_PUT(self) -> None:
        oid = self.path.rpartition("/")[2]
        (self.server_of.folder / oid).write_bytes(self._body())
        self.server_of.sent.append(oid)
        self._answer(200, b"")

    def do_GET(self) -> None:
        oid = self.path.rpartition("/")[2]
        self.server_of.fetched.append(oid)
        self._answer(200, (self.server_of.folder / oid).read_bytes(), "application/octet-stream")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what goes wrong, git-lfs tells."""


@contextmanager
def lfs_server(folder: Path) -> Iterator[LfsServer]:
    """A server of the objects in a folder, which may have been served before."""
    folder.mkdir(exist_ok=True)
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        about = LfsServer(f"http://127.0.0.1:{server.server_port}/lfs", folder, [], [])
        handler.server_of = about  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield about
        finally:
            server.shutdown()
            thread.join()
