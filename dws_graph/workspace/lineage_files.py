"""Lineage in the files that Data Workspaces 1.6 reads.

`snapshot_lineage/<hash>/<resource>.json` has the lineage of each of a resource's refs;
`lineage.json`, in results and in exported resources, has all of it that lies upstream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from dws_graph.backends.views import StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.lineage_file import (
    FileImport,
    FileLeaf,
    FileStep,
    Item,
    LineageFile,
    certificates_of,
)
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json
from dws_graph.resources.terms import ResourceRoles
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.resolving import Resolution


class LineageFiles:
    """Writes lineage as it is after a snapshot that is still being taken."""

    def __init__(self, ws: OpenWorkspace, resolution: Resolution) -> None:
        self._ws = ws
        self._resolution = resolution
        self._steps: dict[str, StepInfo | None] = {}

    def of_snapshot(self, resource: str) -> bytes | None:
        """The lineage of a resource's refs; None when it has no entry."""
        certs = [c for ref, c in self._resolution.entries.items() if ref.name == resource]
        if not certs:
            return None
        imported = set(self._ws.index.origins([c.id for c in certs]))
        writers = self._writers(certs)
        lineages: list[Item] = []
        seen = set()
        for cert in certs:
            step = writers.get(cert.id)
            if cert.id in imported:
                continue
            if step is None:
                lineages.append(self._leaf(self._ws.id, cert))
            elif step.id not in seen:
                seen.add(step.id)
                lineages.append(self._step(step))
        lineages += self._imports(self._ws.id, [c for c in certs if c.id in imported])
        return _dump({"resource_name": resource, "lineages": [i.to_json() for i in lineages]})

    def of_results(self, resource: str) -> bytes | None:
        """All that a resource's refs were made from, nearest first; None without an entry."""
        start = [c for ref, c in self._resolution.entries.items() if ref.name == resource]
        return self._file(resource, start) if start else None

    def of_export(self, resource: str) -> bytes | None:
        """The same for an exported resource, which need not have an entry; None: no hash."""
        start = [c for ref, c in self._resolution.entries.items() if ref.name == resource]
        if not start:
            held = [c.certificate for c in self._resolution.contains if c.ref.name == resource]
            new = {c.id: c for c in self._resolution.certificates}
            known = self._ws.index.certificates(held)
            start = [new.get(key) or known[key] for key in held]
        return self._file(resource, start) if start else None

    def _file(self, resource: str, start: Sequence[Certificate]) -> bytes:
        params = next(p for p in self._ws.resource_params if p["name"] == resource)
        lineages, kept = self._all_of(self._ws.id, start)
        file = LineageFile(
            resource=resource,
            complete=kept and self._is_one_version(start),
            workspace=self._ws.id,
            workspace_name=self._ws.name,
            roles=self._roles(self._ws.id, lineages),
            resource_type=params["resource_type"],
            compute_hash=params.get("compute_hash"),
            exported=tuple(cert.id for cert in start),
            lineages=lineages,
        )
        return _dump(file.to_json())

    def _all_of(
        self, workspace: str, start: Sequence[Certificate]
    ) -> tuple[tuple[Item, ...], bool]:
        """What lies upstream in one workspace, and what it imported; whether all is kept."""
        steps: list[FileStep] = []
        leaves: list[FileLeaf] = []
        foreign: list[Certificate] = []
        kept = True
        waiting, seen_certs, seen_steps = list(start), {c.id for c in start}, set()
        while waiting:
            writers = self._writers(waiting)
            imported = self._ws.index.origins([c.id for c in waiting])
            following: list[Certificate] = []
            for cert in waiting:
                kept = kept and cert.hash is not None
                step = writers.get(cert.id)
                if step is None:
                    if cert.id in imported:
                        foreign.append(cert)
                    else:
                        leaves.append(self._leaf(workspace, cert))
                    continue
                if step.id in seen_steps:
                    continue
                seen_steps.add(step.id)
                steps.append(self._step(step))
                for source in (*step.inputs, *step.code):
                    now = self._resolution.now(source)
                    if now.id not in seen_certs:
                        seen_certs.add(now.id)
                        following.append(now)
            waiting = following
        imports = self._imports(workspace, foreign)
        return (*steps, *imports, *leaves), kept

    def _imports(self, workspace: str, certs: Sequence[Certificate]) -> list[FileImport]:
        """What certificates were imported from, with all that lies upstream there."""
        sources: dict[tuple[str, str], dict[str, Certificate]] = {}
        pairs: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for target, origins in self._ws.index.origins([c.id for c in certs]).items():
            for other, source in origins:
                sources.setdefault((source.ref.name, other), {})[source.id] = source
                pairs.setdefault((source.ref.name, other), []).append((source.id, target))
        found = []
        for (resource, other), there in sources.items():
            lineages, _ = self._all_of(other, list(there.values()))
            found.append(
                FileImport(
                    resource=resource,
                    workspace=other,
                    workspace_name=self._ws.index.workspace_name(other),
                    roles=self._roles(other, lineages),
                    lineages=lineages,
                    imported_as=tuple(sorted(pairs[resource, other])),
                )
            )
        return found

    def _roles(self, workspace: str, lineages: Iterable[Item]) -> dict[str, str]:
        """Of the resources that are named, as far as they are known."""
        names = {
            cert.ref.name
            for item in lineages
            if not isinstance(item, FileImport)
            for cert in certificates_of(item)
        }
        roles = {name: self._role(workspace, name) for name in sorted(names)}
        return {name: role for name, role in roles.items() if role is not None}

    def _role(self, workspace: str, resource: str) -> str | None:
        if workspace != self._ws.id:
            return self._ws.index.role(workspace, resource)
        named = (p["role"] for p in self._ws.resource_params if p["name"] == resource)
        return next(named, None)

    def _is_one_version(self, start: Sequence[Certificate]) -> bool:
        """Whether each ref is there in one version, counted as the start of a step counts them.

        Neither code counts, nor what lies behind a version that a step read and replaced.
        """
        seen: dict[tuple[str | None, ResourceRef], Certificate] = {}
        walked = self._ws.index.walk([cert.id for cert in start])
        found: list[tuple[str | None, Certificate]] = [(self._ws.id, cert) for cert in start]
        found += [(row.workspace, self._resolution.now(row.certificate)) for row in walked]
        return all(
            cert.same_version(seen.setdefault((workspace, cert.ref), cert))
            for workspace, cert in found
        )

    def _writers(self, certs: Iterable[Certificate]) -> dict[str, StepInfo]:
        found = self._ws.index.producers([c.id for c in certs])
        steps = {}
        for cert, key in found.items():
            if key not in self._steps:
                self._steps[key] = self._ws.index.step(key)
            step = self._steps[key]
            if step is not None:
                steps[cert] = step
        return steps

    def _step(self, step: StepInfo) -> FileStep:
        return FileStep(
            id=step.id,
            name=step.name,
            start_time=step.start_time,
            execution_time_seconds=step.execution_time_seconds,
            parameters=dict(step.parameters),
            inputs=tuple(self._resolution.now(c) for c in step.inputs),
            code=tuple(self._resolution.now(c) for c in step.code),
            outputs=tuple(self._resolution.now(c) for c in step.outputs),
            command_line=step.command_line,
            run_from=step.run_from,
        )

    def _leaf(self, workspace: str, cert: Certificate) -> FileLeaf:
        is_code = self._role(workspace, cert.ref.name) == ResourceRoles.CODE
        kind = "code" if is_code else "source_data"
        return FileLeaf(certificate=self._resolution.now(cert), kind=kind)


def _dump(obj: Json) -> bytes:
    return json.dumps(obj, indent=2).encode()
