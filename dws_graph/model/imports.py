"""The body of `LineageImported`: what the `lineage.json` of an imported resource told.

Its steps and certificates belong to the workspaces that made them, under the ids they have there.
Source: docs/formats.md, "Imported lineage".
"""

from __future__ import annotations

from dataclasses import dataclass

from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Current, Merged, many
from dws_graph.model.ids import node_id
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, take, take_or


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedStep:
    """A step of another workspace; `inputs`, `code` and `outputs` are ids of certificates."""

    id: str
    workspace: str
    name: str
    start_time: str
    execution_time_seconds: float | None
    parameters: Json
    command_line: list[str] | None
    run_from: list[str | None] | None
    inputs: tuple[str, ...]
    code: tuple[str, ...]
    outputs: tuple[str, ...]

    def to_json(self) -> Json:
        """As facts hold it."""
        obj: Json = {name: getattr(self, name) for name in _STEP_PLAIN}
        for name in ("inputs", "code", "outputs"):
            obj[name] = list(getattr(self, name))
        return obj

    @classmethod
    def from_json(cls, obj: Json) -> ImportedStep:
        """From a fact."""
        seconds = obj.get("execution_time_seconds")
        return cls(
            id=take(obj, "id", str),
            workspace=take(obj, "workspace", str),
            name=take(obj, "name", str),
            start_time=take(obj, "start_time", str),
            execution_time_seconds=None if seconds is None else float(seconds),
            parameters=take(obj, "parameters", dict),
            command_line=take_or(obj, "command_line", list),
            run_from=take_or(obj, "run_from", list),
            inputs=tuple(take(obj, "inputs", list)),
            code=tuple(take(obj, "code", list)),
            outputs=tuple(take(obj, "outputs", list)),
        )


_STEP_PLAIN = (
    "id",
    "workspace",
    "name",
    "start_time",
    "execution_time_seconds",
    "parameters",
    "command_line",
    "run_from",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCertificate:
    """A certificate, and the workspace that it belongs to."""

    workspace: str
    certificate: Certificate

    def to_json(self) -> Json:
        """As facts hold it."""
        return {"workspace": self.workspace, **self.certificate.to_json()}

    @classmethod
    def from_json(cls, obj: Json) -> ImportedCertificate:
        """From a fact."""
        return cls(workspace=take(obj, "workspace", str), certificate=Certificate.from_json(obj))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedWorkspace:
    """A workspace that exported lineage: its name, and the roles of its resources, if known."""

    id: str
    name: str | None
    roles: dict[str, str]

    def to_json(self) -> Json:
        """As facts hold it."""
        return {"id": self.id, "name": self.name, "roles": self.roles}

    @classmethod
    def from_json(cls, obj: Json) -> ImportedWorkspace:
        """From a fact."""
        return cls(
            id=take(obj, "id", str),
            name=take_or(obj, "name", str),
            roles=take(obj, "roles", dict),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """The body of `LineageImported`.

    Attributes:
        resource: The imported resource; empty where it is the lineage that 1.6 wrote of the
            workspace itself.
        digest: SHA-256 of its `lineage.json`; of the lineage files of 1.6.
        workspaces, steps, certificates: Of others; of the workspace's own (named last) only what
            1.6 wrote. Empty where this workspace's journal tells them already.
        own: Certificates of the imported resource in this workspace.
        imported_as: (certificate, what it is called where it was imported).
        current: As in `StepRecord`.
        merge: Placeholders that 1.6 has hashed, each with its certificate now.
    """

    resource: str
    digest: str
    workspaces: tuple[ImportedWorkspace, ...] = ()
    steps: tuple[ImportedStep, ...] = ()
    certificates: tuple[ImportedCertificate, ...] = ()
    own: tuple[Certificate, ...] = ()
    imported_as: tuple[tuple[str, str], ...] = ()
    current: tuple[Current, ...] = ()
    superseded: tuple[str, ...] = ()
    merge: tuple[Merged, ...] = ()

    def to_json(self) -> Json:
        """The body of the fact."""
        obj: Json = {"resource": self.resource, "digest": self.digest}
        for name in ("workspaces", "steps", "certificates", "own", "current"):
            obj[name] = [item.to_json() for item in getattr(self, name)]
        obj["imported_as"] = [list(pair) for pair in self.imported_as]
        obj["superseded"] = list(self.superseded)
        if self.merge:
            obj["merge"] = [item.to_json() for item in self.merge]
        return obj

    @classmethod
    def from_json(cls, obj: Json) -> ImportRecord:
        """From the body of the fact."""
        return cls(
            resource=take(obj, "resource", str),
            digest=take(obj, "digest", str),
            workspaces=many(obj, "workspaces", ImportedWorkspace.from_json),
            steps=many(obj, "steps", ImportedStep.from_json),
            certificates=many(obj, "certificates", ImportedCertificate.from_json),
            own=many(obj, "own", Certificate.from_json),
            imported_as=tuple((a, b) for a, b in take(obj, "imported_as", list)),
            current=many(obj, "current", Current.from_json),
            superseded=tuple(take(obj, "superseded", list)),
            merge=many(obj, "merge", Merged.from_json) if "merge" in obj else (),
        )


def imported_id(workspace: str, ref: ResourceRef, hashval: str, source: str) -> str:
    """The id of a certificate of imported content: the same from every clone.

    Args:
        workspace: The importing one.
        ref: In the importing workspace.
        hashval: Of the resource.
        source: The id of the exporting workspace's certificate.
    """
    return node_id(workspace, "HashCertificate", ref.name, ref.subpath, hashval, source)


def unnamed_workspace(importer: str, resource: str) -> str:
    """The id of an exporting workspace that did not say its own."""
    return node_id(importer, "Workspace", resource)
