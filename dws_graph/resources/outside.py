"""Type `outside`: data of which nothing is on this machine, named by programs that tell of steps.

The lineage service adds such resources by the way. What they hold is what was last told: nobody
can look. Paths in them are taken as they are told.
"""

from __future__ import annotations

from typing import Any

from dws_graph.errors import ApiParamError
from dws_graph.model.values import Json, take
from dws_graph.resources.base import Resource
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.factory import ResourceFactory
from dws_graph.resources.terms import Content, ResourceWorkspace, Taken

OUTSIDE = "outside"


class OutsideResource(Resource):
    """See the module."""

    def __init__(self, name: str, role: str, workspace: ResourceWorkspace) -> None:
        super().__init__(OUTSIDE, name, role, workspace)

    def get_params(self) -> Json:
        """See `Resource`."""
        return {"resource_type": self.resource_type, "name": self.name, "role": self.role}

    def is_here(self) -> bool:
        """See `Resource`: never."""
        return False

    def content(
        self,
        subpath: str | None = None,
        cache: StatCache | None = None,
        progress: Progress | None = None,
        reread: bool = False,
    ) -> Content:
        """See `Resource`: nobody can tell."""
        return Content(None, None, None)

    def snapshot_precheck(self) -> None:
        """See `Resource`: nothing is in the way."""

    def take_snapshot(
        self, cache: StatCache | None = None, progress: Progress | None = None
    ) -> Taken:
        """See `Resource`; what steps told of it is in the journal."""
        return Taken(None, None)

    def not_pushed(self) -> str | None:
        """See `Resource`."""
        return "its data is outside, where the programs are that told of it"

    def validate_subpath_exists(self, subpath: str) -> None:
        """Any may exist."""


class OutsideResourceFactory(ResourceFactory):
    """Makes `OutsideResource`."""

    summary = "Data of which nothing is on this machine; the lineage service adds it by itself."

    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> OutsideResource:
        """See `ResourceFactory`; no other arguments."""
        if args or kwargs:
            raise ApiParamError(f"an {OUTSIDE} resource takes no arguments but its role and name")
        return OutsideResource(name, role, workspace)

    def from_json(
        self, params: Json, local_params: Json, workspace: ResourceWorkspace
    ) -> OutsideResource:
        """See `ResourceFactory`."""
        return OutsideResource(take(params, "name", str), take(params, "role", str), workspace)


FACTORY = OutsideResourceFactory()
