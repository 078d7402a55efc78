"""What a command prints with `--format json` is what the function of the API returns."""

import json
import subprocess
import sys

import pytest

from dws_graph import api

DATA = "sklearn-digits-dataset"
QUERY = "MATCH (s:Step) RETURN s.name AS step, s.metric_accuracy AS accuracy ORDER BY step"
ASKED = {
    "report status": lambda ws: api.report_status(ws),
    "report history": lambda ws: api.report_history(workspace_uri_or_path=ws),
    "report lineage": lambda ws: api.report_lineage(workspace_uri_or_path=ws),
    "report lineage --snapshot LR-1": lambda ws: api.report_lineage(
        "LR-1", workspace_uri_or_path=ws
    ),
    "report results --snapshot SVC-1": lambda ws: api.report_results(
        "SVC-1", workspace_uri_or_path=ws
    ),
    "steps": lambda ws: api.steps(workspace_uri_or_path=ws),
    "steps --status completed --limit 1": lambda ws: api.steps(
        status="completed", limit=1, workspace_uri_or_path=ws
    ),
    "steps show digits_svc": lambda ws: api.show_step("digits_svc", ws),
    "show SVC-1": lambda ws: api.show_snapshot("SVC-1", workspace_uri_or_path=ws),
    "diff SVC-1 LR-1": lambda ws: api.diff("SVC-1", "LR-1", workspace_uri_or_path=ws),
    "diff SVC-1": lambda ws: api.diff("SVC-1", workspace_uri_or_path=ws),
    "diff SVC-1 LR-1 --graph - --ref results": lambda ws: api.lineage_diff(
        "SVC-1", "LR-1", "results", workspace_uri_or_path=ws
    ).to_json(),
    "lineage explain results --snapshot LR-1 --since SVC-1": lambda ws: api.lineage_explain(
        "results", "SVC-1", snapshot="LR-1", workspace_uri_or_path=ws
    ).to_json(),
    "lineage upstream results --snapshot LR-1": lambda ws: api.upstream(
        "results", snapshot="LR-1", workspace_uri_or_path=ws
    ).to_json(),
    "lineage upstream results --depth 1": lambda ws: api.upstream(
        "results", depth=1, workspace_uri_or_path=ws
    ).to_json(),
    f"lineage downstream {DATA}": lambda ws: api.downstream(
        DATA, workspace_uri_or_path=ws
    ).to_json(),
    "lineage graph --snapshot SVC-1 -": lambda ws: api.lineage_graph(
        snapshot="SVC-1", workspace_uri_or_path=ws
    ).to_json(),
    f"lineage path {DATA} results --snapshot LR-1": lambda ws: api.lineage_path(
        DATA, "results", snapshot="LR-1", workspace_uri_or_path=ws
    ).to_json(),
    "lineage stale": lambda ws: api.lineage_stale(workspace_uri_or_path=ws),
    "lineage verify": lambda ws: api.lineage_verify(workspace_uri_or_path=ws),
    "lineage verify --snapshot LR-1": lambda ws: api.lineage_verify(
        "LR-1", workspace_uri_or_path=ws
    ),
    "lineage query": lambda ws: api.query(QUERY, workspace_uri_or_path=ws).to_json(),
    "graph status": lambda ws: api.graph_status(workspace_uri_or_path=ws),
    "doctor": lambda ws: api.doctor(ws),
}


@pytest.mark.parametrize("command", sorted(ASKED))
def test_json_of_a_command_is_the_result_of_its_function(demo, command):
    words = command.split() + ([QUERY] if command == "lineage query" else [])
    api.graph_sync(workspace_uri_or_path=str(demo.root))

    printed = subprocess.run(
        [sys.executable, "-m", "dws_graph", *words, "--format", "json"],
        cwd=demo.root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert json.loads(printed) == json.loads(json.dumps(ASKED[command](str(demo.root))))
