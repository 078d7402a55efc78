"""A commit of known files, by one run of `git fast-import`.

As `commit-tree` would make it of an index with these files, without an index: a process instead
of six, and all objects in one file, synced once, where there are many.
Source: git-fast-import(1).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from dws_graph.backends.git.command import MANY, PACKING, Git, encoded
from dws_graph.backends.git.index import FILE
from dws_graph.errors import GitError


def commit_with(
    git: Git,
    parent: str,
    files: Mapping[str, bytes],
    message: str,
    who: Sequence[str] | None = None,
) -> str:
    """Make a commit as an object only: of what its parent holds, and these files.

    Args:
        git: The repository.
        parent: The id of a commit.
        files: Content by path from the root; whatever is there is replaced.
        message: Of the commit.
        who: What `author_and_committer` said, where that was asked already.

    Raises:
        GitError: Git knows no name, or cannot write; the message holds a NUL.
    """
    if "\0" in message:
        raise GitError("the message of a commit holds a NUL", hint="Leave it out.")
    how = ("fast-import", "--quiet", "--done", "--depth=0")
    # few objects become files of their own: a repository gets slow with many small packs
    settings = (f"fastimport.unpackLimit={MANY}", PACKING)
    # it makes no commit that no name has: this one has it until the stream ends
    ref = f"refs/dws/{secrets.token_hex(8)}".encode()
    author, committer = map(encoded, who or author_and_committer(git))
    stream = b"".join(
        (
            b"commit %b\nmark :1\nauthor %b\ncommitter %b\n" % (ref, author, committer),
            _data(encoded(message).rstrip(b"\n") + b"\n"),
            b"from %b\n" % encoded(parent),
            *_modified(files),
            b'get-mark :1\nls :1 ""\nreset %b\ndone\n' % ref,
        )
    )
    commit, about = git.run(*how, input=stream, settings=settings).decode("ascii").split("\n")[:2]
    git.know_tree(commit, about.split()[2])
    return commit


def _modified(files: Mapping[str, bytes]) -> Iterator[bytes]:
    for path, data in files.items():
        yield b"M %b inline %b\n" % (FILE.encode(), _quoted(encoded(path)))
        yield _data(data)


def _data(data: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(data), data)


def _quoted(path: bytes) -> bytes:
    """A path as C has strings."""
    plain = (chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in path)
    return f'"{"".join(plain)}"'.encode("ascii")


def author_and_committer(git: Git) -> Sequence[str]:
    """By whom, and when, a commit made now is."""
    with ThreadPoolExecutor(2, thread_name_prefix="dws-who") as pool:
        return list(pool.map(git.identity, ("AUTHOR", "COMMITTER")))
