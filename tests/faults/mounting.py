"""A file system that is soon full."""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import cache

MOUNT = ("mount", "-t", "tmpfs", "-o", "size=6m", "dws-test")


@cache
def can_mount(_: str) -> bool:
    """Whether it can be had here."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as at:
        if subprocess.run([*MOUNT, at], capture_output=True, check=False).returncode:
            return False
        subprocess.run(["umount", at], check=True)
    return True
