"""Which script a command line runs."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

_SCRIPT_ENDS = (".py", ".ipynb", ".sh", ".r")
_INTERPRETER = re.compile(
    r"((python|pypy)[0-9.]*|(ba|da|k|z)?sh|rscript|julia|perl|ruby|node)(\.exe)?", re.IGNORECASE
)


def script_of(command: Sequence[str]) -> str | None:
    """The script that a command line runs, as it names it; None: there is none.

    The first word that is a file with a script's ending, as in `mpirun -n 4 python fit.py`; else
    what an interpreter is given first, or the program itself where it is given by its path.
    """
    program, *words = command
    interpreted = _INTERPRETER.fullmatch(os.path.basename(program)) is not None
    for word in command:
        if interpreted and word in ("-c", "-m"):
            return None
        if word.lower().endswith(_SCRIPT_ENDS) and os.path.isfile(word):
            return word
    if interpreted:
        return next((w for w in words if not w.startswith("-") and os.path.isfile(w)), None)
    return program if os.sep in program else None


def name_of(command: Sequence[str], script: str | None) -> str:
    """What a step is called that has no name: as its script, else as its program."""
    name = os.path.basename(command[0] if script is None else script)
    stem, end = os.path.splitext(name)
    return stem if end.lower() in _SCRIPT_ENDS else name
