"""The contract of views: imported lineage, beside what its own workspace tells of its nodes."""

from __future__ import annotations

import uuid

from dws_graph.backends.views import diff_dumps
from tests.backends.conftest import Views
from tests.backends.histories import WORKSPACE
from tests.backends.sharing_histories import exporter, importer, index_dump


def test_every_view_holds_what_was_imported(views: Views):
    made = importer(exporter(str(uuid.uuid4())))
    view = views.new()
    view.apply(made.lines)
    assert diff_dumps(index_dump(made), view.dump()) == []


def test_what_its_own_workspace_tells_of_a_node_stays_in_any_order():
    """What only the exporter knows is there, what only the file said is not."""
    made = exporter(str(uuid.uuid4()))
    used = importer(made)
    dump = index_dump(made, used)
    assert diff_dumps(dump, index_dump(used, made)) == []
    (step,) = [n for n in dump["nodes"] if n["properties"].get("name") == "featurize"]
    assert step["properties"]["param_only"] == "here"
    (known,) = [n for n in dump["nodes"] if n["properties"]["id"] == made.workspace]
    assert known["properties"]["name"] == "exporter"
    whole = {n["properties"]["id"]: n for n in dump["nodes"]}
    for node in index_dump(made)["nodes"]:
        assert node == whole[node["properties"]["id"]]


def test_a_step_that_another_workspace_retracts_stays_its_own_in_any_order():
    """No command does it; a journal that says so is folded alike all the same."""
    made = exporter(str(uuid.uuid4()))
    used = importer(made)
    used.retract(made.steps[0].id, "the importer does not believe it")

    dump = index_dump(made, used)

    assert diff_dumps(dump, index_dump(used, made)) == []
    (step,) = [n for n in dump["nodes"] if n["properties"].get("name") == "featurize"]
    assert step["properties"]["workspace"] == made.workspace
    assert step["properties"]["retracted"] is True


def test_a_batch_that_tells_of_a_step_twice_keeps_what_its_own_workspace_says(views: Views):
    """A workspace may import what was made of its own exports: its own steps are in it."""
    made = exporter(WORKSPACE)
    used = importer(made)
    view = views.new()
    view.apply([*made.lines, *used.lines])
    assert diff_dumps(index_dump(made, used), view.dump()) == []
