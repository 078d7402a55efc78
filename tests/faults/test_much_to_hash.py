"""A file of 5 GB, and 100,000 in one folder: how much memory it takes to hash them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.resources.places import write
from tests.rules.lab import sha1

MEASURED = """
import resource, sys
from pathlib import Path
from dws_graph.resources.hashing import hash_tree
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tree = hash_tree(Path(sys.argv[1]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(tree.root, (after - before) // 1024)
"""


def hashed_by_a_child(folder: Path) -> tuple[str, int]:
    """The hash of a folder, and by how many MB the memory of a process grew for it."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(folder)], check=True, capture_output=True, text=True
    )
    root, megabytes = done.stdout.split()
    return root, int(megabytes)


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in a file system that is not on a disk, where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as made:
        yield Path(made)


@pytest.mark.turns("much to hash")
def test_a_file_of_5_gb_takes_no_more_memory_than_a_small_one(tmp_path):
    write(tmp_path, "large", b"")
    os.truncate(tmp_path / "large", 5 << 30)

    root, megabytes = hashed_by_a_child(tmp_path)

    assert root == sha1(b"13edccc7871c2016fbe8a2a0d808e19a90fbfc63\tblob\tlarge\n")
    assert megabytes < 50


@pytest.mark.turns("much to hash")
def test_100_000_files_in_one_folder_are_hashed_in_little_memory(in_memory):
    content = [b"%d" % i for i in range(100)]
    for i, data in enumerate(content):
        write(in_memory, f"{i:03}-000", data)
        for n in range(1, 1000):
            os.link(in_memory / f"{i:03}-000", in_memory / f"{i:03}-{n:03}")

    root, megabytes = hashed_by_a_child(in_memory)

    lines = (f"{sha1(data)}\tblob\t{i:03}-{n:03}\n"
             for i, data in enumerate(content) for n in range(1000))  # fmt: skip
    assert root == sha1("".join(lines).encode())
    assert megabytes < 250
