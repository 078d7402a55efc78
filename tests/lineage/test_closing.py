"""A step leaves nothing open."""

import os

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
