"""Which steps no longer follow from what is current: judged by what they read, not by when.

Each input and code ref as it is now against the version that the step read, each output against
what the step wrote, and each step by those that made its inputs. Whether a version holds is asked
of the caller, who may look at the disk. Source: docs/formats.md, "What is stale".
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dws_graph.backends.views import Reason, StaleStep, StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef

Holds = Callable[[Certificate], bool]
"""Whether what is there now is the version that a certificate names."""
Writers = Callable[[ResourceRef], Collection[str]]
"""The steps that wrote a ref as it is."""


@dataclass(slots=True)
class Judged:
    """A step that wrote what is there, or failed to, while it is judged.

    Attributes:
        info: The step.
        outputs: Those that are as it left them.
        reasons: By ref, and whether it is an output.
        made_from: Refs that it read, by the step that wrote them.
    """

    info: StepInfo
    outputs: list[ResourceRef] = field(default_factory=list)
    reasons: dict[tuple[ResourceRef, bool], Reason] = field(default_factory=dict)
    made_from: dict[str, list[ResourceRef]] = field(default_factory=dict)


def stale_given(
    workspace: str,
    held: Iterable[Certificate],
    writers: Mapping[str, str],
    infos: Mapping[str, StepInfo],
    changed: Collection[ResourceRef],
) -> list[StaleStep]:
    """The stale steps as far as a graph can tell, given what changed on disk.

    Args:
        workspace: Whose steps count.
        held: What is current.
        writers: The step that wrote each of these.
        infos: These steps.
        changed: Refs whose files are others than those of what is current.
    """
    current = {cert.ref: cert for cert in held}
    steps: dict[str, Judged] = {}
    for cert in current.values():
        info = infos.get(writers.get(cert.id, ""))
        if info is not None and info.workspace == workspace:
            steps.setdefault(info.id, Judged(info)).outputs.append(cert.ref)
    writer_of = {ref: key for key, step in steps.items() for ref in step.outputs}

    def writers_of(ref: ResourceRef) -> Collection[str]:
        if ref in current:
            return {writer_of[ref]} & steps.keys() if ref in writer_of else ()
        return {key for other, key in writer_of.items() if other.touches(ref)}

    def holds(cert: Certificate) -> bool:
        if any(ref.touches(cert.ref) for ref in changed):
            return False
        now = current.get(cert.ref)
        return cert.hash is not None if now is None else now.same_version(cert)

    link(steps, writers_of)
    return list(judged(steps, holds, current))


def link(steps: Mapping[str, Judged], writers_of: Writers) -> None:
    """Note of each step which others made what it read."""
    for step in steps.values():
        for cert in (*step.info.inputs, *step.info.code):
            if updates(step.info, cert.ref):
                continue
            for writer in writers_of(cert.ref):
                if writer in steps and writer != step.info.id:
                    step.made_from.setdefault(writer, []).append(cert.ref)


def judged(
    steps: Mapping[str, Judged],
    holds: Holds,
    current: Mapping[ResourceRef, Certificate],
    refs: Collection[ResourceRef] | None = None,
) -> tuple[StaleStep, ...]:
    """The stale ones of linked steps, in an order in which they can be run again.

    Args:
        steps: By id.
        holds: Says whether a version holds.
        current: What is current, by ref.
        refs: Only the steps that wrote these, and those upstream of them; None for all.
    """
    if refs is not None:
        steps = _upstream_of(steps, refs)
    for step in steps.values():
        _judge(step, holds, current)
    _spread(steps)
    found = {key: step for key, step in steps.items() if step.reasons}
    return tuple(_finished(found[key]) for key in _in_order(found))


def _judge(step: Judged, holds: Holds, current: Mapping[ResourceRef, Certificate]) -> None:
    if step.info.status == "failed":  # it is to run again whatever it read
        return
    kinds: tuple[tuple[Sequence[Certificate], Reason], ...] = (
        (step.info.inputs, "input changed"),
        (step.info.code, "code changed"),
    )
    for certs, reason in kinds:
        for cert in certs:
            if not updates(step.info, cert.ref) and not holds(cert):
                lost = cert.status == "not kept"
                step.reasons[cert.ref, False] = "input not kept" if lost else reason
    for ref in step.outputs:
        now = current.get(ref)
        if now is not None and not holds(now):
            step.reasons[ref, True] = "output changed outside a step"


def updates(step: StepInfo, ref: ResourceRef) -> bool:
    """Whether a step wrote what it read: the version that it read is gone, and no conflict."""
    return any(out.ref.touches(ref) for out in step.outputs)


def _upstream_of(steps: Mapping[str, Judged], refs: Collection[ResourceRef]) -> dict[str, Judged]:
    wanted = [
        key
        for key, step in steps.items()
        if any(out.touches(ref) for out in step.outputs for ref in refs)
    ]
    found: dict[str, Judged] = {}
    while wanted:
        key = wanted.pop()
        if key not in found:
            found[key] = steps[key]
            wanted += steps[key].made_from
    return found


def _spread(steps: Mapping[str, Judged]) -> None:
    """What was made from something stale is stale."""
    readers: dict[str, list[str]] = {}
    for key, step in steps.items():
        for writer in step.made_from:
            readers.setdefault(writer, []).append(key)
    level = [key for key, step in steps.items() if step.reasons]
    seen = set(level)
    while level:
        writer = level.pop()
        for key in readers.get(writer, ()):
            step = steps[key]
            for ref in step.made_from[writer]:
                step.reasons.setdefault((ref, False), "upstream stale")
            if key not in seen:
                seen.add(key)
                level.append(key)


def _in_order(steps: Mapping[str, Judged]) -> list[str]:
    """Each after those whose outputs it reads; a ring is cut at the step that began first."""
    waiting = {key: {w for w in step.made_from if w in steps} for key, step in steps.items()}
    readers: dict[str, list[str]] = {}
    for key, writers in waiting.items():
        for writer in writers:
            readers.setdefault(writer, []).append(key)
    ready = [(steps[key].info.start_time, key) for key, writers in waiting.items() if not writers]
    heapq.heapify(ready)
    order: dict[str, None] = {}
    while len(order) < len(steps):
        if not ready:
            ring = (key for key in steps if key not in order)
            first = min(ring, key=lambda k: (steps[k].info.start_time, k))
            heapq.heappush(ready, (steps[first].info.start_time, first))
        key = heapq.heappop(ready)[1]
        if key in order:
            continue
        order[key] = None
        for reader in readers.get(key, ()):
            waiting[reader].discard(key)
            if not waiting[reader] and reader not in order:
                heapq.heappush(ready, (steps[reader].info.start_time, reader))
    return list(order)


def _finished(step: Judged) -> StaleStep:
    return StaleStep(
        step=step.info,
        outputs=tuple(_sorted(step.outputs)),
        reasons=tuple(
            (ref, reason)
            for (ref, _), reason in sorted(
                step.reasons.items(), key=lambda item: (item[0][1], _key(item[0][0]))
            )
        ),
    )


def _sorted(refs: Iterable[ResourceRef]) -> list[ResourceRef]:
    return sorted(refs, key=_key)


def _key(ref: ResourceRef) -> tuple[str, str]:
    return ref.name, ref.subpath or ""
