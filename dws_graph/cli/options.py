"""Options and arguments that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dws_graph.errors import ParamParseError
from dws_graph.model.units import parse_duration
from dws_graph.model.values import parsed_or_text
from dws_graph.render.text import clean

F = TypeVar("F", bound=Callable[..., Any])


class Names(click.ParamType[list[str]]):
    """Names with commas between them."""

    name = "NAME[,NAME...]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[str]:
        """A list of names, each once."""
        if isinstance(value, list):
            return value
        names = list(dict.fromkeys(part.strip() for part in str(value).split(",") if part.strip()))
        if not names:
            self.fail("no name is given", param, ctx)
        return names


NAMES = Names()


def snapshot_option(f: F) -> F:
    """`--snapshot`."""
    return click.option(
        "--snapshot",
        metavar="SNAPSHOT",
        help="As it was in this snapshot: a tag, a hash or 6 or more digits of it, or 'latest'.",
    )(f)


def depth_option(text: str) -> Callable[[F], F]:
    """`--depth`, with this help."""
    return click.option("--depth", type=click.IntRange(min=0), metavar="N", help=text)


def all_workspaces_option(f: F) -> F:
    """`--all-workspaces`."""
    return click.option(
        "--all-workspaces",
        is_flag=True,
        help="Ask the team's Neo4j: across the borders of workspaces.",
    )(f)


def output_option(f: F) -> F:
    """`-o`."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write to this file instead of printing.",
    )(f)


def seconds(ctx: click.Context, param: click.Parameter, given: str | None) -> float | None:
    """Callback of an option that is a time: 14d, 12h, 0."""
    if given is None:
        return None
    try:
        return parse_duration(given)
    except ParamParseError as e:
        raise click.BadParameter(f"{e.message}. {e.hint}") from e


def values_by_name(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> dict[str, Any]:
    """Callback of an option NAME=VALUE that may be repeated: a JSON value, else text."""
    found: dict[str, Any] = {}
    for one in given:
        name, sep, value = one.partition("=")
        if not sep or not name:
            raise click.BadParameter(f"'{clean(one)}' is not NAME=VALUE")
        if name in found:
            raise click.BadParameter(f"'{clean(name)}' is given twice")
        found[name] = parsed_or_text(value)
    return found
