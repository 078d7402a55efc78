"""A command as a process of its own: it has our streams, and the signals that we are sent.

It runs without a shell, in our process group, so that a terminal's keys reach it as well.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dws_graph.errors import CommandNotRunError

NOT_EXECUTABLE, NOT_FOUND, KILLED = 126, 127, 128  # as shells have it

_PASSED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
_KEYS = (signal.SIGINT, signal.SIGQUIT)  # which a terminal sends to the whole process group
_FROM_KERNEL = 128  # SI_KERNEL of sigaction(2)
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def check_program(program: str) -> None:
    """Refuse a program that is not there, before anything is begun for it.

    Raises:
        CommandNotRunError: With the exit status that a shell would have.
    """
    if shutil.which(program):
        return
    by_path = os.sep in program
    if shutil.which(program, mode=os.F_OK) or (by_path and os.path.exists(program)):
        raise CommandNotRunError(
            f"'{program}' is not executable",
            hint=f"Make it so (chmod +x {program}), or name its interpreter before it.",
            exit_status=NOT_EXECUTABLE,
        )
    raise CommandNotRunError(
        f"the command '{program}' was not found",
        hint="Check its path." if by_path else f"Check its name, or give its path: ./{program}.",
        exit_status=NOT_FOUND,
    )


@dataclass(slots=True)
class Child:
    """The command; made by `child`.

    Attributes:
        held: The signals that go to the command instead of to this process.
        mask: Those that were blocked before.
        pid: While it runs.
    """

    held: frozenset[signal.Signals]
    mask: set[int | signal.Signals]
    pid: int | None = None
    _relay: threading.Thread | None = None
    _closing: bool = False

    def start(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Run the command.

        Raises:
            CommandNotRunError: The system refuses to.
        """
        try:
            self.pid = os.posix_spawnp(
                command[0],
                list(command),
                env,
                setsigmask=self.mask,
                setsigdef=_IGNORED_BY_PYTHON,
            )
        except OSError as e:
            found = not isinstance(e, FileNotFoundError)
            raise CommandNotRunError(
                f"'{command[0]}' cannot be run: {(e.strerror or str(e)).lower()}",
                hint="A script begins with a line '#!' and the path of its interpreter.",
                exit_status=NOT_EXECUTABLE if found else NOT_FOUND,
            ) from e
        for number in signal.sigpending() & self.held:  # sent when there was no command yet
            signal.sigwait([number])
            self._send(number)
        if self.held:
            self._relay = threading.Thread(target=self.pass_on, name="dws signals", daemon=True)
            self._relay.start()

    def wait(self) -> int:
        """Its exit status; -N when signal N killed it."""
        assert self.pid is not None  # noqa: S101  # started
        _, status = os.waitpid(self.pid, 0)
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """End it, should it still run."""
        if self.pid is not None:
            self._send(signal.SIGTERM)
            with contextlib.suppress(ChildProcessError):  # it was waited for already
                self.wait()

    def pass_on(self) -> None:
        """Pass signals on until the end; those that come after the command's end are dropped."""
        while True:
            number, known = _next(self.held)
            if self._closing:
                return
            if not known:
                self._send(number)

    def _send(self, number: int) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # gone; sudo's
                os.kill(self.pid, number)

    def close(self) -> None:
        """Stop passing signals on."""
        self._closing = True
        if self._relay is not None and self._relay.ident is not None:
            signal.pthread_kill(self._relay.ident, next(iter(self.held)))
            self._relay.join()


@contextmanager
def child(*, pass_signals: bool) -> Iterator[Child]:
    """What a command is started and waited for with.

    Args:
        pass_signals: Until the end of the block, signals that would end this process go to the
            command. For a process that has no other threads, and whose own the signals are. What
            is ignored (as after `nohup`) stays ignored.
    """
    held = frozenset(
        number
        for number in (_PASSED_ON if pass_signals else ())
        if signal.getsignal(number) != signal.SIG_IGN
    )
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    made = Child(held, mask)
    try:
        yield made
    finally:
        made.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _next(signals: frozenset[signal.Signals]) -> tuple[int, bool]:
    """The next signal, and whether the command has it already, from the terminal's keys."""
    if sys.platform == "darwin":  # where nobody tells who sent it
        number = signal.sigwait(signals)
        return number, number in _KEYS and _in_foreground()
    info = signal.sigwaitinfo(signals)
    return info.si_signo, info.si_signo in _KEYS and info.si_code == _FROM_KERNEL


def _in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
