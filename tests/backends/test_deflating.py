from __future__ import annotations

import os
import random

import pytest

from dws_graph.backends.git.command import MANY, Git
from dws_graph.backends.git.deflating import worth_deflating
from dws_graph.backends.git.index import ScratchIndex
from tests.resources.places import git, repository

DENSE = random.Random(1).randbytes(20_000)
TEXT = b"".join(b"%d,%d\n" % (i, i * i) for i in range(2_000))


def write_many(root, contents):
    """Files by turns of these contents, in two folders."""
    kinds = len(contents)
    names = [f"{n % 2}/{n:03}.{n % kinds}" for n in range(MANY)]
    for n, name in enumerate(names):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"%d" % n + contents[n % len(contents)])
    return [os.fsencode(name) for name in names]


@pytest.mark.parametrize(
    ("contents", "worth"),
    [
        ([DENSE], False),
        ([TEXT], True),
        ([DENSE] * 5 + [TEXT], True),
        ([b""], False),
        ([DENSE] * 21, True),
    ],
)
def test_files_that_do_not_get_smaller_are_not_worth_it(tmp_path, contents, worth):
    assert worth_deflating(tmp_path, write_many(tmp_path, contents)) is worth


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.symlink("/dev/zero", tmp_path / "link")

    assert not worth_deflating(tmp_path, [b"pipe", b"link", b"gone"])


@pytest.mark.parametrize(("content", "least", "most"), [(DENSE, 1.0, 1.1), (TEXT, 0.0, 0.7)])
def test_dense_files_are_kept_as_they_are_and_others_deflated(tmp_path, content, least, most):
    root = repository(tmp_path / "repo")
    names = write_many(root, [content])
    size = sum((root / os.fsdecode(name)).stat().st_size for name in names)

    with ScratchIndex(Git(root)) as index:
        index.add([""])
        tree = index.write_tree()

    packed = sum(path.stat().st_size for path in (root / ".git/objects/pack").glob("*.pack"))
    assert least <= packed / size <= most
    assert len(Git(root).ls_tree(tree)) == MANY
    git(root, "fsck", "--strict")
