"""What a snapshot of many local files keeps of their stats is what they are."""

from __future__ import annotations

import os
from pathlib import Path

from dws_graph.api import take_snapshot
from dws_graph.backends.index import Index
from dws_graph.resources.fingerprints import GRANULARITY, stat_key
from dws_graph.resources.many_files import MANY
from dws_graph.workspace import layout
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.stats import IndexStatCache
from tests.resources.places import write
from tests.rules.lab import sha1

PER_FOLDER = 300


def written(folder: Path) -> dict[bytes, bytes]:
    """More files than a few, some of names that are not plain; long enough ago to be trusted."""
    files = {b"%d/%04d" % (i // PER_FOLDER, i): b"%d" % i for i in range(MANY + 200)}
    files |= {b"0/n\xff.bin": b"x", b'1/odd\t"name"': b"y", b"top": b"z"}
    for name, data in files.items():
        write(folder, name, data)
        os.utime(os.path.join(os.fsencode(folder), name), ns=(10**18 + 1, 10**18 + 1))
    return files


def test_they_are_known_by_their_stats_and_edited_ones_are_not(tmp_path: Path):
    folder = tmp_path / "files"
    files = written(folder)
    (tmp_path / "ws").mkdir()
    ws = initialize(tmp_path / "ws", "ws")
    ws.add_resource("data", "file", "source-data", str(folder), compute_hash=True)
    ws.close()
    # their ctime is now: wait until a later write could not look the same
    _until_old(folder)

    first = take_snapshot(str(tmp_path / "ws"))
    base = os.path.join(os.fsencode(folder), b"")
    stats = {name: stat_key(os.stat(base + name)) for name in files}
    with Index(tmp_path / "ws" / layout.INDEX) as index, IndexStatCache(index, folder) as cache:
        known = {name: cache.get(base + name, stats[name]) for name in files}
        below = IndexStatCache(index, folder / "0").__enter__()
        part = {name: below.get(base + name, stats[name]) for name in files if name[:2] == b"0/"}

    assert known == {name: sha1(data) for name, data in files.items()}
    assert part == {name: known[name] for name in part}

    write(folder, b"0/0007", b"edited")
    second = take_snapshot(str(tmp_path / "ws"))
    assert second != first
    with Index(tmp_path / "ws" / layout.INDEX) as index, IndexStatCache(index, folder) as cache:
        assert cache.get(base + b"0/0007", stats[b"0/0007"]) is None
        assert cache.get(base + b"0/0008", stats[b"0/0008"]) == sha1(b"8")
    write(folder, b"0/0007", b"7")
    assert take_snapshot(str(tmp_path / "ws")) == first


def _until_old(folder: Path) -> None:
    """Until a file written now is newer than any in the folder by more than the clock's step."""
    newest = max(e.stat().st_ctime_ns for d in folder.iterdir() if d.is_dir() for e in d.iterdir())
    probe = folder.parent / "probe"
    while True:
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > newest + 2 * GRANULARITY:
            return
