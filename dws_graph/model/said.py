"""What a program said, without the names in it: a file may be called `Connection refused`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_QUOTED = re.compile(r"""(?<!\w)'[^\n]*?'(?!\w)|"[^"\n]*\"""")  # but not the one in `didn't`
_NAME = re.compile(
    r"(?<![\w.+-])[A-Za-z][A-Za-z0-9.+-]*://\S*"  # an address
    r"|(?<![\w.])\.{0,2}/[^\s:]*"  # a path
    r"|\b[0-9a-f]{32,64}\b"  # a hash
    r"|(?<=[\w\]]):\d+\b"  # a port
)
# as Go tells of a file: what was done, its name, and last what is wrong
_OF_A_FILE = re.compile(
    r"\b(open|lstat|stat|mkdir|read|write|rename|remove|unlink|chtimes|chmod|readdirent) /[^\n]*: "
)


def own_words(said: str, names: Iterable[str] = (), *, is_go: bool = False) -> str:
    """The words of a program itself, which a table of reasons can be compared with.

    Args:
        said: By the program.
        names: That it was given, and may repeat.
        is_go: It is written in Go, which names files without quotes.
    """
    for name in sorted(filter(None, names), key=len, reverse=True):
        said = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", said)
    said = _QUOTED.sub("", said)
    if is_go:
        said = _OF_A_FILE.sub(r"\1: ", said)
    return _NAME.sub("", said)
