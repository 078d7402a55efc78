"""`dws lineage query`."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, TextIO

import click

from dws_graph.api.querying import LIMIT, TIMEOUT, Answer, query_in
from dws_graph.api.views import CYPHER_VIEWS
from dws_graph.cli.cells import text
from dws_graph.cli.commands import Command
from dws_graph.cli.options import values_by_name
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, progress, say, show, show_json, tell
from dws_graph.render.tables import table

EPILOG = """
\b
Examples:
  dws lineage query 'MATCH (s:Step) RETURN s.name, s.start_time'
  dws lineage query --param r=raw 'MATCH (c:Certificate)-[:READ_BY]->(s:Step)
    WHERE c.resource = $r RETURN DISTINCT s.name'
  dws lineage query --file best.cypher --format csv > best.csv

\b
Nodes: Step, Certificate, Snapshot, Resource, Ref, Tag, Environment, ...
Arrows: (Certificate)-[:READ_BY|CODE_OF]->(Step)
        (Step)-[:WROTE]->(Certificate)
        (Snapshot)-[:CONTAINS]->(Certificate)
"""


@click.command("query", cls=Command, epilog=EPILOG)
@click.option("--file", type=click.File(encoding="utf-8"), help="Read the query from this file.")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    callback=values_by_name,
    help="The value of $NAME: a number, true, a JSON value, else text.  [may be repeated]",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="At most so many rows.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT,
    show_default=True,
    help="At most so many seconds.",
)
@click.option(
    "--view",
    type=click.Choice(CYPHER_VIEWS),
    help="Which graph to ask.  [default: neo4j where one is configured, else cypher]",
)
@format_option("table", "json", "csv")
@click.argument("cypher", required=False)
@pass_session
def command(
    session: Session,
    file: TextIO | None,
    params: dict[str, Any],
    limit: int,
    timeout: float,
    view: str | None,
    fmt: str,
    cypher: str | None,
) -> None:
    """Ask anything about lineage, in Cypher.

    The team's Neo4j is asked, about all workspaces in it, where one is configured; else the
    embedded Cypher view of this workspace. The query can only read. Give it as CYPHER, in single
    quotes, or with --file.
    """
    if (file is None) == (cypher is None):
        raise click.UsageError("give a query, or --file with one")
    asked = cypher if cypher is not None else file.read() if file is not None else ""
    with session.workspace() as ws, progress(session, "Folding facts") as report:
        found = query_in(
            ws,
            asked,
            params,
            limit=limit,
            timeout=timeout,
            view=view,
            progress=lambda n, total: report("", n, total),
        )
    if fmt == "json":
        show_json(found.to_json())
    elif fmt == "csv":
        click.echo(_csv(found), nl=False)
    else:
        show(session, table(found.columns, [list(map(_text, row)) for row in found.rows]))
        say(f"{len(found.rows)} row" + ("" if len(found.rows) == 1 else "s"))
    if found.truncated:
        tell(f"Note: there are more rows than --limit {limit} lets through.")


def _csv(found: Answer) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found.columns)
    for row in found.rows:
        cells = (
            json.dumps(v, ensure_ascii=False) if isinstance(v, (dict, list, tuple)) else v
            for v in row
        )
        writer.writerow(cells)
    return out.getvalue()


def _text(value: Any) -> str:
    return "" if value is None else text(value)
