"""Whether files were edited since a restore, or its undoing, put them there.

Undoing it would take the edits away, so it is refused. Source: docs/formats.md, "Undoing and
renaming".
"""

from __future__ import annotations

from collections.abc import Iterator

from dws_graph.backends.git.command import decoded
from dws_graph.errors import ConfigurationError, some_of
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.workspace.committing import content_commit
from dws_graph.workspace.intent import Intent, as_path
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import is_changed

_MESSAGE = "What is there now, to be compared"


def check_not_edited(ws: OpenWorkspace, last: Intent) -> None:
    """Refuse to take back a restore whose files were edited since.

    Raises:
        ConfigurationError: Names them.
    """
    edited = [*_edited_files(ws, last), *_edited_resources(ws, last)]
    if not edited:
        return
    since = f"the {last.undoes} was undone" if last.undoes else f"the {last.operation}"
    verb = "was" if len(edited) == 1 else "were"
    raise ConfigurationError(
        f"{some_of(edited, 3)} {verb} changed since {since}",
        hint="Keep that by a snapshot, then restore the one you want: dws snapshot, dws restore.",
    )


def _edited_files(ws: OpenWorkspace, last: Intent) -> Iterator[str]:
    """Files of folders in the workspace's repository."""
    if not last.folders:
        return
    head = ws.git.head()
    now = content_commit(ws, head, last.folders, _MESSAGE) or head
    for folder in last.folders:
        there = last.targets.get(folder)
        if now is None or there is None:
            continue
        below = f"{folder}/".encode()
        yield from sorted(
            decoded(path) for path in ws.git.changed(there, now) if path.startswith(below)
        )


def _edited_resources(ws: OpenWorkspace, last: Intent) -> Iterator[str]:
    """Repositories, and resources of other types, whose content is not what it was brought to."""
    for name in last.touched:
        resource = ws.get_resource(name)
        if isinstance(resource, GitSubdirectoryResource):
            continue
        if isinstance(resource, GitResource):
            there = last.targets.get(as_path(ws.root, resource.folder))
        else:
            there = last.brought_to.get(name)
        if there is not None and is_changed(ws, resource, there):
            yield f"resource '{name}'"
