"""Finding and opening a workspace; the first look into a fresh clone."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

from dws_graph.backends.files import make_folder
from dws_graph.backends.git.command import check_git
from dws_graph.backends.journal.journal import Draft
from dws_graph.backends.locks import Notify, quiet
from dws_graph.errors import ConfigurationError, GitError
from dws_graph.model import facts as f
from dws_graph.model.facts import Current
from dws_graph.workspace import environment, layout
from dws_graph.workspace.committing import recover, workspace_folders
from dws_graph.workspace.names import as_hostname, free_hostname
from dws_graph.workspace.of_16 import has_new_current, has_new_snapshots, is_theirs
from dws_graph.workspace.workspace import Workspace

MANY = 10_000  # facts: then it is said that they are folded


def find_root(start: str | os.PathLike[str] | None = None) -> Path:
    """The root of the enclosing workspace.

    Raises:
        ConfigurationError: There is none; the hint says how to make one.
    """
    here = Path(start if start is not None else os.curdir).expanduser().resolve()
    for folder in (here, *here.parents):
        if (folder / layout.CONFIG).is_file():
            return folder
    raise ConfigurationError(
        f"{here} is not in a workspace",
        hint="Make one with 'dws init', or name one with --workspace-dir.",
    )


def open_workspace(
    root: str | os.PathLike[str],
    *,
    batch: bool = False,
    verbose: bool = False,
    notify: Notify = quiet,
) -> Workspace:
    """Open the workspace at `root`, finish what a killed command left, and fold what is new.

    Raises:
        ConfigurationError: There is no workspace at `root`.
        JsonError: A metadata file is damaged.
    """
    path = Path(root).expanduser().resolve()
    if not (path / layout.CONFIG).is_file():
        raise ConfigurationError(
            f"{path} is not a workspace", hint="Make one with 'dws init' there."
        )
    if not os.path.lexists(path / ".git"):
        raise GitError(
            f"{path} is no git repository any more: {path / '.git'} is gone",
            hint="Bring it back from a backup or another copy: the history of the workspace is in "
            "it. Without one, clone the workspace again from where it was pushed to.",
        )
    ws = Workspace(path, batch=batch, verbose=verbose, notify=notify)
    try:
        recover(ws)
        _check_initialized(ws)
        ws.catch_up(_telling(ws))
        if has_new_snapshots(ws):
            from dws_graph.workspace.taken_with_16 import take_in_snapshots

            if take_in_snapshots(ws):
                ws.catch_up()
        if ws.writable and ws.is_new_instance:
            _first_look(ws)
        elif not ws.writable and not ws.index.entries(ws.id, ws.instance):
            _look_only(ws)
        if any(params.get("imported") for params in ws.resource_params):
            from dws_graph.workspace.importing import refresh_imports

            refresh_imports(ws)
        if has_new_current(ws):
            from dws_graph.workspace.current_of_16 import refresh_current

            refresh_current(ws)
    except BaseException:
        ws.close()
        raise
    return ws


def _telling(ws: Workspace) -> Callable[[int], None]:
    """Says, once, why it takes so long: after a clone, or where the index was lost."""
    folded, told = 0, False

    def tell(count: int) -> None:
        nonlocal folded, told
        folded += count
        if folded >= MANY and not told:
            told = True
            ws.notify("folding a long history into the index, once; some thousand facts a second")

    return tell


def _check_initialized(ws: Workspace) -> None:
    """Refuse a folder in which `dws init` was interrupted."""
    if ws.is_new_instance and ws.git.object_id(f"HEAD:{layout.CONFIG}") is None:
        raise ConfigurationError(
            f"dws init was interrupted in {ws.root}", hint="Run it again: dws init."
        )


def _first_look(ws: Workspace) -> None:
    """Give a fresh clone (or a copied folder) its name, parameters and what is current."""
    check_git()
    with ws.journal.locked():
        if not ws.is_new_instance:
            return
        wanted = ws._local_params.get("hostname") or as_hostname(socket.gethostname())
        taken = set(ws.index.hostnames(ws.id).values())
        hostname = free_hostname(wanted, taken)
        ws.local_files(hostname=None if hostname == ws._local_params.get("hostname") else hostname)
        for folder in workspace_folders(ws):  # git keeps no empty ones
            make_folder(ws.root / folder)
        if ws.index.applied():
            ws.record([_current_set(ws, hostname)])


def _look_only(ws: Workspace) -> None:
    """In a clone that cannot be written, what is current is known in memory alone."""
    if ws.is_new_instance:
        ws.index.apply(ws.journal.draft([_current_set(ws, ws.hostname)]))


def _current_set(ws: Workspace, hostname: str) -> Draft:
    """What was current, and hashed, where the last commit of this workspace was made."""
    came_from = ws.came_along or ws.journal.last_instance()
    if is_theirs(came_from):
        from dws_graph.workspace.taken_with_16 import current_of_snapshot

        current = current_of_snapshot(ws)
    else:
        current = [
            Current(ref=entry.ref, certificate=entry.certificate.id, output=entry.output)
            for entry in (ws.index.entries(ws.id, came_from) if came_from else ())
            if entry.certificate.hash is not None
        ]
    return f.CURRENT_SET, {"hostname": hostname, "current": [c.to_json() for c in current]}


def load_workspace(
    uri: str, batch: bool = False, verbose: bool = False, *, notify: Notify = quiet
) -> Workspace:
    """Open a workspace by its URI: `git:PATH`, or a path.

    Args:
        uri: Where it is.
        batch: Nobody may be asked.
        verbose: Tell more.
        notify: Told, in a line, what a person should know.

    Raises:
        ConfigurationError: There is no workspace there, or the scheme is not `git`.
    """
    return open_workspace(_path_of(uri), batch=batch, verbose=verbose, notify=notify)


def find_and_load_workspace(
    batch: bool = False,
    verbose: bool = False,
    uri_or_local_path: str | None = None,
    *,
    notify: Notify = quiet,
) -> Workspace:
    """Open the workspace named, or the one that encloses the current directory.

    Args:
        batch: Nobody may be asked.
        verbose: Tell more.
        uri_or_local_path: `git:PATH` or a path within the workspace; else `DWS_WORKSPACE_DIR`,
            else the current directory.
        notify: Told, in a line, what a person should know.

    Raises:
        ConfigurationError: There is no workspace.
    """
    named = uri_or_local_path or environment.workspace_dir()
    root = find_root(_path_of(named) if named else None)
    return open_workspace(root, batch=batch, verbose=verbose, notify=notify)


def _path_of(uri: str) -> str:
    parts = urlparse(uri)
    if not parts.scheme or os.path.exists(uri):
        return uri
    if parts.scheme != "git":
        raise ConfigurationError(
            f"'{uri}' names no workspace: the scheme is '{parts.scheme}', not 'git'",
            hint="Give a path, or git:PATH.",
        )
    return uri.removeprefix("git:").removeprefix("//") if uri.startswith("git://") else uri[4:]
