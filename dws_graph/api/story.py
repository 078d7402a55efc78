"""The facts about a result as sentences, as a colleague would tell them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dws_graph.api.causes import Since
from dws_graph.api.differences import flat
from dws_graph.api.reasons import why
from dws_graph.backends.views import EnvironmentInfo, StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.render.prose import Section, Sentence, joined, listing, names, sentence, short
from dws_graph.render.text import seconds, value_text

FEW, MANY = 6, 20


class ExplainedResult(NamedTuple):
    """What is explained: a version of a ref; `snapshots` that hold it, by tag or 7 digits."""

    ref: str
    hash: str | None
    status: str
    step: str | None
    snapshots: list[str]


class ExplainedSource(NamedTuple):
    """Data or code that no step wrote; `workspace` is another one that it comes from.

    Of code, `commit` holds it; `edited`: with edits since, or None: whether is not known.
    """

    ref: str
    kind: str
    role: str | None
    hash: str | None
    status: str
    version: int | None
    commit: str | None
    edited: bool | None
    workspace: str | None
    read_by: list[str]


class ExplainedStep(NamedTuple):
    """A step that the result goes back to; times are local."""

    name: str
    key: str
    start_time: str
    execution_time_seconds: float | None
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    inputs: list[dict[str, str | None]]
    code: list[dict[str, str | None]]
    outputs: list[dict[str, str | None]]
    commit: str | None
    command_line: list[str] | None
    environment: str | None
    python: str | None
    platform: str | None
    packages: int | None


def explained(step: StepInfo, env: EnvironmentInfo | None, start_time: str) -> ExplainedStep:
    """What is told of a step; `start_time` as it is to be read."""
    return ExplainedStep(
        name=step.name,
        key=step.id,
        start_time=start_time,
        execution_time_seconds=step.execution_time_seconds,
        parameters=dict(step.parameters),
        metrics=dict(step.metrics),
        inputs=[_certificate(c) for c in step.inputs],
        code=[_certificate(c) for c in step.code],
        outputs=[_certificate(c) for c in step.outputs],
        commit=step.commit,
        command_line=step.command_line,
        environment=step.environment,
        python=env.python if env else None,
        platform=env.platform if env else None,
        packages=len(env.packages) if env else None,
    )


def _certificate(cert: Certificate) -> dict[str, str | None]:
    return {"ref": str(cert.ref), "hash": cert.hash, "status": cert.status}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is told of a result.

    Attributes:
        ref: What it is.
        snapshot: Hash of the snapshot that it is explained in.
        results: Its versions: one, or that of each part.
        sources: What it goes back to that no step wrote.
        steps: In lineage order: the last one wrote it.
        unknown: What nobody can tell.
        holds: Whether it follows from what is on disk; None: it is not the current version.
        looked: Whether the files were looked at; else `holds` is by what is recorded alone.
        stale: (step, ref, reason) why it does not.
        commands: By which it can be had again.
        since: Why it is another than it was.
    """

    ref: str
    snapshot: str | None
    results: tuple[ExplainedResult, ...]
    sources: tuple[ExplainedSource, ...]
    steps: tuple[ExplainedStep, ...]
    unknown: tuple[Sentence, ...]
    holds: bool | None
    stale: tuple[tuple[str, str, str], ...]
    commands: tuple[str, ...]
    since: Since | None
    looked: bool = True


def sections_of(facts: Facts) -> list[Section]:
    """The story, the reason for telling it first."""
    found = []
    if facts.since is not None:
        found.append(why(facts.ref, facts.since))
    found.append(Section(heading="What it is", sentences=tuple(_what(facts))))
    told = {result.ref for result in facts.results if result.step is None}
    if made_from := tuple(_source(s) for s in facts.sources if s.ref not in told):
        found.append(Section(heading="What it was made from", sentences=made_from))
    if facts.steps:
        found.append(Section(heading="How it was made", numbered=tuple(map(_step, facts.steps))))
    if facts.unknown:
        found.append(Section(heading="What is not known", sentences=facts.unknown))
    found.append(Section(heading="Whether it still holds", sentences=tuple(_holds(facts))))
    if facts.steps:
        found.append(Section(heading="To get it again", commands=facts.commands))
    return found


# What it is


def _what(facts: Facts) -> Iterator[Sentence]:
    writers = {step.name: step for step in facts.steps}
    for result in facts.results:
        said = [_is(result)]
        step = _writer_of(result, facts.steps)
        if step is not None:
            said.append(_written(step))
        elif result.step is None:
            said.append(sentence("No recorded step wrote it."))
        yield joined(said)
    last = _writer_of(facts.results[0], facts.steps) if len(facts.results) == 1 else None
    if last is not None and last.metrics:
        yield _metrics(last.metrics)
    if facts.steps and writers:
        yield from _environments(facts.steps)


def _is(result: ExplainedResult) -> Sentence:
    if result.hash is None:
        how = "not in a snapshot yet" if result.status == "pending" else result.status
        return sentence("{} is " + how + ".", result.ref)
    said = sentence("{} has the hash {}", result.ref, short(result.hash))
    if not result.snapshots:
        return (*said, *sentence("."))
    word = "snapshot" if len(result.snapshots) == 1 else "snapshots"
    return (*said, *sentence(f" and is in {word} "), *names(result.snapshots), *sentence("."))


def _writer_of(result: ExplainedResult, steps: Sequence[ExplainedStep]) -> ExplainedStep | None:
    """The last step of that name that wrote the ref."""
    wrote = [s for s in steps if s.name == result.step and _has(s.outputs, result.ref)]
    return wrote[-1] if wrote else None


def _has(versions: Sequence[Mapping[str, str | None]], ref: str) -> bool:
    return any(version["ref"] == ref for version in versions)


def _written(step: ExplainedStep) -> Sentence:
    day, _, time = step.start_time.partition(".")[0].partition("T")
    took = seconds(step.execution_time_seconds)
    lasted = f", which took {took}" if took else ""
    return sentence(f"It was written by the step {{}} on {day} at {time}{lasted}.", step.name)


def _metrics(metrics: Mapping[str, Any]) -> Sentence:
    single = {k: v for k, v in metrics.items() if not isinstance(v, Mapping | list)}
    rest = [name for name in metrics if name not in single]
    pairs = [f"{name} {value_text(v, exact=False)}" for name, v in [*single.items()][:MANY]]
    said = (*sentence("Its metrics: "), *names(pairs))
    if rest:
        and_more = "and what is below " if pairs else "what is below "
        said = (*said, *sentence(", " * bool(pairs) + and_more), *names(rest))
    return (*said, *sentence("."))


def _environments(steps: Sequence[ExplainedStep]) -> Iterator[Sentence]:
    by_hash: dict[str | None, list[ExplainedStep]] = {}
    for step in steps:
        by_hash.setdefault(step.environment, []).append(step)
    for env, ran in by_hash.items():
        if env is None:
            continue
        by = list(dict.fromkeys(step.name for step in ran))
        who = sentence("All of it ran") if len(by_hash) == 1 else (*names(by), *sentence(" ran"))
        if ran[0].python is None:
            yield (*who, *sentence(" in the environment {}.", short(env)))
            continue
        template = f" with Python {{}} on {{}} and {ran[0].packages} packages."
        yield (*who, *sentence(template, ran[0].python, ran[0].platform or ""))


# What it was made from


def _source(source: ExplainedSource) -> Sentence:
    at = _version({"hash": source.hash, "status": source.status})
    what = "The code" if source.kind == "code" else "The data"
    said = sentence(what + " {}", source.ref)
    said = (*said, *sentence(" at "), *at)
    if source.commit and source.commit != source.hash:
        said = (*said, *sentence(" (" + _held(source.edited) + ")", short(source.commit)))
    if source.read_by:
        verb = ", run by " if source.kind == "code" else ", read by "
        said = (*said, *sentence(verb), *names(source.read_by))
    return (*said, *sentence("."))


def _held(edited: bool | None) -> str:
    if edited is None:
        return "the repository was at commit {}"
    return "the repository at commit {}" + ", with edits since" * edited


def _version(version: Mapping[str, str | None]) -> Sentence:
    if version["hash"]:
        return sentence("{}", short(version["hash"]))
    words = {"not kept": "a version that was not kept", "pending": "a version not in a snapshot"}
    return sentence(words.get(str(version["status"]), "a version that is not known"))


# How it was made


def _step(step: ExplainedStep) -> Sentence:
    said = sentence("Step {}", step.name)
    if step.inputs:
        said = (*said, *sentence(" read "), *_versions(step.inputs))
    if step.outputs:
        said = (*said, *sentence(" and" * bool(step.inputs) + " wrote "), *_versions(step.outputs))
    if step.parameters:
        pairs = [f"{k}={value_text(v)}" for k, v in flat(step.parameters).items()]
        shown = pairs[:MANY]
        said = (*said, *sentence(", with "), *names(shown, more=len(pairs) - len(shown)))
    return (*said, *sentence("."))


def _versions(versions: Sequence[Mapping[str, str | None]]) -> Sentence:
    said = [
        (*sentence("{} (", str(v["ref"])), *_version(v), *sentence(")")) for v in versions[:FEW]
    ]
    if left := len(versions) - len(said):
        said.append(sentence(f"{left} more"))
    return listing(said)


# Whether it still holds


def _holds(facts: Facts) -> Iterator[Sentence]:
    if facts.holds is None:
        yield sentence("This is not the version that is current now.")
    elif facts.holds:
        known = "is on disk as it was then" if facts.looked else "is recorded as it was then"
        yield sentence(f"It does: all that it was made from {known}.")
    else:
        now = "on disk" if facts.looked else "recorded as current"
        yield sentence(f"It does not follow any more from what is {now}:")
        for step, ref, reason in facts.stale:
            yield _stale(step, ref, reason)


def _stale(step: str, ref: str, reason: str) -> Sentence:
    words = {
        "input changed": "{} is another than step {} read.",
        "code changed": "the code {} is another than step {} ran.",
        "upstream stale": "{}, which step {} read, does not hold itself.",
        "output changed outside a step": "{} was changed after step {} wrote it.",
        "input not kept": "{} as step {} read it was not kept.",
        "step failed": "{} was left by step {}, which failed.",
    }
    return sentence("- " + words.get(reason, "{} of {}: " + reason + "."), ref, step)
