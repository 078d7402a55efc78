"""Lineage files that Data Workspaces 1.6 wrote of the workspace itself, as a graph.

They hold no ids. A step, and what it wrote, is known by what the files say of it: the same from
every clone. What this project had recorded, and 1.6 copied without ids, is known again by the
files that have them. Source: docs/formats.md, "Lineage of 1.6".
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace

from dws_graph.model.certificates import Certificate
from dws_graph.model.import_graph import (
    Content,
    ImportGraph,
    Level,
    check_graph,
    output_id,
    step_id,
)
from dws_graph.model.imports import (
    ImportedCertificate,
    ImportedWorkspace,
    ImportRecord,
    imported_id,
)
from dws_graph.model.lineage_file import FileImport, FileLeaf, FileStep, Item, certificates_of
from dws_graph.model.refs import ResourceRef

StepKey = tuple[str, str, tuple[ResourceRef, ...]]


@dataclass(frozen=True, slots=True)
class OwnFile:
    """The lineage of one resource's refs: `snapshot_lineage/HASH/RESOURCE.json`, or current."""

    resource: str
    lineages: tuple[Item, ...]


@dataclass(slots=True)
class KnownLineage:
    """What the lineage files of all snapshots of a workspace tell.

    Attributes:
        steps: The ids of this project's steps.
        wrote: {step: {content: id}} of these.
        ids: Of certificates that files name: this project's facts tell of them.
        written: (start of the step, id) of each writer of a content.
    """

    steps: dict[StepKey, str] = field(default_factory=dict)
    wrote: dict[str, dict[Content, str]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    written: dict[Content, list[tuple[str, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Iterable[OwnFile], workspace: str) -> KnownLineage:
        """What these tell, of one workspace."""
        known = cls()
        items = [item for file in files for item in file.lineages]
        for item in items:
            known._add_ids(item)
        for item in items:
            if isinstance(item, FileStep):
                known._add_written(item, workspace)
        return known

    def step_id(self, step: FileStep, workspace: str) -> str:
        """The id of a step."""
        return step.id or self.steps.get(_step_key(step)) or step_id(workspace, step)

    def output_id(self, step: str, cert: Certificate) -> str:
        """The id of what a step wrote."""
        content = own_content(cert)
        return cert.id or self.wrote.get(step, {}).get(content) or output_id(step, content)

    def _add_ids(self, item: Item) -> None:
        """Files of this project name what 1.6 made, too, by the ids derived from it."""
        if isinstance(item, FileImport):
            return
        self.ids |= {cert.id for cert in certificates_of(item) if _is_made_here(cert.id)}
        if isinstance(item, FileStep) and _is_made_here(item.id):
            self.steps[_step_key(item)] = item.id
            self.wrote[item.id] = {own_content(c): c.id for c in item.outputs if c.id}

    def _add_written(self, step: FileStep, workspace: str) -> None:
        key = self.step_id(step, workspace)
        for cert in step.outputs:
            writers = self.written.setdefault(own_content(cert), [])
            made = step.start_time, self.output_id(key, cert)
            if made not in writers:
                writers.append(made)


@dataclass(frozen=True, slots=True)
class OwnGraph:
    """What files of one moment tell.

    Attributes:
        entries: The certificate of each ref that the files are about.
        writers: {certificate: step} of what steps wrote.
        record: What is not known yet, as a fact holds it.
    """

    entries: dict[ResourceRef, Certificate]
    writers: dict[str, str]
    record: ImportRecord


def own_graph(
    files: Iterable[OwnFile], workspace: ImportedWorkspace, known: KnownLineage, digest: str
) -> OwnGraph:
    """The graph that the workspace's own lineage files tell of.

    Args:
        files: Of one snapshot, or the current ones.
        workspace: This one.
        known: What the files of all its snapshots tell.
        digest: Of the files.

    Raises:
        JsonValueError: They contradict themselves.
    """
    files = list(files)
    graph = ImportGraph(workspace.id)
    items = _steps_once(item for file in files for item in file.lineages)
    level = _OwnLevel(graph, workspace.id, items, known)
    check_graph(graph)
    entries = {}
    for file in files:
        for ref, key in level.entries_of(file):
            entries[ref] = graph.certificates[key].certificate
    mine = set(known.steps.values())
    steps = tuple(step for step in graph.steps.values() if step.id not in mine)
    writers = {key: step.id for step in graph.steps.values() for key in step.outputs}
    graph.workspaces[workspace.id] = workspace
    record = ImportRecord(
        resource="",
        digest=digest,
        workspaces=tuple(graph.workspaces.values()),
        steps=steps,
        certificates=tuple(_kinds(graph, known.ids, writers)),
        imported_as=tuple(graph.imported_as),
    )
    return OwnGraph(entries, writers, record)


def _kinds(
    graph: ImportGraph, known: Container[str], outputs: Container[str]
) -> Iterator[ImportedCertificate]:
    """The certificates to tell of: 1.6 forgets which placeholders a step wrote."""
    for key, item in graph.certificates.items():
        if item.workspace != graph.workspace:
            yield item
        elif key not in known:
            cert = item.certificate
            if cert.hash is None:
                cert = replace(cert, kind="output" if key in outputs else "input")
            yield replace(item, certificate=cert)


class _OwnLevel(Level):
    """The workspace's own lineage."""

    def __init__(
        self, graph: ImportGraph, workspace: str, items: Iterable[Item], known: KnownLineage
    ) -> None:
        self._known = known
        self._heads: dict[str, list[tuple[ResourceRef, str]]] = {}
        super().__init__(graph, ImportedWorkspace(id=workspace, name=None, roles={}), items)

    def entries_of(self, file: OwnFile) -> Iterator[tuple[ResourceRef, str]]:
        """The refs of a file's resource, each with the id of its certificate."""
        for item in file.lineages:
            if isinstance(item, FileImport):
                yield from self._heads.get(item.resource, ())
            elif isinstance(item, FileLeaf):
                yield item.certificate.ref, self._id_of(item.certificate)
            else:
                key = self._step_id(item)
                for cert in item.outputs:
                    if cert.ref.name == file.resource:
                        yield cert.ref, self._output_id(key, cert)

    def _content(self, cert: Certificate) -> Content:
        return own_content(cert)

    def _step_id(self, step: FileStep) -> str:
        return self._known.step_id(step, self.workspace)

    def _output_id(self, key: str, cert: Certificate) -> str:
        return self._known.output_id(key, cert)

    def _writer(self, content: Content, before: str) -> str | None:
        """What a step wrote before that; never what was written only later."""
        made = [*self.made.get(content, ()), *self._known.written.get(content, ())]
        return max((one for one in made if not before or one[0] < before), default=("", ""))[1]

    def _import(self, item: FileImport, named: Iterable[Certificate]) -> list[Certificate]:
        there = super()._import(item, named)
        known = {key: self.graph.certificates.get(key) for key, _ in item.imported_as}
        pairs = [(known[key], target) for key, target in item.imported_as]
        heads = [(found.certificate, target) for found, target in pairs if found]
        if not item.imported_as:
            heads = [
                (head, imported_id(self.workspace, head.ref, head.hash, head.id))
                for head in there
                if head.hash is not None
            ]
        for head, key in heads:
            cert = replace(head, id="", ref=ResourceRef(item.resource, head.ref.subpath))
            self._put(key, cert)
            self.made.setdefault(self._content(cert), []).append(("", key))
            self.graph.imported_as[head.id, key] = None
            self._heads.setdefault(item.resource, []).append((cert.ref, key))
        return there


def _is_made_here(key: str) -> bool:
    """Whether it is an id that was given, not derived."""
    return key != "" and uuid.UUID(key).version == 7


def own_content(cert: Certificate) -> Content:
    """Of a placeholder its comment tells when it was made; 1.6 counts versions anew, and again."""
    return cert.ref, cert.hash or f"{cert.version} {cert.comment}"


def _step_key(step: FileStep) -> StepKey:
    return step.name, step.local_time, tuple(sorted(c.ref for c in step.outputs))


def _steps_once(items: Iterable[Item]) -> list[Item]:
    """A step is told of in the file of each resource that it wrote to."""
    found: dict[object, Item] = {}
    for item in items:
        key = ("step", _step_key(item)) if isinstance(item, FileStep) else id(item)
        found.setdefault(key, item)
    return list(found.values())
