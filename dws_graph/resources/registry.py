"""The resource types there are: modules named by entry points of the group below.

A type of another package is added by an entry point in that package; nothing here changes.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from dws_graph.errors import InternalError, NotSupportedError
from dws_graph.model.values import Json, take
from dws_graph.resources.base import Resource, ResourceFactory, ResourceWorkspace

GROUP = "dws_graph.resources"

# what a workspace of 1.6 may name, and what brings it
_KNOWN_ELSEWHERE = {
    "rclone": "a package with the entry point 'rclone' (files that rclone copies)",
    "s3": "a package with the entry point 's3' (a bucket with versions)",
}


@cache
def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def resource_types() -> list[str]:
    """The types that are installed."""
    return sorted(_entry_points())


@cache
def factory(resource_type: str) -> ResourceFactory:
    """What makes resources of a type.

    Raises:
        NotSupportedError: No installed package provides it.
    """
    point = _entry_points().get(resource_type)
    if point is None:
        by = _KNOWN_ELSEWHERE.get(resource_type, f"a package with the entry point {resource_type}")
        raise NotSupportedError(
            f"resources of type '{resource_type}' are not supported here",
            hint=f"Install {by} in the group {GROUP}. Here are: {', '.join(resource_types())}.",
        )
    try:
        made = point.load()
    except ImportError as e:
        raise NotSupportedError(
            f"resources of type '{resource_type}' need a package that is missing: {e}",
            hint="Install it.",
        ) from e
    if not isinstance(made, ResourceFactory):
        raise InternalError(f"the entry point '{point.value}' is no ResourceFactory")
    return made


def from_json(params: Json, local_params: Json, workspace: ResourceWorkspace) -> Resource:
    """A resource of resources.json."""
    return factory(take(params, "resource_type", str)).from_json(params, local_params, workspace)
