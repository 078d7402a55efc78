r"""A kept state of a resource: every file of it by its path, with what brings it back.

Compressed lines, sorted, the first naming the format:

    dws-kept 1                                     or: dws-kept 1 adding
    883b7959...<TAB>1024<TAB>x<TAB>bin/run.sh      sha1 of the content, size in bytes, x or -
    -<TAB>-<TAB>-<TAB>empty/                       a folder

A name with a tab, newline or backslash is written with \xNN for each such byte. Source:
docs/formats.md, "Kept content".
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dws_graph.errors import JsonValueError

_HEAD = b"dws-kept 1"
_ADDING = b"dws-kept 1 adding"
_FOLDER = b"-"
_SHA1 = re.compile(rb"[0-9a-f]{40}")
_SPECIAL = re.compile(rb"[\t\n\\]")
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file of a kept state: `sha1` and `size` (bytes) of its content."""

    sha1: str
    size: int
    executable: bool = False


@dataclass(frozen=True, slots=True)
class KeptState:
    """All files of a resource at one time.

    Attributes:
        files: By their paths.
        folders: Their paths, which end in `/`.
        whole: Whether all content was put into the store; until then it is only named there.
    """

    files: Mapping[bytes, KeptFile] = field(default_factory=dict)
    folders: frozenset[bytes] = frozenset()
    whole: bool = True

    def sizes(self) -> dict[str, int]:
        """The size of each content, in bytes, by its sha1."""
        return {file.sha1: file.size for file in self.files.values()}

    def to_bytes(self) -> bytes:
        """As a store keeps it."""
        lines = [
            b"%b\t%d\t%b\t%b" % (f.sha1.encode(), f.size, b"x" if f.executable else b"-", _safe(n))
            for n, f in self.files.items()
        ]
        lines += [b"\t".join((_FOLDER, _FOLDER, _FOLDER, _safe(name))) for name in self.folders]
        lines.sort(key=lambda line: line.rsplit(b"\t", 1)[1])
        head = _HEAD if self.whole else _ADDING
        return zlib.compress(b"".join(line + b"\n" for line in (head, *lines)))

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> KeptState:
        """From a store.

        Args:
            data: What `to_bytes` made.
            where: What to call it in the message.

        Raises:
            JsonValueError: It is damaged, or of a later version.
        """
        try:
            head, *lines = zlib.decompress(data).split(b"\n")[:-1]
            if head not in (_HEAD, _ADDING):
                raise ValueError(head)
            return cls(*_parsed(lines), whole=head == _HEAD)
        except (ValueError, zlib.error) as e:
            raise JsonValueError(
                "is damaged, or was written by a later version",
                file=where,
                hint="Upgrade: pip install --upgrade dws-graph; or delete it: a snapshot of the "
                "same files writes it anew.",
            ) from e


def _parsed(lines: Iterable[bytes]) -> tuple[dict[bytes, KeptFile], frozenset[bytes]]:
    files: dict[bytes, KeptFile] = {}
    folders = []
    for line in lines:
        sha1, size, mode, name = line.split(b"\t")
        path = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), name)
        if path.startswith(b"/") or b".." in path.split(b"/") or not path:
            raise ValueError(path)
        if sha1 == _FOLDER:
            folders.append(path)
        elif _SHA1.fullmatch(sha1):
            files[path] = KeptFile(sha1.decode(), int(size), mode == b"x")
        else:
            raise ValueError(sha1)
    return files, frozenset(folders)


def _safe(name: bytes) -> bytes:
    return _SPECIAL.sub(lambda found: b"\\x%02x" % found[0][0], name)
