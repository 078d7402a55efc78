"""What commands print and ask: answers on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table

from dws_graph.cli.session import Session
from dws_graph.errors import BatchModeError, UserAbort
from dws_graph.render.text import clean

F = TypeVar("F", bound=Callable[..., Any])
WIDE = 100_000
NARROW = 100
LEAST_KEPT, LEAST_BROKEN = 7, 12
PATIENCE = 1.0  # seconds before progress shows


def format_option(*formats: str) -> Callable[[F], F]:
    """`--format`, the first of `formats` being what is printed without it."""
    return click.option(
        "--format",
        "fmt",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="What to print.",
    )


def say(text: str = "") -> None:
    """Print a line of the answer."""
    click.echo(text)


def tell(text: str) -> None:
    """Print a line beside the answer."""
    click.echo(text, err=True)


def warn(text: str) -> None:
    """Print a warning."""
    tell(f"Warning: {text}")


def show_json(document: Any) -> None:
    """Print the answer as one JSON document in UTF-8, whatever the terminal's encoding."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    click.echo(text.encode("utf-8", "backslashreplace"))


def show(session: Session, what: Table, title: str = "", *, keep: Sequence[int] = ()) -> None:
    """Print a table: to the terminal's width, or as wide as it is into a pipe.

    Args:
        session: For its colours.
        what: The table.
        title: Printed above it.
        keep: Columns that are not broken where there is room, the most important first.
    """
    if title:
        say(clean(title))
    if sys.stdout.isatty():
        console = Console(
            color_system=None if session.color is False else "auto",
            no_color=None if session.color is None else not session.color,
            highlight=False,
        )
    elif session.color:
        console = Console(force_terminal=True, color_system="standard", no_color=False, width=WIDE)
    else:
        console = Console(force_terminal=False, color_system=None, width=WIDE)
    _keep(what, keep, console.width)
    click.echo(_rendered(console, what), color=True)


def _keep(made: Table, keep: Sequence[int], width: int) -> None:
    """Give columns the width that their cells need, as long as the others are left some."""
    columns = made.columns
    if width < NARROW:
        made.collapse_padding = True
    gap = 2 if made.collapse_padding else 3
    least = sum(LEAST_KEPT if i in keep else LEAST_BROKEN for i in range(len(columns)))
    room = width - gap * len(columns) - least
    for i in keep:
        cells = [columns[i].header, *columns[i].cells]
        widest = max(map(_width, cells))
        if (more := max(0, widest - LEAST_KEPT)) <= room:
            columns[i].no_wrap = True
            room -= more


def _width(cell: RenderableType) -> int:
    return max((cell_len(line) for line in str(cell).splitlines()), default=0)


def as_text(what: RenderableType) -> str:
    """A table as it goes into a file."""
    return _rendered(Console(force_terminal=False, color_system=None, width=WIDE), what)


def _rendered(console: Console, what: RenderableType) -> str:
    with console.capture() as captured:
        console.print(what, highlight=False)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")


def write_or_show(text: str | bytes, output: Path | None) -> None:
    """Write a file, or print the text where none is named."""
    if isinstance(text, str) and not text.endswith("\n"):
        text += "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_bytes(text.encode() if isinstance(text, str) else text)
    tell(f"Wrote {clean(str(output))}.")


def confirm(session: Session, question: str) -> bool:
    """Ask; yes where nobody is to be asked."""
    return click.confirm(question, default=True, err=True) if session.can_ask else True


def confirm_verbose(session: Session, what: str) -> None:
    """With `--verbose`, ask before something is changed.

    Raises:
        UserAbort: The answer was no.
    """
    if session.verbose and not confirm(session, f"{what}?"):
        raise UserAbort("nothing was changed")


def choose(session: Session, question: str, choices: Sequence[str], option: str) -> str:
    """One of several; a number or the beginning of one does too.

    Raises:
        BatchModeError: Nobody may be asked; the hint names the option to give.
    """
    if not session.can_ask:
        raise BatchModeError(
            f"{option} is missing, and nobody can be asked",
            hint=f"Give {option} with one of: {', '.join(choices)}.",
        )
    for n, choice in enumerate(choices, 1):
        tell(f"  {n}  {choice}")
    while True:
        answer = str(click.prompt(question, err=True)).strip().lower()
        fits = [c for n, c in enumerate(choices, 1) if answer == str(n) or c.startswith(answer)]
        if len(fits) == 1:
            return fits[0]
        tell(f"Type a number from 1 to {len(choices)}, or the name.")


@contextmanager
def progress(session: Session, what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal's stderr for what takes more than a second.

    Yields a function to be called with a name, how much is done and how much there is (0 where
    nobody knows).
    """
    if not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    from rich.progress import (  # where there is a terminal alone
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    begun = time.monotonic()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, no_color=None if session.color is None else not session.color),
        transient=True,
    )
    task = bar.add_task(what, total=None)
    shown = False

    def report(name: str, done: int, total: int) -> None:
        nonlocal shown
        if not shown and time.monotonic() - begun > PATIENCE:
            bar.update(task, description=f"{what} {clean(name)}".strip())
            bar.start()
            shown = True
        if shown:
            label = f"{what} {clean(name)}".strip()
            bar.update(task, description=label, completed=done, total=total or None)
            if done >= total > 0:  # what comes next may ask something
                bar.stop()
                shown = False

    try:
        yield report
    finally:
        if shown:
            bar.stop()
