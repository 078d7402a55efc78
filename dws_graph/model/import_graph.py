"""A `lineage.json` as a graph: every certificate and step once, under its id, and no lie in it.

What 1.6 wrote has no ids: they are derived from what it says, the same from every clone.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from dws_graph.errors import JsonValueError
from dws_graph.model.certificates import Certificate
from dws_graph.model.ids import node_id
from dws_graph.model.imports import (
    ImportedCertificate,
    ImportedStep,
    ImportedWorkspace,
    imported_id,
    unnamed_workspace,
)
from dws_graph.model.lineage_file import (
    FileImport,
    FileLeaf,
    FileStep,
    Item,
    LineageFile,
    certificates_of,
)
from dws_graph.model.refs import ResourceRef

Content = tuple[ResourceRef, str]
CODE, SOURCE = "code", "source-data"


@dataclass(slots=True)
class ImportGraph:
    """What a file tells.

    Attributes:
        workspace: That exported the resource.
        heads: The resource's certificates, as it was exported.
        workspaces, steps, certificates: By id.
        imported_as: (id in one workspace, id in the one that imported it).
    """

    workspace: str
    heads: list[Certificate] = field(default_factory=list)
    workspaces: dict[str, ImportedWorkspace] = field(default_factory=dict)
    steps: dict[str, ImportedStep] = field(default_factory=dict)
    certificates: dict[str, ImportedCertificate] = field(default_factory=dict)
    imported_as: dict[tuple[str, str], None] = field(default_factory=dict)


def import_graph(file: LineageFile, importer: str) -> ImportGraph:
    """The graph that a file tells of.

    Args:
        file: As read.
        importer: The UUID of the workspace that imports it.

    Raises:
        JsonValueError: It contradicts itself: one id for two things, a certificate that two
            steps wrote, something made from itself; or it says nothing of its resource.
    """
    graph = ImportGraph(file.workspace or unnamed_workspace(importer, file.resource))
    known = ImportedWorkspace(id=graph.workspace, name=file.workspace_name, roles=file.roles)
    level = Level(graph, known, file.lineages)
    ids = list(file.exported) or level.first_of(file.resource)
    for key in ids:
        found = graph.certificates.get(key)
        if found is None or found.workspace != graph.workspace:
            raise JsonValueError(f"'exported' names {key}, which nothing describes", key="exported")
        if found.certificate.ref.name != file.resource:
            raise JsonValueError(
                f"'exported' names {found.certificate.ref}, no part of '{file.resource}'",
                key="exported",
            )
        graph.heads.append(found.certificate)
    if not ids:
        raise JsonValueError(f"says nothing of '{file.resource}', which it is about")
    check_graph(graph)
    return graph


def check_graph(graph: ImportGraph) -> None:
    """Refuse what cannot be.

    Raises:
        JsonValueError: A certificate that two steps wrote, or something made from itself.
    """
    _check_made_once(graph)
    _check_no_ring(graph)


class Level:
    """The lineage of one workspace in the file."""

    def __init__(self, graph: ImportGraph, known: ImportedWorkspace, items: Iterable[Item]) -> None:
        self.graph = graph
        self.workspace = known.id
        self.made: dict[Content, list[tuple[str, str]]] = {}  # (time, id) of each writer
        self.order: list[Certificate] = []
        steps = [item for item in items if isinstance(item, FileStep)]
        leaves = [item for item in items if isinstance(item, FileLeaf)]
        imports = [item for item in items if isinstance(item, FileImport)]
        ids = {id(step): step.id or self._step_id(step) for step in steps}
        for step in steps:
            for cert in step.outputs:
                self._note_made(step, ids[id(step)], cert)
        named = [c for step in steps for c in certificates_of(step)]
        named += [leaf.certificate for leaf in leaves]
        for item in imports:
            self._import(item, named)
        for step in steps:
            self._step(ids[id(step)], step)
        for leaf in leaves:
            self._certificate(leaf.certificate)
            self.order.append(leaf.certificate)
        self._check_imports(imports)
        roles = {**_guessed_roles(steps, leaves), **known.roles}
        graph.workspaces.setdefault(
            known.id, ImportedWorkspace(id=known.id, name=known.name, roles=roles)
        )

    def first_of(self, resource: str) -> list[str]:
        """The ids of a resource's certificates, the first of each ref: that is the nearest."""
        first: dict[ResourceRef, str] = {}
        for cert in self.order:
            if cert.ref.name == resource:
                first.setdefault(cert.ref, self._id_of(cert))
        return list(first.values())

    def _step_id(self, step: FileStep) -> str:
        return step_id(self.workspace, step)

    def _content(self, cert: Certificate) -> Content:
        """What two certificates without an id are the same by."""
        return cert.ref, cert.hash or f"{cert.kind} {cert.version}"

    def _output_id(self, key: str, cert: Certificate) -> str:
        """Of what a step wrote."""
        return cert.id or output_id(key, self._content(cert))

    def _note_made(self, step: FileStep, key: str, cert: Certificate) -> None:
        made = (step.start_time, self._output_id(key, cert))
        self.made.setdefault(self._content(cert), []).append(made)

    def _writer(self, content: Content, before: str) -> str | None:
        """What was written last with this content, if possible before a time."""
        made = self.made.get(content)
        if not made:
            return None
        return max([one for one in made if not before or one[0] < before] or made)[1]

    def _import(self, item: FileImport, named: Iterable[Certificate]) -> list[Certificate]:
        """The lineage of another workspace, and what its certificates are called here.

        Returns:
            The resource's certificates there.
        """
        other = item.workspace or unnamed_workspace(self.workspace, item.resource)
        known = ImportedWorkspace(id=other, name=item.workspace_name, roles=item.roles)
        nested = Level(self.graph, known, item.lineages)
        there = [self.graph.certificates[k].certificate for k in nested.first_of(item.resource)]
        self.graph.imported_as |= dict.fromkeys(item.imported_as)
        if item.imported_as:
            return there
        for cert in named:
            content = self._content(cert)
            if cert.id or cert.ref.name != item.resource or content in self.made:
                continue
            for source in there:
                same = source.ref == cert.ref or source.ref.covers(cert.ref)
                if same and source.hash == cert.hash and cert.hash is not None:
                    key = imported_id(self.workspace, cert.ref, cert.hash, source.id)
                    self.made[content] = [("", key)]
                    self.graph.imported_as[source.id, key] = None
                    break
        return there

    def _check_imports(self, imports: Iterable[FileImport]) -> None:
        for item in imports:
            for pair in item.imported_as:
                for key in pair:
                    if key not in self.graph.certificates:
                        raise JsonValueError(
                            f"'imported_as' names {key}, which nothing describes", key="imported_as"
                        )
                if self.graph.certificates[pair[1]].workspace != self.workspace:
                    raise JsonValueError(
                        f"'imported_as' names {pair[1]}, of another workspace", key="imported_as"
                    )

    def _step(self, key: str, step: FileStep) -> None:
        made = ImportedStep(
            id=key,
            workspace=self.workspace,
            name=step.name,
            start_time=step.start_time,
            execution_time_seconds=step.execution_time_seconds,
            parameters=step.parameters,
            command_line=step.command_line,
            run_from=step.run_from,
            inputs=tuple(self._certificate(c, step.start_time) for c in step.inputs),
            code=tuple(self._certificate(c, step.start_time) for c in step.code),
            outputs=tuple(self._put(self._output_id(key, c), c) for c in step.outputs),
        )
        if self.graph.steps.setdefault(key, made) != made or key in self.graph.certificates:
            raise JsonValueError(f"has two steps of the id {key}", key="id")
        self.order += step.outputs

    def _id_of(self, cert: Certificate, before: str = "") -> str:
        if cert.id:
            return cert.id
        content = self._content(cert)
        if written := self._writer(content, before):
            return written
        ref = cert.ref
        if cert.hash is not None:
            return node_id(self.workspace, "HashCertificate", ref.name, ref.subpath, cert.hash)
        return node_id(self.workspace, "PlaceholderCertificate", ref.name, ref.subpath, content[1])

    def _certificate(self, cert: Certificate, before: str = "") -> str:
        return self._put(self._id_of(cert, before), cert)

    def _put(self, key: str, cert: Certificate) -> str:
        made = ImportedCertificate(workspace=self.workspace, certificate=_named(cert, key))
        known = self.graph.certificates.setdefault(key, made)
        if known.workspace != self.workspace or _meaning(known) != _meaning(made):
            raise JsonValueError(f"has two certificates of the id {key}", key="id")
        return key


def _named(cert: Certificate, key: str) -> Certificate:
    return Certificate(
        id=key,
        ref=cert.ref,
        hash=cert.hash,
        subpath_hash=cert.subpath_hash,
        version=cert.version,
        kind=cert.kind,
        superseded=cert.superseded,
        comment=cert.comment,
    )


def _meaning(item: ImportedCertificate) -> tuple[object, ...]:
    cert = item.certificate
    return cert.ref, cert.hash, cert.version


def step_id(workspace: str, step: FileStep) -> str:
    """The id of a step that has none in its file: from what is said of it."""
    refs = sorted([c.ref.name, c.ref.subpath or ""] for c in step.outputs)
    return _derived(workspace, ["Step", step.name, step.local_time, refs])


def output_id(step: str, content: Content) -> str:
    """The id of what a step wrote, where its file has none."""
    return _derived(step, [str(content[0]), content[1]])


def _derived(namespace: str, parts: list[object]) -> str:
    return str(uuid.uuid5(uuid.UUID(namespace), json.dumps(parts, separators=(",", ":"))))


def _guessed_roles(steps: Iterable[FileStep], leaves: Iterable[FileLeaf]) -> dict[str, str]:
    """What 1.6 tells of roles: what is code, and what no step wrote."""
    roles = {leaf.certificate.ref.name: SOURCE for leaf in leaves if leaf.kind != CODE}
    roles |= {leaf.certificate.ref.name: CODE for leaf in leaves if leaf.kind == CODE}
    return roles | {cert.ref.name: CODE for step in steps for cert in step.code}


def _check_made_once(graph: ImportGraph) -> None:
    made: dict[str, str] = {}
    for step in graph.steps.values():
        for key in step.outputs:
            if made.setdefault(key, step.id) != step.id:
                what = graph.certificates[key].certificate.ref
                raise JsonValueError(f"says of one version of '{what}' that two steps wrote it")


def _check_no_ring(graph: ImportGraph) -> None:
    """Nothing is made from itself."""
    after: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    edges = [(key, s.id) for s in graph.steps.values() for key in dict.fromkeys(s.inputs + s.code)]
    edges += [(s.id, key) for s in graph.steps.values() for key in dict.fromkeys(s.outputs)]
    edges += list(graph.imported_as)
    for source, target in edges:
        after.setdefault(source, []).append(target)
        waiting[target] = waiting.get(target, 0) + 1
    ready = [key for key in after if not waiting.get(key)]
    while ready:
        for target in after.get(ready.pop(), ()):
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if any(waiting.values()):
        raise JsonValueError("says of something that it was made from itself")
