"""What the kit records of a step: its name and code, its resources, its parameters."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

from dws_graph.errors import ApiParamError, ConfigurationError, PathNotAResourceError
from dws_graph.kits import jupyter
from dws_graph.lineage import LineageBuilder
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import to_plain
from dws_graph.resources.naming import path_on_disk
from dws_graph.workspace import find_and_load_workspace

if TYPE_CHECKING:
    from dws_graph.workspace import Workspace

INTERACTIVE = ("", "-", "-c", "-m")


def open_workspace(workspace_dir: str | None) -> Workspace:
    """The workspace in this directory, or around the current one; to be closed again."""
    return find_and_load_workspace(batch=True, verbose=False, uri_or_local_path=workspace_dir)


def find_ref(workspace: Workspace, wanted: Any, role: str) -> ResourceRef:
    """The resource, or part of one, that is meant.

    Args:
        workspace: Where to look.
        wanted: A ref; a resource's name; a path that begins with `.`, `/` or `~`; what has a
            `.resource`, as a data set has; None for the one resource of the role.
        role: `source-data` or `results`.

    Raises:
        ConfigurationError: Nothing is given, and no or several resources have the role; or
            there is no such resource.
        ApiParamError: `wanted` is something else.
    """
    wanted = getattr(wanted, "resource", wanted)
    if wanted is None:
        return _only_resource(workspace, role)
    if isinstance(wanted, ResourceRef):
        workspace.get_resource_role(wanted.name)  # an unknown name is refused here
        return wanted
    if isinstance(wanted, os.PathLike) or (
        isinstance(wanted, str) and wanted.startswith((".", "/", "~"))
    ):
        return workspace.map_local_path_to_resource(os.fspath(wanted))
    if isinstance(wanted, str):
        workspace.get_resource_role(wanted)
        return ResourceRef(wanted)
    raise ApiParamError(
        f"a {type(wanted).__name__} names no resource",
        hint="Give a resource's name, a path that begins with ./ or /, or a ResourceRef.",
    )


def _only_resource(workspace: Workspace, role: str) -> ResourceRef:
    names = [n for n in workspace.get_resource_names() if workspace.get_resource_role(n) == role]
    if len(names) == 1:
        return ResourceRef(names[0])
    argument = "results_resource" if role == "results" else "input_resource"
    if not names:
        raise ConfigurationError(
            f"the workspace has no resource of role {role}",
            hint=f"Add one (dws add), or name another as {argument}.",
        )
    raise ConfigurationError(
        f"{len(names)} resources have the role {role}: {', '.join(names)}",
        hint=f"Name one of them as {argument}.",
    )


def local_directory(workspace: Workspace, ref: ResourceRef) -> Path:
    """Where a ref's files are.

    Raises:
        ConfigurationError: Its resource has no files on this machine.
    """
    root = workspace.get_resource(ref.name).get_local_path_if_any()
    if root is None:
        raise ConfigurationError(
            f"the resource '{ref.name}' has no files on this machine",
            hint="Results need a resource with files: name one as results_resource.",
        )
    return Path(root, path_on_disk(Path(root), ref.subpath or ""))


def step_builder(workspace: Workspace, fallback_name: str) -> LineageBuilder:
    """A builder that knows workspace, step name and code of what is running now.

    In a notebook its name and the resource of its folder, else the script's; a notebook or
    script in no resource of role code gives its name alone; where no name is known (an
    interactive Python, nbconvert), the step is called `fallback_name`.
    """
    builder = LineageBuilder()
    root = workspace.get_workspace_local_path_if_any()
    if root is not None:
        builder = builder.with_workspace_directory(root)
    if jupyter.is_notebook():
        builder = builder.with_step_name(jupyter.get_step_name_for_notebook() or fallback_name)
        folder = jupyter.get_notebook_directory()
        if folder is not None and _in_code_resource(workspace, folder):
            builder = builder.with_code_path(folder)
        return builder
    script = sys.argv[0] if sys.argv else ""
    if script in INTERACTIVE or _in_ipython():
        return builder.with_step_name(fallback_name)
    if _in_code_resource(workspace, script):
        return builder.as_script_step()
    return builder.with_step_name(os.path.basename(script).removesuffix(".py"))


def _in_code_resource(workspace: Workspace, path: str) -> bool:
    try:
        workspace.map_local_path_to_resource(path, expecting_a_code_resource=True)
    except PathNotAResourceError:
        return False
    return True


def _in_ipython() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def recordable_parameters(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters of an estimator, with names in the place of objects that JSON cannot hold.

    An estimator within an estimator becomes its class's name, since its own parameters are
    listed beside it.
    """
    return {name: _recordable(value) for name, value in params.items()}


def _recordable(value: Any) -> Any:
    if isinstance(value, BaseEstimator):
        return type(value).__name__
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, dict):
        return {str(key): _recordable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_recordable(item) for item in value]
    try:
        return to_plain(value, "parameter")
    except ApiParamError:
        return getattr(value, "__qualname__", type(value).__name__)
