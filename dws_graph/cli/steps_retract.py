"""`dws steps retract`."""

from __future__ import annotations

import click

from dws_graph.api.step_list import find_step_in, retract_step_in
from dws_graph.backends.views import StepInfo
from dws_graph.cli.cells import when
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm, say, tell
from dws_graph.errors import UserAbort
from dws_graph.model.values import local_text
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws steps retract train --reason "trained on the test set"
  dws steps retract 01a21031-61ca --yes
"""


@click.command("retract", cls=Command, epilog=EPILOG)
@click.option("--reason", metavar="TEXT", default="", help="Why; shown with the step.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.argument("step", metavar="ID")
@pass_session
def command(session: Session, reason: str, yes: bool, step: str) -> None:
    """Take a step out of lineage.

    ID is a step's id, 8 or more digits of it, or a name, which means the newest step of that
    name. The step is still shown, as retracted, but is no longer upstream or downstream of
    anything. No file is touched: what it wrote stays as it is, with no step that made it. The
    next snapshot carries that to other copies of the workspace. It cannot be taken back, but the
    step can be run again. Nobody is asked with --yes, with --batch or without a terminal.
    """
    with session.workspace() as ws:
        found = find_step_in(ws, step)
        if not found.retracted and not yes:
            tell(_plan(found))
            if not confirm(session, "Retract it?"):
                raise UserAbort("nothing was changed")
        done = retract_step_in(ws, found.id, reason)
    name = f"step '{clean(done['name'])}' ({done['key']})"
    if done["new"]:
        say(f"Retracted {name}.")
        tell(f"If it was a mistake, run the step again: dws steps show {done['key']} tells how.")
        return
    why = f": {clean(done['reason'])}" if done["reason"] else ""
    say(f"Nothing to do: {name} was retracted {_local(done['time'])}{why}")


def _plan(step: StepInfo) -> str:
    wrote = ", ".join(clean(str(c.ref)) for c in step.outputs)
    return f"Step '{clean(step.name)}' of {_local(step.start_time)} ({step.id}) " + (
        f"wrote {wrote}." if wrote else "wrote nothing."
    )


def _local(time: str) -> str:
    return when(local_text(time)).replace("T", " ")
