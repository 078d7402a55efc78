"""What a commit of somebody else's may hold, looked at before anything of it comes to disk.

A workspace's own folder holds what the product believes: what is of one copy alone, links and
repositories have no place in it. Source: docs/formats.md, "What comes from elsewhere".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from dws_graph.backends.git.command import Git, decoded
from dws_graph.backends.git.merging import About, Change
from dws_graph.errors import ConfigurationError, JsonError, JsonValueError
from dws_graph.model.facts import Fact
from dws_graph.model.values import Json, parse_json, take_or
from dws_graph.workspace import layout
from dws_graph.workspace.opened import FORMAT, OpenWorkspace

_LOCAL = (
    *(layout.LOCAL, layout.GRAPH, layout.LOCAL_PARAMS, layout.RESOURCE_LOCAL_PARAMS),
    layout.CURRENT_LINEAGE,
)
_REGULAR = ("100644", "100755")


def check_incoming(ws: OpenWorkspace, old: str, new: str, changed: Mapping[bytes, Change]) -> None:
    """Refuse a commit that would bring what no copy of the workspace commits.

    Args:
        ws: The workspace.
        old: The commit now.
        new: The commit to go to.
        changed: What differs.

    Raises:
        ConfigurationError: Names what was refused; nothing was changed.
    """
    check_files({name: after for name, (_, after) in changed.items() if after is not None})
    own = _object(ws.git, new, layout.OWN)
    check_format(own)
    before = _object(ws.git, old, layout.OWN)
    if before.get("workspace_id") not in (None, own.get("workspace_id")):
        raise ConfigurationError(
            "the origin has another workspace: its id is not this one's",
            hint="See where the origin is: git remote get-url origin.",
        )
    for name in changed:
        path = decoded(name)
        if path.startswith(f"{layout.JOURNAL}/") and path.endswith(".jsonl"):
            _check_segment(ws, new, path)


def check_files(files: Mapping[bytes, About]) -> None:
    """Refuse files of one copy alone, and links or repositories among the workspace's own.

    Raises:
        ConfigurationError: Names the first of them.
    """
    for name, (mode, _) in files.items():
        path = PurePosixPath(decoded(name))
        parts = [part.casefold() for part in path.parts]
        if parts[0] != layout.FOLDER and ".git" not in parts:
            continue
        if any(_is_at(path, local) for local in _LOCAL) or ".git" in parts:
            what = "which belongs to one copy alone and is never committed"
        elif path.parts[0] != layout.FOLDER or mode not in _REGULAR:
            what = "which is no plain file of a workspace"
        else:
            continue
        raise ConfigurationError(
            f"the origin has {path}, {what}: it is refused",
            hint="Ask who committed it to take it away there: git rm --cached.",
        )


def _is_at(path: PurePosixPath, local: str) -> bool:
    parts = [part.casefold() for part in path.parts]
    wanted = list(PurePosixPath(local).parts)
    return parts[: len(wanted)] == wanted


def check_format(own: Json) -> None:
    """Refuse a workspace that a later program made."""
    if (version := take_or(own, "format", int) or FORMAT) > FORMAT:
        raise ConfigurationError(
            f"the workspace is of format {version} at its origin; this program reads {FORMAT}",
            hint="Upgrade: pip install --upgrade dws-graph.",
        )


def _object(git: Git, commit: str, path: str) -> Json:
    raw = git.cat(commit, path)
    obj = {} if raw is None else parse_json(raw, file=f"{path} at the origin")
    return obj if isinstance(obj, dict) else {}


def _check_segment(ws: OpenWorkspace, commit: str, path: str) -> None:
    """Refuse a segment that cannot be read, is of another workspace, or speaks for this copy."""
    raw = ws.git.cat(commit, path)
    if raw is None:
        return  # it goes there; what was taken in stays here
    folder = PurePosixPath(path).parent.name
    for fact in _facts(raw, path):
        if fact.workspace != ws.id or fact.instance != folder:
            raise JsonValueError(
                "holds facts of another workspace or copy than its folder names: it is refused",
                file=f"{path} at the origin",
                hint="Ask who pushed it. Nothing was changed here.",
            )
    if folder == ws.instance and raw not in ws.journal.raw_after(0):
        raise JsonValueError(
            "holds facts of this copy that it never recorded: it is refused",
            file=f"{path} at the origin",
            hint="Ask who pushed it. Nothing was changed here.",
        )


def _facts(raw: bytes, path: str) -> Iterable[Fact]:
    for line in raw.splitlines():
        try:
            yield Fact.from_line(line)
        except JsonError as e:
            raise type(e)(
                e.reason,
                file=f"{path} at the origin",
                key=e.key,
                hint="Ask who pushed it. Nothing was changed here.",
            ) from e
