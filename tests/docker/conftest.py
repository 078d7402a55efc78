"""The image, and the services of the compose file, once for all tests; a workspace each."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker import standins
from tests.docker.deployed import environment
from tests.docker.engine import Stack, docker
from tests.docker.lab import GIT, Lab
from tests.docker.served import Service
from tests.fixtures.moto import moto_server  # noqa: F401
from tests.neo4j.local import Address, free_port, wait_ready

ROOT = Path(__file__).parents[2]
IMAGE = "dws-graph:tested"
PLANTED = f"planted-{secrets.token_hex(8)}"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For what images are made from; the engine's user must be able to read it."""
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="session")
def checkout(folder: Path) -> Path:
    """This checkout, and beside its files what people keep there: secrets, and what is built."""
    made = folder / "checkout"
    leave = shutil.ignore_patterns(".git", ".venv", "build", ".*_cache", ".hypothesis", "tests")
    shutil.copytree(ROOT, made, ignore=leave)
    for name in (".env", ".git/config", "docker/secrets/graph_auth", "docker/certificates/ca.key"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(f"password = {PLANTED}\n")
    cache = made / "dws_graph" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "planted.cpython-311.pyc").write_text(PLANTED)
    if standins.CERTIFICATES.is_file():  # what this machine trusts, a proxy of its own included
        shutil.copy(standins.CERTIFICATES, made / "docker" / "certificates" / "machine.crt")
    return made


@pytest.fixture(scope="session")
def base(folder: Path) -> str:
    """The image that ours is built on."""
    return standins.base(folder)


@pytest.fixture(scope="session")
def programs(folder: Path) -> Path:
    """Those of a Python environment with dws, in which workspaces are put into images."""
    return environment(folder / "env")


@pytest.fixture(scope="session")
def image(checkout: Path, base: str) -> str:
    """Our image, built from the checkout."""
    arguments = ["--build-arg", f"BASE={base}"]
    if mirror := os.environ.get("PIP_INDEX_URL"):
        arguments += ["--build-arg", f"PIP_INDEX_URL={mirror}"]
    docker("build", *arguments, "-f", checkout / "docker" / "Dockerfile", "-t", IMAGE, checkout)
    return IMAGE


@pytest.fixture(scope="session")
def password() -> str:
    """That of the services, found nowhere else."""
    return secrets.token_hex(12)


@pytest.fixture(scope="session")
def auth_file(folder: Path, password: str) -> Path:
    """The secret, as docs/docker.md has it made: everybody's, in a folder that is the owner's."""
    kept = folder / "secrets"
    kept.mkdir(mode=0o700)
    file = kept / "graph_auth"
    file.write_text(f"neo4j/{password}\n")
    file.chmod(0o444)
    return file


@pytest.fixture(scope="session")
def machine_id(folder: Path) -> Path:
    """A file that names a machine."""
    file = folder / "machine-id"
    file.write_text(f"{secrets.token_hex(16)}\n")
    return file


@pytest.fixture(scope="session")
def stack(
    image: str, folder: Path, checkout: Path, auth_file: Path, machine_id: Path
) -> Iterator[Stack]:
    """The services of the compose file, up and healthy."""
    environment = {
        **GIT,
        "DWS_IMAGE": image,
        "DWS_MACHINE_ID": str(machine_id),
        "DWS_NEO4J_AUTH_FILE": str(auth_file),
        "DWS_NEO4J_IMAGE": standins.neo4j(folder),
        "DWS_NEO4J_PORT": str(free_port()),
        "DWS_SERVICE_PORT": str(free_port()),
    }
    made = Stack(
        checkout / "docker" / "compose.yaml", f"dwstest{secrets.token_hex(4)}", environment
    )
    try:
        made("up", "-d", "neo4j")
        made.wait("neo4j", "healthy")
        yield made
    finally:
        made("down", "-v", "--remove-orphans")


@pytest.fixture
def graph(stack: Stack, password: str) -> Address:
    """Where the services' graph answers, seen from outside."""
    address = Address(f"bolt://127.0.0.1:{stack.environment['DWS_NEO4J_PORT']}", "neo4j", password)
    wait_ready(address)
    return address


@pytest.fixture(scope="session")
def service(stack: Stack) -> Service:
    """The lineage service on that graph."""
    stack("up", "-d")
    made = Service(stack, f"http://127.0.0.1:{stack.environment['DWS_SERVICE_PORT']}")
    made.is_ready()
    return made


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A folder for a workspace, the runner's own."""
    return Lab.make(tmp_path / "lab", os.getuid())


@pytest.fixture
def guests_lab(tmp_path: Path) -> Lab:
    """The same of a user whom the image does not know."""
    return Lab.make(tmp_path / "lab", 1234 if os.getuid() == 0 else os.getuid())
