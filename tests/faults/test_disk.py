"""Damaged and full disks: the right answer or an error that names the file, never a wrong answer.

A bit that is flipped makes no other sound text here: a value in a sound JSON file is believed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.operations import Operation
from tests.faults.places import bring_back
from tests.faults.seeds import chosen
from tests.faults.trials import Trials

ASKED = [
    ["dws", "report", "status"],
    ["dws", "report", "history"],
    ["dws", "show", "V1"],
    ["dws", "lineage", "upstream", "intermediate-data/clean"],
    ["dws", "diff", "V1"],
    ["dws", "steps"],
]
METADATA = (
    *("config.json", "dws-graph.json", "resources.json", "local_params.json"),
    *("resource_local_params.json", "local/instance.json"),
    *("local/intent.json", "snapshots/*.json", "snapshot_metadata/*.json"),
    *("snapshot_lineage/*/raw.json", "file/source-data/raw/[0-9a-f]*", "journal/*/*.jsonl"),
)
TRUNCATED = ("empty", "a third", "two thirds", "less two bytes", "a flipped bit")


@pytest.fixture(scope="module")
def place(server, tmp_path_factory) -> Trials:
    """A workspace, and what it answers when it is well."""
    trials = Trials(server, tmp_path_factory.mktemp("disk") / "place", Operation("disk", ["make"]))
    trials.make()
    trials.do(["dws", "config", "scratch_directory", "tmp"], ["dws", "tag", "V1", "again"])
    shutil.rmtree(trials.kept)
    shutil.copytree(trials.place, trials.kept, symlinks=True)
    return trials


def damaged(data: bytes, how: str) -> bytes:
    if how == "a flipped bit":
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 0x80]) + data[middle + 1 :]
    sizes = {"empty": 0, "a third": len(data) // 3, "two thirds": 2 * len(data) // 3}
    return data[: sizes.get(how, len(data) - 2)]


def judge(trials: Trials, healthy: list[dict], path: Path, how: str) -> list[str]:
    """What is wrong about the answers while a file is damaged."""
    found = []
    ran = trials.do(*ASKED)
    if ran.failed:
        return [ran.failed]
    for command, right, result in zip(ASKED, healthy, ran.results, strict=True):
        said = result["err"]
        about = f"{path.name}, {how}: {' '.join(command)}"
        if "internal error" in said or "Traceback" in said:
            found.append(f"{about}: {said}")
        elif result["status"]:
            if path.name not in said:
                found.append(f"{about}: an error that does not name it: {said}")
        elif result["out"] != right["out"] and path.name not in result["out"] + said:
            found.append(f"{about}: another answer: {result['out']}\n{said}\n{right['out']}")
    return found


@pytest.mark.parametrize("how", TRUNCATED)
@pytest.mark.parametrize("pattern", METADATA)
def test_a_damaged_file_is_named_or_does_not_matter(place, pattern, how):
    if not chosen(f"disk: {pattern} {how}"):
        return
    bring_back(place.place, place.kept)
    if "intent" in pattern:
        killed = place.do(["dws", "config", "hostname", "x"], ["dws", "tag", "V1", "b"])
        names = list(killed.points)
        at = names.index("intent names commit") + 1
        bring_back(place.place, place.kept)
        place.do(["dws", "config", "hostname", "x"], ["dws", "tag", "V1", "b"], kill=at)
    folder = place.root / ".dataworkspace"
    path = sorted(folder.glob(pattern))[0] if "*" in pattern else folder / pattern
    if not path.exists():
        pytest.fail(f"there is no {path}")
    whole = path.read_bytes()
    healthy = list(place.do(*ASKED).results) if "intent" not in pattern else None
    if healthy is None:
        kept = path.read_bytes()
        healthy = list(place.do(*ASKED).results)
        path.write_bytes(kept)
    path.write_bytes(damaged(whole, how))
    found = judge(place, healthy, path, how)
    if path.exists():
        path.write_bytes(whole)  # mended
        assert [r["status"] for r in place.do(*ASKED).results] == [0] * len(ASKED)
    assert not found, "\n".join(found)


def test_a_journal_torn_at_any_byte_of_its_last_line_goes_on(place):
    bring_back(place.place, place.kept)
    place.do(["step", "{place}/ws"])
    journal = place.root / ".dataworkspace/local/journal.jsonl"
    whole = journal.read_bytes()
    begin = whole.rstrip(b"\n").rfind(b"\n") + 1
    lengths = [n for n in range(begin, len(whole)) if chosen(f"disk: torn {n}", rare=True)]
    for length in lengths:
        bring_back(place.place, place.kept)
        for line in whole[:begin].splitlines():
            json.loads(line)
        journal.write_bytes(whole[:length])
        ran = place.do(["step", "{place}/ws"], ["dws", "doctor"])
        assert not ran.failed, (length, ran.failed)
        assert ran.results[1]["status"] == 0, (length, ran.results[1])
        lines = journal.read_bytes()
        assert lines.startswith(whole[:begin])
        assert all(json.loads(line)["seq"] for line in lines.splitlines())


@pytest.mark.parametrize("what", ["half", "gone", "garbage"])
@pytest.mark.parametrize("view", ["index.db", "cypher.kgl"])
def test_a_damaged_view_is_folded_again(place, view, what):
    bring_back(place.place, place.kept)
    query = ["dws", "lineage", "query", "MATCH (s:Step) RETURN s.name ORDER BY s.name"]
    healthy = place.do(query, *ASKED).results
    path = place.root / ".dataworkspace/graph" / view
    data = path.read_bytes()
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] if what == "half" else b"garbage" * 999)
    ran = place.do(query, *ASKED)
    assert not ran.failed, ran.failed
    assert [(r["status"], r["out"]) for r in ran.results] == [
        (r["status"], r["out"]) for r in healthy
    ]
    told = "".join(r["err"] for r in ran.results).count("folded again")
    assert told == (1 if view == "index.db" and what != "gone" else 0)
    assert place.do(["dws", "doctor"]).results[0]["status"] == 0


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    at = tmp_path / "small"
    at.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "dws-test", str(at)]
    if not mounted or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs root, and a tmpfs that can be mounted")
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)


FULL = (
    ["dws", "tag", "V1", "full"],
    ["step", "{place}/ws"],
    ["dws", "snapshot", "V2"],
    ["dws", "--batch", "restore", "V1"],
)


@pytest.mark.parametrize("act", FULL, ids=lambda act: "-".join(act[:3]).replace("/", ""))
def test_a_full_disk_is_said_and_nothing_is_half_done(server, small_disk, act):
    trials = Trials(server, small_disk / "place", Operation("full", act))
    trials.kept = small_disk.parent / "kept"
    trials.make()
    before = trials.see()
    ballast = small_disk / "ballast"
    fd = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(fd, b"\0" * 4096):
            pass
    os.close(fd)
    ran = trials.do(act)
    said = ran.failed or ran.results[0]["err"]
    assert "No space left" in said or "no space" in said.lower() or "full" in said.lower(), said
    assert "internal error" not in said
    ballast.unlink()
    checked = trials.do(["check", "{place}", str(trials.root)])
    assert not checked.failed, checked.failed
    now = checked.results[0]
    assert not now["faults"], now["faults"]
    assert set(before["journal"]) <= set(now["journal"])
    again = trials.do(act)
    assert not again.failed, again.failed
    assert again.results[0] is None or again.results[0]["status"] == 0, again.results
