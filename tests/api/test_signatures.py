"""The public names of the reference, each callable as the reference says."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import pytest

API = {
    "get_api_version": "",
    "get_version": "",
    "get_local_path_for_resource": "name, workspace_uri_or_path=None, verbose=False",
    "get_resource_info": "workspace_uri_or_path=None, verbose=False",
    "get_results": "workspace_uri_or_path=None, tag_or_hash=None, resource_name=None, "
    "verbose=False",
    "get_snapshot_history": "workspace_uri_or_path=None, reverse=False, max_count=None, "
    "verbose=False",
    "make_lineage_graph": "output_file, workspace_uri_or_path=None, resource_name=None, "
    "tag_or_hash=None, width=1024, height=800, verbose=False",
    "make_lineage_table": "workspace_uri_or_path=None, tag_or_hash=None, verbose=False",
    "restore": "tag_or_hash, workspace_uri_or_path=None, only=None, leave=None, verbose=False",
    "take_snapshot": "workspace_uri_or_path=None, tag=None, message='', verbose=False",
}
LINEAGE = {
    "ResourceRef": "name, subpath=None",
    "ResourceRef.covers": "self, other",
    "Lineage.abort": "self",
    "Lineage.add_input_path": "self, path",
    "Lineage.add_input_ref": "self, ref",
    "Lineage.add_output_path": "self, path",
    "Lineage.add_output_ref": "self, ref",
    "Lineage.add_param": "self, name, value",
    "Lineage.complete": "self",
    "ResultsLineage.write_results": "self, metrics",
    "LineageBuilder": "",
    "LineageBuilder.as_results_step": "self, results_dir, run_description=None",
    "LineageBuilder.as_script_step": "self",
    "LineageBuilder.eval": "self",
    "LineageBuilder.with_code_path": "self, path",
    "LineageBuilder.with_code_ref": "self, ref",
    "LineageBuilder.with_input_path": "self, path",
    "LineageBuilder.with_input_paths": "self, paths",
    "LineageBuilder.with_input_ref": "self, ref",
    "LineageBuilder.with_no_inputs": "self",
    "LineageBuilder.with_parameters": "self, parameters",
    "LineageBuilder.with_step_name": "self, step_name",
    "LineageBuilder.with_workspace_directory": "self, workspace_dir",
    "LineageParameter": "name, default",
    "LineageParameter.get_value": "self, parsed_args",
    "LineageParameter.add_to_arg_parser": "self, arg_parser",
    "CmdLineParameter": "name, default, type, help",
    "BooleanParameter": "name, default, help",
    "ChoiceParameter": "name, choices, default, type, help",
    "ConstantParameter": "name, default",
    "add_lineage_parameters_to_arg_parser": "parser, params",
    "get_lineage_parameter_values": "params, parsed_args",
}
FILE_TYPES, STATE_TYPES = ["FileResourceMixin"], ["LocalStateResourceMixin", "Resource"]
SNAPSHOT_TYPES = ["SnapshotResourceMixin", "Resource"]
FILES = {
    "add_results_file": "self, data, rel_dest_path",
    "delete_file": "self, rel_path",
    "does_subpath_exist": "self, subpath, must_be_file=False, must_be_directory=False",
    "read_results_file": "self, subpath",
    "results_copy_current_files": "self, rel_dest_root, exclude_files, exclude_dirs_re",
    "results_move_current_files": "self, rel_dest_root, exclude_files, exclude_dirs_re",
    "upload_file": "self, src_local_path, rel_dest_path",
}
STATE = {
    "get_local_params": "self",
    "get_local_path_if_any": "self",
    "pull": "self",
    "pull_precheck": "self",
    "push": "self",
    "push_precheck": "self",
    "validate_subpath_exists": "self, subpath",
}
SNAPSHOTS = {
    "delete_snapshot": "self, workspace_snapshot_hash, resource_restore_hash, relative_path",
    "restore": "self, restore_hashval",
    "restore_precheck": "self, restore_hashval",
    "snapshot": "self",
    "snapshot_precheck": "self",
}
WORKSPACE = {
    "load_workspace": "uri, batch, verbose",
    "find_and_load_workspace": "batch, verbose, uri_or_local_path=None",
    "init_workspace": "backend_name, workspace_name, hostname, batch, verbose, scratch_dir, "
    "*args, **kwargs",
    "Workspace.add_resource": "self, name, resource_type, role, *args, **kwargs",
    "Workspace.get_global_param": "self, param_name",
    "Workspace.get_instance": "self",
    "Workspace.get_local_param": "self, param_name",
    "Workspace.get_resource": "self, name",
    "Workspace.get_resource_names": "self",
    "Workspace.get_resource_role": "self, resource_name",
    "Workspace.get_resource_type": "self, resource_name",
    "Workspace.get_resources": "self",
    "Workspace.get_scratch_directory": "self",
    "Workspace.get_workspace_local_path_if_any": "self",
    "Workspace.map_local_path_to_resource": "self, path, expecting_a_code_resource=False",
    "Workspace.save": "self, message",
    "Workspace.set_global_param": "self, name, value",
    "Workspace.set_local_param": "self, name, value",
    "Workspace.suggest_resource_name": "self, resource_type, role, *args",
    "Workspace.validate_local_path_for_resource": "self, proposed_resource_name, "
    "proposed_local_path",
    "Workspace.validate_resource_name": "self, resource_name, subpath=None, expected_role=None",
    "Workspace.as_lineage_ws": "self",
    "Workspace.as_snapshot_ws": "self",
    "Workspace.clone_resource": "self, name",
    "Workspace.get_names_for_resources_that_need_to_be_cloned": "self",
    "Workspace.get_names_of_resources_with_local_state": "self",
    "SyncedWorkspaceMixin.publish": "self, *args",
    "SyncedWorkspaceMixin.pull_resources": "self, resource_list",
    "SyncedWorkspaceMixin.pull_workspace": "self",
    "SyncedWorkspaceMixin.push": "self, resource_list",
    "SnapshotWorkspaceMixin.delete_snapshot": "self, hash_val, include_resources=False",
    "SnapshotWorkspaceMixin.get_most_recent_snapshot": "self",
    "SnapshotWorkspaceMixin.get_next_snapshot_number": "self",
    "SnapshotWorkspaceMixin.get_snapshot_by_partial_hash": "self, partial_hash",
    "SnapshotWorkspaceMixin.get_snapshot_by_tag": "self, tag",
    "SnapshotWorkspaceMixin.get_snapshot_by_tag_or_hash": "self, tag_or_hash",
    "SnapshotWorkspaceMixin.get_snapshot_manifest": "self, hash_val",
    "SnapshotWorkspaceMixin.get_snapshot_metadata": "self, hash_val",
    "SnapshotWorkspaceMixin.list_snapshots": "self, reverse=True, max_count=None",
    "SnapshotWorkspaceMixin.remove_tag_from_snapshot": "self, hash_val, tag",
    "SnapshotWorkspaceMixin.restore": "self, snapshot_hash, restore_hashes, restore_resources",
    "SnapshotWorkspaceMixin.snapshot": "self, tag=None, message=''",
    "SnapshotWorkspaceMixin.supports_lineage": "self",
    "Resource": "resource_type, name, role, workspace",
    "Resource.get_params": "self",
    "Resource.has_results_role": "self",
    "Resource.is_exported": "self",
    "Resource.is_imported": "self",
    "Resource.validate_subpath_exists": "self, subpath",
    "SnapshotMetadata": "hashval, tags, message, hostname, timestamp, relative_destination_path, "
    "restore_hashes, metrics=None, updated_timestamp=None",
    "SnapshotMetadata.has_tag": "self, tag",
    "SnapshotMetadata.matches_partial_hash": "self, partial_hash",
    "SnapshotMetadata.to_json": "self",
    "SnapshotMetadata.from_json": "data",
    "ResourceFactory.clone": "self, params, workspace",
    "ResourceFactory.from_command_line": "self, role, name, workspace, *args, **kwargs",
    "ResourceFactory.from_json": "self, params, local_params, workspace",
    "ResourceFactory.has_local_state": "self",
    "ResourceFactory.suggest_name": "self, workspace, role, *args",
    **{f"{cls}.{name}": text for cls in FILE_TYPES for name, text in FILES.items()},
    **{f"{cls}.{name}": text for cls in STATE_TYPES for name, text in STATE.items()},
    **{f"{cls}.{name}": text for cls in SNAPSHOT_TYPES for name, text in SNAPSHOTS.items()},
}
SCIKIT_LEARN = {
    "load_dataset_from_resource": "resource_name, subpath=None, workspace_dir=None",
    "LineagePredictor": "predictor, metrics, input_resource, results_resource=None, "
    "model_save_file=None, workspace_dir=None, verbose=False",
    "Metrics": "expected, predicted, sample_weight=None",
    "BinaryClassificationMetrics": "expected, predicted, sample_weight=None",
    "MulticlassClassificationMetrics": "expected, predicted, sample_weight=None",
    "RegressionMetrics": "expected, predicted, sample_weight=None",
    "Metrics.to_dict": "self",
    "train_and_predict_with_cv": "classifier_class, param_grid, dataset, results_dir, "
    "test_size=0.2, folds=5, cv_scoring='accuracy', model_name=None, random_state=None, "
    "run_description=None",
}
TABLES = {
    "dws_graph.api": API,
    "dws_graph.lineage": LINEAGE,
    "dws_graph.workspace": WORKSPACE,
    "dws_graph.kits.scikit_learn": SCIKIT_LEARN,
}
CASES = [(module, name, text) for module, table in TABLES.items() for name, text in table.items()]
ERRORS = {
    "ConfigurationError": "DwsError",
    "PathNotAResourceError": "ConfigurationError",
    "NotSupportedError": "ConfigurationError",
    "ParamNotFoundError": "ConfigurationError",
    "ParamValidationError": "ConfigurationError",
    "ParamParseError": "ConfigurationError",
    "LineageError": "ConfigurationError",
    "LineageConsistencyError": "LineageError",
    "LineageConflictError": "LineageError",
    "LineageNotFoundError": "LineageError",
    "LineagePlaceHolderError": "LineageError",
    "InternalError": "DwsError",
    "JsonKeyError": "InternalError",
    "JsonTypeError": "InternalError",
    "JsonValueError": "InternalError",
    "BatchModeError": "DwsError",
    "ApiParamError": "DwsError",
    "UserAbort": "DwsError",
}


def found(module: str, name: str) -> Any:
    thing: Any = importlib.import_module(module)
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize(("module", "name", "text"), CASES)
def test_is_called_as_the_reference_says(module: str, name: str, text: str):
    if module.startswith("dws_graph.kits"):
        pytest.importorskip("sklearn")
    wanted = list(inspect.signature(eval(f"lambda {text}: None")).parameters.values())

    given = list(inspect.signature(found(module, name)).parameters.values())

    for ours, theirs in zip(given, wanted, strict=False):
        assert (ours.name, ours.kind) == (theirs.name, theirs.kind)
        if theirs.default is not theirs.empty:
            assert ours.default == theirs.default
    assert len(given) >= len(wanted)
    for extra in given[len(wanted) :]:
        assert extra.default is not extra.empty or extra.kind in (
            extra.VAR_POSITIONAL,
            extra.VAR_KEYWORD,
        )


@pytest.mark.parametrize(("name", "base"), ERRORS.items())
def test_errors_are_where_the_reference_has_them(name: str, base: str):
    assert issubclass(found("dws_graph.errors", name), found("dws_graph.errors", base))


@pytest.mark.parametrize("module", [m for m in TABLES if "kits" not in m])
def test_a_module_exports_what_is_in_its_table(module: str):
    exported = set(importlib.import_module(module).__all__)

    assert exported >= {name.partition(".")[0] for name in TABLES[module]}


def test_the_tuples_have_the_fields_of_the_reference_in_its_order():
    info = found("dws_graph.api", "ResourceInfo")
    snapshot = found("dws_graph.api", "SnapshotInfo")

    assert info._fields == ("name", "role", "resource_type", "local_path")
    assert snapshot._fields == (
        "snapshot_number",
        "hashval",
        "tags",
        "timestamp",
        "message",
        "metrics",
    )


def test_resource_roles_are_the_four():
    roles = found("dws_graph.workspace", "ResourceRoles")

    assert found("dws_graph.workspace", "RESOURCE_ROLE_CHOICES") == [
        roles.SOURCE_DATA_SET,
        roles.INTERMEDIATE_DATA,
        roles.CODE,
        roles.RESULTS,
    ]


@pytest.mark.parametrize("package", ["dws_graph.api", "dws_graph.workspace"])
def test_a_public_name_is_found_when_it_is_used_and_is_no_modules(package: str):
    names = importlib.import_module(package)

    assert set(names._HOME) == set(names.__all__)
    assert not {m.name for m in pkgutil.iter_modules(names.__path__)} & set(names.__all__)
    assert all(getattr(names, name) is not None for name in names.__all__)
    with pytest.raises(AttributeError, match="no attribute 'unheard_of'"):
        names.unheard_of  # noqa: B018 - asked for, not used
