"""What `dws doctor` looks at in resources: their folders, and whether their files are there."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from dws_graph.api.findings import Finding, error, note
from dws_graph.backends.git.command import Git
from dws_graph.backends.kept.store import StoreError
from dws_graph.errors import ConfigurationError, DwsError, some_of
from dws_graph.resources.api_resource import ApiResource
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.git import GIT
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.s3 import S3Resource
from dws_graph.resources.uninstalled import UninstalledResource
from dws_graph.workspace.kept_content import as_kept
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import all_metadata


def check_resources(ws: OpenWorkspace) -> Iterator[Finding]:
    """Each resource's folder is there, and not empty where git has files of it."""
    for resource in ws.get_resources():
        if isinstance(resource, UninstalledResource):
            why = resource.cannot_be_used()
            yield error(why.message, why.hint)
        if isinstance(resource, ApiResource):
            yield from _check_api(resource)
        if isinstance(resource, S3Resource):
            yield from _check_bucket(resource)
        if not isinstance(resource, FileResource):
            continue
        folder = resource.local_path
        if folder is None:
            yield note(f"{resource} is not on this machine", "Type: dws pull.")
        elif not folder.is_dir():
            mend = _from_git(ws, resource) or resource.how_to_find_it
            what = "is a file" if folder.exists() else "does not exist"
            yield error(f"the folder of {resource}, {folder}, {what}", mend)
        elif _is_empty(folder) and (mend := _from_git(ws, resource)):
            yield error(f"the folder of {resource}, {folder}, has no files, and git has some", mend)


def _check_api(resource: ApiResource) -> Iterator[Finding]:
    """The hash that was saved last can be read; none yet is nothing wrong."""
    try:
        if resource.saved_hash() is None:
            yield note(
                f"{resource} has no hash yet on this machine",
                "Run what gets its data: the kits save it.",
            )
    except ConfigurationError as e:
        yield error(e.message, e.hint)


def _check_bucket(resource: S3Resource) -> Iterator[Finding]:
    """The bucket can be read and keeps versions, those that are read here among them."""
    try:
        resource.snapshot_precheck()
        gone = resource.gone(resource.listing())
    except DwsError as e:
        yield error(e.message, e.hint)
        return
    if gone:
        yield error(
            f"{resource.bucket} has no longer the versions of {some_of(gone)}, which {resource} "
            "reads as it was restored",
            f"To read it as it is, type: dws pull --only {resource.name}",
        )


def check_kept_content(ws: OpenWorkspace) -> Iterator[Finding]:
    """What snapshots name of kept content is in a store."""
    for resource in map(as_kept, ws.get_resources()):
        if resource is None:
            continue
        for metadata in all_metadata(ws):
            root = metadata.restore_hashes.get(resource.name)
            if root is None:
                continue
            label = ", ".join(metadata.tags) or metadata.hashval[:7]
            try:
                lost = resource.kept_content.lacks(root)
            except StoreError as e:
                yield note(f"kept content of {resource} was not looked at: {e.message}", e.hint)
                break
            if lost is None or lost > 0:
                what = "all" if lost is None else f"{lost} file" + ("" if lost == 1 else "s")
                yield error(
                    f"of {resource} in snapshot {label}, {what} of the kept content is in no store",
                    "Type dws push where the snapshot was taken, then dws pull here.",
                )


def _is_empty(folder: Path) -> bool:
    """Whether there is no file below a folder, besides git's own."""
    for top, folders, files in os.walk(folder):
        if ".git" in folders and Path(top) == folder:
            folders.remove(".git")
        if files:
            return False
    return True


def _from_git(ws: OpenWorkspace, resource: FileResource) -> str:
    """How to get the files back that the last commit has; empty where it has none."""
    folder = resource.local_path
    if isinstance(resource, GitSubdirectoryResource):
        git, path = ws.git, resource.relative_path
    elif resource.resource_type == GIT and folder is not None and folder.is_dir():
        git, path = Git(folder), ""
    else:
        return ""
    if git.head() is None or not git.names_in("HEAD", path):
        return ""
    command = f"git -C {shlex.quote(str(git.root))} checkout HEAD -- {shlex.quote(path or '.')}"
    return f"Bring them back: {command}. If they are to be gone: dws snapshot."
