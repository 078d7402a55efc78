"""A pipeline of five scripts, run for real; one hidden thing changes before each snapshot.

load -> clean -> scale -> fit -> report: data, code, parameters and an installed package all have a
part in the result.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from dws_graph import api
from dws_graph.workspace.initializing import initialize

ROLES = ("source-data", "intermediate-data", "code", "results")
STEPS = ("load", "clean", "scale", "fit", "report")
RAW = "id,value\n1,10\n2,20\n3,30\n4,40\n"
HEAD = """\
import json, os, random
from pathlib import Path
from importlib.metadata import version
from dws_graph.lineage import LineageBuilder
data = Path("intermediate-data")
parameters = json.loads(Path("parameters.json").read_text())[{name!r}]
builder = LineageBuilder().as_script_step().with_parameters(parameters).with_input_path({read!r})
"""
WRITE = """\
with builder.eval() as step:
    numbers = {numbers}
    (data / {name!r}).mkdir(exist_ok=True)
    (data / {name!r} / "numbers.json").write_text(json.dumps(numbers))
    step.add_output_path("intermediate-data/{name}")
"""
REPORT = """\
with builder.as_results_step("results").eval() as step:
    score = json.loads((data / "fit" / "numbers.json").read_text())
    Path("results/report.txt").write_text(f"score {score}")
    step.write_results({"score": score})
"""
READ = 'json.loads((data / "{}" / "numbers.json").read_text())'
NUMBERS = {
    "load": '[int(row.split(",")[1]) for row in '
    'Path("source-data/raw.csv").read_text().splitlines()[1:]]',
    "clean": f'[n for n in {READ.format("load")} if n >= parameters["least"]]',
    "scale": f'[n * int(version("tinydep").split(".")[0]) for n in {READ.format("clean")}]',
    "fit": f'sum({READ.format("scale")}) + random.random() * parameters["noise"]',
}
PARAMETERS = {"load": {}, "clean": {"least": 20}, "scale": {}, "fit": {"noise": 0}, "report": {}}
RUN = """\
import runpy, sys
for name in sys.argv[1:]:
    sys.argv = [f"code/{name}.py"]
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Pipeline:
    """A workspace with the pipeline; `packages` holds the package that it uses."""

    def __init__(self, root: Path) -> None:
        self.root = root / "lab"
        self.packages = root / "packages"

    def make(self) -> None:
        self.root.mkdir(parents=True)
        initialize(self.root, hostname="host", create_resources=ROLES, batch=True).close()
        (self.root / "source-data" / "raw.csv").write_text(RAW)
        before = "source-data/raw.csv"
        for name in STEPS:
            text = HEAD.format(name=name, read=before)
            text += REPORT if name == "report" else WRITE.format(name=name, numbers=NUMBERS[name])
            (self.root / "code" / f"{name}.py").write_text(text)
            before = f"intermediate-data/{name}"
        self.set_parameters()
        self.install("1.0")

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def set_parameters(self, **steps: Mapping[str, object]) -> None:
        (self.root / "parameters.json").write_text(json.dumps({**PARAMETERS, **steps}))

    def install(self, version: str) -> None:
        for old in self.packages.glob("*/METADATA"):
            old.unlink()
            old.parent.rmdir()
        folder = self.packages / f"tinydep-{version}.dist-info"
        folder.mkdir(parents=True)
        text = f"Metadata-Version: 2.1\nName: tinydep\nVersion: {version}\n"
        (folder / "METADATA").write_text(text)

    def run(self, *steps: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", RUN, *(steps or STEPS)],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.packages)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def snapshot(self, tag: str) -> None:
        api.take_snapshot(str(self.root), tag)


def make_history(root: Path) -> None:
    """A snapshot after each change, named by what was changed."""
    pipeline = Pipeline(root)
    pipeline.make()
    pipeline.run()
    pipeline.snapshot("base")
    pipeline.edit("source-data/raw.csv", "3,30", "3,31")
    pipeline.run()
    pipeline.snapshot("data")
    pipeline.edit("code/clean.py", 'n >= parameters["least"]', 'n > parameters["least"]')
    pipeline.run()
    pipeline.snapshot("code")
    pipeline.set_parameters(clean={"least": 35})
    pipeline.run()
    pipeline.snapshot("parameter")
    pipeline.install("2.0")
    pipeline.run()
    pipeline.snapshot("package")
    pipeline.run()
    pipeline.snapshot("nothing")
    pipeline.edit("code/load.py", "import json", "# only a remark\nimport json")
    pipeline.run()
    pipeline.snapshot("remark")
    noisy = {"least": 35}, {"noise": 1}
    pipeline.set_parameters(clean=noisy[0], fit=noisy[1])
    pipeline.run()
    pipeline.snapshot("noise")
    pipeline.run("fit", "report")
    pipeline.snapshot("chance")
    pipeline.edit("source-data/raw.csv", "1,10", "1,90")
    pipeline.set_parameters(clean=noisy[0], fit=noisy[1], load={"late": True})
    pipeline.run()
    pipeline.snapshot("several")
