"""`dws` itself: the list of all commands."""

from __future__ import annotations

import click

from dws_graph import __version__
from dws_graph.cli.commands import Entry, Group

EPILOG = """
\b
A first workspace:
  mkdir project && cd project
  dws init --create-resources all
  dws snapshot -m "the first state" first
  dws report history

Each command explains itself: dws COMMAND -h.
"""


@click.group(
    cls=Group,
    sections={
        "Begin": [
            Entry("init", "init", "Make a workspace of this folder."),
            Entry("add", "add", "Add data, code or results as a resource."),
            Entry("demo", "demo_command", "Make a workspace to try everything in."),
        ],
        "Record": [
            Entry("run", "run", "Run a command as a step."),
        ],
        "Keep and bring back": [
            Entry("snapshot", "snapshot", "Keep the state of all resources, under a name."),
            Entry("restore", "restore", "Bring data and code back to a snapshot."),
            Entry("tag", "tag", "Name a snapshot, or take a name away."),
            Entry("show", "show", "Show everything about a snapshot."),
            Entry("delete-snapshot", "delete_snapshot", "Delete a snapshot, and its results."),
            Entry("undo", "undo", "Take back the last command."),
        ],
        "Share": [
            Entry("publish", "publish", "Give the workspace an origin, and push everything."),
            Entry("push", "push", "Bring what is new here to the origins."),
            Entry("pull", "pull", "Bring what is new at the origins here."),
            Entry("clone", "clone", "Bring a workspace to this machine."),
            Entry("deploy", "deploy", "Put the workspace into a Docker image."),
        ],
        "Ask": [
            Entry("diff", "diff", "List what differs between two snapshots."),
            Entry("report", "report", "Resources, history, lineage and results as tables."),
            Entry("steps", "steps", "The recorded steps: list, show, retract."),
            Entry("lineage", "lineage", "What came from what, as tables, pictures or Cypher."),
        ],
        "Look after": [
            Entry("log", "log", "What was done to the workspace."),
            Entry("rename", "rename", "Give a resource a new name."),
            Entry("remove", "remove", "Take a resource out of the workspace."),
            Entry("config", "config", "Get or set parameters of the workspace."),
            Entry("gc", "gc", "Drop kept content that nothing names."),
            Entry("doctor", "doctor", "Check the workspace, and say how to mend it."),
            Entry("graph", "graph", "The databases that answer about lineage."),
            Entry("serve", "serve", "Serve lineage over HTTP, to programs and people."),
            Entry("token", "token", "Let programs and people into the lineage service."),
            Entry("version", "version", "Print the version."),
        ],
    },
    unlisted=[Entry("status", "status", "Deprecated: see dws report status.")],
    hidden_options=False,
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="dws-graph", message="%(prog)s %(version)s")
def dws() -> None:
    """Keep data, code and results together, and know what each result was made from.

    A workspace is a folder, in git, with resources: source data, intermediate data, code and
    results. Snapshots keep their state; lineage tells which step made what from what.
    """
