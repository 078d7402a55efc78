"""What is in the workspace and not in its image, for people."""

from __future__ import annotations

from collections.abc import Iterator

from dws_graph.backends.git.command import decoded
from dws_graph.backends.git.filters import allowed_filters, filtered_files
from dws_graph.backends.git.large import may_run
from dws_graph.backends.git.pointers import DRIVERS
from dws_graph.errors import some_of
from dws_graph.model.facts import STEP_COMPLETED, Fact
from dws_graph.model.secrets import scrub_text
from dws_graph.resources.git import GitResource
from dws_graph.workspace import environment
from dws_graph.workspace.committing import sealed_segments
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.params import FILTERS
from dws_graph.workspace.planning_images import Plan
from dws_graph.workspace.reading import is_changed
from dws_graph.workspace.snapshots import latest, manifest_of

_NOT_WITHIN = ("--ignore-submodules=all",)
_NEWEST = 1000  # steps that are looked at


def left_out(ws: OpenWorkspace, plan: Plan) -> tuple[str, ...]:
    """Each thing that is here and not in the image, in a sentence."""
    told = (
        *(_uncommitted(ws, plan), _unsealed(ws), _changed(ws, plan), _without_folder(ws, plan)),
        *(_filtered(ws, plan), _other_packages(ws, plan), _of_the_machine(plan)),
    )
    return tuple(note for notes in told for note in notes)


def build_args() -> list[str]:
    """Environment variables of ours that the build is told: none that holds a password."""
    index = environment.pip_index_url()
    return ["PIP_INDEX_URL"] if index and scrub_text(index) == index else []


def _uncommitted(ws: OpenWorkspace, plan: Plan) -> Iterator[str]:
    raw = ws.git.run("status", "--porcelain", "-z", "--no-renames", *_NOT_WITHIN)
    files = [decoded(entry)[3:] for entry in raw.split(b"\0")[:-1]]
    if files:
        verb = "is" if len(files) == 1 else "are"
        yield f"{some_of(files, 3)} {verb} not committed as here, and so not in the image"
    changed = [r.name for r in plan.resources if isinstance(r, GitResource) and r.is_dirty()]
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


def _changed(ws: OpenWorkspace, plan: Plan) -> Iterator[str]:
    """Folders that go along as they are, and are not as the newest snapshot has them."""
    newest = latest(ws)
    if newest is None:
        return
    hashes = {params["name"]: params.get("hash") for params in manifest_of(ws, newest.hashval)}
    folders = [r for r in plan.resources if not isinstance(r, GitResource)]
    changed = [r.name for r in folders if is_changed(ws, r, hashes.get(r.name))]
    if changed:
        verb = "is" if len(changed) == 1 else "are"
        yield f"{some_of(changed)} {verb} in the image as here, not as in the last snapshot"


def _without_folder(ws: OpenWorkspace, plan: Plan) -> Iterator[str]:
    """Those that are elsewhere altogether tell for themselves."""
    known = plan.skipped | {resource.name for resource in plan.resources}
    for resource in ws.get_resources():
        left = resource.name not in known and not resource.is_in_workspace()
        if left and resource.local_path is not None:
            yield f"{resource} has no folder here: its content is not in the image"


def _filtered(ws: OpenWorkspace, plan: Plan) -> Iterator[str]:
    """Files that filters would write otherwise which do not run in the image."""
    places = [("", ws.git)]
    places += [(f"{r.name}/", r.git) for r in plan.resources if isinstance(r, GitResource)]
    for below, git in places:
        may, allowed = may_run(git), allowed_filters(git)
        for driver, files in filtered_files(git).items():
            if driver in may:
                continue
            told = some_of([below + file for file in files], 3)
            told += f": in the image as git has them, without the filter {driver}"
            if driver in DRIVERS and allowed is not None and driver not in allowed:
                wanted = ",".join(dict.fromkeys([*ws.get_local_param(FILTERS), driver]))
                told += f"; to have their content, first type dws config {FILTERS} {wanted}"
            yield told


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
