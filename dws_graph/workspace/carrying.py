"""The content of an image: the workspace as it was committed, and its resources, as archives.

    workspace.tar   /workspace (with what lies in its folder), and git's identity in /home/dws
    resources.tar   /resources/NAME, of resources that lie elsewhere

All belongs to the user of the image. Nothing uncommitted, no configuration of git and no local
parameter goes along, but where the resources are in the image. What the newest snapshot names and
is not in git goes along as far as it is here: content of large files, and what resources keep.
"""

from __future__ import annotations

import os
import stat
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.files import as_file_name, make_folder
from dws_graph.backends.git.carrying import carry
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.taking_along import large_content
from dws_graph.backends.locks import Notify, quiet
from dws_graph.errors import ConfigurationError
from dws_graph.model.values import Json
from dws_graph.resources.base import Resource
from dws_graph.resources.git import GitResource
from dws_graph.resources.walking import Entry, walk
from dws_graph.workspace import layout
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.params import FILTERS
from dws_graph.workspace.snapshots import all_metadata, latest

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


@dataclass(frozen=True, slots=True)
class Carried:
    """What went along.

    Attributes:
        filters: Of large files, which are to run there.
        notes: For people: what is not there.
    """

    filters: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def put_content(
    ws: OpenWorkspace,
    branch: str,
    resources: Collection[Resource],
    skipped: Collection[str],
    identity: Mapping[str, str],
    owner: Owner,
    folder: Path,
    notify: Notify = quiet,
) -> Carried:
    """Write both archives into a folder.

    Args:
        ws: The workspace.
        branch: That it is on.
        resources: Those to take along, folder and all.
        skipped: Those of which nothing is.
        identity: `user.name` and `user.email`, for git.
        owner: Whose all is in the image.
        folder: Where to.
        notify: Told which resource is under way.

    Raises:
        ConfigurationError: A file cannot be read; names it.
        GitError: The content of a large file cannot be brought; names it.
    """
    filters: set[str] = set()
    with (
        _archive(folder / "workspace.tar", owner) as main,
        _archive(folder / "resources.tar", owner) as other,
    ):
        other.folder(RESOURCES)
        for resource in resources:
            notify(f"copying {resource.name}")
            place = place_in_image(ws, resource)
            archive = main if place.startswith(f"{WORKSPACE}/") else other
            filters |= _put_resource(ws, resource, place, archive, folder)
        notify("copying the workspace's repository")
        with tempfile.TemporaryDirectory(dir=folder) as made:
            copy = Path(made, "workspace")
            within = [r for r in ws.get_resources() if r.is_in_workspace()]
            filters |= _carry(ws, ws.git, copy, branch, within, "the workspace")
            _put_local_params(ws, copy, filters)
            notes = _put_kept(ws, copy, skipped)
            main.tree(copy, WORKSPACE)
            main.folder(HOME)
            main.tree(_home(Path(made, "home"), identity), HOME)
    return Carried(frozenset(filters), notes)


def _carry(
    ws: OpenWorkspace, git: Git, copy: Path, branch: str, within: Iterable[Resource], what: str
) -> set[str]:
    """Copy a repository, with large files as the branch and the newest snapshot name them."""
    newest = latest(ws)
    named = [newest.restore_hashes.get(resource.name) for resource in within] if newest else []
    tip = git.object_id(f"refs/heads/{branch}^{{commit}}")
    commits = [commit for commit in (tip, *named) if commit and git.has_commit(commit)]
    large = large_content(git, list(dict.fromkeys(commits)), what, ask=not ws.batch)
    carry(git, copy, branch, large)
    return set(large.drivers)


def _put_local_params(ws: OpenWorkspace, copy: Path, filters: Collection[str]) -> None:
    places: Json = {}
    for resource in ws.get_resources():
        local = resource.get_local_params()
        # which server a bucket is on: one of the few things here that hold elsewhere, too
        params = {key: local[key] for key in ("endpoint",) if key in local}
        if "local_path" in local:
            params["local_path"] = place_in_image(ws, resource)
        if params:
            places[resource.name] = params
    (copy / layout.RESOURCE_LOCAL_PARAMS).write_bytes(json_bytes(places))
    (copy / layout.LOCAL_PARAMS).write_bytes(json_bytes({"hostname": HOSTNAME}))
    if filters:
        make_folder(copy / layout.LOCAL)
        (copy / layout.LOCAL / ".gitignore").write_text("*\n")
        (copy / layout.OWN_LOCAL_PARAMS).write_bytes(json_bytes({FILTERS: sorted(filters)}))


def _put_kept(ws: OpenWorkspace, copy: Path, skipped: Collection[str]) -> tuple[str, ...]:
    """Let each resource give the copy what it keeps of the newest snapshot; what that lacks."""
    notes: list[str] = []
    newest_first = list(reversed(all_metadata(ws)))
    for resource in ws.get_resources():
        if resource.name in skipped or resource.is_in_workspace():
            continue
        named = (m.restore_hashes.get(resource.name) for m in newest_first)
        notes += resource.take_along(copy, next((h for h in named if h is not None), None))
    return tuple(notes)


def _home(folder: Path, identity: Mapping[str, str]) -> Path:
    folder.mkdir()
    for key, value in identity.items():
        Git(folder).run("config", f"--file={folder / '.gitconfig'}", "--replace-all", key, value)
    return folder


def _put_resource(
    ws: OpenWorkspace, resource: Resource, place: str, archive: _Archive, scratch: Path
) -> set[str]:
    """Put a resource's folder; the filters that run there."""
    if isinstance(resource, GitResource):
        with tempfile.TemporaryDirectory(dir=scratch) as made:
            copy = Path(made, "copy")
            found = _carry(ws, resource.git, copy, resource.branch, [resource], resource.name)
            archive.tree(copy, place)
        return found
    assert resource.local_path is not None  # noqa: S101  # see `carried_resources`
    archive.folder(place)
    for entry in walk(resource.local_path):
        archive.entry(resource.local_path, entry, place)
    return set()


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
