"""Real git servers for the tests: sshd, and git's own http backend."""

from __future__ import annotations

import base64
import getpass
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SSHD = "/usr/sbin/sshd"
USER, PASSWORD = "ann", "s3cret-w0rd"


def has_sshd(_tool: str) -> bool:
    """Whether there is an ssh server to start."""
    return os.access(SSHD, os.X_OK)


@contextmanager
def ssh_server(place: Path) -> Iterator[tuple[str, str]]:
    """The begin of a URL, and the ssh command that knows the key and the host."""
    folder = place / "sshd"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin yes\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd separates privileges
    command = [SSHD, "-D", "-e", "-f", str(folder / "config")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            assert any("listening" in line for line in iter(server.stderr.readline, ""))
            options = f"-i {folder}/user -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR"
            known = f"-o StrictHostKeyChecking=no -o UserKnownHostsFile={folder}/known"
            yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}", f"ssh {options} {known}"
        finally:
            server.terminate()


class _Backend(BaseHTTPRequestHandler):
    """Asks for a name and a password, and leaves the rest to `git http-backend`."""

    root = Path()
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        if self.headers.get("Authorization") != self.wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        env = {
            **os.environ,
            **{"GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1"},
            **{"REMOTE_USER": USER, "REQUEST_METHOD": self.command, "PATH_INFO": path},
            **{"QUERY_STRING": query, "CONTENT_LENGTH": str(len(body))},
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=env, input=body, capture_output=True, check=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what goes wrong, git tells."""


@contextmanager
def http_server(place: Path) -> Iterator[str]:
    """`HOST:PORT` of a server of the repositories in a folder, which wants a password."""
    handler = type("Backend", (_Backend,), {"root": place})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
