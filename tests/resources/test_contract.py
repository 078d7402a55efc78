"""The contract of resource types, of those that come with the package and need nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.resources.contract import NAME, Contract, Journey, Kind
from tests.resources.places import commit_all, git, repository, write

pytestmark = pytest.mark.slow


class FolderKind(Kind):
    """What types with a folder have in common: a file that changes and one that does not."""

    part, still = "part.txt", "still.txt"
    command: str

    def folder(self, root: Path) -> Path:
        return root.parent / "thing"

    def create(self, root: Path) -> list[str]:
        self.folder(root).mkdir(exist_ok=True)
        write(self.folder(root), "still.txt", b"always the same\n")
        self.write(root, 1)
        return [self.command, *self.options(), str(self.folder(root))]

    def options(self) -> list[str]:
        return []

    def write(self, root: Path, version: int) -> None:
        write(self.folder(root), "part.txt", f"version {version}\n".encode())

    def read(self, root: Path) -> int | None:
        file = self.folder(root) / "part.txt"
        return int(file.read_text().split()[1]) if file.exists() else None


class SubdirectoryKind(FolderKind):
    resource_type, command = "git-subdirectory", "git"

    def folder(self, root: Path) -> Path:
        return root / "thing"


class GitKind(FolderKind):
    resource_type, command = "git", "git"

    def folder(self, root: Path) -> Path:
        return root / "thing"

    def create(self, root: Path) -> list[str]:
        if self.folder(root).exists():
            return [self.command, str(self.folder(root))]
        repository(self.folder(root))
        words = super().create(root)
        commit_all(self.folder(root))
        return words


class FilesKind(FolderKind):
    resource_type, command = "file", "local-files"
    comes_back = False
    is_shared = False  # the folder is the same, on this machine

    def options(self) -> list[str]:
        return ["--compute-hash"]


class KeptFilesKind(FilesKind):
    comes_back = True

    def options(self) -> list[str]:
        return ["--keep"]


class ApiKind(Kind):
    resource_type = "api-resource"
    refused_roles = ("code", "results")
    lists_files = comes_back = is_shared = known_in_clone = False

    def create(self, root: Path) -> list[str]:
        self.write(root, 1)
        return ["api-resource"]

    def write(self, root: Path, version: int) -> None:
        for name in (NAME, "other"):  # that it may have been given
            path = f".dataworkspace/scratch/{name}/hashval.txt"
            write(root, path, f"{version:040x}".encode())

    def read(self, root: Path) -> int | None:
        file = root / f".dataworkspace/scratch/{NAME}/hashval.txt"
        return int(file.read_text(), 16) if file.exists() else None


class TestSubdirectory(Contract):
    kind = SubdirectoryKind()


class TestGit(Contract):
    kind = GitKind()

    def prepare_remote(self, lab: Journey, tmp_path: Path) -> None:
        bare = tmp_path / "thing.git"
        git(tmp_path, "init", "-q", "--bare", str(bare))
        git(lab.root / "thing", "remote", "add", "origin", str(bare))


class TestLocalFiles(Contract):
    kind = FilesKind()


class TestKeptFiles(Contract):
    kind = KeptFilesKind()


class TestApi(Contract):
    kind = ApiKind()
