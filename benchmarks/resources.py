"""What a snapshot of 10,000 files of 10 KB costs, beside git, sha1sum, find and dvc.

    python benchmarks/resources.py

In the process, which is running already, `dws_graph.api.take_snapshot` (it opens the workspace,
too), each beside its peer on a copy of the same files, by turns:

- git-subdirectory: the first snapshot, and `git add -A` with `git commit`; an unchanged one, and
  `git status`;
- local-files with `--compute-hash`: the first, and `sha1sum` over two processes; an unchanged one,
  and `find -printf`.

Then whole commands: `dws add` with `dws snapshot` beside `dvc add`, and an unchanged `dws snapshot`
beside `dvc status`. DVC is installed from PyPI into build/dvc where it is not there yet.

Every first one is on fresh copies: their pages are cached, and written back by `sync` before the
clock starts; no peer has seen them. All are deleted at the end (1.3 GB a round): an ext4 without a
journal, as small virtual machines have it, gives no new file the inode of one deleted within a
minute, and looks at each of those for each file it makes (`recently_deleted` in Linux's
fs/ext4/ialloc.c). Prints least and median of some rounds. A ratio is that of the
least times, which what else runs on the machine disturbs least. Exits with status 1 when one is
above its limit. What a snapshot writes it waits for (fsync), as git does; what sha1sum prints is
nowhere: on a slow disk that is the difference, and `TMPDIR=/dev/shm` measures the work alone.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from dws_graph.api import take_snapshot
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.workspace import Workspace

FILES, SIZE, FOLDERS = 10_000, 10 * 1024, 100
DVC = Path(__file__).resolve().parent.parent / "build" / "dvc"
SHA1SUM = "find . -type f -print0 | xargs -0 -P2 -n 500 sha1sum"
FIND = ("find", ".", "-type", "f", "-printf", "%p %s %T@ %C@ %i\\n")
# A commit of so many files has git pack them, behind the back of whoever is measured next.
GIT_CONFIG = "[user]\n    name = B\n    email = b@example.com\n[gc]\n    auto = 0\n"


class Pair(NamedTuple):
    """One thing to measure: ours, a peer's, and how much more ours may take."""

    what: str
    peer: str
    limit: float


GIT_FIRST = Pair("git-subdirectory, first", "git add + commit", 1.2)
GIT_AGAIN = Pair("git-subdirectory, unchanged", "git status", 1.5)
FILES_FIRST = Pair("local-files, first", "sha1sum, 2 processes", 1.3)
FILES_AGAIN = Pair("local-files, unchanged", "find -printf", 3.0)
WHOLE_GIT = Pair("dws add git + snapshot", "dvc add", 1.0)
WHOLE_FILES = Pair("dws add local-files + snapshot", "dvc add", 1.0)
WHOLE_GIT_AGAIN = Pair("dws snapshot, git unchanged", "dvc status", 1.0)
WHOLE_FILES_AGAIN = Pair("dws snapshot, files unchanged", "dvc status", 1.0)


class Times:
    """The seconds of each pair, ours and the peer's."""

    def __init__(self) -> None:
        self.found: dict[Pair, tuple[list[float], list[float]]] = {}

    def measure(self, pair: Pair, ours: Callable[[], object], peer: Callable[[], object]) -> None:
        """Both once, in an order that changes."""
        mine, theirs = self.found.setdefault(pair, ([], []))
        turns = [(ours, mine), (peer, theirs)]
        for act, times in turns if len(mine) % 2 else reversed(turns):
            begin = time.perf_counter()
            act()
            times.append(time.perf_counter() - begin)

    def table(self) -> list[str]:
        """Prints all; what is above its limit."""
        print(f"{'':32}{'ours':>20}  {'':24}{'peer':>20}{'ratio':>9}{'limit':>7}")
        over = []
        for pair, (mine, theirs) in self.found.items():
            ratio = min(mine) / min(theirs)
            print(
                f"{pair.what:32}{_shown(mine)}  {pair.peer:24}{_shown(theirs)}"
                f"{ratio:8.2f}x{pair.limit:6.1f}x"
            )
            if ratio > pair.limit:
                over.append(f"{pair.what}: {ratio:.2f} times {pair.peer}, not {pair.limit}")
        print("each: least and median, in ms")
        return over


def _shown(times: Sequence[float]) -> str:
    return f"{min(times) * 1e3:10.1f}{statistics.median(times) * 1e3:10.1f}"


def run(cwd: Path, *command: str) -> None:
    """A peer, as a process of its own."""
    done = subprocess.run(command, cwd=cwd, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr.decode()}")


def make_files(folder: Path) -> None:
    """What is to be measured: random bytes, the same each time."""
    chance = random.Random(5)
    for i in range(FILES):
        path = folder / f"{i % FOLDERS:02}" / f"{i:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(SIZE))


class Place:
    """Fresh copies of the files, each in a folder of its own."""

    def __init__(self, source: Path, root: Path) -> None:
        self.source, self.root = source, root
        root.mkdir()

    def copy(self, name: str) -> Path:
        """The folder that holds a copy as `data`."""
        folder = self.root / name
        folder.mkdir()
        shutil.copytree(self.source, folder / "data")
        return folder

    def repository(self, name: str) -> Path:
        """The same, an empty git repository."""
        folder = self.copy(name)
        run(folder, "git", "init", "-q")
        return folder

    def workspace(self, name: str) -> Workspace:
        """The same, a workspace without resources."""
        return initialize(self.copy(name), name)

    def settle(self) -> None:
        """Have everything on disk, and older than what counts as just written."""
        os.sync()
        time.sleep(0.1)


def measure_git(times: Times, place: Place, again: int) -> None:
    """The git-subdirectory beside git."""
    peer, ws = place.repository("git"), place.workspace("git-ws")
    ws.add_resource("data", "git-subdirectory", "source-data", str(ws.root / "data"))
    ws.close()
    place.settle()
    times.measure(
        GIT_FIRST,
        lambda: take_snapshot(str(ws.root)),
        lambda: (run(peer, "git", "add", "-A"), run(peer, "git", "commit", "-qm", "first")),
    )
    take_snapshot(str(ws.root))
    place.settle()
    for _ in range(again):
        times.measure(
            GIT_AGAIN, lambda: take_snapshot(str(ws.root)), lambda: run(peer, "git", "status")
        )


def measure_files(times: Times, place: Place, again: int) -> None:
    """Local files beside sha1sum and find."""
    peer, ws = place.copy("sha1sum"), place.workspace("files-ws")
    shutil.move(ws.root / "data", place.root / "files")
    ws.add_resource("data", "file", "source-data", str(place.root / "files"), compute_hash=True)
    ws.close()
    place.settle()
    times.measure(
        FILES_FIRST, lambda: take_snapshot(str(ws.root)), lambda: run(peer, "sh", "-c", SHA1SUM)
    )
    take_snapshot(str(ws.root))
    place.settle()
    for _ in range(again):
        times.measure(FILES_AGAIN, lambda: take_snapshot(str(ws.root)), lambda: run(peer, *FIND))


def dws(root: Path, *args: str) -> None:
    """A whole command of ours."""
    run(root, sys.executable, "-m", "dws_graph", "--batch", *args)


def measure_commands(times: Times, place: Place, again: int) -> None:
    """Whole commands beside dvc."""
    dvc = str(DVC / "bin" / "dvc")
    pairs = {
        "git": (WHOLE_GIT, WHOLE_GIT_AGAIN),
        "local-files": (WHOLE_FILES, WHOLE_FILES_AGAIN),
    }
    for kind, (first, unchanged) in pairs.items():
        peer, root = place.repository(f"dvc-{kind}"), place.copy(f"dws-{kind}")
        run(peer, dvc, "init", "-q")
        dws(root, "init")
        add = ["add", kind, "--role", "source-data", "--name", "data", "data"]
        if kind == "local-files":
            shutil.move(root / "data", place.root / "plain")
            add[-1:] = ["--compute-hash", str(place.root / "plain")]
        place.settle()
        times.measure(
            first,
            lambda root=root, add=add: (dws(root, *add), dws(root, "snapshot")),
            lambda peer=peer: run(peer, dvc, "add", "-q", "data"),
        )
        dws(root, "snapshot")
        place.settle()
        for _ in range(again):
            times.measure(
                unchanged,
                lambda root=root: dws(root, "snapshot"),
                lambda peer=peer: run(peer, dvc, "status", "-q"),
            )


def install_dvc() -> None:
    """DVC, in an environment of its own."""
    if not (DVC / "bin" / "dvc").exists():
        print(f"installing dvc into {DVC}", flush=True)
        run(DVC.parent.parent, sys.executable, "-m", "venv", str(DVC))
        run(DVC, str(DVC / "bin" / "pip"), "install", "--quiet", "dvc")


def in_folder(folder: Path, rounds: int, again: int, *, with_dvc: bool) -> int:
    """Measures everything; the exit status."""
    (folder / "gitconfig").write_text(GIT_CONFIG)
    os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
    os.environ["DVC_NO_ANALYTICS"] = "1"
    make_files(folder / "source")
    times = Times()
    measures = [measure_git, measure_files, *([measure_commands] if with_dvc else [])]
    for n in range(rounds):
        for measure in measures:
            place = Place(folder / "source", folder / f"{measure.__name__}-{n}")
            measure(times, place, again)  # and deletes nothing, see above
    for line in (over := times.table()):
        print(f"above the limit: {line}")
    return int(bool(over))


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="of fresh copies")
    parser.add_argument("--again", type=int, default=7, help="unchanged ones in each round")
    parser.add_argument("--no-dvc", action="store_true", help="leave the whole commands out")
    args = parser.parse_args()
    if not args.no_dvc:
        install_dvc()
    with tempfile.TemporaryDirectory(prefix="dws-resources-") as folder:
        return in_folder(Path(folder), args.rounds, args.again, with_dvc=not args.no_dvc)


if __name__ == "__main__":
    sys.exit(main())
