"""The contract of views: imported lineage, beside what its own workspace tells of its nodes."""

from __future__ import annotations

import uuid

import pytest

from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump, diff_dumps
from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Current
from dws_graph.model.imports import (
    ImportedCertificate,
    ImportedStep,
    ImportedWorkspace,
    ImportRecord,
    imported_id,
)
from tests.backends.conftest import Views
from tests.backends.histories import WORKSPACE, A, B, Recorder, ref


def exporter(workspace: str) -> Recorder:
    """A workspace that made `features` of `raw` in a step, and hashed both."""
    made = Recorder(B, workspace)
    made.created("exporter")
    made.resource("raw", "source-data")
    made.resource("features")
    made.step("featurize", ["raw"], ["features"], parameters={"bins": 4, "only": "here"})
    made.snapshot("v1")
    return made


def importer(other: Recorder, workspace: str = WORKSPACE) -> Recorder:
    """A workspace that imports these features, and reads them."""
    step = other.steps[0]
    raw, head = (  # as they are after the snapshot: what was only read became another
        Certificate(id=c.id, ref=c.ref, hash=c.hash, comment="told")
        for c in (other.current[ref("raw")], other.current[ref("features")])
    )
    hashval = head.hash or ""
    own_id = imported_id(workspace, head.ref, hashval, head.id)
    own = Certificate(id=own_id, ref=head.ref, hash=hashval)
    record = ImportRecord(
        resource="features",
        digest="d" * 64,
        workspaces=(
            ImportedWorkspace(id=other.workspace, name="as told", roles={"raw": "source-data"}),
        ),
        steps=(
            ImportedStep(
                id=step.id,
                workspace=other.workspace,
                name="featurize",
                start_time=step.start_time,
                execution_time_seconds=1.5,
                parameters={"bins": 4},
                command_line=["python", "featurize.py"],
                run_from=None,
                inputs=(raw.id,),
                code=(),
                outputs=(head.id,),
            ),
        ),
        certificates=tuple(
            ImportedCertificate(workspace=other.workspace, certificate=c) for c in (raw, head)
        ),
        own=(own,),
        imported_as=((head.id, own.id),),
        current=(Current(ref=own.ref, certificate=own.id),),
    )
    made = Recorder(A, workspace)
    made.created("importer")
    made.resource("features", "source-data", "git")
    made.append(f.LINEAGE_IMPORTED, record.to_json())
    made.current[own.ref] = own
    made.step("consume", ["features"], ["results"])
    made.retract(step.id, "the importer does not believe it")
    return made


def index_dump(*recorders: Recorder) -> Dump:
    with Index(None) as index:
        for recorder in recorders:
            index.apply(recorder.lines)
        return index.dump()


def test_every_view_holds_what_was_imported(views: Views):
    made = importer(exporter(str(uuid.uuid4())))
    view = views.new()
    view.apply(made.lines)
    assert diff_dumps(index_dump(made), view.dump()) == []


@pytest.mark.parametrize("first", ["exporter", "importer"])
def test_what_its_own_workspace_tells_of_a_node_stays(first: str):
    """In any order; what only the exporter knows is there, what only the file said is not."""
    made = exporter(str(uuid.uuid4()))
    used = importer(made)
    order = (made, used) if first == "exporter" else (used, made)
    dump = index_dump(*order)
    (step,) = [n for n in dump["nodes"] if n["properties"].get("name") == "featurize"]
    assert step["properties"]["param_only"] == "here"
    assert step["properties"]["instance"] == B
    assert step["properties"]["retracted"] is True
    assert "at" not in step["properties"]
    (known,) = [n for n in dump["nodes"] if n["properties"]["id"] == made.workspace]
    assert known["properties"]["name"] == "exporter"
    alone = {n["properties"]["id"]: n for n in index_dump(made)["nodes"]}
    for node in dump["nodes"]:
        if node["labels"] != ["Step"] and node["properties"]["id"] in alone:
            assert node == alone[node["properties"]["id"]]
