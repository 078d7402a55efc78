"""git-fat's filters: what they write, byte for byte."""

from __future__ import annotations

import io
import subprocess
import sys
from hashlib import sha1
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.backends.git import fat
from dws_graph.backends.git.pointers import Pointer, pointer_in


def cleaned(data: bytes, store: Path) -> bytes:
    target = io.BytesIO()
    fat.clean(io.BytesIO(data), target, store)
    return target.getvalue()


def smudged(data: bytes, store: Path) -> tuple[bytes, str | None]:
    target = io.BytesIO()
    missing = fat.smudge(io.BytesIO(data), target, store)
    return target.getvalue(), missing


NEAR = b"#$# git-fat da39a3ee5e6b4b0d3255bfef95601890afd80709                    0"
CONTENT = st.one_of(st.binary(max_size=200), st.sampled_from([NEAR, NEAR + b"\n\n", NEAR[:53]]))


@given(CONTENT)
def test_what_was_cleaned_is_smudged_to_the_same(tmp_path_factory: pytest.TempPathFactory, data):
    store = tmp_path_factory.mktemp("store")
    name = sha1(data).hexdigest()

    line = cleaned(data, store)

    assert (
        line == b"#$# git-fat " + name.encode() + b" " + str(len(data)).rjust(20).encode() + b"\n"
    )
    assert smudged(line, store) == (data, None)
    assert cleaned(line, store) == line
    assert [path.name for path in store.iterdir()] == [name]
    assert (store / name).stat().st_mode & 0o222 == 0


def test_both_kinds_of_placeholder_are_known(tmp_path: Path):
    digest = "a" * 40
    for line in (f"#$# git-fat {digest}\n", f"#$# git-fat {digest} {7:20d}\n"):
        assert fat.digest_in(line.encode()) == digest
        assert smudged(line.encode(), tmp_path) == (line.encode(), digest)
        assert cleaned(line.encode(), tmp_path / "none") == line.encode()
    assert not (tmp_path / "none").exists()
    for line in (f"#$# git-fat {'A' * 40}\n", "#$# git-fat ../../etc/passwd\n", "#$# git-fat \n"):
        assert fat.digest_in(line.encode()) is None


def test_a_file_of_many_blocks(tmp_path: Path):
    data = bytes(range(256)) * 20_000  # 5 MB
    assert smudged(cleaned(data, tmp_path), tmp_path) == (data, None)


def test_damaged_content_is_an_error(tmp_path: Path):
    line = cleaned(b"content", tmp_path)
    [file] = tmp_path.iterdir()
    file.chmod(0o644)
    file.write_bytes(b"changed")
    with pytest.raises(fat.DamagedError, match=file.name):
        smudged(line, tmp_path)


def test_the_filter_imports_nothing_slow():
    code = (
        "import sys, dws_graph.cli.git_fat; "
        "print([m for m in ('click', 'git', 'rich', 'dws_graph.workspace') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_pointers_of_git_lfs_are_known():
    oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
    head = b"version https://git-lfs.github.com/spec/v1\n"
    tail = f"oid sha256:{oid}\nsize 12345\n".encode()
    assert pointer_in(head + tail) == Pointer("lfs", oid)
    assert pointer_in(head + b"ext-0-foo sha256:" + oid.encode() + b"\n" + tail) is not None
    assert pointer_in(b"x" + head + tail) is None
    assert pointer_in(head) is None
