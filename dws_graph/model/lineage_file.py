"""`lineage.json`: all that an exported resource, or results, were made from, in one file.

The format is that of Data Workspaces 1.6; the keys that it does not know (`id`, `workspace_id`,
`exported`, ...) are left out where they are not known. Source: docs/formats.md, "lineage.json".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from dws_graph.errors import ConfigurationError, JsonTypeError, JsonValueError
from dws_graph.model.certificates import Certificate
from dws_graph.model.ids import is_uuid
from dws_graph.model.refs import ResourceRef, normal_subpath
from dws_graph.model.values import (
    Json,
    clean_text,
    from_plain,
    local_text,
    parse_utc,
    take,
    take_or,
    to_plain,
    utc_text,
)

LONGEST = 1000  # characters of a name, a hash, a comment
DEEPEST = 50  # imports within imports


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStep:
    """A step.

    Attributes:
        id: Empty where the file does not say it.
        start_time: UTC.
        local_time: The same as the file has it.
    """

    id: str
    name: str
    start_time: str
    execution_time_seconds: float | None
    parameters: Json
    inputs: tuple[Certificate, ...]
    code: tuple[Certificate, ...]
    outputs: tuple[Certificate, ...]
    command_line: list[str] | None
    run_from: list[str | None] | None
    local_time: str = ""

    def to_json(self) -> Json:
        """As in the file."""
        return {
            "type": "step",
            **({"id": self.id, "start_time_utc": self.start_time} if self.id else {}),
            "step_name": self.name,
            "start_time": self.local_time or local_text(self.start_time),
            "execution_time_seconds": self.execution_time_seconds,
            "parameters": from_plain(self.parameters),
            "input_resources": [_certificate(c) for c in self.inputs],
            "code_resources": [_certificate(c) for c in self.code],
            "output_resources": [_certificate(c) for c in self.outputs],
            "command_line": self.command_line,
            "run_from_directory": self.run_from,
        }

    @classmethod
    def from_json(cls, obj: Json) -> FileStep:
        """From the file."""
        local = take(obj, "start_time", str)
        utc = take_or(obj, "start_time_utc", str)
        seconds = obj.get("execution_time_seconds")
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, int | float)
        ):
            raise JsonTypeError(
                "'execution_time_seconds' must be a number", key="execution_time_seconds"
            )
        return cls(
            id=_id(obj),
            name=_text(obj, "step_name"),
            start_time=utc_text(parse_utc(utc)) if utc else _from_local(local),
            execution_time_seconds=None if seconds is None else float(seconds),
            parameters=to_plain(take(obj, "parameters", dict), "parameters"),
            inputs=_certificates(obj, "input_resources"),
            code=_certificates(obj, "code_resources"),
            outputs=_certificates(obj, "output_resources"),
            command_line=_strings(obj, "command_line"),
            run_from=_run_from(obj),
            local_time=local,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLeaf:
    """A certificate that no step wrote; `kind` is `source_data` or `code`."""

    certificate: Certificate
    kind: str

    def to_json(self) -> Json:
        """As in the file."""
        return {**_certificate(self.certificate), "type": self.kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImport:
    """What the workspace had imported itself.

    Attributes:
        resource: The imported resource.
        workspace: The UUID of the workspace that exported it; empty where it is not said.
        workspace_name: Its name.
        roles: {resource: role} of that workspace.
        lineages: The lineage there.
        imported_as: (id there, id here) of the resource's certificates.
    """

    resource: str
    workspace: str = ""
    workspace_name: str | None = None
    roles: dict[str, str]
    lineages: tuple[FileStep | FileLeaf | FileImport, ...]
    imported_as: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> Json:
        """As in the file."""
        return {
            "type": "imported",
            "resource_name": self.resource,
            **_workspace(self.workspace, self.workspace_name, self.roles),
            **(
                {"imported_as": [list(pair) for pair in self.imported_as]} if self.workspace else {}
            ),
            "nested_lineage": [item.to_json() for item in self.lineages],
        }


Item = FileStep | FileLeaf | FileImport


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageFile:
    """The file.

    Attributes:
        resource: What it is about.
        complete: False when something upstream is not kept, unknown or there in two versions.
        workspace: The UUID of the workspace that wrote it; empty when that was 1.6.
        workspace_name: Its name.
        roles: {resource: role} of the workspace.
        resource_type: Of the resource, as in resources.json.
        compute_hash: Whether files are hashed by content; None where that makes no difference.
        exported: Ids of the resource's certificates.
        lineages: Steps, imports, and what no step wrote, nearest first.
    """

    resource: str
    complete: bool
    workspace: str = ""
    workspace_name: str | None = None
    roles: dict[str, str]
    resource_type: str = ""
    compute_hash: bool | None = None
    exported: tuple[str, ...] = ()
    lineages: tuple[Item, ...]

    def to_json(self) -> Json:
        """As in the file."""
        own: Json = _workspace(self.workspace, self.workspace_name, self.roles)
        if self.workspace:
            own |= {"resource_type": self.resource_type, "compute_hash": self.compute_hash}
            own["exported"] = list(self.exported)
        head = {"resource_name": self.resource, "complete": self.complete}
        return {**head, **own, "lineages": [item.to_json() for item in self.lineages]}

    @classmethod
    def from_json(cls, obj: Json) -> LineageFile:
        """From the file.

        Raises:
            JsonError: It is damaged, or holds what no such file does.
        """
        if not isinstance(obj, dict):
            raise JsonTypeError("must be an object")
        return cls(
            resource=_text(obj, "resource_name"),
            complete=bool(take_or(obj, "complete", bool, default=True)),
            workspace=_id(obj, "workspace_id"),
            workspace_name=_text(obj, "workspace_name") if obj.get("workspace_name") else None,
            roles=_roles(obj),
            resource_type=take_or(obj, "resource_type", str) or "",
            compute_hash=take_or(obj, "compute_hash", bool),
            exported=tuple(_as_id(key) for key in take_or(obj, "exported", list) or ()),
            lineages=_lineages(obj, "lineages", 0),
        )


def _lineages(obj: Json, key: str, depth: int) -> tuple[Item, ...]:
    if depth > DEEPEST:
        raise JsonValueError(f"holds more than {DEEPEST} imports within one another", key=key)
    return tuple(_item(item, depth) for item in take(obj, key, list))


def _item(obj: Json, depth: int) -> Item:
    kind = take(obj, "type", str)
    if kind == "step":
        return FileStep.from_json(obj)
    if kind in ("source_data", "code"):
        return FileLeaf(certificate=_read_certificate(obj), kind=kind)
    if kind != "imported":
        raise JsonValueError(f"'type' is '{kind[:40]}', which no lineage is", key="type")
    pairs = take_or(obj, "imported_as", list) or ()
    return FileImport(
        resource=_text(obj, "resource_name"),
        workspace=_id(obj, "workspace_id"),
        workspace_name=_text(obj, "workspace_name") if obj.get("workspace_name") else None,
        roles=_roles(obj),
        lineages=_lineages(obj, "nested_lineage", depth + 1),
        imported_as=tuple(_pair(pair) for pair in pairs),
    )


def _pair(obj: object) -> tuple[str, str]:
    if not isinstance(obj, list) or len(obj) != 2:
        raise JsonTypeError("'imported_as' must be a list of pairs", key="imported_as")
    return _as_id(obj[0]), _as_id(obj[1])


def _workspace(workspace: str, name: str | None, roles: dict[str, str]) -> Json:
    if not workspace:
        return {}
    return {"workspace_id": workspace, "workspace_name": name, "roles": roles}


def _certificate(cert: Certificate) -> Json:
    obj = cert.for_file().to_json()
    if cert.id:
        obj["certificate"]["id"] = cert.id
    return obj


def _certificates(obj: Json, key: str) -> tuple[Certificate, ...]:
    return tuple(_read_certificate(item) for item in take(obj, key, list))


def _read_certificate(obj: Json) -> Certificate:
    name, subpath = _text(obj, "resource_name"), take_or(obj, "subpath", str) or None
    if subpath is not None and not _is_plain(subpath):
        raise JsonValueError(
            f"'subpath' is '{subpath[:80]}', no plain path within a resource", key="subpath"
        )
    cert = take(obj, "certificate", dict)
    kind = take(cert, "cert_type", str)
    ref, comment = ResourceRef(name, subpath), _optional(cert, "comment")
    if kind == "hash":
        sub = _text(cert, "subpath_hash") if cert.get("subpath_hash") else None
        hashval = _text(cert, "hashval")
        return Certificate(id=_id(cert), ref=ref, hash=hashval, subpath_hash=sub, comment=comment)
    if kind != "placeholder":
        raise JsonValueError(f"'cert_type' is '{kind[:40]}'", key="cert_type")
    is_output = take_or(cert, "is_output", bool) or take_or(cert, "is_ouput", bool)  # as 1.6 has it
    return Certificate(
        id=_id(cert),
        ref=ref,
        version=take(cert, "version", int),
        kind="output" if is_output else "input",
        superseded=True,  # a snapshot has hashed all that is kept
        comment=comment,
    )


def _is_plain(subpath: str) -> bool:
    try:
        return len(subpath) <= 4 * LONGEST and normal_subpath(subpath) == subpath
    except ConfigurationError:
        return False


def _text(obj: Json, key: str) -> str:
    """A name or the like: not empty, on one line, of some length."""
    text = take(obj, key, str)
    if not text or len(text) > LONGEST or any(ord(c) < 32 for c in text):
        raise JsonValueError(f"'{key}' must be one line of 1 to {LONGEST} characters", key=key)
    return clean_text(text)


def _optional(obj: Json, key: str) -> str:
    return clean_text((take_or(obj, key, str) or "")[:LONGEST])


def _strings(obj: Json, key: str) -> list[str] | None:
    found = take_or(obj, key, list)
    if found is None:
        return None
    if not all(isinstance(word, str) for word in found):
        raise JsonTypeError(f"'{key}' must be a list of strings", key=key)
    return [clean_text(word) for word in found]


def _run_from(obj: Json) -> list[str | None] | None:
    found = take_or(obj, "run_from_directory", list)
    if found is None:
        return None
    if len(found) != 2 or not isinstance(found[0], str):
        raise JsonTypeError(
            "'run_from_directory' must be a resource and a path in it", key="run_from_directory"
        )
    name, subpath = found
    if subpath is not None and not (isinstance(subpath, str) and _is_plain(subpath)):
        raise JsonValueError(
            "'run_from_directory' is no plain path within a resource", key="run_from_directory"
        )
    return [clean_text(name), subpath]


def _roles(obj: Json) -> dict[str, str]:
    roles = take_or(obj, "roles", dict) or {}
    return {clean_text(name): _text(roles, name) for name in roles}


def _id(obj: Json, key: str = "id") -> str:
    """A UUID; empty where the file does not say it."""
    return _as_id(obj[key], key) if obj.get(key) is not None else ""


def _as_id(found: object, key: str = "id") -> str:
    if not isinstance(found, str) or not is_uuid(found):
        raise JsonValueError(f"'{key}' is '{str(found)[:80]}', which is no UUID", key=key)
    return found


def _from_local(text: str) -> str:
    """A time of 1.6, which is local, in UTC."""
    try:
        return utc_text(dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f").astimezone())
    except (ValueError, OverflowError) as e:
        raise JsonValueError(
            f"'start_time' is '{text[:40]}', not of the form YYYY-MM-DDTHH:MM:SS.ffffff",
            key="start_time",
        ) from e


def certificates_of(item: FileStep | FileLeaf) -> Iterator[Certificate]:
    """All certificates that a step or a leaf names."""
    if isinstance(item, FileLeaf):
        yield item.certificate
    else:
        yield from (*item.inputs, *item.code, *item.outputs)
