"""Which part of the suite runs: all of it, or a sixteenth that changes from day to day."""

from __future__ import annotations

import datetime
import os
import zlib
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

VARIABLE = "DWS_FAULTS_SEED"
ALL = "all"
T = TypeVar("T")


@cache
def seed() -> str:
    """`all`, or what the part is chosen by: the day, unless DWS_FAULTS_SEED says otherwise."""
    return os.environ.get(VARIABLE) or f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%d}"


def one_of(trial: str, choices: Sequence[T]) -> Sequence[T]:
    """The choice that a trial takes now; all of them where all of the suite runs."""
    if seed() == ALL:
        return choices
    return [choices[zlib.crc32(f"{seed()} {trial}".encode()) % len(choices)]]


def chosen(trial: str, *, rare: bool = False) -> bool:
    """Whether a trial runs: one in 16; of those in the middle of git or a recovery, in 128."""
    if seed() == ALL:
        return True
    return zlib.crc32(f"{seed()} {trial}".encode()) % (128 if rare else 16) == 0
