"""The examples of docs/service.md, run as they stand there against a real service."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.service.processes import PATIENCE, Served

PAGE = Path(__file__).parents[2] / "docs" / "service.md"
WRITTEN = "http://127.0.0.1:8790"


def test_the_query_of_the_page_is_answered_as_it_says(of_pipeline: Served):
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    [text] = [block for block in blocks if f"{WRITTEN}/api/v1/cypher" in block]
    command = text.replace(WRITTEN, of_pipeline.url).replace("curl ", "curl -sS ")
    ran = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, timeout=PATIENCE)
    assert ran.returncode == 0, ran.stderr

    told = json.loads(ran.stdout)

    assert told["columns"] == ["name", "began"]
    assert [name for name, _ in told["rows"]] == ["clean", "fit", "report"]
    assert told["truncated"] is False
