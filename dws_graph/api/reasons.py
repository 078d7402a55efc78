"""Why a result is another than it was, as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dws_graph.api.causes import Cause, Kind, Since
from dws_graph.model.overlay import Difference
from dws_graph.render.prose import Section, Sentence, joined, listing, names, sentence, short
from dws_graph.render.text import value_text
from dws_graph.workspace.code_commits import CodeCommit
from dws_graph.workspace.comparing import FileChanges

FEW = 6


def why(ref: str, since: Since) -> Section:
    """The causes, nearest first; or that nothing changed, was there, or can be told."""
    heading = f"Why it differs from {since.label}"
    if since.absent:
        said = "{} had no results there; what follows is how {} came about."
        return Section(heading=heading, sentences=(sentence(said, since.label, ref),))
    causes = tuple(_cause(c, ref, reached=not since.same) for c in since.causes)
    if since.same:
        heading = f"What changed since {since.label}"
        if not causes:
            said = "Nothing: {} is the same, and so is all that it was made from."
        elif any(cause.is_known for cause in since.causes):
            said = "{} came out the same, although this changed:"
        else:
            said = "{} is the same; of what it was made from, this is not known:"
        return Section(heading=heading, sentences=(sentence(said, ref),), numbered=causes)
    if not causes:
        said = "What made {} another is not known: versions on the way to it were not kept."
        return Section(heading=heading, sentences=(sentence(said, ref),))
    said = "Because of this, the nearest first:" if len(causes) > 1 else "Because of this:"
    if since.same is None:
        said = "Whether it does is not known: a version was not kept. What changed:"
    return Section(heading=heading, sentences=(sentence(said),), numbered=causes)


def _cause(cause: Cause, ref: str, *, reached: bool) -> Sentence:
    said = _CAUSES[cause.kind](cause) if cause.is_known else _unknown(cause)
    way = cause.through[:-1]
    if not way:
        return said
    if not reached:
        return (*said, *sentence(f" That is {cause.distance} steps back."))
    where = sentence(f" That is {cause.distance} steps back; it reached {{}} through ", ref)
    return (*said, *where, *names(way), *sentence("."))


def _unknown(cause: Cause) -> Sentence:
    """Of versions of which one was not kept: they may be equal."""
    verb = " ran" if cause.kind == "code" else " read"
    said = sentence("Whether {} is another is not known: ", cause.subject)
    by = names(cause.steps[:FEW], more=len(cause.steps) - FEW)
    if not by:
        return (*said, *sentence("a version of it was not kept."))
    return (*said, *sentence("a version that "), *by, *sentence(verb + " was not kept."))


def _command(cause: Cause) -> Sentence:
    step, a, b = cause.steps[0], value_text(cause.a), value_text(cause.b)
    return sentence("The command line of step {} went from {} to {}.", step, a, b)


def _parameter(cause: Cause) -> Sentence:
    step, name = cause.steps[0], cause.subject
    if cause.a is None or cause.b is None:
        word = "has a new parameter" if cause.a is None else "no longer has the parameter"
        value = value_text(cause.b if cause.a is None else cause.a)
        return sentence(f"Step {{}} {word}, {{}}.", step, f"{name}={value}")
    a, b = value_text(cause.a), value_text(cause.b)
    return sentence("The parameter {} of step {} went from {} to {}.", name, step, a, b)


def _code(cause: Cause) -> Sentence:
    what = "The code {} changed" if ":/" in cause.subject else "The code resource {} changed"
    said = sentence(what, cause.subject)
    if cause.commits is not None:
        said = (*said, *sentence(" (commit {} to {})", *map(_commit, cause.commits)))
    return joined([(*said, *_files(cause)), _acts_on(cause, "ran it")])


def _commit(at: CodeCommit | None) -> str:
    if at is None:
        return "none"
    return short(at.commit) + (" with edits" if at.edited else "")


def _data(cause: Cause) -> Sentence:
    if cause.left_by:
        said = sentence("{} was left by step {}, which failed", cause.subject, cause.left_by)
    elif cause.made_by:
        template = "{} was changed outside any step (step {} had written it before)"
        said = sentence(template, cause.subject, cause.made_by)
    else:
        template = "The data {} changed ({} to {})"
        said = sentence(template, cause.subject, _told(cause.a), _told(cause.b))
    return joined([(*said, *_files(cause)), _acts_on(cause, "read it")])


def _files(cause: Cause) -> Sentence:
    files = cause.files
    if not files or files == FileChanges(changed=(cause.subject.partition(":/")[2],)):
        return sentence(".")  # a single file is named already
    kinds = (("changed", files.changed), ("added", files.added), ("removed", files.removed))
    parts = [
        (*names(files_of_it[:FEW], more=len(files_of_it) - FEW), *sentence(f" {word}"))
        for word, files_of_it in kinds
        if files_of_it
    ]
    return (*sentence(": "), *joined(parts, "; "), *sentence("."))


def _acts_on(cause: Cause, verb: str) -> Sentence:
    if not cause.steps:
        return sentence("No step wrote it.")
    said = names(cause.steps[:FEW], more=len(cause.steps) - FEW)
    word = "Step " if len(cause.steps) == 1 else "Steps "
    return (*sentence(word), *said, *sentence(f" {verb}."))


def _inputs(cause: Cause) -> Sentence:
    step, ref = cause.steps[0], cause.subject
    if cause.a is None:
        return sentence("Step {} now reads {} as well.", step, ref)
    if cause.b is None:
        return sentence("Step {} no longer reads {}.", step, ref)
    template = "{}, which step {} reads, is made by a step now; before, none made it."
    return sentence(template, ref, step)


def _environment(cause: Cause) -> Sentence:
    changes = [d for d in cause.packages if d.a is not None and d.b is not None]
    others = [d for d in cause.packages if d not in changes]
    said = [_package(d) for d in [*changes, *others][:FEW]]
    if left := len(cause.packages) - len(said):
        said.append(sentence(f"{left} more"))
    changed = (*sentence("The environment changed: "), *listing(said), *sentence("."))
    return joined([changed, _acts_on(cause, "ran in it")])


def _package(d: Difference) -> Sentence:
    if not d.name:
        return sentence("{} to {} (what each holds is not known here)", *map(_told, (d.a, d.b)))
    if d.a is None:
        return sentence("{} {} is new", d.name, str(d.b))
    if d.b is None:
        return sentence("{} {} is gone", d.name, str(d.a))
    return sentence("{} from {} to {}", d.name, str(d.a), str(d.b))


def _added(cause: Cause) -> Sentence:
    if not cause.subject:
        return sentence("The step {} is new.", cause.steps[0])
    return sentence("The step {} is new; it wrote {}.", cause.steps[0], cause.subject)


def _dropped(cause: Cause) -> Sentence:
    if not cause.subject:
        return sentence("The step {} is no longer part of it.", cause.steps[0])
    return sentence(
        "The step {}, which wrote {}, is no longer part of it.", cause.steps[0], cause.subject
    )


def _unexplained(cause: Cause) -> Sentence:
    return sentence(
        "Step {} wrote something else to {} with the same data, code, parameters and environment: "
        "that is unexplained. It depends on chance (a seed that is not set), or on something that "
        "is not recorded.",
        cause.steps[0],
        cause.subject,
    )


_CAUSES: Mapping[Kind, Callable[[Cause], Sentence]] = {
    "parameter": _parameter,
    "command": _command,
    "code": _code,
    "data": _data,
    "inputs": _inputs,
    "environment": _environment,
    "step added": _added,
    "step dropped": _dropped,
    "unexplained": _unexplained,
}


def _told(value: Any) -> str:
    return "none" if value is None else short(str(value))
