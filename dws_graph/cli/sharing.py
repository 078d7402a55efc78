"""What the commands that share a workspace have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from dws_graph.cli.options import NAMES
from dws_graph.cli.session import Session, note
from dws_graph.cli.terminal import progress, say
from dws_graph.errors import some_of
from dws_graph.render.text import clean, clean_lines
from dws_graph.resources.terms import Ask
from dws_graph.workspace.opened import OpenWorkspace, unwatched
from dws_graph.workspace.sharing import Sharing

F = TypeVar("F", bound=Callable[..., Any])


def skip_option(f: F) -> F:
    """`--skip`."""
    return click.option(
        "--skip", type=NAMES, help="Leave these resources out, a list with commas."
    )(f)


def which_options(f: F) -> F:
    """`--only`, `--skip`, `--only-workspace`."""
    for option in (
        click.option(
            "--only-workspace", is_flag=True, help="The workspace itself alone, no resource."
        ),
        skip_option,
        click.option(
            "--only", type=NAMES, help="Of the resources, these alone, a list with commas."
        ),
    ):
        f = option(f)
    return f


def check_which(only: list[str] | None, skip: list[str] | None, only_workspace: bool) -> None:
    """Refuse choices that exclude one another."""
    if sum((bool(only), bool(skip), only_workspace)) > 1:
        raise click.UsageError("--only, --skip and --only-workspace exclude one another")


def asker(session: Session) -> Ask:
    """Asks on the terminal; where nobody is to be asked, takes what is proposed."""

    def ask(question: str, default: str) -> str:
        if not session.can_ask:
            return default
        return str(click.prompt(clean(question), default=default, err=True))

    return ask


@contextmanager
def watched(session: Session, ws: OpenWorkspace, what: str) -> Iterator[None]:
    """Show on a terminal how far it is, where a resource tells that."""
    with progress(session, what) as report:
        ws.progress = report
        try:
            yield
        finally:
            ws.progress = unwatched


def show_sharing(done: Sharing, verb: str, direction: str) -> None:
    """Print what was shared: one line, and a note for each resource that was left out."""
    for text in done.notes:
        note(clean_lines(text))
    for name, why in done.left.items():
        if why != "not asked for":
            note(f"{name} was left out: {why}")
    shared = _by_place(done)
    if shared:
        what = [f"{some_of(names)} {direction} {place}" for place, names in shared.items()]
        say(clean(f"{verb} {'; '.join(what)}."))
    else:
        where = f"at {done.url}" if done.url else "there"
        say(clean(f"Nothing is new: all is as {where}."))


def _by_place(done: Sharing) -> dict[str, list[str]]:
    """What was shared, by where it came from or went to; the workspace comes first."""
    found: dict[str, list[str]] = {done.url: ["the workspace"]} if done.workspace else {}
    for name in done.changed:
        found.setdefault(done.places.get(name, "its origin"), []).append(name)
    return found
