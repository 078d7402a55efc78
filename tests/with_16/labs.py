"""The workspaces that 1.6 made: a producer, which exports, and a consumer, which imports.

Source: data/dws16-lab.tar.gz, from /srv/lab; data/dws16-reports.txt is what 1.6 says of them.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

DATA = Path(__file__).with_name("data")
SNAPSHOTS = {"producer": ("V3", "V2", "V1"), "consumer": ("C1",)}


def unpack(folder: Path) -> Path:
    """The folder `lab` with both workspaces, which name it as 1.6 would."""
    with tarfile.open(DATA / "dws16-lab.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    lab = folder / "lab"
    for path in (*lab.glob("*/.dataworkspace/*local_params.json"), *lab.glob("*/.git/config")):
        path.write_text(path.read_text().replace("/srv/lab", str(lab)))
    note_local(lab / "producer", "raw", lab / "raw")
    return lab


def note_local(root: Path, resource: str, where: Path) -> None:
    """Where a resource is on this machine, by the key that 1.6 writes and the one that it reads."""
    path = root / ".dataworkspace/resource_local_params.json"
    params = json.loads(path.read_text()) if path.exists() else {}
    params[resource] = {"local_path": str(where), "my_local_path": str(where)}
    path.write_text(json.dumps(params))


Row = tuple[str, ...]


def reports() -> dict[str, dict[str, list[Row]]]:
    """{workspace: {heading: rows}} of what 1.6 printed."""
    told: dict[str, dict[str, list[Row]]] = {}
    of: dict[str, list[Row]] = {}
    rows: list[Row] = []
    for line in (DATA / "dws16-reports.txt").read_text().splitlines():
        if line.startswith("== "):
            of = told.setdefault(line[3:], {})
        elif line.startswith(("History", "Lineage")):
            rows = of.setdefault(line.removeprefix("Lineage for "), [])
        elif cells := table_row(line):
            rows.append(cells)
    return told


def table_row(line: str) -> Row | None:
    """The cells of a line of 1.6's tables; None for other lines."""
    if not line.startswith("| ") or line.startswith(("| Hash ", "| Resource ")):
        return None
    return tuple(cell.strip() for cell in line.strip("|").split("|"))
