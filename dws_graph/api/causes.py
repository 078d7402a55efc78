"""Why a result is another than it was: root causes, nearest first, never their consequences.

    raw -> clean(factor 1 -> 2) -> data ~ -> train -> results ~
           the cause, 2 steps back    through data and train

From the result the walk goes up through versions that differ; what lies behind a version that
came out the same did not reach the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from dws_graph.api.differences import Comparison, is_known, told
from dws_graph.api.sides import Side
from dws_graph.api.version_files import VersionFiles, changed_files
from dws_graph.backends.views import StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.overlay import Difference, Overlay, Pair, overlay
from dws_graph.workspace.code_commits import CodeCommit
from dws_graph.workspace.comparing import FileChanges
from dws_graph.workspace.opened import OpenWorkspace

Kind = Literal[
    "step added",
    "step dropped",
    "parameter",
    "command",
    "code",
    "data",
    "inputs",
    "environment",
    "unexplained",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
VERSIONS: dict[Kind, str] = {"code": "code", "data": "input"}
OF_ONE_STEP: frozenset[Kind] = frozenset(
    {"parameter", "command", "step added", "step dropped", "inputs", "unexplained"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that changed, and from which other changes followed.

    Attributes:
        kind: What it is. `command`: the command line, beside parameters; `data`: data that no
            step wrote; `inputs`: a step reads more, or less; `unexplained`: a step made something
            else of the same.
        distance: Steps from the result up to it; 1 is the step that wrote the result, 0 the
            result itself, where no step wrote it.
        steps: Names of the steps that it acts on, nearest first.
        subject: The parameter, or the ref; of an environment nothing.
        a: The value, or the version, then.
        b: The same now. `not kept` or `pending` of a version: whether it is another is not known.
        commits: Of code, those that hold it, where they differ.
        files: Which files differ, where that is known.
        made_by: Of data: the step that wrote them then.
        left_by: Of data: the failed step that left them so.
        packages: Of an environment.
        through: The refs of the versions by which it reached the result, the result's last.
    """

    kind: Kind
    distance: int
    steps: tuple[str, ...]
    subject: str = ""
    a: Any = None
    b: Any = None
    commits: tuple[CodeCommit | None, CodeCommit | None] | None = None
    files: FileChanges | None = None
    made_by: str = ""
    left_by: str = ""
    packages: tuple[Difference, ...] = ()
    through: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether what is named is known to be another; else a version of it was not kept."""
        what = VERSIONS.get(self.kind, self.kind)
        return is_known(Difference(what, self.subject, self.a, self.b))

    def to_json(self) -> dict[str, Any]:
        """As `dws lineage explain --format json` has it."""
        return {
            "kind": self.kind,
            "distance": self.distance,
            "steps": list(self.steps),
            "subject": self.subject,
            "a": self.a,
            "b": self.b,
            "commits": [str(c) if c else None for c in self.commits] if self.commits else None,
            "files": None if self.files is None else dict(changed_files(self.files)),
            "made_by": self.made_by,
            "left_by": self.left_by,
            "packages": [{"name": d.name, "a": d.a, "b": d.b} for d in self.packages],
            "through": list(self.through),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Why a result differs from what it was.

    Attributes:
        label: The snapshot then.
        same: Whether the result itself is the same; None where nobody can tell.
        causes: Nearest first.
        absent: The snapshot had no results there, nor had any before it: nothing is compared.
    """

    label: str
    same: bool | None
    causes: tuple[Cause, ...]
    absent: bool = False


@dataclass(slots=True)
class _Walk:
    """How far each step is from the result, and through which versions it reaches it."""

    distance: dict[str, int] = field(default_factory=dict)
    through: dict[str, tuple[str, ...]] = field(default_factory=dict)


def since_in(ws: OpenWorkspace, a: Side, b: Side) -> Since:
    """Why the result of the second side differs from that of the first, both as they ran."""
    compared = Comparison(a, b)
    laid = overlay(a.subgraph, b.subgraph, compared)
    files = VersionFiles(ws, a, b)
    pairs = {pair.node.key: pair for pair in laid.pairs}
    roots = [pair for pair in laid.pairs if _is_root(pair, a, b)]
    differing = {
        key
        for key, pair in pairs.items()
        if pair.change != "same" and not files.differ_in_times_alone(pair, laid)
    }
    same = _same(roots, differing)
    # of what came out the same, all that changed is told: what lies behind an equal version, too
    way = set(pairs) if same else differing - _overwritten(laid)
    walk = _walked(laid, pairs, [pair.node.key for pair in roots], way)
    came_out_different = {
        e.source for e in laid.edges if e.type == "WROTE" and e.target in differing
    }
    found = [
        replace(cause, through=walk.through[key], distance=walk.distance[key])
        for key in walk.distance
        for cause in _of_step(pairs[key], compared, files)
        if cause.kind != "unexplained" or key in came_out_different
    ]
    found += _of_roots(roots, differing, compared, files)
    return Since(label=a.label, same=same, causes=tuple(_together(found)))


def _is_root(pair: Pair, a: Side, b: Side) -> bool:
    return bool((pair.a and pair.a.key in a.starts) or (pair.b and pair.b.key in b.starts))


def _of_roots(
    roots: Iterable[Pair], differing: set[str], compared: Comparison, files: VersionFiles
) -> Iterator[Cause]:
    """What is explained, where no step wrote it: it was changed itself."""
    then = {p.a.name: compared.a.certificates.get(p.a.key) for p in roots if p.a}
    for pair in roots:
        if pair.b is None or pair.node.key not in differing:
            continue
        before, after = then.get(pair.b.name), compared.b.certificates.get(pair.b.key)
        if before is None or after is None or compared.b.writer(after):
            continue
        kind: Kind = "code" if pair.b.properties.get("role") == "code" else "data"
        maker = compared.a.writer(before)
        one, two = told(before, after)
        yield Cause(
            kind=kind,
            distance=0,
            steps=(),
            subject=pair.b.name,
            a=one,
            b=two,
            files=files.between(before, after),
            made_by=maker.name if maker else "",
            left_by=files.left_by(after),
        )


def _same(roots: Iterable[Pair], differing: set[str]) -> bool | None:
    changed = [pair for pair in roots if pair.node.key in differing]
    if not changed:
        return True
    values = {value for pair in changed for d in pair.differences for value in (d.a, d.b)}
    return None if {"pending", "not kept"} & values else False


def _overwritten(laid: Overlay) -> set[str]:
    """Versions of which the next was made by hand: that is the cause, not who made the former."""
    written = {edge.target for edge in laid.edges if edge.type == "WROTE"}
    by_hand = {
        pair.node.name
        for pair in laid.pairs
        if pair.b is not None and pair.node.kind == "certificate" and pair.b.key not in written
    }
    gone = (pair.node for pair in laid.pairs if pair.change == "dropped")
    return {node.key for node in gone if node.name in by_hand}


def _walked(laid: Overlay, pairs: dict[str, Pair], roots: list[str], differing: set[str]) -> _Walk:
    """Steps by distance from the roots, going on only through versions that differ."""
    sources: dict[str, list[str]] = defaultdict(list)
    for edge in laid.edges:
        if edge.type in ("WROTE", "READ_BY"):
            sources[edge.target].append(edge.source)
    walk = _Walk()
    level: list[tuple[str, tuple[str, ...]]] = [(key, ()) for key in roots]
    seen = set(roots)
    while level:
        beyond: list[tuple[str, tuple[str, ...]]] = []
        for key, way in level:
            through = (pairs[key].node.name, *way)
            for step in sources[key]:
                if step in walk.distance or pairs[step].node.kind != "step":
                    continue
                walk.distance[step] = len(through)
                walk.through[step] = through
                for source in sources[step]:
                    if source in differing and source not in seen:
                        seen.add(source)
                        beyond.append((source, through))
        level = beyond
    return walk


def _of_step(pair: Pair, compared: Comparison, files: VersionFiles) -> Iterator[Cause]:
    """What changed about a step itself."""
    name = pair.node.name
    outputs = ", ".join(pair.node.properties.get("outputs") or ())
    if pair.a is None:
        yield _cause("step added", name, subject=outputs)
        return
    if pair.b is None:
        yield _cause("step dropped", name, subject=outputs)
        return
    a, b = compared.a.steps.get(pair.a.key), compared.b.steps.get(pair.b.key)
    if a is None or b is None or a.id == b.id:
        return
    if not pair.differences:
        yield _cause("unexplained", name, subject=outputs)
    packages = tuple(d for d in pair.differences if d.what in ("package", "environment"))
    if packages:
        yield _cause("environment", name, a=a.environment, b=b.environment, packages=packages)
    for d in pair.differences:
        if d.what == "parameter":
            yield _cause("parameter", name, subject=d.name, a=d.a, b=d.b)
        elif d.what == "command":
            yield _cause("command", name, a=d.a, b=d.b)
        elif d.what == "code":
            one, two = _of(a.code, d.name), _of(b.code, d.name)
            at = (compared.a.commit_of(a, one), compared.b.commit_of(b, two))
            commits = at if is_known(d) and at[0] != at[1] else None
            changed = files.between(one, two)
            yield _cause("code", name, d.name, d.a, d.b, commits=commits, files=changed)
        elif d.what == "input":
            yield from _of_input(d, a, b, compared, files)


def _of_input(
    d: Difference, a: StepInfo, b: StepInfo, compared: Comparison, files: VersionFiles
) -> Iterator[Cause]:
    before, after = _of(a.inputs, d.name), _of(b.inputs, d.name)
    if before is None or after is None:
        side, there = (compared.b, after) if before is None else (compared.a, before)
        # what a step made that is new, or gone, is said of that step
        other = compared.other(side)
        if there is not None and (not side.writer(there) or other.knows(there.ref)):
            yield _cause("inputs", b.name, d.name, d.a, d.b)
    elif not compared.b.writer(after):
        # else another version because its step made another one: followed further up
        maker, changed = compared.a.writer(before), files.between(before, after)
        made_by = maker.name if maker else ""
        left = files.left_by(after)
        found = _cause("data", b.name, d.name, d.a, d.b, files=changed, made_by=made_by)
        yield replace(found, left_by=left)
    elif not compared.a.writer(before):
        yield _cause("inputs", b.name, d.name, d.a, d.b)


def _cause(
    kind: Kind, step: str, subject: str = "", a: Any = None, b: Any = None, **more: Any
) -> Cause:
    return Cause(kind=kind, distance=0, steps=(step,), subject=subject, a=a, b=b, **more)


def _of(certificates: Iterable[Certificate], ref: str) -> Certificate | None:
    return next((c for c in certificates if str(c.ref) == ref), None)


def _together(causes: Iterable[Cause]) -> list[Cause]:
    """Nearest first; what acts on several steps (code, data, packages) once."""
    found: dict[object, Cause] = {}
    for cause in sorted(causes, key=lambda c: (c.distance, KINDS.index(c.kind))):
        key: object = (cause.kind, cause.subject, str(cause.a), str(cause.b), cause.commits)
        if cause.kind in OF_ONE_STEP:
            key = (key, cause.steps, cause.distance)
        if cause.kind == "code" and cause.subject:
            key = (cause.kind, cause.subject, str(cause.a), str(cause.b))
        if key in found:
            steps = tuple(dict.fromkeys([*found[key].steps, *cause.steps]))
            found[key] = replace(found[key], steps=steps)
        else:
            found[key] = cause
    return list(found.values())
