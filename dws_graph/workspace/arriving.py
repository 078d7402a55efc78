"""What is current once a pull has brought other content: what is known of it keeps its lineage.

Done when the files are here and the facts that came along are folded. Doing it twice is as doing
it once. Source: docs/formats.md, "Pulling".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from dws_graph.backends.files import write_atomic
from dws_graph.backends.journal.journal import Draft
from dws_graph.backends.views import Entry
from dws_graph.errors import DwsError
from dws_graph.model import facts as f
from dws_graph.model.amending import Amendments
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Current
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json
from dws_graph.resources.base import Resource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.updating import below
from dws_graph.workspace import layout
from dws_graph.workspace.names import free_hostname
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import content_now, known_content
from dws_graph.workspace.snapshots import all_metadata
from dws_graph.workspace.taken_with_16 import take_in_snapshots


def arrived_names(
    ws: OpenWorkspace, changed: Collection[bytes], repositories: Mapping[str, str]
) -> list[str]:
    """The resources that a pull changed.

    Args:
        ws: The workspace, as it is after it.
        changed: Paths in the workspace's repository.
        repositories: Of resources; by their folders, as intents hold them.
    """
    folders = {(ws.root / folder).resolve() for folder in repositories}
    names = []
    for resource in ws.get_resources():
        if isinstance(resource, GitSubdirectoryResource):
            if below(changed, resource.relative_path):
                names.append(resource.name)
        elif resource.local_path is not None and resource.local_path.resolve() in folders:
            names.append(resource.name)
    return names


def follow_renames(ws: OpenWorkspace) -> None:
    """What this machine alone keeps of a resource goes with the name that a pull has brought it.

    Args:
        ws: The workspace, its index up to date.
    """
    names = set(ws.get_resource_names())
    amended = Amendments(ws.index.renames())
    left: list[Draft] = []
    for group in amended.namesakes():
        now = group & names
        if len(now) != 1:
            continue
        [name] = now
        if (said := amended.names.get(name)) is not None:
            # two copies renamed it, and their facts leave it another name than the merge has
            left.append((f.RESOURCE_RENAMED, {"old": said, "new": name}))
        _rename_local(ws, group - now, name)
    if left:
        ws.record(left)


def _rename_local(ws: OpenWorkspace, earlier: Collection[str], name: str) -> None:
    def renamed(params: Json) -> None:
        for old in sorted(earlier & params.keys()):
            params.setdefault(name, params.pop(old))

    data = ws.local_params_of(renamed)
    if data != ws.local_params_of(lambda params: None):
        write_atomic(ws.root / layout.RESOURCE_LOCAL_PARAMS, data)
        ws.reload()


def arrive(ws: OpenWorkspace, names: Iterable[str]) -> None:
    """Record what is current of these resources now, which snapshot each tag names, and our name.

    Args:
        ws: The workspace, its index up to date.
        names: Of resources whose content a pull changed.
    """
    if take_in_snapshots(ws):
        ws.catch_up()
    with ws.journal.locked():
        current: list[Current] = []
        superseded: list[str] = []
        for name in names:
            try:
                now, lost = _current(ws, ws.get_resource(name))
            except DwsError as e:  # its files are gone: the next step that reads it says so
                ws.notify(f"what '{name}' was made from is not known: {e.message}")
                continue
            current += now
            superseded += lost
        hostname = _hostname(ws)
        drafts: list[Draft] = list(_tags(ws))
        if current or hostname != ws.hostname:
            body = {"hostname": hostname, "current": [c.to_json() for c in current]}
            drafts.append((f.CURRENT_SET, {**body, "superseded": superseded}))
        if drafts:
            ws.record(drafts)
        if hostname != ws.hostname:
            ws.notify(f"another copy is called {ws.hostname}, too: this one is now {hostname}")
            ws.local_files(hostname=hostname)


def _current(ws: OpenWorkspace, resource: Resource) -> tuple[list[Current], list[str]]:
    """What is current of a resource, and placeholders whose content nobody kept."""
    mine = {e.ref: e for e in ws.index.entries(ws.id, ws.instance, resource.name)}
    found: list[Current] = []
    superseded = []
    for ref, first in _refs(ws, resource, mine).items():
        entry = mine.get(ref)
        if entry and entry.fingerprint and resource.unchanged(ref.subpath, entry.fingerprint):
            continue
        fingerprint = resource.fingerprint(ref.subpath)
        content = content_now(ws, resource, ref.subpath)
        gone = ref.subpath is not None and content.subpath_hash is None
        cert = None if gone else known_content(ws, resource, ref, content, first)
        if cert is None and entry is None:
            continue
        if entry is not None and cert is not None and entry.certificate.id == cert.id:
            output = entry.output
        else:
            output = cert is not None and cert.id in ws.index.producers([cert.id])
        found.append(
            Current(
                ref=ref,
                certificate=cert.id if cert else None,
                output=output,
                fingerprint=fingerprint if cert else None,
            )
        )
        before = entry.certificate if entry else None
        if before is not None and before.hash is None and not before.superseded:
            superseded.append(before.id)
    return found, superseded


def _refs(
    ws: OpenWorkspace, resource: Resource, mine: Mapping[ResourceRef, Entry]
) -> dict[ResourceRef, Certificate | None]:
    """The refs that something is current for, here or in another copy, with what it is there."""
    refs: dict[ResourceRef, Certificate | None] = dict.fromkeys(mine)
    for instance in ws.index.hostnames(ws.id):
        if instance != ws.instance:
            for entry in ws.index.entries(ws.id, instance, resource.name):
                if entry.certificate.hash is not None:
                    refs[entry.ref] = entry.certificate
    return refs


def _hostname(ws: OpenWorkspace) -> str:
    """The name of this copy; another one where two copies were given the same at once."""
    taken = {name for i, name in ws.index.hostnames(ws.id).items() if i != ws.instance}
    return free_hostname(ws.hostname, taken)


def _tags(ws: OpenWorkspace) -> list[Draft]:
    """Which snapshot each tag names, where facts of two copies left it another way than merged."""
    known = {info.hash: set(info.tags) for info in ws.index.snapshots(ws.id)}
    kept = {m.hashval: set(m.tags) for m in all_metadata(ws) if m.hashval in known}
    named = {tag for tags in kept.values() for tag in tags}
    drafts: list[Draft] = [
        (f.TAGGED, {"tag": tag, "snapshot": snapshot})
        for snapshot, tags in kept.items()
        for tag in sorted(tags - known[snapshot])
    ]
    drafts += [
        (f.TAGGED, {"tag": tag, "snapshot": None})
        for snapshot, tags in kept.items()
        for tag in sorted(known[snapshot] - tags - named)
    ]
    return drafts
