"""Filter drivers, git-lfs for example, in a repository that was cloned: none runs unasked.

A commit says which of its files go through a filter of the user's own configuration, and what the
filter is given. In a repository that we cloned, the attributes of `.git/info` say that no file
does, to plain git commands too. Once drivers are allowed, this line goes, and a file that the
repository's configuration includes makes all others do nothing.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from dws_graph.backends.files import make_folder, write_atomic
from dws_graph.backends.git.command import Git, GitCommandError, decoded, nul_separated
from dws_graph.backends.git.pointers import FAT, LFS, is_pointer
from dws_graph.errors import GitError

DEFINITIONS: dict[str, dict[str, str]] = {
    LFS: {
        "clean": "git-lfs clean -- %f",
        "smudge": "git-lfs smudge -- %f",
        "process": "git-lfs filter-process",
        "required": "true",
    },
    # required: else git would take the content itself wherever git-fat is not found
    FAT: {
        "clean": "git-fat filter-clean",
        "smudge": "git-fat filter-smudge",
        "required": "true",
    },
}
"""The drivers that are known without git's configuration, as their makers set them."""

KEY = "dws.filters"  # in a clone's configuration: the drivers that are allowed
NONE = b"* -filter\n"
INCLUDED = "dws-filters"
_UNNAMED = ("unspecified", "unset", "set", "")


def keep_filters_out(git: Git) -> None:
    """Let no filter run in a repository that has just been cloned, until one is allowed."""
    _write(git, ())
    git.run("config", KEY, "")


def let_run(git: Git, drivers: Collection[str]) -> None:
    """Let some of `DEFINITIONS` run in a new copy that goes elsewhere, where git knows none."""
    for driver in drivers:
        configure(git, driver)
    git.run("config", KEY, " ".join(sorted(drivers)))


def allowed_filters(git: Git) -> tuple[str, ...] | None:
    """The drivers that may run in a repository; None in one that we did not clone: all may."""
    raw = git.run("config", "--local", "--get", KEY, ok=(0, 1))
    return tuple(decoded(raw).split()) if raw else None


def known_filters(git: Git) -> set[str]:
    """The drivers that git's configuration has, of the user, the system or the repository."""
    names = git.run("config", "-z", "--name-only", "--get-regexp", r"^filter\..", ok=(0, 1))
    keys = [key for key in decoded(names).split("\0") if key.count(".") > 1]
    return {key.split(".", 1)[1].rpartition(".")[0] for key in keys}


def filtered_files(git: Git) -> dict[str, list[str]]:
    """The tracked files that attributes send through a filter, by driver; allowed or not."""
    names = git.run("ls-files", "-z")
    with tempfile.TemporaryDirectory(prefix="dws-") as folder:
        # a repository without attributes of its own: ours would hide those of the files
        Path(folder, "HEAD").write_text("ref: refs/heads/main\n")
        for name in ("objects", "refs"):
            Path(folder, name).mkdir()
        env = {"GIT_DIR": folder, "GIT_WORK_TREE": str(git.root)}
        raw = git.run("check-attr", "-z", "--stdin", "filter", input=names, env=env)
    fields = decoded(raw).split("\0")[:-1]
    found: dict[str, list[str]] = {}
    for path, driver in zip(fields[::3], fields[2::3], strict=True):
        if driver not in _UNNAMED:
            found.setdefault(driver, []).append(path)
    return found


def allow_filters(git: Git, allowed: Collection[str]) -> list[str]:
    """Say which drivers may run in a repository that we cloned, and bring its files to that.

    Files that the user has changed stay as they are. In other repositories nothing is done.

    Args:
        git: The repository.
        allowed: The drivers; no other one runs.

    Returns:
        The files that are written anew: with their content, or as what git has of them.

    Raises:
        GitError: A filter failed; all is as before.
    """
    before = allowed_filters(git)
    if before is None:
        return []
    turned = {*before} ^ {*allowed}
    paths = [p for driver, some in filtered_files(git).items() if driver in turned for p in some]
    changed = set(_changed(git))
    paths = [path for path in paths if path not in changed]
    try:
        _set(git, allowed, paths)
    except GitCommandError as e:
        _set(git, before, paths)
        raise GitError(
            f"a filter of {', '.join(sorted(turned))} failed in {git.root}: {e.message}",
            hint="The files are as they were. Mend what it says, then try again.",
        ) from e
    return paths


def configure(git: Git, driver: str) -> None:
    """Set a driver up in this repository alone, as its makers would."""
    for key, value in DEFINITIONS[driver].items():
        git.run("config", "--local", f"filter.{driver}.{key}", value)


def pointers_on_disk(git: Git, drivers: Collection[str]) -> list[str]:
    """The files that are here as pointers, where one of these filters would bring the content."""
    found = filtered_files(git) if drivers else {}
    files = [path for driver in drivers for path in found.get(driver, ())]
    return [path for path in files if is_pointer(git.root / path)]


def fill(git: Git, paths: Collection[str]) -> None:
    """Write files that are here as pointers with their content.

    Raises:
        GitError: A filter failed; the files that lack their content are pointers as before.
    """
    try:
        _write_anew(git, paths)
    except GitCommandError:
        for path in paths:
            if not os.path.lexists(git.root / path):
                (git.root / path).write_bytes(git.cat("", path) or b"")
        raise


def _set(git: Git, allowed: Collection[str], paths: Collection[str]) -> None:
    _write(git, allowed)
    git.run("config", KEY, " ".join(sorted(allowed)))
    _write_anew(git, paths)


def _write_anew(git: Git, paths: Collection[str]) -> None:
    """Write files again as the index has them, through the filters that may run."""
    for path in paths:
        _make_old(git.root / path)
    if names := nul_separated(paths):
        # git looks at the new times of these files, too, or each would seem to be changed
        git.run("checkout-index", "--force", "--index", "-z", "--stdin", input=names)


def _make_old(path: Path) -> None:
    """Give a file another time, or git would not write it: it has it as it is in the index."""
    with contextlib.suppress(FileNotFoundError):  # a filter that failed has taken it away
        found = path.lstat()
        times = (found.st_atime_ns, found.st_mtime_ns + 1_000_000_000)
        os.utime(path, ns=times, follow_symlinks=False)


def _changed(git: Git) -> list[str]:
    """Tracked files that are not as the index has them, or are not there."""
    raw = git.run("diff", "--name-only", "-z", "--no-ext-diff", "--no-renames")
    return decoded(raw).split("\0")[:-1]


def _write(git: Git, allowed: Collection[str]) -> None:
    """Write both files: with no driver allowed, the attributes are enough, whatever comes."""
    attributes = git.folder / "info" / "attributes"
    make_folder(attributes.parent)
    own = attributes.read_bytes() if attributes.exists() else b""
    own = b"".join(line for line in own.splitlines(keepends=True) if line != NONE)
    # before the user's own lines, which so can say otherwise
    write_atomic(attributes, NONE + own)
    if not allowed:
        return
    file = git.folder / INCLUDED
    if file.exists():
        write_atomic(file, b"")  # what is known without it
    known = known_filters(git)
    text = _idle(sorted(known - {*allowed}))
    for driver in sorted(({*allowed} & DEFINITIONS.keys()) - known):
        text += _section(driver, DEFINITIONS[driver])
    write_atomic(file, text.encode("utf-8", "surrogateescape"))
    included = git.run("config", "--local", "--get-all", "include.path", ok=(0, 1))
    if INCLUDED not in decoded(included).split("\n"):
        git.run("config", "--add", "include.path", INCLUDED)
    write_atomic(attributes, own)


def _idle(drivers: Iterable[str]) -> str:
    """Configuration in which drivers do nothing."""
    nothing = {"clean": "", "smudge": "", "process": "", "required": "false"}
    return "".join(_section(driver, nothing) for driver in drivers)


def _section(driver: str, settings: Mapping[str, str]) -> str:
    name = driver.replace("\\", "\\\\").replace('"', '\\"')
    return f'[filter "{name}"]\n' + "".join(
        f"\t{key} = {value}\n" for key, value in settings.items()
    )
