"""What stands in for a resource whose type is not installed here: all else goes on without it.

It is in the lists, with its parameters as they are; nothing can be known of its content, so what
would have to write that down (a snapshot, a push of one that was here) names it and stops.
"""

from __future__ import annotations

from typing import NoReturn

from dws_graph.errors import NotSupportedError
from dws_graph.model.values import Json, take
from dws_graph.resources import registry
from dws_graph.resources.base import Resource
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.terms import Content, ResourceWorkspace, Taken


class UninstalledResource(Resource):
    """See the module.

    Attributes:
        was_here: Whether this copy of the workspace has had it: it may hold what is nowhere else.
    """

    def __init__(
        self,
        params: Json,
        local_params: Json | None,
        workspace: ResourceWorkspace,
        why: NotSupportedError,
    ) -> None:
        name, role = take(params, "name", str), take(params, "role", str)
        super().__init__(take(params, "resource_type", str), name, role, workspace)
        self.was_here = local_params is not None
        self._params, self._local_params, self._why = params, local_params or {}, why

    def get_params(self) -> Json:
        """See `Resource`."""
        return self._params

    def get_local_params(self) -> Json:
        """See `Resource`."""
        return self._local_params

    def cannot_be_used(self) -> NotSupportedError:
        """Names it, and says what to install."""
        return NotSupportedError(
            f"{self} cannot be used here: {self._why.message}", hint=self._why.hint
        )

    def _refuse(self) -> NoReturn:
        raise self.cannot_be_used() from self._why

    def is_here(self) -> bool:
        """See `Resource`."""
        return False

    def needs_cloning(self) -> bool:
        """See `Resource`: one that was never here is brought once its type is installed."""
        return not self.was_here

    def kept_below(self, name: str) -> str | None:
        """See `Resource`; a new name would leave behind what its snapshots have committed."""
        self._refuse()

    def content(
        self,
        subpath: str | None = None,
        cache: StatCache | None = None,
        progress: Progress | None = None,
        reread: bool = False,
    ) -> Content:
        """See `Resource`."""
        self._refuse()

    def output_precheck(self) -> None:
        """See `Resource`."""
        self._refuse()

    def snapshot_precheck(self) -> None:
        """See `Resource`."""
        self._refuse()

    def take_snapshot(
        self, cache: StatCache | None = None, progress: Progress | None = None
    ) -> Taken:
        """See `Resource`."""
        self._refuse()

    def restore_precheck(self, restore_hashval: str) -> None:
        """See `Resource`."""
        self._refuse()

    def restore(self, restore_hashval: str) -> tuple[str, ...]:
        """See `Resource`."""
        self._refuse()

    def delete_snapshot(
        self, workspace_snapshot_hash: str, resource_restore_hash: str | None, relative_path: str
    ) -> None:
        """See `Resource`."""
        self._refuse()

    def not_pushed(self) -> str | None:
        """See `Resource`: nobody can tell, so a push asks `push_precheck`."""
        return None

    def not_pulled(self) -> str | None:
        """See `Resource`."""
        return f"{self._why.message}. {self._why.hint}"

    def push_precheck(self) -> None:
        """See `Resource`."""
        self._refuse()


def resource_of(params: Json, local_params: Json | None, workspace: ResourceWorkspace) -> Resource:
    """A resource of resources.json, or what stands in for one whose type cannot be used here.

    Args:
        params: Of resources.json.
        local_params: Where it is on this machine; None where it never was.
        workspace: That it is in.

    Raises:
        JsonError: A parameter is missing, or of another type.
    """
    try:
        registry.factory(take(params, "resource_type", str))
    except NotSupportedError as e:
        return UninstalledResource(params, local_params, workspace, e)
    return registry.from_json(params, local_params or {}, workspace)
