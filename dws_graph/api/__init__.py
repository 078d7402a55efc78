"""The Integration API: a workspace from Python, under the names of Data Workspaces 1.6 and more.

Each function opens the workspace it is given; its twin `..._in` takes an open one.

A name is imported when it is first used: a command needs few of them, and starts sooner.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dws_graph.api.checking import doctor, doctor_in
    from dws_graph.api.differing import (
        DiffReport,
        diff,
        diff_in,
        lineage_diff,
        lineage_diff_in,
    )
    from dws_graph.api.explaining import Explanation, lineage_explain, lineage_explain_in
    from dws_graph.api.findings import Finding
    from dws_graph.api.history import (
        HistoryRow,
        ShownResource,
        ShownSnapshot,
        ShownStep,
        SnapshotInfo,
        commonest_metrics,
        get_snapshot_history,
        get_snapshot_history_in,
        report_history,
        report_history_in,
        restore,
        show_snapshot,
        show_snapshot_in,
        take_snapshot,
    )
    from dws_graph.api.information import (
        ResourceInfo,
        get_api_version,
        get_local_path_for_resource,
        get_resource_info,
        get_resource_info_in,
        get_version,
    )
    from dws_graph.api.lineage import (
        LineageGraph,
        downstream,
        downstream_in,
        lineage_graph,
        lineage_graph_in,
        lineage_path,
        lineage_path_in,
        make_lineage_graph,
        upstream,
        upstream_in,
    )
    from dws_graph.api.operations import (
        LogRow,
        delete_snapshot,
        log,
        log_in,
        remove_resource,
        rename_resource,
        undo,
        undo_in,
    )
    from dws_graph.api.querying import Answer, query, query_in
    from dws_graph.api.refs import RefTarget, parse_ref, resolve_ref, resolve_ref_in
    from dws_graph.api.results import (
        ResultsReport,
        get_results,
        get_results_in,
        report_results,
        report_results_in,
    )
    from dws_graph.api.running import run_step, run_step_in
    from dws_graph.api.stale import StaleReason, StaleRow, lineage_stale, lineage_stale_in
    from dws_graph.api.status import StatusReport, report_status, report_status_in
    from dws_graph.api.step_details import StepDetails, show_step, show_step_in
    from dws_graph.api.step_list import (
        RetractedStep,
        StepRow,
        choose_steps_in,
        count_steps_in,
        retract_step,
        retract_step_in,
        steps,
        steps_in,
    )
    from dws_graph.api.tables import (
        LineageRow,
        make_lineage_table,
        make_lineage_table_in,
        report_lineage,
        report_lineage_in,
    )
    from dws_graph.api.verify import VerifiedRef, VerifyReport, lineage_verify, lineage_verify_in
    from dws_graph.api.views import (
        ViewStatus,
        ViewSynced,
        dump,
        dump_in,
        graph_drop,
        graph_drop_in,
        graph_rebuild,
        graph_rebuild_in,
        graph_status,
        graph_status_in,
        graph_sync,
        graph_sync_in,
    )
    from dws_graph.lineage.running import RunReport

__all__ = [
    "Answer",
    "DiffReport",
    "Explanation",
    "Finding",
    "HistoryRow",
    "LineageGraph",
    "LineageRow",
    "LogRow",
    "RefTarget",
    "ResourceInfo",
    "ResultsReport",
    "RetractedStep",
    "RunReport",
    "ShownResource",
    "ShownSnapshot",
    "ShownStep",
    "SnapshotInfo",
    "StaleReason",
    "StaleRow",
    "StatusReport",
    "StepDetails",
    "StepRow",
    "VerifiedRef",
    "VerifyReport",
    "ViewStatus",
    "ViewSynced",
    "choose_steps_in",
    "commonest_metrics",
    "count_steps_in",
    "delete_snapshot",
    "diff",
    "diff_in",
    "doctor",
    "doctor_in",
    "downstream",
    "downstream_in",
    "dump",
    "dump_in",
    "get_api_version",
    "get_local_path_for_resource",
    "get_resource_info",
    "get_resource_info_in",
    "get_results",
    "get_results_in",
    "get_snapshot_history",
    "get_snapshot_history_in",
    "get_version",
    "graph_drop",
    "graph_drop_in",
    "graph_rebuild",
    "graph_rebuild_in",
    "graph_status",
    "graph_status_in",
    "graph_sync",
    "graph_sync_in",
    "lineage_diff",
    "lineage_diff_in",
    "lineage_explain",
    "lineage_explain_in",
    "lineage_graph",
    "lineage_graph_in",
    "lineage_path",
    "lineage_path_in",
    "lineage_stale",
    "lineage_stale_in",
    "lineage_verify",
    "lineage_verify_in",
    "log",
    "log_in",
    "make_lineage_graph",
    "make_lineage_table",
    "make_lineage_table_in",
    "parse_ref",
    "query",
    "query_in",
    "remove_resource",
    "rename_resource",
    "report_history",
    "report_history_in",
    "report_lineage",
    "report_lineage_in",
    "report_results",
    "report_results_in",
    "report_status",
    "report_status_in",
    "resolve_ref",
    "resolve_ref_in",
    "restore",
    "retract_step",
    "retract_step_in",
    "run_step",
    "run_step_in",
    "show_snapshot",
    "show_snapshot_in",
    "show_step",
    "show_step_in",
    "steps",
    "steps_in",
    "take_snapshot",
    "undo",
    "undo_in",
    "upstream",
    "upstream_in",
]

_HOMES = {
    "dws_graph.api.checking": (
        "doctor",
        "doctor_in",
    ),
    "dws_graph.api.differing": (
        "DiffReport",
        "diff",
        "diff_in",
        "lineage_diff",
        "lineage_diff_in",
    ),
    "dws_graph.api.explaining": (
        "Explanation",
        "lineage_explain",
        "lineage_explain_in",
    ),
    "dws_graph.api.findings": ("Finding",),
    "dws_graph.api.history": (
        "HistoryRow",
        "ShownResource",
        "ShownSnapshot",
        "ShownStep",
        "SnapshotInfo",
        "commonest_metrics",
        "get_snapshot_history",
        "get_snapshot_history_in",
        "report_history",
        "report_history_in",
        "restore",
        "show_snapshot",
        "show_snapshot_in",
        "take_snapshot",
    ),
    "dws_graph.api.information": (
        "ResourceInfo",
        "get_api_version",
        "get_local_path_for_resource",
        "get_resource_info",
        "get_resource_info_in",
        "get_version",
    ),
    "dws_graph.api.lineage": (
        "LineageGraph",
        "downstream",
        "downstream_in",
        "lineage_graph",
        "lineage_graph_in",
        "lineage_path",
        "lineage_path_in",
        "make_lineage_graph",
        "upstream",
        "upstream_in",
    ),
    "dws_graph.api.operations": (
        "LogRow",
        "delete_snapshot",
        "log",
        "log_in",
        "remove_resource",
        "rename_resource",
        "undo",
        "undo_in",
    ),
    "dws_graph.api.querying": (
        "Answer",
        "query",
        "query_in",
    ),
    "dws_graph.api.refs": (
        "RefTarget",
        "parse_ref",
        "resolve_ref",
        "resolve_ref_in",
    ),
    "dws_graph.api.results": (
        "ResultsReport",
        "get_results",
        "get_results_in",
        "report_results",
        "report_results_in",
    ),
    "dws_graph.api.running": (
        "run_step",
        "run_step_in",
    ),
    "dws_graph.api.stale": (
        "StaleReason",
        "StaleRow",
        "lineage_stale",
        "lineage_stale_in",
    ),
    "dws_graph.api.status": (
        "StatusReport",
        "report_status",
        "report_status_in",
    ),
    "dws_graph.api.step_details": (
        "StepDetails",
        "show_step",
        "show_step_in",
    ),
    "dws_graph.api.step_list": (
        "RetractedStep",
        "StepRow",
        "choose_steps_in",
        "count_steps_in",
        "retract_step",
        "retract_step_in",
        "steps",
        "steps_in",
    ),
    "dws_graph.api.tables": (
        "LineageRow",
        "make_lineage_table",
        "make_lineage_table_in",
        "report_lineage",
        "report_lineage_in",
    ),
    "dws_graph.api.verify": (
        "VerifiedRef",
        "VerifyReport",
        "lineage_verify",
        "lineage_verify_in",
    ),
    "dws_graph.api.views": (
        "ViewStatus",
        "ViewSynced",
        "dump",
        "dump_in",
        "graph_drop",
        "graph_drop_in",
        "graph_rebuild",
        "graph_rebuild_in",
        "graph_status",
        "graph_status_in",
        "graph_sync",
        "graph_sync_in",
    ),
    "dws_graph.lineage.running": ("RunReport",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
