"""Running one command line: what it ends with, and how its errors are told.

An error is one message and a hint, never a traceback, unless `--verbose` asks for one.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from dws_graph.backends.git import command as git
from dws_graph.cli.root import dws
from dws_graph.cli.session import Session
from dws_graph.errors import DwsError, UserAbort
from dws_graph.render.text import clean
from dws_graph.workspace.telling import told

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def run(args: Sequence[str] | None = None, prog_name: str = "dws") -> int:
    """Run a command line; its exit status."""
    session = Session()
    before = git.trace
    _reconfigure()
    try:
        with _warnings_on_stderr():
            status = dws.main(args, prog_name=prog_name, obj=session, standalone_mode=False)
            sys.stdout.flush()
            return status if isinstance(status, int) else DONE
    except SystemExit as e:  # click, on a closed pipe or while completing
        return e.code if isinstance(e.code, int) else FAILED
    except BaseException as e:  # noqa: BLE001  # whatever it is, a person is told in a sentence
        return _told(e, session)
    finally:
        git.trace = before
        _flush()


def _told(error: BaseException, session: Session) -> int:
    """Tell of an error on stderr; the exit status it means."""
    if isinstance(error, KeyboardInterrupt) or (
        isinstance(error, click.Abort) and not isinstance(error.__context__, EOFError)
    ):
        _say("Interrupted." if error.__cause__ else "\nInterrupted.")
        return INTERRUPTED
    if session.verbose and not isinstance(error, (click.ClickException, click.Abort, UserAbort)):
        _say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, click.Abort):
        _say("\nError: there was no answer\nTo go on without questions, add --batch.")
        return FAILED
    if isinstance(error, click.UsageError):
        error.show(sys.stderr)
        return USAGE
    if isinstance(error, click.ClickException):
        _say(f"Error: {error.format_message()}")
        return error.exit_code
    if isinstance(error, UserAbort):
        _say(_sentence(str(error) or "nothing was changed"))
        return FAILED
    if isinstance(error, DwsError):
        _say(f"Error: {error.message}" + (f"\n{error.hint}" if error.hint else ""))
        return error.exit_status
    if isinstance(error, BrokenPipeError):
        return FAILED
    _say(f"Error: {_unexpected(error)}")
    return FAILED


def _unexpected(error: BaseException) -> str:
    """One sentence about what the product did not foresee."""
    if isinstance(error, OSError) and error.strerror:
        names = [os.fsdecode(n) for n in (error.filename, error.filename2) if n is not None]
        reason = error.strerror[0].lower() + error.strerror[1:]
        if error.errno == errno.ENOSPC:
            reason += "\nMake room, and run the command again."
        return ": ".join([" -> ".join(map(str, names)), reason] if names else [reason])
    if isinstance(error, sqlite3.Error):
        return f"the index cannot be used: {error}\nFold it again: dws graph rebuild."
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    kind = type(error).__name__
    return (
        f"internal error ({kind}: {error})\n"
        "This is a mistake of dws-graph. Run the command with --verbose and report what it prints."
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _say(text: str) -> None:
    """Print to stderr; names in the text cannot steer the terminal."""
    click.echo("\n".join(map(clean, text.split("\n"))), err=True)


class _ToStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _say(told(record))


@contextmanager
def _warnings_on_stderr() -> Iterator[None]:
    logger = logging.getLogger("dws_graph")
    handler = _ToStderr(logging.WARNING)
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def _reconfigure() -> None:
    """Let a file name that is not text be shown, rather than fail the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flush() -> None:
    """Leave nothing for the interpreter to write when it ends, should nobody read on."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
