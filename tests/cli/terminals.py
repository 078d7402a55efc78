"""dws as a process of its own: on a terminal of some width, or with pipes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

DWS = [sys.executable, "-m", "dws_graph"]
# Root may write everywhere; what follows this may not, like everybody else.
DROP = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def piped(*args: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    """Run dws with pipes."""
    return subprocess.run(
        [*DWS, *args],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def on_terminal(
    *args: str, cwd: Path, columns: int = 80, answers: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run dws on a terminal.

    Args:
        args: Of the command line.
        cwd: Where.
        columns: Of the terminal.
        answers: What to type once something is on the screen, each once and in this order.

    Returns:
        Exit status, and all that the terminal showed.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [*DWS, *args],
        cwd=cwd,
        env={**env, "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=lambda: _own_terminal(slave),
    )
    os.close(slave)
    shown = b""
    waiting = list((answers or {}).items())
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:  # the process is gone
                break
            if not data:
                break
            shown += data
        if waiting and waiting[0][0].encode() in shown:
            time.sleep(0.2)  # nobody types before the question can be read
            os.write(master, waiting.pop(0)[1].encode())
    os.close(master)
    return process.wait(timeout=10), shown.decode().replace("\r\n", "\n")


def _own_terminal(slave: int) -> None:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def without_root(*args: str, cwd: Path) -> subprocess.CompletedProcess:
    """Run dws as somebody who may not write where the permissions say so; `needs("setpriv")`."""
    command = [*DROP, *DWS, *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
