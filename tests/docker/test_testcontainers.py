"""The contract tests hold on a server that testcontainers starts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docker import standins
from tests.neo4j import shared

ROOT = Path(__file__).parents[2]
CONTRACTS = ("test_contract_applying.py", "test_questions.py", "test_reaching.py")


def test_the_contract_tests_hold_on_a_server_in_a_container(folder: Path):
    environment = {name: text for name, text in os.environ.items() if name != shared.GIVEN}
    environment |= {
        "DWS_REQUIRE_NEO4J": "1",
        "DWS_TEST_NEO4J_IMAGE": standins.neo4j(folder),
        "JAVA_HOME": "/nowhere",  # no server but that in the container
    }
    tests = [f"tests/backends/{name}" for name in CONTRACTS]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-k", "neo4j", *tests]

    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stdout[-3000:]
    assert re.search(r"^\d+ passed in", ran.stdout, re.MULTILINE), ran.stdout[-3000:]
