"""A small pipeline in a real workspace: source-data -> clean -> train, with code and results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dws_graph import api
from dws_graph.lineage import LineageBuilder, ResourceRef
from dws_graph.model.subgraph import NodeKind
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.workspace import Workspace

ROLES = ("source-data", "intermediate-data", "code", "results")


@dataclass
class Lab:
    """A workspace's folder, and what is done in it."""

    root: Path

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def clean(self, factor: int = 1) -> None:
        builder = self._step("clean", {"factor": factor}).with_input_ref(ResourceRef("source-data"))
        with builder.eval() as step:
            self.write("intermediate-data/clean/data.csv", f"clean {factor}\n")
            step.add_output_ref(ResourceRef("intermediate-data", "clean"))

    def train(self, accuracy: float = 0.5, **more: object) -> None:
        builder = self._step("train", {"gamma": 0.1})
        builder = builder.with_input_ref(ResourceRef("intermediate-data", "clean"))
        with builder.as_results_step(str(self.root / "results")).eval() as step:
            self.write("results/model.txt", f"model {accuracy}\n")
            step.write_results({"accuracy": accuracy, **more})  # type: ignore[attr-defined]

    def read_all(self) -> None:
        """A step that reads the whole of the intermediate data."""
        whole = ResourceRef("intermediate-data")
        self._step("train", {}, "read").with_input_ref(whole).eval().complete()

    def _step(
        self, script: str, parameters: dict[str, object], name: str | None = None
    ) -> LineageBuilder:
        return (
            LineageBuilder()
            .with_workspace_directory(str(self.root))
            .with_step_name(name or script)
            .with_parameters(parameters)
            .with_code_path(str(self.root / "code" / f"{script}.py"))
        )

    def snapshot(self, tag: str | None = None, message: str = "") -> str:
        return api.take_snapshot(str(self.root), tag, message)

    def open(self) -> Workspace:
        return open_workspace(self.root, batch=True)


def make_lab(folder: Path) -> Lab:
    folder.mkdir()
    initialize(folder, hostname="host", create_resources=ROLES, batch=True).close()
    lab = Lab(folder)
    lab.write("source-data/raw.csv", "raw\n")
    for step in ("clean", "train"):
        lab.write(f"code/{step}.py", f"# {step}\n")
    return lab


def names(graph: api.LineageGraph, kind: NodeKind) -> list[str]:
    return sorted(node.name for node in graph.nodes if node.kind == kind)
