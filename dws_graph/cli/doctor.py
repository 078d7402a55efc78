"""`dws doctor`."""

from __future__ import annotations

import click

from dws_graph.api.checking import doctor
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show_json
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws doctor
  dws doctor --format json
"""


@click.command("doctor", cls=Command, epilog=EPILOG)
@format_option("text", "json")
@click.pass_context
@pass_session
def command(session: Session, ctx: click.Context, fmt: str) -> None:
    """Check the workspace, and say how to mend it.

    Files parse, snapshots have manifests and lineage, journal and views agree, folders are there.
    The exit status is 1 when there is an error; notes need no mending.
    """
    found = doctor(session.workspace_dir, session.verbose)
    errors = sum(f["level"] == "error" for f in found)
    if fmt == "json":
        show_json(found)
    else:
        for finding in found:
            say(f"{finding['level'].capitalize()}: {clean(finding['what'])}")
            if finding["mend"]:
                say(f"  {clean(finding['mend'])}")
        notes = len(found) - errors
        say(f"{_count(errors, 'error')}, {_count(notes, 'note')}." if found else "All is well.")
    if errors:
        ctx.exit(1)


def _count(n: int, what: str) -> str:
    return f"{n or 'no'} {what}" + ("" if n == 1 else "s")
