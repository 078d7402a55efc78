"""Making a workspace."""

from __future__ import annotations

import os
import shutil
import socket
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dws_graph.backends.faults import fault
from dws_graph.backends.files import TEMPORARY, make_folder, write_atomic
from dws_graph.backends.git.command import Git, check_git
from dws_graph.backends.git.large import set_up_for_disk
from dws_graph.backends.git.state import check_settled
from dws_graph.backends.locks import Notify, quiet
from dws_graph.errors import ConfigurationError, GitError
from dws_graph.model import facts as f
from dws_graph.workspace import layout
from dws_graph.workspace.adding import add_folders
from dws_graph.workspace.committing import commit_change
from dws_graph.workspace.large_files import LargeFiles, large_files
from dws_graph.workspace.names import as_hostname, check_hostname
from dws_graph.workspace.opened import FORMAT, json_bytes, new_config
from dws_graph.workspace.params import PARAMS
from dws_graph.workspace.workspace import Workspace


def initialize(
    root: Path,
    name: str | None = None,
    *,
    hostname: str | None = None,
    create_resources: Sequence[str] = (),
    scratch_dir: str | None = None,
    large: LargeFiles | None = None,
    batch: bool = False,
    verbose: bool = False,
    notify: Notify = quiet,
) -> Workspace:
    """Make a workspace of a folder, which becomes a git repository if it is none.

    Args:
        root: The folder.
        name: The workspace's; else the folder's.
        hostname: Of this machine; else its own.
        create_resources: Roles; for each a folder of that name is made and added.
        scratch_dir: A folder for temporary files; else `scratch` in the workspace.
        large: Which files git-lfs or git-fat is to keep.
        batch: Nobody may be asked.
        verbose: Tell more.
        notify: Told, in a line, what a person should know.

    Raises:
        ConfigurationError: There is a workspace already, or the names do not fit.
        GitError: Git is missing or too old, or knows no name and address; or git-lfs is missing.
    """
    check_git()
    root = root.resolve()
    if (root / layout.FOLDER).exists() and not _take_back_interrupted(root, notify):
        raise ConfigurationError(
            f"{root} is a workspace already", hint="Its state: dws report status."
        )
    if not os.access(root, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{root} cannot be written", hint="Change its permissions.")
    if hostname is not None:
        check_hostname(hostname)
    for role in create_resources:
        if (root / role).exists() and not (root / role).is_dir():
            raise ConfigurationError(f"{root / role} is in the way: it is not a folder")
    git = Git(root)
    large = large or LargeFiles()
    large.check(git)
    made_repository = not git.is_repo_root()
    git.check_identity()
    if not made_repository:
        check_settled(git, "the repository")
        if git.branch() is None:
            raise GitError("the repository is on no branch (detached HEAD)", hint="git switch ...")
        set_up_for_disk(git)
    try:
        if made_repository:
            git.run("init", "-q")
        ws = _first_commit(
            root, name or root.name, hostname, scratch_dir, large, batch, verbose, notify
        )
    except BaseException:
        _take_back(root, made_repository)
        raise
    large.set_up(git)
    for role in create_resources:
        make_folder(root / role)
    add_folders(ws, create_resources)
    return ws


def _first_commit(
    root: Path,
    name: str,
    hostname: str | None,
    scratch_dir: str | None,
    large: LargeFiles,
    batch: bool,
    verbose: bool,
    notify: Notify,
) -> Workspace:
    git = Git(root)
    folder = root / layout.FOLDER
    fault("init: mkdir")
    folder.mkdir()
    params = {p.name: p.default for p in PARAMS.values() if p.scope == "global" and not p.own}
    params["dws_git_branch"] = git.branch()
    local: dict[str, str] = {"hostname": hostname or as_hostname(socket.gethostname())}
    ignored = list(IGNORED)
    if scratch_dir is not None:
        scratch = Path(scratch_dir).expanduser().resolve()
        if scratch.is_relative_to(root) and scratch != root:
            params["scratch_directory"] = scratch.relative_to(root).as_posix()
        else:
            local["local_scratch_directory"] = str(scratch)
    if "local_scratch_directory" not in local:
        ignored.insert(0, "/" + str(params["scratch_directory"]))
    files = {
        layout.CONFIG: json_bytes(new_config(name, params)),
        layout.OWN: json_bytes({"format": FORMAT, "workspace_id": str(uuid.uuid4())}),
        layout.RESOURCES: json_bytes([]),
        layout.GITIGNORE: layout.IGNORED_IN_FOLDER.encode(),
        ".gitignore": _gitignore(root, ignored),
        **large.files(root),
    }
    # our own first: by it an interrupted init is known for one
    for path in (layout.OWN, layout.CONFIG, layout.RESOURCES, layout.GITIGNORE):
        write_atomic(root / path, files[path])
    write_atomic(root / layout.LOCAL_PARAMS, json_bytes(local))
    write_atomic(root / layout.RESOURCE_LOCAL_PARAMS, json_bytes({}))
    ws = Workspace(root, batch=batch, verbose=verbose, notify=notify)
    drafts = [(f.WORKSPACE_CREATED, {"name": name, "hostname": ws.hostname})]
    commit_change(ws, f"Initialized workspace {name}", files, drafts, operation="init")
    return ws


IGNORED = layout.IGNORED_IN_WORKSPACE


def _gitignore(root: Path, lines: Sequence[str]) -> bytes:
    path = root / ".gitignore"
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    missing = [line for line in lines if line not in text.splitlines()]
    if text and not text.endswith("\n"):
        text += "\n"
    return (text + "".join(f"{line}\n" for line in missing)).encode("utf-8", "surrogateescape")


def _take_back_interrupted(root: Path, notify: Notify) -> bool:
    """Remove what an interrupted init left: files of a workspace that no commit holds."""
    git = Git(root)
    if not git.is_repo_root():
        return False
    if git.object_id(f"HEAD:{layout.CONFIG}"):
        return False
    begun = all(name.startswith(TEMPORARY) for name in os.listdir(root / layout.FOLDER))
    if not begun and not (root / layout.OWN).exists():
        return False
    if (root / layout.LOCAL / "journal.jsonl").exists():  # a workspace, on a branch without it
        return False
    fault("init: rmtree")
    shutil.rmtree(root / layout.FOLDER)
    notify("undid an interrupted init")
    return True


def _take_back(root: Path, made_repository: bool) -> None:
    shutil.rmtree(root / layout.FOLDER, ignore_errors=True)
    if made_repository:
        shutil.rmtree(root / ".git", ignore_errors=True)


def init_workspace(
    backend_name: str,
    workspace_name: str,
    hostname: str | None,
    batch: bool,
    verbose: bool,
    scratch_dir: str | None,
    *args: Any,
    **kwargs: Sequence[str],
) -> Workspace:
    """Make a workspace of the current directory, or of the one given as the next argument.

    Args:
        backend_name: `git`.
        workspace_name: Its short name.
        hostname: Of this machine; None for its own.
        batch: Nobody may be asked.
        verbose: Tell more.
        scratch_dir: A folder for temporary files; None for `scratch` in the workspace.
        args: The folder; then, as 1.6 has them, what `dws init` has as --git-fat-remote,
            --git-fat-user, --git-fat-port, --git-fat-attributes and --git-lfs-attributes.
        kwargs: `create_resources`: roles.

    Raises:
        ConfigurationError: There is no such backend, or it cannot be made.
    """
    if backend_name != "git":
        raise ConfigurationError(f"there is no backend '{backend_name}'", hint="There is: git.")
    fat = [f"git_fat_{name}" for name in ("remote", "user", "port", "attributes")]
    return initialize(
        Path(args[0] if args else os.curdir),
        workspace_name,
        hostname=hostname,
        create_resources=kwargs.get("create_resources", ()),
        scratch_dir=scratch_dir,
        large=large_files(**dict(zip([*fat, "git_lfs_attributes"], args[1:], strict=False))),
        batch=batch,
        verbose=verbose,
    )
