"""A folder of plain files whose content is kept, and what its store holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

Content = dict[bytes, tuple[bytes | None, bool]]


@dataclass(frozen=True)
class Files:
    """A folder of files."""

    folder: Path

    def make(self) -> None:
        """Some files of all kinds."""
        self.write(b"a.csv", b"1,2\n")
        self.write(b"deep/er/b.csv", b"3,4\n")
        self.write(b"same.csv", b"1,2\n")
        self.write(b"empty.txt", b"")
        self.write(b"na\nme \xff'\"\\", b"odd\n")
        self.write(b"run.sh", b"#!/bin/sh\n").chmod(0o755)
        (self.folder / "nothing").mkdir()

    def write(self, name: bytes, data: bytes) -> Path:
        path = self.folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def remove(self, name: bytes) -> None:
        (self.folder / os.fsdecode(name)).unlink()

    def read(self) -> Content:
        """Every file by its path, with its bytes and whether it can be executed; folders, too."""
        base = os.fsencode(self.folder)
        found: Content = {}
        for top, folders, names in os.walk(base):
            for name in folders:
                found[os.path.relpath(os.path.join(top, name), base) + b"/"] = (None, False)
            for name in names:
                path = os.path.join(top, name)
                data = Path(os.fsdecode(path)).read_bytes()
                found[os.path.relpath(path, base)] = (data, os.access(path, os.X_OK))
        return found


def objects(store: Path) -> dict[str, int]:
    """The contents in a store, with the inode of each."""
    found = (path for path in (store / "objects").glob("*/*"))
    return {path.parent.name + path.name: path.stat().st_ino for path in found}
