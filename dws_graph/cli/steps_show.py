"""`dws steps show`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from dws_graph.api.step_details import StepCertificate, StepDetails, show_step_in
from dws_graph.cli.cells import Row, number, text, when
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json
from dws_graph.model.values import local_text
from dws_graph.render.tables import table
from dws_graph.render.text import clean, seconds, shortened

LONGEST = 160  # of a value; all of it is in the json
EPILOG = """
\b
Examples:
  dws steps show train
  dws steps show 01a21031-61ca --packages
  dws steps show train --format json
"""


@click.command("show", cls=Command, epilog=EPILOG)
@click.option("--packages", is_flag=True, help="List the packages of its environment, too.")
@format_option("table", "json")
@click.argument("step", metavar="ID")
@pass_session
def command(session: Session, packages: bool, fmt: str, step: str) -> None:
    """Show everything about a step.

    ID is a step's id, 8 or more digits of it, or a name, which means the newest step of that
    name. Shown are what it read and wrote and from which steps that came, its code and commit,
    parameters, metrics and environment, and its command line to copy.
    """
    with session.workspace() as ws:
        found = show_step_in(ws, step)
    if fmt == "json":
        show_json(found)
    else:
        _show(session, found, packages=packages)


def _show(session: Session, found: StepDetails, *, packages: bool) -> None:
    say(f"Step {clean(found['name'])}")
    for name, value in _facts(found):
        if value:
            say(f"  {name:<11} {value}")
    rows: list[Row] = [
        [kind, c["ref"], _version(c), _producer(c)]
        for kind, certs in (
            ("read", found["inputs"]),
            ("code", found["code"]),
            ("wrote", found["outputs"]),
        )
        for c in certs
    ]
    if rows:
        say()
        columns = ["", "Resource", "Hash", "Written by"]
        show(session, table(columns, rows), "What it read and wrote", keep=(0, 2, 1))
    for heading, values in (("Parameters", found["parameters"]), ("Metrics", found["metrics"])):
        if values:
            say()
            cells: list[Row] = [[name, _value(value)] for name, value in values.items()]
            show(session, table(["Name", "Value"], cells), heading, keep=(0,))
    if packages and found["environment"]:
        say()
        say("Packages")
        for package in found["environment"]["packages"]:
            say(f"  {clean(package)}")
    if found["command"]:
        say()
        say("To run it again")
        say(f"  {found['command']}")


def _facts(found: StepDetails) -> Iterator[tuple[str, str]]:
    yield "ID", found["key"]
    yield "Status", found["status"]
    if retracted := found["retracted"]:
        said = f"{_local(retracted['time'])} on {clean(retracted['hostname'])}"
        why = f": {clean(retracted['reason'])}" if retracted["reason"] else ""
        yield "Retracted", said + why
    yield "Error", clean(found["error"] or "")
    yield "Started", f"{_local(found['start_time'])} on {clean(found['hostname'])}"
    yield "Took", seconds(found["execution_time_seconds"])
    yield "Description", clean(found["description"] or "")
    yield "Commit", _commit(found)
    if env := found["environment"]:
        count = len(env["packages"])
        yield (
            "Environment",
            clean(
                f"Python {env['python']}, {env['platform']}, {count} packages"
                if env["python"]
                else f"{env['hash'][:8]}, of which nothing more is known here"
            ),
        )
    yield "Ran from", clean(found["run_from"] or "")
    for one in found["read_while_written"]:
        yield (
            "Note",
            f"read {clean(one['ref'])} while step {clean(one['name'] or one['key'])} wrote it",
        )
    for ref in found["changed_while_running"]:
        yield "Note", f"{clean(ref)} changed while it ran"


def _commit(found: StepDetails) -> str:
    commit, edited = clean(found["commit"] or ""), found["code_edited"]
    if not commit or edited is False:
        return commit
    return f"{commit}, {'with edits since' if edited else 'perhaps with edits since'}"


def _local(time: str) -> str:
    return when(local_text(time)).replace("T", " ")


def _version(c: StepCertificate) -> str:
    return c["hash"][:8] if c["hash"] else c["status"]


def _producer(c: StepCertificate) -> str:
    producer = c["producer"]
    if producer is None:
        return ""
    how = "retracted" if producer["retracted"] else "failed" if producer["failed"] else ""
    return f"{producer['name']}, {how}" if how else producer["name"]


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else shortened(text(value), LONGEST)
