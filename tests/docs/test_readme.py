"""The README's first five minutes, typed as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.M | re.S)


def test_the_first_five_minutes_do_what_they_say(tmp_path):
    text = README.read_text()
    text = text[text.index("## The first five minutes") : text.index("## In Python")]
    place, shell = tmp_path, []
    for block in BLOCK.finditer(text):
        kind, content = block.groups()
        if kind == "python":
            name = re.findall(r"In `([^`]+)`:\n\n$", text[: block.start()])[-1]
            content = f"cat > {name} <<'END'\n{content}END\n"
        shell.append(content)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    done = subprocess.run(
        ["bash", "-euc", "\n".join(shell)], cwd=place, env=env, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert "TRY-1" in done.stdout
    for step in ("prepare", "train"):
        assert re.search(rf"\bstep\b.*\b{step}\b", done.stdout)
    assert re.search(r"train *│? *3 *│? *0\.[0-9]+", done.stdout)
    assert re.search(r"1 +prepare .* code changed: code", done.stdout)
    assert re.search(r"1\. The parameter n_neighbors of step train\s+went from 3 to 9", done.stdout)
    assert re.search(r"train +n_neighbors +3 +9", done.stdout)
    assert (place / "quickstart/lineage.html").stat().st_size > 100_000
