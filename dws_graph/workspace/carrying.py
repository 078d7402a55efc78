"""The content of an image: the workspace as it was committed, and its resources, as archives.

    workspace.tar   /workspace (with what lies in its folder), and git's identity in /home/dws
    resources.tar   /resources/NAME, of resources that lie elsewhere

All belongs to the user of the image. Nothing uncommitted, no configuration of git and no local
parameter goes along, but where the resources are in the image.
"""

from __future__ import annotations

import os
import stat
import tarfile
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.files import as_file_name
from dws_graph.backends.git.carrying import carry
from dws_graph.backends.git.command import Git
from dws_graph.backends.locks import Notify, quiet
from dws_graph.errors import ConfigurationError
from dws_graph.model.values import Json
from dws_graph.resources.base import Resource
from dws_graph.resources.git import GitResource
from dws_graph.resources.walking import Entry, walk
from dws_graph.workspace import layout
from dws_graph.workspace.opened import OpenWorkspace, json_bytes

WORKSPACE, RESOURCES, HOME = "/workspace", "/resources", "/home/dws"
HOSTNAME = "container"  # of the copy in the image; where it is taken, a number is added


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the files are, by number, in the image."""

    uid: int
    gid: int


def place_in_image(ws: OpenWorkspace, resource: Resource) -> str:
    """Where a resource's folder is in the image: as in the workspace, if it lies there."""
    path, root = resource.local_path, ws.root.resolve()
    if path is not None and path.resolve().is_relative_to(root):
        return f"{WORKSPACE}/{path.resolve().relative_to(root).as_posix()}"
    return f"{RESOURCES}/{as_file_name(resource.name)}"


def carried_resources(ws: OpenWorkspace, skip: Collection[str] = ()) -> list[Resource]:
    """The resources with a folder of their own here, but for these."""
    return [
        resource
        for resource in ws.get_resources()
        if resource.name not in skip
        and not resource.is_in_workspace()
        and resource.local_path is not None
        and resource.local_path.is_dir()
    ]


def put_content(
    ws: OpenWorkspace,
    branch: str,
    resources: Collection[Resource],
    identity: Mapping[str, str],
    owner: Owner,
    folder: Path,
    notify: Notify = quiet,
) -> None:
    """Write both archives into a folder.

    Args:
        ws: The workspace.
        branch: That it is on.
        resources: Those to take along.
        identity: `user.name` and `user.email`, for git.
        owner: Whose all is in the image.
        folder: Where to.
        notify: Told which resource is under way.

    Raises:
        ConfigurationError: A file cannot be read; names it.
    """
    with (
        _archive(folder / "workspace.tar", owner) as main,
        _archive(folder / "resources.tar", owner) as other,
    ):
        with tempfile.TemporaryDirectory(dir=folder) as made:
            copy = Path(made, "workspace")
            carry(ws.git, copy, branch)
            _put_local_params(ws, copy)
            main.tree(copy, WORKSPACE)
            main.folder(HOME)
            main.tree(_home(Path(made, "home"), identity), HOME)
        other.folder(RESOURCES)
        for resource in resources:
            notify(f"copying {resource.name}")
            place = place_in_image(ws, resource)
            archive = main if place.startswith(f"{WORKSPACE}/") else other
            _put_resource(resource, place, archive, folder)


def _put_local_params(ws: OpenWorkspace, copy: Path) -> None:
    places: Json = {}
    for resource in ws.get_resources():
        if "local_path" in resource.get_local_params():
            places[resource.name] = {"local_path": place_in_image(ws, resource)}
    (copy / layout.RESOURCE_LOCAL_PARAMS).write_bytes(json_bytes(places))
    (copy / layout.LOCAL_PARAMS).write_bytes(json_bytes({"hostname": HOSTNAME}))


def _home(folder: Path, identity: Mapping[str, str]) -> Path:
    folder.mkdir()
    for key, value in identity.items():
        Git(folder).run("config", f"--file={folder / '.gitconfig'}", "--replace-all", key, value)
    return folder


def _put_resource(resource: Resource, place: str, archive: _Archive, scratch: Path) -> None:
    if isinstance(resource, GitResource):
        with tempfile.TemporaryDirectory(dir=scratch) as made:
            copy = Path(made, "copy")
            carry(resource.git, copy, resource.branch)
            archive.tree(copy, place)
        return
    assert resource.local_path is not None  # noqa: S101  # see `carried_resources`
    archive.folder(place)
    for entry in walk(resource.local_path):
        archive.entry(resource.local_path, entry, place)


class _Archive:
    """An archive in which all belongs to one user."""

    def __init__(self, tar: tarfile.TarFile, owner: Owner) -> None:
        self._tar = tar
        self._owner = owner

    def folder(self, name: str) -> None:
        """Put an empty folder."""
        info = tarfile.TarInfo(name.lstrip("/"))
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        self._tar.addfile(self._owned(info))

    def tree(self, path: Path, name: str) -> None:
        """Put a folder with all that is in it, links as links."""
        self._tar.add(path, name.lstrip("/"), filter=self._owned)

    def entry(self, root: Path, entry: Entry, name: str) -> None:
        """Put a file or folder of a resource, what a link leads to in its place."""
        path = os.path.join(os.fsencode(root), entry.name)
        target = os.path.join(name.lstrip("/"), os.fsdecode(entry.name).rstrip("/"))
        mode = entry.stat.st_mode if entry.stat else 0  # pipes and sockets have no content
        try:
            if stat.S_ISDIR(mode):
                self.folder(target)
            elif stat.S_ISREG(mode):
                with open(path, "rb") as file:
                    found = os.fstat(file.fileno())
                    info = tarfile.TarInfo(target)
                    info.size, info.mtime = found.st_size, int(found.st_mtime)
                    info.mode = stat.S_IMODE(found.st_mode)
                    self._tar.addfile(self._owned(info), file)
        except OSError as e:
            raise ConfigurationError(
                f"{os.fsdecode(path)} cannot be copied: {e.strerror or e}",
                hint="If it changed meanwhile, try again. Else make it readable, or name it in "
                ".dwsignore.",
            ) from e

    def _owned(self, info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid, info.gid = self._owner.uid, self._owner.gid
        info.uname = info.gname = ""
        return info


@contextmanager
def _archive(path: Path, owner: Owner) -> Iterator[_Archive]:
    # GNU's format keeps names that are not UTF-8 as they are
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        yield _Archive(tar, owner)
