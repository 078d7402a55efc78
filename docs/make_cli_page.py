"""Writes docs/cli.md from the commands themselves: `python docs/make_cli_page.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from dws_graph.cli.root import dws

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Commands

Made from the commands' own help by `python docs/make_cli_page.py`; `make docs` runs it.

The answer goes to stdout, all else to stderr. Exit status: 0 done, 1 refused or failed, 2 usage,
130 interrupted. `--batch` (or `DWS_BATCH=1`) never asks; neither does a command without a
terminal. A REF is `resource`, `resource:/sub/path`, or a path on disk inside a resource. A
SNAPSHOT is a tag, a hash, 6 or more digits of one, or `latest`.
"""


def commands(group: click.Group, ctx: click.Context) -> Iterator[click.Context]:
    """Every command below a group, in the order of its help."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        below = context(command, name, ctx)
        yield below
        if isinstance(command, click.Group):
            yield from commands(command, below)


def context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """As a terminal of 96 columns sees it."""
    return click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=96,
        max_content_width=96,
        help_option_names=["-h", "--help"],
    )


def page() -> str:
    """The page as it should be."""
    root = context(dws, "dws", None)
    parts = [HEAD, f"## dws\n\n```text\n{dws.get_help(root)}\n```\n"]
    for ctx in commands(dws, root):
        parts.append(f"## {ctx.command_path}\n\n```text\n{ctx.command.get_help(ctx)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
