"""A step leaves nothing open."""

import os
import traceback

import pytest

from dws_graph.errors import JournalError
from dws_graph.lineage import LineageBuilder
from dws_graph.workspace.initializing import initialize


def test_a_step_closes_the_workspace_that_it_opened(tmp_path):
    initialize(tmp_path, create_resources=["source-data"]).close()
    builder = LineageBuilder().with_step_name("read").with_parameters({}).with_no_inputs()
    with builder.with_workspace_directory(str(tmp_path)).eval() as lineage:
        pass

    opened = [
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.lexists(f"/proc/self/fd/{fd}")
    ]
    assert lineage.step_name == "read"
    assert not [path for path in opened if path.startswith(str(tmp_path))]


def test_an_error_at_the_end_of_a_step_is_one_traceback_not_a_chain(tmp_path):
    initialize(tmp_path, create_resources=["source-data"]).close()
    builder = LineageBuilder().with_step_name("read").with_parameters({}).with_no_inputs()
    with (
        pytest.raises(JournalError, match=r"journal\.jsonl, line \d+: not a fact") as refused,
        builder.with_workspace_directory(str(tmp_path)).eval(),
        (tmp_path / ".dataworkspace" / "local" / "journal.jsonl").open("a") as journal,
    ):
        journal.write('{"half\n')

    told = "".join(traceback.format_exception(refused.value))
    assert told.count("Traceback") == 1
