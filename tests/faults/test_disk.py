"""Damaged, full and read-only disks: the right answer or one that names the file, no wrong one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.cli.terminals import DROP
from tests.faults.mounting import MOUNT
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.places import bring_back
from tests.faults.seeds import ALL, chosen, seed
from tests.faults.server import Server
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
DAMAGES = ("empty", "a third", "two thirds", "less two bytes", "a flipped bit")
DAMAGED = [(p, how) for p in METADATA for how in DAMAGES if chosen(f"disk: {p} {how}")]
# What is set for this copy alone is neither in git nor in the journal: it is believed.
FLIPPED = [p for p in METADATA if p not in ("local_params.json", "resource_local_params.json")]
FLIPS = 40 if seed() == ALL else 2  # of one file


@pytest.fixture(scope="module")
def place(server, tmp_path_factory) -> Trials:
    """A workspace that has been asked before."""
    trials = Trials(server, tmp_path_factory.mktemp("disk") / "place", Operation("disk", ["make"]))
    trials.make()
    trials.do(["dws", "config", "scratch_directory", "tmp"], ["dws", "tag", "V1", "again"])
    trials.do(*ASKED)
    shutil.rmtree(trials.kept)
    shutil.copytree(trials.place, trials.kept, symlinks=True)
    return trials


@pytest.fixture(scope="module")
def well(place) -> list[dict]:
    """What it answers when it is well."""
    bring_back(place.place, place.kept)
    return list(place.do(*ASKED).results)


def damaged(data: bytes, how: str) -> bytes:
    if how == "a flipped bit":
        return flipped(data, len(data) // 2, 0x80)
    sizes = {"empty": 0, "a third": len(data) // 3, "two thirds": 2 * len(data) // 3}
    return data[: sizes.get(how, len(data) - 2)]


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


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


def to_damage(place: Trials, pattern: str, well: list[dict]) -> tuple[Path, bytes, list[dict]]:
    """A file of a workspace that is well, its content, and what is answered before."""
    bring_back(place.place, place.kept)
    if "intent" in pattern:
        killed = place.do(["dws", "config", "hostname", "x"], ["dws", "tag", "V1", "b"])
        names = list(killed.points)
        at = names.index("intent names commit") + 1
        bring_back(place.place, place.kept)
        place.do(["dws", "config", "hostname", "x"], ["dws", "tag", "V1", "b"], kill=at)
    folder = place.root / ".dataworkspace"
    path = sorted(folder.glob(pattern))[0] if "*" in pattern else folder / pattern
    whole = path.read_bytes()
    if "intent" in pattern:  # which is done by then
        well = list(place.do(*ASKED).results)
        path.write_bytes(whole)
    return path, whole, well


@pytest.mark.parametrize(("pattern", "how"), DAMAGED)
def test_a_damaged_file_is_named_or_does_not_matter(place, well, pattern, how):
    path, whole, healthy = to_damage(place, pattern, well)
    path.write_bytes(damaged(whole, how))
    found = judge(place, healthy, path, how)
    if path.exists():
        path.write_bytes(whole)  # mended
        assert [r["status"] for r in place.do(*ASKED).results] == [0] * len(ASKED)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("pattern", FLIPPED)
def test_a_flipped_bit_that_leaves_sound_text_is_told_or_does_not_matter(place, well, pattern):
    path, whole, healthy = to_damage(place, pattern, well)
    random = Random(f"{seed()} {pattern}")
    found = []
    for _ in range(FLIPS):
        data = flipped(whole, random.randrange(len(whole)), 1 << random.randrange(7))
        path.write_bytes(data)
        found += [f"{data!r}: {what}" for what in judge(place, healthy, path, "a flipped bit")]
    if path.exists():
        path.write_bytes(whole)
        assert [r["status"] for r in place.do(*ASKED).results] == [0] * len(ASKED)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "pattern", ["dws-graph.json", "resources.json", "snapshot_metadata/*.json", "journal/*/*.jsonl"]
)
def test_doctor_tells_what_is_not_as_committed_and_how_to_get_it_back(place, well, pattern):
    path, whole, _ = to_damage(place, pattern, well)
    digit = max(whole.rfind(b"%d" % n) for n in range(10))
    path.write_bytes(flipped(whole, digit, 1))
    (checked,) = place.do(["dws", "doctor"]).results

    name = str(path.relative_to(place.root))
    assert checked["status"] == 1
    assert path.name in checked["out"] + checked["err"]
    subprocess.run(["git", "checkout", "-q", "HEAD", "--", name], cwd=place.root, check=True)
    assert place.do(["dws", "doctor"]).results[0]["status"] == 0


READ_ONLY = (
    *(".", ".dataworkspace", ".dataworkspace/local", ".dataworkspace/journal"),
    *(".dataworkspace/graph", ".dataworkspace/snapshots", ".git", ".git/objects", "results"),
)
NOT_WRITABLE = ("ermission", "cannot be written", "readonly")
OWN_CODE = ("results step", "results")  # there the code of the step itself cannot write
RECORDING = ("step", "results step", "run", "snapshot", "restore", "config", "tag")


@pytest.fixture(scope="module")
def unprivileged(tmp_path_factory) -> Iterator[Server]:
    """Runs commands as somebody whom permissions hold back."""
    made = Server(tmp_path_factory.mktemp("unprivileged") / "scratch", prefix=DROP)
    yield made
    made.close()


def to_close(name: str) -> list[str]:
    """The folders that are made read-only for an operation."""
    folders = [f for f in READ_ONLY if (name, f) != OWN_CODE]
    return [f for f in folders if chosen(f"disk: {name} {f}")]


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize("name", [name for name in RECORDING if to_close(name)])
def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_half_done(
    unprivileged, tmp_path, name
):
    (operation,) = (o for o in OPERATIONS if o.name == name)
    trials = Trials(unprivileged, tmp_path / "place", operation)
    trials.make()
    _, after = trials.listed()
    for folder in to_close(name):
        before = trials.begin()
        path = trials.root / folder
        mode = path.stat().st_mode
        path.chmod(0o555)
        ran = trials.do(operation.act)
        path.chmod(mode)
        said = ran.failed or "".join(r["err"] for r in ran.results if r)
        refused = ran.failed or any(r["status"] for r in ran.results if r)
        if refused:
            assert any(word in said for word in NOT_WRITABLE), (folder, said)
            assert str(trials.root) in said or folder in said, (folder, said)
            assert "internal error" not in said, (folder, said)
        trials.judge(f"{folder} read-only", before, after, trials.recover())
    assert not trials.tally.violations, "\n".join(trials.tally.violations)


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
    assert told == (0 if what == "gone" else 1)
    assert place.do(["dws", "doctor"]).results[0]["status"] == 0


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    at = tmp_path / "small"
    at.mkdir()
    subprocess.run([*MOUNT, str(at)], check=True)
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)


FULL = (
    ["dws", "tag", "V1", "full"],
    ["step", "{place}/ws"],
    ["dws", "snapshot", "V2"],
    ["dws", "--batch", "restore", "V1"],
)


@pytest.mark.needs("tmpfs")
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
