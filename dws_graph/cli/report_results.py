"""`dws report results`."""

from __future__ import annotations

from typing import Any

import click

from dws_graph.api.results import report_results_in
from dws_graph.cli.cells import number
from dws_graph.cli.commands import Command
from dws_graph.cli.options import snapshot_option
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json
from dws_graph.render.tables import table
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws report results
  dws report results --snapshot SVC-1
"""


@click.command("results", cls=Command, epilog=EPILOG)
@snapshot_option
@click.option("--resource", metavar="NAME", help="A results resource.  [default: all]")
@format_option("table", "json")
@pass_session
def command(session: Session, snapshot: str | None, resource: str | None, fmt: str) -> None:
    """Show the results files: how each was made, its parameters and metrics.

    Without --snapshot they are the current ones, or else those of the newest snapshot that has
    some.
    """
    with session.workspace() as ws:
        found = report_results_in(ws, snapshot, resource)
    if fmt == "json":
        show_json(found)
        return
    for one in (found, *found["others"]):
        if one is not found:
            say()
        say(f"Results file at {clean(one['path'])}")
        for heading, values in _groups(one["results"]):
            say()
            rows = [[name, number(value)] for name, value in values.items()]
            show(session, table(["Key", "Value"], rows), heading)


def _groups(results: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Headings with their values: what is no group of values is a general property."""
    general = {k: v for k, v in results.items() if not isinstance(v, dict)}
    groups = [("General Properties", general)] if general else []
    for name, values in results.items():
        if not isinstance(values, dict):
            continue
        heading = name.replace("_", " ").capitalize()
        nested = {k: v for k, v in values.items() if name == "metrics" and isinstance(v, dict)}
        plain = {k: v for k, v in values.items() if k not in nested}
        if plain:
            groups.append((heading, plain))
        for inner, inner_values in nested.items():
            groups.append(
                (f"{heading}: {inner}", {k: _rounded(v) for k, v in inner_values.items()})
            )
    return groups


def _rounded(value: Any) -> Any:
    """A group of metrics in a line; anything else as it is."""
    if not isinstance(value, dict):
        return value
    return ", ".join(f"{name}: {number(inner)}" for name, inner in value.items())
