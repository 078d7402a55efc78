"""The resource types there are: modules named by entry points of the group below.

A type of another package is added by an entry point in that package; nothing here changes.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from dws_graph.errors import InternalError, JsonKeyError, NotSupportedError
from dws_graph.model.values import Json, take
from dws_graph.resources.base import Resource
from dws_graph.resources.factory import ResourceFactory
from dws_graph.resources.terms import ResourceWorkspace

GROUP = "dws_graph.resources"


@cache
def _entry_points() -> dict[str, EntryPoint]:
    found = sorted(entry_points(group=GROUP), key=_is_own)  # ours last: nobody takes their place
    return {point.name: point for point in found}


def _is_own(point: EntryPoint) -> bool:
    return point.value.startswith("dws_graph.")


def resource_types() -> list[str]:
    """The types that are installed."""
    return sorted(_entry_points())


def types_of_others() -> list[str]:
    """Those of other packages."""
    return sorted(name for name, point in _entry_points().items() if not _is_own(point))


def forget() -> None:
    """Look again for what is installed: a package may have come since."""
    _entry_points.cache_clear()
    factory.cache_clear()


@cache
def factory(resource_type: str) -> ResourceFactory:
    """What makes resources of a type.

    Raises:
        NotSupportedError: No installed package provides it.
    """
    point = _entry_points().get(resource_type)
    if point is None:
        raise NotSupportedError(
            f"resources of type '{resource_type}' are not supported here",
            hint=f"Install a package with the entry point {resource_type} in the group {GROUP}. "
            f"Here are: {', '.join(resource_types())}.",
        )
    try:
        made = point.load()
    except ImportError as e:
        raise NotSupportedError(
            f"resources of type '{resource_type}' need a package that is missing: {e}",
            hint="Install it.",
        ) from e
    except Exception as e:  # of another package: anything may go wrong
        raise NotSupportedError(
            f"resources of type '{resource_type}' cannot be used, for '{point.value}' ends with "
            f"{type(e).__name__}: {e}",
            hint="Tell those who made it, or install another version of it.",
        ) from e
    if not isinstance(made, ResourceFactory):
        raise InternalError(f"the entry point '{point.value}' is no ResourceFactory")
    return made


def from_json(params: Json, local_params: Json, workspace: ResourceWorkspace) -> Resource:
    """A resource of resources.json."""
    made_by = factory(take(params, "resource_type", str))
    try:
        return made_by.from_json(params, local_params, workspace)
    except KeyError as e:  # of a type from another package
        raise JsonKeyError(
            f"resource '{params.get('name')}' has no parameter {e}, which its type needs",
            file=str(workspace.root / ".dataworkspace" / "resources.json"),
        ) from e
