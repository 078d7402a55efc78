"""Which process runs a step, and whether it still lives."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def started(pid: int) -> str:
    """When a process started, in a form to compare; empty when there is none.

    With its id it names a process for good: ids are used again.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return ""
        return _from_ps(pid)
    fields = stat.rpartition(")")[2].split()
    if fields[0] in ("Z", "X"):
        return ""
    return f"{_boot()}:{fields[19]}"  # field 22 of proc(5): ticks since boot


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _from_ps(pid: int) -> str:
    found = subprocess.run(  # noqa: S603  # a number is all that varies
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def mine() -> tuple[int, str]:
    """This process."""
    return os.getpid(), started(os.getpid())


def is_alive(pid: int, when: str) -> bool:
    """Whether the process of this id and start still runs."""
    return bool(when) and started(pid) == when
