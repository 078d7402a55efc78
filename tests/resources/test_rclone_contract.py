"""rclone resources keep what is promised of every type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.rclone import Remotes, rclone
from tests.resources.contract import Contract
from tests.resources.test_contract import FolderKind

pytestmark = [pytest.mark.slow, pytest.mark.needs("rclone")]


class RcloneKind(FolderKind):
    """Whoever writes to the folder copies to the remote, too: everyone pulls from there."""

    resource_type, command = "rclone", "rclone"
    comes_back = False
    remote: str

    def folder(self, root: Path) -> Path:
        return root / "thing"

    def create(self, root: Path) -> list[str]:
        command, folder = super().create(root)
        options = ["--compute-hash", "--master", "remote", "--sync-mode", "sync"]
        return [command, *options, self.remote, folder]

    def write(self, root: Path, version: int) -> None:
        super().write(root, version)
        rclone("copy", str(self.folder(root)), self.remote)


class TestRclone(Contract):
    kind = RcloneKind()

    @pytest.fixture(autouse=True)
    def _remote(self, remotes: Remotes) -> None:
        self.kind.remote = remotes.alias().at
