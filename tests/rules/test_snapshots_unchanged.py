"""Rule 4: nothing changed. Where nothing has happened at all, a snapshot writes nothing."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dws_graph.errors import DwsError
from dws_graph.resources.fingerprints import racily_clean
from dws_graph.workspace import layout
from tests.rules.lab import Lab, files_below

NOTEBOOK = '{"cells": [{"cell_type": "code", "source": "1", "outputs": [%s]}]}'


@pytest.fixture
def settled(lab: Lab) -> Lab:
    """With a snapshot, whose files were all written some time before."""
    lab.write("raw:/sub/b.csv", "b\n")
    lab.write("raw:/n.ipynb", NOTEBOOK % "1")
    for name in ("elsewhere", "other"):
        (lab.place / name).write_text(name)
    (lab.path("raw") / "link").symlink_to(lab.place / "elsewhere")
    lab.results_step(["raw"], {"accuracy": 0.5})
    lab.snapshot("V1")
    settle(lab)
    return lab


def settle(lab: Lab) -> None:
    """A snapshot that notes what it found: no file was written just before."""
    files = [os.stat(path) for path in lab.path("raw").rglob("*")]
    while any(racily_clean(status, time.time_ns()) for status in files):
        pass
    lab.snapshot()
    assert (lab.root / layout.TAKEN).exists()


def everything(lab: Lab) -> tuple[str, dict[str, bytes], str]:
    kept = files_below(lab.root / ".dataworkspace", but=[".dataworkspace/graph"])
    return lab.git("rev-parse", "HEAD"), kept, lab.git("status", "--porcelain")


def in_place(path: Path) -> None:
    """Other content, as long, under the same time."""
    before = path.stat()
    path.write_bytes(bytes(reversed(path.read_bytes())).swapcase() or b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def relink(link: Path, target: Path) -> None:
    link.unlink()
    link.symlink_to(target)


def test_rule_4_where_nothing_happened_nothing_is_written(settled):
    before, facts = everything(settled), len(settled.facts())

    again = settled.snapshot(message="no news")

    assert (again.is_new, again.tags, again.notes) == (False, ("V1",), ())
    assert everything(settled) == before
    assert len(settled.facts()) == facts


CHANGES: dict[str, Callable[[Lab], object]] = {
    "raw, as long": lambda lab: in_place(lab.path("raw:/a.csv")),
    "raw, deeper": lambda lab: in_place(lab.path("raw:/sub/b.csv")),
    "raw, one more": lambda lab: lab.write("raw:/sub/c.csv", "c\n"),
    "raw, one less": lambda lab: lab.path("raw:/a.csv").unlink(),
    "raw, renamed": lambda lab: lab.path("raw:/a.csv").rename(lab.path("raw:/z.csv")),
    "raw, a notebook's output": lambda lab: lab.write("raw:/n.ipynb", NOTEBOOK % "2"),
    "raw, what the link leads to": lambda lab: (lab.place / "elsewhere").write_text("2"),
    "raw, the link": lambda lab: relink(lab.path("raw") / "link", lab.place / "other"),
    "raw, an empty folder": lambda lab: (lab.path("raw") / "empty").mkdir(),
    "code, as long": lambda lab: in_place(lab.path("code:/prep.py")),
    "code, one more": lambda lab: lab.write("code:/sub/new.py", "n = 2\n"),
    "code, staged": lambda lab: (lab.write("code:/prep.py", "2\n"), lab.git("add", "-A")),
    "code, committed": lambda lab: (
        lab.write("code:/prep.py", "2\n"),
        lab.git("commit", "-qam", "mine"),
    ),
    "code, one less": lambda lab: lab.path("code:/prep.py").unlink(),
    "results": lambda lab: lab.write("results:/more.txt", "more\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_rule_4_whatever_changed_makes_a_new_snapshot(settled, change):
    CHANGES[change](settled)
    taken = settled.snapshot()
    assert taken.is_new
    assert settled.status() == ""


def test_rule_4_what_is_written_right_after_a_snapshot_is_found_each_time(lab):
    lab.snapshot("V1")
    paths = [lab.path("raw:/a.csv"), lab.path("code:/prep.py")]
    for i in range(12):
        with open(paths[i % 2], "r+b", buffering=0) as file:
            file.write(b"%02d" % i)
        assert lab.snapshot().is_new
    assert not lab.snapshot().is_new


def test_rule_4_a_step_is_sealed_also_when_no_file_changed(settled):
    settled.step("look", ["raw"])
    assert settled.snapshot().is_new is False
    assert '"name":"look"' in settled.git("show", "HEAD")


def test_rule_4_a_commit_elsewhere_or_a_branch_left_is_seen(settled):
    settled.git("checkout", "-q", "--detach")
    with pytest.raises(DwsError, match="detached"):
        settled.snapshot()


def test_rule_4_a_folder_that_is_gone_is_named_also_without_news(settled):
    shutil.rmtree(settled.raw)
    with pytest.raises(DwsError, match="raw"):
        settled.snapshot()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"instance": 1}', None])
def test_rule_4_the_note_may_be_lost_or_damaged(settled, text):
    note = settled.root / layout.TAKEN
    if text is None:
        note.write_text(note.read_text().replace('"files": {', '"files": {"raw": 3, '))
    else:
        note.write_text(text)
    assert settled.snapshot().is_new is False


def test_rule_4_a_copied_folder_does_not_believe_the_note_of_the_first(settled, tmp_path):
    shutil.copytree(settled.root, tmp_path / "copy", symlinks=True)
    copy = Lab.at(tmp_path / "copy")
    assert copy.snapshot().is_new is False
    assert copy.snapshot().is_new is False
    assert copy.status() == ""
    copy.close()
