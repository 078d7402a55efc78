"""Fixtures of kept content: `dws` in a workspace, a team of two, and a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Dws, dws, folder, workspace  # noqa: F401
from tests.keeping.files import Files
from tests.sharing.conftest import both, team  # noqa: F401


@pytest.fixture
def files(workspace: Path, dws: Dws) -> Files:  # noqa: F811
    """A kept resource `data`, outside of the workspace, with some files."""
    made = Files(workspace.parent / "data")
    made.make()
    dws("add", "local-files", "--role", "source-data", "--keep", str(made.folder))
    return made


@pytest.fixture(scope="session")
def _s3() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(_s3: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The URL of an empty store, in a bucket of an S3 server."""
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", _s3)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"kept-{abs(hash(request.node.nodeid)) % 10**9}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/content"
