"""What the commands that add a resource share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from dws_graph.cli.session import Session
from dws_graph.cli.sharing import watched
from dws_graph.cli.terminal import choose, confirm_verbose, say
from dws_graph.errors import ConfigurationError
from dws_graph.render.text import clean
from dws_graph.resources.terms import RESOURCE_ROLE_CHOICES, ResourceRoles
from dws_graph.workspace.adding import add_resource, full_role

F = TypeVar("F", bound=Callable[..., Any])


def _role(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else full_role(value)
    except ConfigurationError as e:
        raise click.BadParameter(f"{e.message}. {e.hint}") from e


def resource_options(f: F) -> F:
    """`--role` and `--name`."""
    for option in (
        click.option(
            "--name",
            metavar="NAME",
            help="Short name for this resource.  [default: the last part of its path]",
        ),
        click.option(
            "--role",
            metavar="ROLE",
            callback=_role,
            help=f"{', '.join(RESOURCE_ROLE_CHOICES)} (or s, i, c, r).  [default: asks]",
        ),
    ):
        f = option(f)
    return f


def sharing_options(f: F) -> F:
    """`--export` and `--imported`."""
    for option in (
        click.option(
            "--imported",
            is_flag=True,
            help="Another workspace exported it: take in the lineage in its lineage.json. Implies "
            "--role source-data; it is only read.",
        ),
        click.option(
            "-e",
            "--export",
            is_flag=True,
            help="Write its lineage into it, as lineage.json, at each snapshot: other workspaces "
            "can import it. Results are then copied at a snapshot, not moved.",
        ),
    ):
        f = option(f)
    return f


def add(
    session: Session,
    resource_type: str,
    role: str | None,
    name: str | None,
    *args: str,
    roles: Sequence[str] = RESOURCE_ROLE_CHOICES,
    **options: Any,
) -> None:
    """Add a resource, and say so.

    Args:
        session: Of this run.
        resource_type: As in resources.json.
        role: None: it is asked.
        name: None: one is made up.
        *args: As the type takes them; the first says what is added.
        roles: That it can have.
        **options: As the type takes them.
    """
    what = clean(args[0]) if args else "the data"
    with session.workspace() as ws:
        if role is None and options.get("imported"):
            role = ResourceRoles.SOURCE_DATA_SET
        if role is None:
            question = f"What {'is' if args else 'are'} {what} to this workspace"
            role = choose(session, question, roles, "--role")
        confirm_verbose(session, f"Add {what} as {role}")
        with watched(session, ws, "Adding"):
            resource = add_resource(ws, resource_type, role, name, *args, **options)
        kind = resource.resource_type
        say(f"Added resource {clean(resource.name)} ({kind}) with the role {role}.")
