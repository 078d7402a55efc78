"""Images that stand in for the public ones, made from Debian's packages and Neo4j's jars.

They are kept by the engine, under a tag that says what they were made from.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.docker.engine import ask, docker
from tests.neo4j import local

HERE = Path(__file__).parent / "neo4j"
SUITE = "bookworm"
PACKAGES = "ca-certificates,python3,python3-venv"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def base(folder: Path) -> str:
    """The name of a Debian with Python, in place of `python:3.x-slim`; made in a folder."""
    name = f"dws-standin-debian:{SUITE}"
    if ask("image", "inspect", name).returncode:
        tar = folder / "debian.tar"
        options = ["--quiet", "--variant=minbase", f"--include={PACKAGES}"]
        subprocess.run(["mmdebstrap", *options, SUITE, tar], check=True, capture_output=True)
        docker("import", tar, name)
        tar.unlink()
    return name


def neo4j(folder: Path) -> str:
    """The name of a Neo4j server, in place of `neo4j:VERSION`; made in a folder."""
    recipe = _recipe()
    name = f"dws-standin-neo4j:{local.VERSION}-{_digest(recipe)}"
    if ask("image", "inspect", name).returncode:
        context = folder / "neo4j"
        context.mkdir()
        for file, text in recipe.items():
            (context / file).write_text(text)
        (context / "entrypoint.sh").chmod(0o755)
        shutil.copytree(local.jars(), context / "lib")
        _java(context / "java")
        docker("build", "-q", "--build-arg", f"BASE={base(folder)}", "-t", name, context)
        shutil.rmtree(context)
    return name


def _recipe() -> dict[str, str]:
    """{file: text} of what is neither Java nor Neo4j."""
    line = local.FIVE if local.VERSION.startswith("5.") else local.CALENDAR
    settings = "server.default_listen_address=0.0.0.0\ndb.tx_log.preallocate=false\n"
    more = ["--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"]
    options = [*local.OPENED, "-XX:+UseSerialGC", "-Dio.netty.tryReflectionSetAccessible=true"]
    options += ["-Dlog4j2.disable.jmx=true", *(more if line is local.CALENDAR else [])]
    return {
        **{path.name: path.read_text() for path in HERE.iterdir()},
        "java.options": " ".join(options),
        "main.class": line[0],
        "standin.conf": settings + line[1],
    }


def _java(target: Path) -> None:
    """The machine's Java, all of its modules, in a folder that runs on its own."""
    listed = subprocess.run(
        [local.java(), "--list-modules"], check=True, capture_output=True, text=True
    ).stdout
    modules = ",".join(line.split("@")[0] for line in listed.split())
    tool = Path(local.java()).with_name("jlink")
    slim = ["--strip-debug", "--no-man-pages", "--no-header-files"]
    command = [str(tool), "--add-modules", modules, *slim, "--output", str(target)]
    subprocess.run(command, check=True, capture_output=True)


def _digest(recipe: dict[str, str]) -> str:
    text = "\0".join(f"{name}\0{recipe[name]}" for name in sorted(recipe))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
