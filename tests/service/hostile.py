"""A workspace in which every text that a person chooses is hostile to pages."""

from __future__ import annotations

import os
from pathlib import Path

from dws_graph.lineage import LineageBuilder, ResultsLineage
from tests.service.processes import dws

SCRIPT = "</script><script>window.pwned = 1</script>"
NAMES = (
    SCRIPT,
    "\"'><img src=x onerror=window.pwned=2>",
    'a & b < c > d "quoted" \'single\' `tick` \\N \\\\ \\"',
    "{{ 7 * 7 }} {% raw %} ${8 * 8} ]]> --> <!-- javascript:alert(1)",
    "line\nbreak\ttab\x00nul \u202etxt.exe \u05e9\u05dc\u05d5\u05dd \u65e5\u672c\u8a9e\U0001f4c8",
    "') DETACH DELETE n // $x `n` ' OR 1=1 --",
    "../../../../etc/passwd",
    "x" * 10_000,
)
FILE = os.fsdecode(b"<b>\xff\xfe&\"'.txt")


def make(root: Path) -> None:
    """Make it: a step a name, one snapshot with a hostile message."""
    root.mkdir()
    made = dws(root, "init", "--create-resources", "all", SCRIPT.replace("/", "|"))
    assert made.returncode == 0, made.stderr
    (root / "source-data" / FILE).write_text("1\n")
    (root / "code" / "clean.py").write_text("print()\n")
    made_in = root / "intermediate-data"
    for n, name in enumerate(NAMES):
        builder = LineageBuilder().with_workspace_directory(str(root)).with_step_name(name)
        builder = builder.with_parameters({name: name}).with_input_path(
            str(root / "source-data" / FILE)
        )
        with builder.with_code_path(str(root / "code")).eval() as step:
            folder = made_in / f"<i onclick='x'>{n} \u202e & \""
            folder.mkdir()
            (folder / "out.txt").write_text(name)
            step.add_output_path(str(folder))
    last = LineageBuilder().with_workspace_directory(str(root)).with_step_name("last")
    last = (
        last.with_parameters({})
        .with_input_path(str(made_in / "<i onclick='x'>0 \u202e & \""))
        .with_code_path(str(root / "code"))
    )
    with last.as_results_step(str(root / "results"), SCRIPT).eval() as step:
        assert isinstance(step, ResultsLineage)
        (root / "results" / "model.txt").write_text("model")
        step.write_results({SCRIPT: 1.0, "\"'>": 2, "text": NAMES[1]})
    taken = dws(root, "snapshot", "-m", NAMES[1], "v1")
    assert taken.returncode == 0, taken.stderr
