"""Git, run through GitPython: lists of arguments, never a shell; bytes out, nothing stripped.

Hooks, file system monitors and command transports of a repository are never run. Paths are
relative to the repository's root, `/` between their parts, bytes that are not UTF-8 as lone
surrogates (PEP 383), and always literal: no path is ever taken for an option or a pattern.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, cast

from dws_graph.backends.faults import fault
from dws_graph.backends.git.plain_refs import head_ref, tip_named
from dws_graph.backends.git.remembering import Answers, is_lasting, repository_mark
from dws_graph.errors import GitError
from dws_graph.model.secrets import scrub_text

MINIMUM = (2, 28)

trace: Callable[[list[str]], None] | None = None
"""Called with each git command before it runs; the command line sets it for `--verbose`."""

_SETTINGS = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.quotePath=false"),
    *("core.fsync=committed", "core.pager=cat", "core.editor=true", "color.ui=false"),
    *("commit.gpgSign=false", "tag.gpgSign=false", "submodule.recurse=false"),
    # no transport but these, wherever a URL came from: `ext::` runs a command
    *("protocol.allow=never", "protocol.file.allow=always", "protocol.ssh.allow=always"),
    *("protocol.http.allow=always", "protocol.https.allow=always"),
)
_OPTIONS = [part for setting in _SETTINGS for part in ("-c", setting)]

# What a git hook or a shell may have set, and what would lead us to other files.
_CALLERS = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INDEX_VERSION", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR"),
    *("GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS"),
    *("GIT_ICASE_PATHSPECS", "GIT_NAMESPACE", "GIT_EXTERNAL_DIFF", "GIT_ALLOW_PROTOCOL"),
    *("GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE"),
)
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "LANGUAGE": "C"}
# Subcommands that we run to change a repository, whatever index they use.
_CHANGING = (
    *("add", "checkout", "checkout-index", "clone", "commit-tree", "fast-import", "fetch"),
    *("init", "push", "remote", "update-ref", "write-tree"),
)
# What says whom commits are by, and where that is read.
_NAMING = ("GIT_", "HOME", "XDG_CONFIG_HOME", "EMAIL")

_abouts: Answers[list[str]] = Answers()
_ids: Answers[str | None] = Answers()
_identities: Answers[bool] = Answers()
_roots: Answers[bool | None] = Answers()
_versions: Answers[str] = Answers()

LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
MANY = 64  # objects: then they go into one pack, synced once, rather than a file each
PACKING = "pack.compression=1"  # `git gc` packs tighter, when there is time
GITLINK = b"160000"  # the mode of a repository within another
PATHS_FROM_INPUT = ("--pathspec-from-file=-", "--pathspec-file-nul")


_EMPTY_TREES = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_PERMISSION = re.compile(r"[Pp]ermission")
_NAMELESS = re.compile(r"empty ident|identity unknown|auto-detect email|no (name|email) was given")
_LACKS = re.compile(r"(?<![\w./'\"-])(git-lfs|git-fat): (?:(?:command )?not found|No such file)")
_PROGRAMS = {"git-lfs": "apt-get install git-lfs", "git-fat": "it comes with dws-graph"}
_DAMAGED = re.compile(r"^git-fat: (.*)\n(?:hint: (.*))?", re.MULTILINE)
_EMPTY_REPOSITORY = re.compile(r"'(.+?)/?' does not have a commit checked out")
_LOCKED = re.compile(r"Unable to create '(.+\.lock)': File exists")


class GitCommandError(GitError):
    """Git said no; what was run, its exit status and all it said are attributes."""

    def __init__(self, args: Sequence[str], status: int, stderr: str) -> None:
        lacks, damaged = _LACKS.search(stderr), _DAMAGED.search(stderr)
        said = [line for line in stderr.splitlines() if line and not line.startswith("hint:")]
        said = [scrub_text(line) for line in said]
        telling = [line for line in said if line.startswith(("fatal:", "error:"))] or said
        # what git could not do comes last, and why it could not before that
        why = [line for line in telling if _PERMISSION.search(line)]
        why = why or [line for line in telling if _EMPTY_REPOSITORY.search(line)]
        last = (why or telling)[-1] if telling else f"exit status {status}"
        hint = ""
        if locked := _LOCKED.search(stderr):
            hint = f"If no git runs there, one was killed: delete {locked[1]}."
        elif lacks:
            last = f"it needs {lacks[1]}, which is not installed, or not on the PATH"
            hint = f"Install it, then try again: {_PROGRAMS[lacks[1]]}."
        elif empty := _EMPTY_REPOSITORY.search(last):
            last = f"{empty[1]} is a git repository of its own, without a commit"
            hint = "Delete its .git, or move it elsewhere, or name it in .gitignore."
        elif damaged:
            last, hint = damaged[1], damaged[2]
        super().__init__(f"git {args[0] if args else ''}: {last}", hint=hint)
        self.command = ["git", *args]
        self.status = status
        self.stderr = stderr


class Git:
    """A repository, or any folder that git is to be run in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(
        self,
        *args: str,
        input: bytes | None = None,
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (0,),
        settings: Sequence[str] = (),
    ) -> bytes:
        """What git prints.

        Args:
            args: Subcommand and arguments.
            input: For its standard input.
            env: More environment variables.
            ok: Exit statuses that are no failure.
            settings: More `NAME=VALUE` of its configuration.

        Raises:
            GitError: Git is missing, or ended with another status; names its own last line.
        """
        return self._run(args, input, env, ok, settings)[1]

    def succeeds(self, *args: str, env: Mapping[str, str] | None = None) -> bool:
        """Whether git ends with status 0 rather than 1."""
        return self._run(args, None, env, (0, 1))[0] == 0

    def text(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """What git prints, as text without the white space around it."""
        return decoded(self.run(*args, env=env)).strip()

    def _run(
        self,
        args: tuple[str, ...],
        data: bytes | None,
        env: Mapping[str, str] | None,
        ok: tuple[int, ...],
        settings: Sequence[str] = (),
    ) -> tuple[int, bytes]:
        if trace is not None:
            trace(["git", *args])
        if _changes(args, env or {}):
            fault(f"git: {args[0]}")
        if data is None:
            status, stdout, stderr = self._execute(args, None, env, settings)
        else:
            with tempfile.TemporaryFile() as stream:
                stream.write(data)
                stream.seek(0)
                status, stdout, stderr = self._execute(args, stream, env, settings)
        if status not in ok:
            if "lfs" in args:  # which tells on both what went wrong
                stderr = f"{decoded(stdout)}\n{stderr}"
            raise GitCommandError(args, status, stderr)
        return status, stdout

    def _execute(
        self,
        args: tuple[str, ...],
        stream: IO[bytes] | None,
        env: Mapping[str, str] | None,
        settings: Sequence[str],
    ) -> tuple[int, bytes, str]:
        try:
            import git
        except ImportError as e:  # GitPython looks for git when it is imported
            raise _missing() from e
        if not self.root.is_dir():
            raise GitError(f"the folder {self.root} does not exist")
        more = [part for setting in settings for part in ("-c", setting)]
        command = [git.Git.GIT_PYTHON_GIT_EXECUTABLE or "git", *_OPTIONS, *more, *args]
        if leaks := [name for name in _CALLERS if name in os.environ]:
            # GitPython always passes on os.environ, which other threads may be reading
            unset = [part for name in leaks for part in ("-u", name)]
            command = ["env", *unset, *_set(env), *command]
        try:
            result = git.Git(str(self.root)).execute(
                command,
                istream=stream,  # type: ignore[arg-type]  # a file, which is what Popen needs
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                env=_environment(env),
            )
        except git.exc.GitCommandNotFound as e:
            raise _missing() from e
        return cast(tuple[int, bytes, str], result)

    # Where we are

    @cached_property
    def _about(self) -> list[str]:
        """Its folder, its kind of hash, and the folder of its objects."""
        return _abouts.get(repository_mark(self.root), self._ask_about)

    def _ask_about(self) -> list[str]:
        asked = ("--absolute-git-dir", "--show-object-format", "--git-path", "objects")
        said = _line(self.run("rev-parse", *asked))
        return re.split(r"\n(sha1|sha256)\n", said, maxsplit=1)

    @property
    def folder(self) -> Path:
        """The repository's `.git` folder (a linked work tree's own)."""
        return Path(self._about[0])

    @property
    def objects(self) -> Path:
        """Where the repository's objects are."""
        return (self.root / self._about[2]).resolve()

    @property
    def empty_tree(self) -> str:
        """The id of the tree without entries, in this repository's kind of hash."""
        return _EMPTY_TREES[self._about[1]]

    def toplevel(self) -> Path | None:
        """The root of the repository that this folder lies in; None when in none."""
        try:
            return Path(_line(self.run("rev-parse", "--show-toplevel")))
        except GitCommandError as e:
            if "not a git repository" in e.stderr or "must be run in a work tree" in e.stderr:
                return None
            raise

    def is_repo_root(self) -> bool:
        """Whether this folder is the root of a repository's work tree."""
        return _roots.get(repository_mark(self.root), self._ask_is_root) or False

    def _ask_is_root(self) -> bool | None:
        """None, which is asked again, where it is not: it may become one."""
        top = self.toplevel() if self.root.is_dir() else None
        return (top is not None and top.resolve() == self.root.resolve()) or None

    def head(self) -> str | None:
        """The commit checked out; None before the first."""
        return self.object_id("HEAD^{commit}")

    def branch(self) -> str | None:
        """The branch checked out, also before its first commit; None when HEAD is detached."""
        ref = head_ref(self.root) or _line(self.run("symbolic-ref", "-q", "HEAD", ok=(0, 1)))
        return ref.removeprefix("refs/heads/") or None

    def remote_url(self, remote: str = "origin") -> str | None:
        """The URL of a remote as the repository's configuration has it; None without one."""
        return _line(self.run("config", "--get", f"remote.{remote}.url", ok=(0, 1))) or None

    def check_identity(self) -> None:
        """Find out, before anything changes, whether git knows whom commits are by.

        Raises:
            GitError: It does not; the hint has the two commands to type.
        """
        mark = repository_mark(self.root)
        names = {n: os.environ[n] for n in os.environ if n.startswith(_NAMING)}
        _identities.get(mark and (mark, *names.items()), self._ask_identity)

    def _ask_identity(self) -> bool:
        return all(self.identity(role) for role in ("COMMITTER", "AUTHOR"))

    def identity(self, role: str) -> str:
        """Name, address and time of a commit made now, as its header has them.

        Args:
            role: AUTHOR or COMMITTER.

        Raises:
            GitError: Git does not know the name; the hint has the two commands to type.
        """
        try:
            return _line(self.run("var", f"GIT_{role}_IDENT"))
        except GitCommandError as e:
            raise _nameless() from e

    # Names and content

    def ls_files(self, subdir: str = "") -> list[bytes]:
        """The files below `subdir` that git tracks, or would track if asked to add all.

        Relative to the repository's root, sorted, each once; a tracked one may be gone from
        disk; a repository within this one ends in `/`.
        """
        names = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", subdir)
        raw = self.run(*(names if subdir else names[:-2]), env=LITERAL)
        return sorted(set(raw.split(b"\0")) - {b""})

    def ls_tree(self, tree: str, folder: str = "") -> dict[bytes, tuple[str, str]]:
        """Mode and id of each file in a tree or commit, below it, or a folder, at any depth."""
        files: dict[bytes, tuple[str, str]] = {}
        args = ("ls-tree", "-r", "-z", "--full-tree", tree, "--", folder)
        raw = self.run(*(args if folder else args[:-2]), env=LITERAL)
        for entry in raw.split(b"\0")[:-1]:
            about, name = entry.split(b"\t", 1)
            mode, _, oid = about.decode("ascii").split(" ")
            files[name] = (mode, oid)
        return files

    def changed(self, old: str, new: str) -> dict[bytes, tuple[str, str] | None]:
        """The files that differ between two commits: mode and id in the old one, None for none."""
        how = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--full-index")
        raw = self.run(*how, "--ignore-submodules=none", old, new).split(b"\0")[:-1]
        found: dict[bytes, tuple[str, str] | None] = {}
        for about, name in zip(raw[::2], raw[1::2], strict=True):
            mode, _, oid, _, _ = about.decode("ascii").lstrip(":").split(" ")
            found[name] = None if set(oid) == {"0"} else (mode, oid)
        return found

    def nested(self, old: str | None, new: str, folder: str = "") -> list[str]:
        """Repositories below a folder that a commit names otherwise than an earlier one did.

        Of such a one git keeps the commit that it is at, and none of its files.
        """
        if old == new:
            return []
        how = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--ignore-submodules=none")
        below = ("--", folder) if folder else ()
        raw = self.run(*how, old or self.empty_tree, new, *below, env=LITERAL).split(b"\0")[:-1]
        pairs = zip(raw[::2], raw[1::2], strict=True)
        return [decoded(name) for about, name in pairs if about.split(b" ")[1] == GITLINK]

    def names_in(self, tree: str, folder: str, env: Mapping[str, str] | None = None) -> list[str]:
        """The names directly in a folder of a tree or commit; none where it is no folder."""
        below = f"{folder.rstrip('/')}/" if folder else ""
        args = ("ls-tree", "-z", "--name-only", "--full-tree", tree, "--", below)
        raw = self.run(*(args if below else args[:-2]), env={**(env or {}), **LITERAL})
        return [decoded(name)[len(below) :] for name in raw.split(b"\0")[:-1]]

    def object_id(self, name: str) -> str | None:
        """The id of `REVISION` or `REVISION:PATH`; None when there is none."""
        return _ids.get(self._lasting(name), lambda: self._ask_object_id(name))

    def _lasting(self, name: str) -> Hashable | None:
        """What stands for a name of an object in this repository, where it is for ever the same."""
        mark = repository_mark(self.root) if is_lasting(name) else None
        return mark and (mark, name)

    def _ask_object_id(self, name: str) -> str | None:
        if (tip := tip_named(self.root, name)) is not None:
            return tip
        raw = self.run("rev-parse", "-q", "--verify", "--end-of-options", name, ok=(0, 1))
        # before 2.30 the marker itself is printed
        return _line(raw).removeprefix("--end-of-options\n") or None

    def has_commit(self, commit: str) -> bool:
        """Whether the repository holds this commit (a full id)."""
        return _hex(commit) and self.object_id(f"{commit}^{{commit}}") is not None

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` has `older` in its history."""
        return self.succeeds("merge-base", "--is-ancestor", older, newer)

    def cat(self, revision: str, path: str) -> bytes | None:
        """The content of a file in a commit or tree; None when it has no such file."""
        name = f"{revision}:{path}"
        if _hex(revision):
            status, data = self._run(("cat-file", "blob", name), None, None, (0, 128))
            if status == 0:
                return data
        oid = self.object_id(name)  # git's status does not tell what is the matter
        if oid is None or self.text("cat-file", "-t", oid) != "blob":
            return None
        return self.run("cat-file", "blob", oid)

    def cats(self, revision: str, paths: Iterable[str]) -> dict[str, bytes | None]:
        """The content of many files in a commit or tree, by path, with one run of git."""
        asked = list(dict.fromkeys(paths))
        listed = [path for path in asked if "\n" not in path]  # which git's list is separated by
        objects = self.each_object([f"{revision}:{path}" for path in listed])
        found = {
            path: bytes(data) if kind == "blob" else None
            for path, (kind, data) in zip(listed, objects, strict=True)
        }
        return {path: found[path] if path in found else self.cat(revision, path) for path in asked}

    def each_object(self, names: Sequence[str]) -> Iterator[tuple[str | None, memoryview]]:
        """Kind and content of many objects, with one run of git; None of those that are nowhere.

        Args:
            names: Ids, or `REVISION:PATH`; none with a line feed.
        """
        listed = encoded("".join(f"{name}\n" for name in names))
        raw = self.run("cat-file", "--batch", input=listed) if names else b""
        view, at = memoryview(raw), 0
        for _ in names:
            end = raw.index(b"\n", at)
            if raw.endswith(b" missing", at, end):
                yield None, view[:0]
                at = end + 1
                continue
            _, kind, size = raw[at:end].split(b" ")
            at = end + 1 + int(size) + 1
            yield decoded(kind), view[end + 1 : at - 1]

    def tree_of(self, commit: str, subpath: str | None = None) -> str | None:
        """The id of a commit's (or tree's) tree or of what it has at `subpath`; None: nothing."""
        return self.object_id(f"{commit}:{subpath}" if subpath else f"{commit}^{{tree}}")

    def write_blob(self, data: bytes) -> str:
        """Keep some bytes; their id."""
        return decoded(self.run("hash-object", "-w", "--stdin", input=data)).strip()

    def write_blobs(self, many: Sequence[bytes]) -> list[str]:
        """Keep many pieces with one run of git; their ids."""
        if len(many) < 2:
            return [self.write_blob(data) for data in many]
        if len(many) >= MANY:
            return self._write_pack(many)
        with tempfile.TemporaryDirectory(prefix="dws-") as folder:
            paths = [os.path.join(folder, str(i)) for i in range(len(many))]
            for path, data in zip(paths, many, strict=True):
                Path(path).write_bytes(data)
            listed = "\n".join(paths).encode()
            raw = self.run("hash-object", "-w", "--no-filters", "--stdin-paths", input=listed)
        return raw.decode("ascii").split()

    def _write_pack(self, many: Sequence[bytes]) -> list[str]:
        """The same in one file, which is synced once."""
        pieces = (
            b"blob\nmark :%d\ndata %d\n%b\n" % (n, len(data), data)
            for n, data in enumerate(many, 1)
        )
        with tempfile.TemporaryDirectory(prefix="dws-") as folder:
            marks = Path(folder) / "marks"
            how = ("fast-import", "--quiet", "--done", "--depth=0", f"--export-marks={marks}")
            packed = ("fastimport.unpackLimit=1", PACKING)
            self.run(*how, input=b"".join((*pieces, b"done\n")), settings=packed)
            lines = (line.split(" ") for line in marks.read_text("ascii").splitlines())
            ids = {int(mark.removeprefix(":")): oid for mark, oid in lines}
        return [ids[n] for n in range(1, len(many) + 1)]

    def blob_id(self, data: bytes) -> str:
        """The id that a blob has, or would have, in this repository's kind of hash."""
        digest = hashlib.new(self._about[1], b"blob %d\0" % len(data), usedforsecurity=False)
        digest.update(data)
        return digest.hexdigest()

    # What changes the repository

    def commit_tree(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Make a commit as an object only: no branch names it."""
        given = [part for parent in parents for part in ("-p", parent)]
        try:
            raw = self.run("commit-tree", tree, *given, "-F", "-", input=encoded(message))
        except GitCommandError as e:
            if _NAMELESS.search(e.stderr):
                raise _nameless() from e
            raise
        commit = decoded(raw).strip()
        self.know_tree(commit, tree)
        return commit

    def know_tree(self, commit: str, tree: str) -> None:
        """Take it from git that this is the tree of a commit."""
        _ids.know(self._lasting(f"{commit}^{{tree}}"), tree)

    def update_ref(self, ref: str, new: str, old: str | None, *, reason: str = "dws") -> None:
        """Move a branch (or `HEAD`, or a full ref) from `old` (None: not there yet) to `new`.

        Raises:
            GitError: It is no longer at `old`: somebody else committed meanwhile.
        """
        name = ref if ref == "HEAD" or ref.startswith("refs/") else f"refs/heads/{ref}"
        self.run("update-ref", "-m", reason, name, new, old or "0" * len(new))


def check_git() -> None:
    """Find out whether git is there and new enough.

    Raises:
        GitError: It is missing, or older than 2.28.
    """
    said = _versions.get(os.environ.get("PATH"), lambda: Git(Path(os.sep)).text("--version"))
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < MINIMUM:
        raise GitError(
            f"'{said}' is too old", hint=f"Install git {MINIMUM[0]}.{MINIMUM[1]} or later."
        )


def decoded(raw: bytes) -> str:
    """What git printed, as text that `encoded` turns into the same bytes."""
    return raw.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """A path or message as git takes it."""
    return text.encode("utf-8", "surrogateescape")


def nul_separated(paths: Iterable[str | bytes]) -> bytes:
    """Paths as git reads them from its standard input."""
    return b"".join((p if isinstance(p, bytes) else encoded(p)) + b"\0" for p in paths)


def _changes(args: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a command changes a repository: more than a scratch index, or scratch objects."""
    if "GIT_OBJECT_DIRECTORY" in env:
        return False
    if args[0] in ("reset", "update-index"):
        return "GIT_INDEX_FILE" not in env
    if args[0] == "config":
        return not any(arg.startswith("--get") for arg in args)
    return args[0] in _CHANGING or args[:2] == ("hash-object", "-w")


def _nameless() -> GitError:
    return GitError(
        "git does not know your name and e-mail address, which each commit carries",
        hint='Type: git config --global user.name "Your Name" and '
        'git config --global user.email "you@example.com".',
    )


def _line(raw: bytes) -> str:
    return decoded(raw).removesuffix("\n")


def _hex(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", text) is not None


def _set(env: Mapping[str, str] | None) -> list[str]:
    return [f"{name}={value}" for name, value in _environment(env).items()]


def _environment(env: Mapping[str, str] | None) -> dict[str, str]:
    """What git is given: programs that came with us, `git-fat`, are found wherever they are."""
    path = os.environ.get("PATH", os.defpath)
    own = os.path.dirname(sys.executable)
    if own and own not in path.split(os.pathsep):
        path = f"{path}{os.pathsep}{own}" if path else own
    return {"PATH": path, **_ENVIRONMENT, **(env or {})}


def _missing() -> GitError:
    return GitError(
        "git is not installed, or not on the PATH",
        hint=f"Install git {MINIMUM[0]}.{MINIMUM[1]} or later: https://git-scm.com/downloads.",
    )
