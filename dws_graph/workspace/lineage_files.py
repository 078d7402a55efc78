"""Lineage in the files that Data Workspaces 1.6 reads.

`snapshot_lineage/<hash>/<resource>.json` has the lineage of each of a resource's refs;
`lineage.json` in results has all of it that lies upstream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from dws_graph.backends.views import StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, from_plain, local_text
from dws_graph.resources.base import ResourceRoles
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
        writers = self._writers(certs)
        lineages, seen = [], set()
        for cert in certs:
            step = writers.get(cert.id)
            if step is None:
                lineages.append(self._leaf(cert))
            elif step.id not in seen:
                seen.add(step.id)
                lineages.append(self._step(step))
        return _dump({"resource_name": resource, "lineages": lineages})

    def of_results(self, resource: str) -> bytes | None:
        """All that a resource's refs were made from, nearest first; None without an entry."""
        start = [c for ref, c in self._resolution.entries.items() if ref.name == resource]
        if not start:
            return None
        lineages: list[Json] = []
        complete = self._is_one_version(start)
        waiting, seen_certs, seen_steps = list(start), {c.id for c in start}, set()
        leaves: list[Json] = []
        while waiting:
            writers = self._writers(waiting)
            following: list[Certificate] = []
            for cert in waiting:
                complete = complete and cert.hash is not None
                step = writers.get(cert.id)
                if step is None:
                    leaves.append(self._leaf(cert))
                    continue
                if step.id in seen_steps:
                    continue
                seen_steps.add(step.id)
                lineages.append(self._step(step))
                for source in (*step.inputs, *step.code):
                    now = self._resolution.now(source)
                    if now.id not in seen_certs:
                        seen_certs.add(now.id)
                        following.append(now)
            waiting = following
        head: Json = {"resource_name": resource, "complete": complete}
        head |= {"workspace_id": self._ws.id, "workspace_name": self._ws.name}
        return _dump({**head, "lineages": lineages + leaves})

    def _is_one_version(self, start: Sequence[Certificate]) -> bool:
        """Whether each ref is there in one version, counted as the start of a step counts them.

        Neither code counts, nor what lies behind a version that a step read and replaced.
        """
        seen: dict[ResourceRef, Certificate] = {}
        walked = self._ws.index.walk([cert.id for cert in start])
        found = [*start, *(self._resolution.now(row.certificate) for row in walked)]
        return all(cert.same_version(seen.setdefault(cert.ref, cert)) for cert in found)

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

    def _step(self, step: StepInfo) -> Json:
        return {
            "type": "step",
            "id": step.id,
            "step_name": step.name,
            "start_time": local_text(step.start_time),
            "execution_time_seconds": step.execution_time_seconds,
            "parameters": from_plain(dict(step.parameters)),
            "input_resources": [self._certificate(c) for c in step.inputs],
            "code_resources": [self._certificate(c) for c in step.code],
            "output_resources": [self._certificate(c) for c in step.outputs],
            "command_line": step.command_line,
            "run_from_directory": step.run_from,
        }

    def _certificate(self, cert: Certificate) -> Json:
        now = self._resolution.now(cert)
        obj = now.for_file().to_json()
        obj["certificate"]["id"] = now.id
        return obj

    def _leaf(self, cert: Certificate) -> Json:
        role = next(
            (p["role"] for p in self._ws.resource_params if p["name"] == cert.ref.name), None
        )
        kind = "code" if role == ResourceRoles.CODE else "source_data"
        return {**self._certificate(cert), "type": kind}


def _dump(obj: Json) -> bytes:
    return json.dumps(obj, indent=2).encode()
