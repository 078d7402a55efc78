"""Commands and groups of commands: loaded when used, with the options common to all."""

from __future__ import annotations

import difflib
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click

from dws_graph.backends.git import command as git
from dws_graph.cli.session import Session
from dws_graph.model.secrets import scrub_text

HELP_OPTIONS = ["-h", "--help"]


class Entry(NamedTuple):
    """A command in a group: its module, which holds it as `command`, and what it does."""

    name: str
    module: str
    help: str


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is None or (value is False and param.name != "color"):
        return
    session = ctx.ensure_object(Session)
    setattr(session, str(param.name), value)
    if param.name == "verbose":
        git.trace = _print_git


def _print_git(args: Sequence[str]) -> None:
    print(f"+ {scrub_text(shlex.join(args))}", file=sys.stderr)  # noqa: T201  # the terminal is this room's


def common_options(*, hidden: bool, workspace: bool = True) -> list[click.Parameter]:
    """`--batch`, `--verbose`, ...: shown by dws itself, accepted after each command too."""
    shared: dict[str, Any] = {"expose_value": False, "callback": _keep, "hidden": hidden}
    options: list[click.Parameter] = [
        click.Option(
            ["-b", "--batch"],
            is_flag=True,
            help="Never ask; fail where only an answer would do.",
            **shared,
        ),
        click.Option(
            ["--verbose"],
            is_flag=True,
            help="Print each git command, ask before a change, show where an error came from.",
            **shared,
        ),
        click.Option(
            ["--color/--no-color"],
            default=None,
            help="Colours, or none.  [default: on a terminal]",
            **shared,
        ),
    ]
    if workspace:
        where = click.Option(
            ["--workspace-dir"],
            metavar="DIR",
            expose_value=False,
            callback=_keep,
            help="The workspace.  [default: $DWS_WORKSPACE_DIR, else the one around this folder]",
        )
        options.append(where)
    return options


class Command(click.Command):
    """A command; it takes the common options too."""

    def __init__(self, *args: Any, workspace: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += common_options(hidden=True, workspace=workspace)


class Group(click.Group):
    """A group of commands, each in a module that is imported when it is used.

    Attributes:
        sections: Commands under their headings, in the order in which help lists them.
    """

    def __init__(
        self,
        *args: Any,
        sections: dict[str, list[Entry]],
        unlisted: Sequence[Entry] = (),
        hidden_options: bool = True,
        workspace: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, context_settings={"help_option_names": HELP_OPTIONS}, **kwargs)
        self.sections = sections
        listed = [entry for entries in sections.values() for entry in entries]
        self.entries = {entry.name: entry for entry in (*listed, *unlisted)}
        self.params += common_options(hidden=hidden_options, workspace=workspace)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        found = import_module(f"dws_graph.cli.{entry.module}").command
        assert isinstance(found, click.Command)  # noqa: S101  # a module of this room
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; an unknown one gets a suggestion."""
        names = [] if not args or args[0] in self.entries else self.list_commands(ctx)
        if args and args[0] not in (*self.entries, *names) and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], names, n=3, cutoff=0.7)
            near = self._of_groups(ctx, args[0], cutoff=1.0) or near
            near = near or self._of_groups(ctx, args[0], cutoff=0.7)
            known = f"Did you mean {' or '.join(near)}?" if near else f"See: {ctx.command_path} -h."
            ctx.fail(f"there is no command '{args[0]}'. {known}")
        return super().resolve_command(ctx, args)

    def _of_groups(self, ctx: click.Context, word: str, cutoff: float) -> list[str]:
        """Commands of the groups in this one that are named so, or nearly, as they are typed."""
        groups = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        return [
            f"{ctx.command_path} {name} {found}"
            for name, group in groups
            if isinstance(group, Group)
            for found in difflib.get_close_matches(word, group.entries, n=1, cutoff=cutoff)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The sections, without importing what they name."""
        longest = max(len(e.name) for entries in self.sections.values() for e in entries)
        for heading, entries in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(e.name.ljust(longest), e.help) for e in entries])
