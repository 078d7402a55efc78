"""What is in the workspace and not in its image, for people."""

from __future__ import annotations

from collections.abc import Iterator

from dws_graph.backends.git.filters import filtered_files
from dws_graph.errors import some_of
from dws_graph.model.facts import STEP_COMPLETED, Fact
from dws_graph.model.secrets import scrub_text
from dws_graph.resources.git import GitResource
from dws_graph.workspace import environment
from dws_graph.workspace.committing import sealed_segments
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.planning_images import Plan

_NOT_WITHIN = ("--ignore-submodules=all",)
_NEWEST = 1000  # steps that are looked at


def left_out(ws: OpenWorkspace, plan: Plan) -> tuple[str, ...]:
    """Each thing that is here and not in the image, in a sentence."""
    told = (
        *(_uncommitted(ws, plan), _unsealed(ws), _without_folder(ws, plan), _filtered(ws)),
        *(_other_packages(ws, plan), _of_the_machine(plan)),
    )
    return tuple(note for notes in told for note in notes)


def build_args() -> list[str]:
    """Environment variables of ours that the build is told: none that holds a password."""
    index = environment.pip_index_url()
    return ["PIP_INDEX_URL"] if index and scrub_text(index) == index else []


def _uncommitted(ws: OpenWorkspace, plan: Plan) -> Iterator[str]:
    changed = ["the workspace"] if ws.git.run("status", "--porcelain", *_NOT_WITHIN) else []
    changed += [r.name for r in plan.resources if isinstance(r, GitResource) and r.is_dirty()]
    if changed:
        verb = "has" if len(changed) == 1 else "have"
        yield f"{some_of(changed)} {verb} changes that are not committed, and not in the image"


def _unsealed(ws: OpenWorkspace) -> Iterator[str]:
    """Steps that are in no commit yet."""
    with ws.journal.locked():
        segments = sealed_segments(ws, ws.git.head(), ())
    facts = [Fact.from_line(line) for raw in segments.values() for line in raw.splitlines()]
    names = [f"'{fact.body.get('name')}'" for fact in facts if fact.kind == STEP_COMPLETED]
    if names:
        steps = "step" if len(names) == 1 else "steps"
        yield f"{steps} {some_of(names)} ran since the last commit: take a snapshot first"


def _without_folder(ws: OpenWorkspace, plan: Plan) -> Iterator[str]:
    known = plan.skipped | {resource.name for resource in plan.resources}
    for resource in ws.get_resources():
        if resource.name not in known and not resource.is_in_workspace():
            yield f"{resource.name} has no folder here: its content is not in the image"


def _filtered(ws: OpenWorkspace) -> Iterator[str]:
    for driver, files in filtered_files(ws.git).items():
        yield f"{some_of(files, 3)}: in the image as git has them, without the filter {driver}"


def _other_packages(ws: OpenWorkspace, plan: Plan) -> Iterator[str]:
    """Packages that steps last ran with, and the image will not have in that version."""
    if not plan.packages.complete:
        return
    last: dict[str, str] = {}  # {environment: a step that ran in it}
    seen: set[str] = set()
    for step in ws.index.steps(ws.id, status="completed", limit=_NEWEST):
        if step.name not in seen and step.environment:
            last.setdefault(step.environment, step.name)
        seen.add(step.name)
    for key, name in last.items():
        found = ws.index.environment(ws.id, key)
        if found and (lacking := plan.packages.lacking(found.packages)):
            yield (
                f"step '{name}' last ran with {some_of(lacking, 3)}, which are not installed "
                "here: --requirements FILE names what is to be in the image"
            )


def _of_the_machine(plan: Plan) -> Iterator[str]:
    if plan.packages.left_out:
        yield (
            "packages of the system's own package manager are left out: "
            f"{some_of(plan.packages.left_out)}; --requirements FILE names what is needed"
        )
    if (index := environment.pip_index_url()) and not build_args():
        yield f"PIP_INDEX_URL, {scrub_text(index)}, has a password, and is not handed on"
    if len(plan.identity) < 2:
        yield (
            "git does not know your name and e-mail address: to commit in containers, give "
            "--git-user-name and --git-user-email"
        )
