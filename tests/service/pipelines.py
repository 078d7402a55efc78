"""A small pipeline that `dws run` recorded: something for filters, slices and impacts to find.

    raw -> clean -> clean/ -> fit -> model/ -> report -> results/report     in snapshot v1
                        |
                        +--> =1+1 -> extra/                                 since

`fit` ran in the folder of the code. Then raw was edited, so all of it is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.service.processes import dws

CLEAN = (
    "mkdir -p intermediate-data/clean\ntr a-z A-Z < source-data/raw > intermediate-data/clean/a\n"
)
FIT = "cd ../intermediate-data\nmkdir -p model\nwc -c < clean/a > model/m\n"
REPORT = "mkdir -p results/report\ncp intermediate-data/model/m results/report/r\n"
EXTRA = "mkdir -p intermediate-data/extra\ncp intermediate-data/clean/a intermediate-data/extra/\n"


def make(root: Path) -> None:
    """Make it."""
    root.mkdir()
    run(root, "init", "--create-resources", "all", "pipeline")
    (root / "source-data" / "raw").write_text("abc\n")
    for name, text in (("clean", CLEAN), ("fit", FIT), ("report", REPORT), ("extra", EXTRA)):
        (root / "code" / f"{name}.sh").write_text(text)
    step(root, "clean", "source-data", "intermediate-data/clean", "code/clean.sh")
    step(root / "code", "fit", "../intermediate-data/clean", "../intermediate-data/model", "fit.sh")
    step(root, "report", "intermediate-data/model", "results/report", "code/report.sh")
    run(root, "snapshot", "v1")
    step(root, "=1+1", "intermediate-data/clean", "intermediate-data/extra", "code/extra.sh")
    (root / "source-data" / "raw").write_text("abcdefg\n")


def step(folder: Path, name: str, read: str, wrote: str, script: str) -> None:
    run(folder, "run", "--step-name", name, "-i", read, "-o", wrote, "--", "sh", script)


def run(folder: Path, *args: str) -> None:
    ran = dws(folder, *args)
    assert ran.returncode == 0, ran.stderr


def keys(client: httpx.Client) -> dict[str, str]:
    """The ids of its steps by name, and of what they read and wrote by ref; of the newest."""
    found: dict[str, str] = {}
    for row in reversed(client.get("/api/v1/steps").json()["items"]):
        one: dict[str, Any] = client.get(f"/api/v1/steps/{row['id']}").json()
        found[one["name"]] = one["id"]
        found |= {cert["ref"]["name"]: cert["id"] for cert in (*one["inputs"], *one["outputs"])}
    return found
