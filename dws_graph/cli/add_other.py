"""`dws add TYPE` of a type from another package, as its factory describes it."""

from __future__ import annotations

from typing import Any

import click

from dws_graph.cli.adding import add, resource_options
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.errors import InternalError
from dws_graph.resources import registry
from dws_graph.resources.factory import Argument

RESERVED = ("name", "role", "session")


def command_for(resource_type: str) -> click.Command:
    """The command that adds a resource of this type.

    Raises:
        NotSupportedError: The type cannot be used.
        InternalError: It takes an argument of a name that every type has.
    """
    factory = registry.factory(resource_type)
    positional = [a.name for a in factory.arguments if a.kind == "positional"]
    for argument in factory.arguments:
        if argument.name in RESERVED:
            raise InternalError(
                f"the type '{resource_type}' has an argument '{argument.name}' of its own, and "
                "every type has one"
            )

    @click.command(resource_type, cls=Command, help=_help(factory.summary, factory.arguments))
    @resource_options
    @pass_session
    def command(session: Session, /, role: str | None, name: str | None, **given: Any) -> None:
        args = [given.pop(key) for key in positional]
        add(session, resource_type, role, name, *args, roles=factory.roles, **given)

    command.params += [_parameter(argument) for argument in factory.arguments]
    return command


def _parameter(argument: Argument) -> click.Parameter:
    if argument.kind == "positional":
        return click.Argument([argument.name])
    option = [f"--{argument.name.replace('_', '-')}", argument.name]
    if argument.kind == "flag":
        return click.Option(option, is_flag=True, help=argument.help)
    shown = argument.default is not None
    return click.Option(option, default=argument.default, show_default=shown, help=argument.help)


def _help(summary: str, arguments: Any) -> str:
    lines = [f"  {a.name.upper()}: {a.help}" for a in arguments if a.kind == "positional"]
    return "\n".join([summary, *(["", "\b", *lines] if lines else [])])
