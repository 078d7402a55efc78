"""Refs that no fact could name are refused before anything runs."""

import os

import pytest

from dws_graph.errors import ConfigurationError
from dws_graph.lineage import LineageBuilder
from dws_graph.workspace.initializing import initialize


def test_an_input_whose_name_is_not_utf_8_is_refused_and_nothing_is_recorded(tmp_path):
    ws = initialize(tmp_path, create_resources=["source-data"])
    path = os.path.join(os.fsencode(tmp_path / "source-data"), b"a\xff.csv")
    with open(path, "wb") as file:
        file.write(b"1")
    builder = LineageBuilder().with_step_name("read").with_parameters({})
    builder.with_workspace_directory(str(tmp_path)).with_input_path(os.fsdecode(path))

    with pytest.raises(ConfigurationError, match=r"source-data:/a\\xff.csv' is not UTF-8"):
        builder.eval()

    ws.catch_up()
    assert ws.index.steps(ws.id) == []
    ws.close()


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
