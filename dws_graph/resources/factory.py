"""What makes the resources of a type; a type's module has one as `FACTORY`."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dws_graph.model.values import Json
from dws_graph.resources.base import Resource
from dws_graph.resources.terms import RESOURCE_ROLE_CHOICES, Ask, ResourceWorkspace, default_answer


@dataclass(frozen=True, slots=True)
class Argument:
    """What `dws add TYPE` takes of the user, and gives to `from_command_line`.

    Attributes:
        name: In the help, and of the keyword: `table_name` is the option `--table-name`.
        help: What it is, in a sentence.
        kind: A `positional` one, which must be given; an `option` with a value, a text; a `flag`.
        default: Of an option that was not given; None where there is none.
    """

    name: str
    help: str
    kind: Literal["positional", "option", "flag"] = "positional"
    default: str | None = None


class ResourceFactory(ABC):
    """Makes the resources of one type.

    Attributes:
        summary: What the type is, in a line for the help of `dws add`.
        arguments: What `dws add TYPE` takes besides `--role` and `--name`.
        roles: Those that its resources can have.
    """

    summary: str = ""
    arguments: Sequence[Argument] = ()
    roles: Sequence[str] = RESOURCE_ROLE_CHOICES

    @abstractmethod
    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> Resource:
        """A new one, from the arguments of `dws add`.

        Raises:
            ConfigurationError: They do not fit.
        """

    @abstractmethod
    def from_json(self, params: Json, local_params: Json, workspace: ResourceWorkspace) -> Resource:
        """One of resources.json.

        Raises:
            JsonError: A parameter is missing, or of another type.
        """

    def has_local_state(self) -> bool:
        """Whether its resources have something here, which a clone must bring or find first."""
        return False

    def clone(
        self, params: Json, workspace: ResourceWorkspace, ask: Ask = default_answer
    ) -> Resource:
        """Bring a resource of resources.json to this machine.

        Args:
            params: Of resources.json.
            workspace: That it is in.
            ask: Asked for what cannot be known, with a question and what is taken without an
                answer.

        Returns:
            The resource; its `get_local_params` say where it is.

        Raises:
            ConfigurationError: It cannot be brought; nothing is left of the attempt.
        """
        return self.from_json(params, {}, workspace)

    def suggest_name(self, workspace: ResourceWorkspace, role: str, *args: Any) -> str:
        """A name for one that was given none: the last part of its path."""
        return os.path.basename(os.path.abspath(str(args[0]))) if args else role
