"""What a workspace that exports a resource records, and one that imports it."""

from __future__ import annotations

from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump
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
                parameters={"bins": 4, "told": True},
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
    return made


def index_dump(*recorders: Recorder) -> Dump:
    """What an index holds that these were folded into, one after the other."""
    with Index(None) as index:
        for recorder in recorders:
            index.apply(recorder.lines)
        return index.dump()
