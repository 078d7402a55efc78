"""What holds for a resource of any type: one suite of journeys, and what a type needs to run it.

A type is described by a `Kind` and a class of tests that names it:

    class TestBuckets(Contract):
        kind = BucketKind()

Everything goes through `dws` and the API, on real content.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dws_graph.lineage import LineageBuilder, ResourceRef
from dws_graph.resources import registry
from dws_graph.workspace import FileResourceMixin, Resource, Workspace, find_and_load_workspace
from tests.cli.conftest import Dws, Ran
from tests.rules.lab import git

NAME = "thing"
KILLED = """
import os, sys
from dws_graph.backends import faults
from dws_graph.cli.running import run
point = sys.argv[1]
faults.hook = lambda name: os._exit(99) if name == point else None
run(sys.argv[2:], "dws")
"""


class Kind(ABC):
    """A resource type, and content for it in versions: the same number is the same content.

    Attributes:
        resource_type: As in resources.json.
        refused_roles: Roles that it cannot have.
        part: A path in it that each version changes; None for a type without subpaths.
        still: One that no version changes.
        lists_files: `dws diff` names the files (or what it has in their place) that differ.
        comes_back: `dws restore` brings its content back.
        is_shared: A clone, after `dws pull`, has the content of the last push.
        same_again: Content that is written again as it was once is known again.
        known_in_clone: What a clone holds can be told there.
    """

    resource_type: str
    refused_roles: Sequence[str] = ()
    part: str | None = None
    still: str | None = None
    lists_files = True
    comes_back = True
    is_shared = True
    same_again = True
    known_in_clone = True

    @abstractmethod
    def create(self, root: Path) -> list[str]:
        """Make content, version 1, for the workspace at `root`.

        Returns:
            The words after `dws add`, but for `--role` and `--name`.
        """

    @abstractmethod
    def write(self, root: Path, version: int) -> None:
        """Make the content of the resource in the workspace at `root` this version."""

    @abstractmethod
    def read(self, root: Path) -> int | None:
        """Which version is there; None for none."""


@dataclass
class Journey:
    """A workspace with a resource of a kind, and the things that are asked of it."""

    kind: Kind
    root: Path
    dws: Dws
    patch: pytest.MonkeyPatch

    def at(self, root: Path) -> Journey:
        """The same in another copy of the workspace."""
        return Journey(self.kind, root, self.dws, self.patch)

    def run(self, *args: str) -> Ran:
        self.patch.chdir(self.root)
        return self.dws.run("--batch", *args)

    def __call__(self, *args: str) -> Ran:
        ran = self.run(*args)
        assert ran.status == 0, (args, ran)
        return ran

    def json(self, *args: str) -> Any:
        return json.loads(self.run(*args, "--format", "json").out)

    def refused(self, *args: str) -> str:
        ran = self.run(*args)
        assert (ran.status, ran.out) == (1, ""), (args, ran)
        assert "Traceback" not in ran.err
        return ran.err

    def killed(self, point: str, *args: str) -> None:
        """A command whose process ends at a fault point; nobody cleans up."""
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        words = [sys.executable, "-c", KILLED, point, "--batch", *args]
        ran = subprocess.run(words, cwd=self.root, env=env, capture_output=True, check=False)
        assert ran.returncode == 99, ran

    def write(self, version: int) -> None:
        self.kind.write(self.root, version)

    def read(self) -> int | None:
        return self.kind.read(self.root)

    def opened(self) -> closing[Workspace]:
        return closing(find_and_load_workspace(True, False, str(self.root)))

    def use(self, ref: str = NAME, name: str = "use") -> None:
        """A step that reads the resource, and writes something."""
        out = f"intermediate-data/{name}"
        script = f"mkdir -p {out} && date +%s%N > {out}/made"
        words = ("run", "--step-name", name, "-i", ref, "-o", out, "--no-trace", "--")
        self(*words, "sh", "-c", script)

    def make(self, version: int) -> None:
        """A step that writes the resource."""
        self.patch.chdir(self.root)
        builder = LineageBuilder().with_step_name("make").with_parameters({"version": version})
        builder = builder.with_workspace_directory(str(self.root)).with_no_inputs()
        with builder.with_output_ref(ResourceRef(NAME)).eval():
            self.write(version)

    def change(self) -> bool | None:
        """Whether the resource has changed, by `dws report status`."""
        rows = self.json("report", "status")["resources"]
        [found] = [r["changed"] for r in rows if r["name"] == NAME]
        assert found is None or isinstance(found, bool)
        return found

    def difference(self, *snapshots: str) -> Any:
        [row] = [r for r in self.json("diff", *snapshots)["resources"] if r["name"] == NAME]
        return row

    def verified(self, *args: str) -> dict[str, str]:
        rows = self.json("lineage", "verify", *args)["refs"]
        return {r["ref"]: r["status"] for r in rows if r["ref"].partition(":")[0] == NAME}

    def stale(self) -> list[str]:
        return [row["step"] for row in self.json("lineage", "stale")]

    def upstream(self, ref: str) -> set[str]:
        nodes = self.json("lineage", "upstream", ref)["nodes"]
        return {node["name"] for node in nodes if node["kind"] == "step"}

    def hash_in(self, snapshot: str, name: str = NAME) -> str | None:
        rows = self.json("show", snapshot)["resources"]
        [found] = [r["hash"] for r in rows if r["name"] == name]
        assert found is None or isinstance(found, str)
        return found


class Contract:
    """The journeys; a class of tests derives from it and names its `kind`."""

    kind: Kind

    @pytest.fixture
    def lab(self, folder: Path, dws: Dws, monkeypatch: pytest.MonkeyPatch) -> Journey:
        """A workspace that holds the resource, of role source-data."""
        return self.made(folder, dws, monkeypatch, "source-data")

    @pytest.fixture
    def written(self, folder: Path, dws: Dws, monkeypatch: pytest.MonkeyPatch) -> Journey:
        """The same of role intermediate-data: steps may write it."""
        return self.made(folder, dws, monkeypatch, "intermediate-data")

    def made(self, root: Path, dws: Dws, patch: pytest.MonkeyPatch, role: str) -> Journey:
        lab = Journey(self.kind, root, dws, patch)
        lab("init", "--hostname", "one", "--create-resources", "intermediate-data,code,results")
        command, *words = self.kind.create(root)
        lab("add", command, "--role", role, "--name", NAME, *words)
        return lab

    # Adding

    def test_its_parameters_are_kept_and_read_again(self, lab: Journey) -> None:
        [entry] = [
            p
            for p in json.loads((lab.root / ".dataworkspace/resources.json").read_text())
            if p["name"] == NAME
        ]
        local = json.loads((lab.root / ".dataworkspace/resource_local_params.json").read_text())
        assert list(entry)[:3] == ["resource_type", "name", "role"]
        assert entry["resource_type"] == self.kind.resource_type
        with lab.opened() as ws:
            found = ws.get_resource(NAME)
            again = registry.from_json(entry, local[NAME], ws)
            assert list(found.get_params().items()) == list(entry.items())
            assert list(again.get_params().items()) == list(entry.items())
            assert found.get_local_params() == again.get_local_params() == local[NAME]
            assert found.get_local_path_if_any() == again.get_local_path_if_any()

    def test_what_it_says_it_can_do_it_can(self, lab: Journey, tmp_path: Path) -> None:
        with lab.opened() as ws:
            found = ws.get_resource(NAME)
            assert isinstance(found, Resource)
            found.snapshot_precheck()
            for check in (found.push, found.pull):
                reason = found.not_pushed() if check == found.push else found.not_pulled()
                assert reason is None or not reason.endswith(".")
            if isinstance(found, FileResourceMixin):
                self._writes_files(found, tmp_path)

    def _writes_files(self, found: FileResourceMixin, tmp_path: Path) -> None:
        source = tmp_path / "uploaded.txt"
        source.write_text("text")
        found.add_results_file({"a": 1}, "extra/r.json")
        assert found.read_results_file("extra/r.json") == {"a": 1}
        found.upload_file(str(source), "extra/up.txt")
        assert found.does_subpath_exist("extra/up.txt", must_be_file=True)
        found.delete_file("extra/up.txt")
        assert not found.does_subpath_exist("extra/up.txt")

    def test_a_second_of_its_name_and_a_role_that_it_cannot_have_are_refused(
        self, lab: Journey
    ) -> None:
        command, *words = self.kind.create(lab.root)
        lab.refused("add", command, "--role", "source-data", "--name", NAME, *words)
        for role in self.kind.refused_roles:
            err = lab.refused("add", command, "--role", role, "--name", "other", *words)
            assert f"not {role}" in err

    def test_asking_changes_nothing(self, lab: Journey) -> None:
        lab.use()
        lab("snapshot", "v1")
        for words in (
            *(("report", "status"), ("lineage", "stale"), ("lineage", "verify")),
            *(("diff", "v1"), ("doctor",), ("show", "v1")),
        ):
            lab(*words)
        assert git("status", "--porcelain", cwd=lab.root) == ""
        assert lab.read() == 1

    def test_a_fingerprint_holds_while_nothing_is_written(self, lab: Journey) -> None:
        with lab.opened() as ws:
            found = ws.get_resource(NAME)
            taken = found.fingerprint()
            assert taken is not None
            assert found.unchanged(None, taken)
            content = found.content()
            assert content == found.content(reread=True)
        for version in (2, 3):
            lab.write(version)
            with lab.opened() as ws:  # what is cheap to ask may be asked once a command
                found = ws.get_resource(NAME)
                assert not found.unchanged(None, taken)
                assert found.content() != content

    # Lineage and snapshots

    def test_a_step_that_reads_it_is_above_what_it_writes(self, lab: Journey) -> None:
        lab.use()
        assert lab.upstream("intermediate-data:/use") == {"use"}
        lab("snapshot", "v1")
        graph = lab.json("lineage", "upstream", "intermediate-data:/use")
        [hashval] = [
            n["properties"]["hash"]
            for n in graph["nodes"]
            if n["properties"].get("resource") == NAME
        ]
        assert hashval == lab.hash_in("v1")
        assert hashval is not None
        assert lab.stale() == []
        assert lab.verified() == {NAME: "same"}

    def test_a_step_that_writes_it_is_above_it(self, written: Journey) -> None:
        written.make(2)
        written.use()
        assert written.upstream("intermediate-data:/use") == {"make", "use"}
        written("snapshot", "v1")
        assert written.upstream("intermediate-data:/use") == {"make", "use"}
        assert written.upstream(NAME) == {"make"}
        assert written.stale() == []
        written.write(3)
        assert set(written.stale()) == {"make", "use"}

    def test_a_snapshot_of_unchanged_content_is_the_one_before(self, lab: Journey) -> None:
        lab("snapshot", "v1")
        lab("snapshot", "v2")
        [row] = lab.json("report", "history")
        assert row["tags"] == ["v1", "v2"]
        assert lab.change() is False

    def test_an_edit_is_seen_by_all_that_ask(self, lab: Journey) -> None:
        lab.use()
        lab("snapshot", "v1")

        lab.write(2)

        assert lab.stale() == ["use"]
        assert lab.change() is True
        assert lab.verified() == {NAME: "changed"}
        assert lab.run("lineage", "verify").status == 1
        assert lab.difference("v1")["change"] == "changed"
        lab("snapshot", "v2")
        assert lab.hash_in("v1") != lab.hash_in("v2")
        difference = lab.difference("v1", "v2")
        assert difference["change"] == "changed"
        if self.kind.lists_files:
            assert difference["files"]["changed"] == [self.kind.part]
            assert difference["files"]["added"] == difference["files"]["removed"] == []

    def test_content_that_is_known_keeps_its_lineage(self, written: Journey) -> None:
        written.make(2)
        written.use()
        written("snapshot", "v1")
        written.write(3)
        written("snapshot", "v2")
        assert "make" not in written.upstream(NAME)

        written.write(2)

        if not self.kind.same_again:
            assert written.difference("v1")["change"] == "changed"
            return
        assert written.difference("v1")["change"] == "same"
        written.use(name="again")
        written("snapshot", "v3")
        assert written.upstream("intermediate-data:/again") == {"make", "again"}

    # Paths in it

    def test_a_part_is_judged_by_itself(self, lab: Journey) -> None:
        if self.kind.part is None or self.kind.still is None:
            err = lab.refused("run", "-i", f"{NAME}:/part", "--no-trace", "--", "true")
            assert "has no 'part'" in err
            return
        lab.use(f"{NAME}:/{self.kind.part}", "part")
        lab.use(f"{NAME}:/{self.kind.still}", "still")
        lab("snapshot", "v1")
        assert set(lab.verified().values()) == {"same"}
        lab.write(2)
        assert lab.stale() == ["part"]
        found = lab.verified()
        assert found[f"{NAME}:/{self.kind.part}"] == "changed"
        assert found[f"{NAME}:/{self.kind.still}"] == "same"
        lab("snapshot", "v2")
        assert lab.stale() == ["part"]
        assert "has no 'gone'" in lab.refused(
            "run", "-i", f"{NAME}:/gone", "--no-trace", "--", "true"
        )

    # Restoring

    def test_a_restore_brings_it_back_or_says_that_it_cannot(self, lab: Journey) -> None:
        lab.use()
        lab("snapshot", "v1")
        lab.write(2)
        lab("snapshot", "v2")
        if not self.kind.comes_back:
            err = lab.refused("restore", "--only", NAME, "v1")
            assert "keep no content to restore" in err
            lab("restore", "v1")
            assert lab.read() == 2
            return

        lab("restore", "--only", NAME, "v1")

        assert lab.read() == 1
        assert lab.difference("v1")["change"] == "same"
        lab.use(name="after")
        lab("restore", "--only", NAME, "v2")
        assert lab.read() == 2
        assert set(lab.verified().values()) == {"same"}

    def test_what_no_snapshot_holds_is_not_lost_by_a_restore(self, lab: Journey) -> None:
        lab("snapshot", "v1")
        lab.write(2)
        lab("snapshot", "v2")
        lab.write(3)

        ran = lab.run("restore", "v1")

        if ran.status == 1 or not self.kind.comes_back:
            assert lab.read() == 3
            return
        assert lab.read() == 1
        assert "kept" in ran.err or "in commit" in ran.err, ran

    def test_a_restore_is_undone_and_done_again(self, lab: Journey) -> None:
        lab("snapshot", "v1")
        lab.write(2)
        lab.use()
        lab("snapshot", "v2")
        if not self.kind.comes_back:
            return
        lab("restore", "--only", NAME, "v1")
        for version in (2, 1, 2):
            lab("undo")
            assert lab.read() == version
            assert set(lab.verified().values()) <= {"same"}
        assert lab.upstream("intermediate-data:/use") == {"use"}
        assert lab.stale() == []

    @pytest.mark.parametrize("point", ["resource restored", "branch moved"])
    def test_a_killed_restore_is_undone_or_finished(self, lab: Journey, point: str) -> None:
        lab("snapshot", "v1")
        lab.write(2)
        lab.use()
        lab("snapshot", "v2")
        if not self.kind.comes_back:
            return
        lab.killed(point, "restore", "--only", NAME, "v1")

        lab("report", "status")

        assert lab.read() == (2 if point == "resource restored" else 1)
        assert "changed" not in lab.verified().values()

    def test_without_its_content_nothing_is_claimed(self, lab: Journey) -> None:
        lab("snapshot", "v1")
        with lab.opened() as ws:
            found = ws.get_resource(NAME)
            assert found.known_as("0" * 40) in (None, "0" * 40)
            assert not found.held("0" * 40, "part")
            assert found.files_at("0" * 40) is None

    # Sharing, renaming, removing

    def test_a_clone_has_its_lineage(self, lab: Journey, tmp_path: Path) -> None:
        lab.use()
        lab("snapshot", "v1")
        origin = tmp_path / "origin.git"
        git("init", "-q", "--bare", str(origin), cwd=tmp_path)
        self.prepare_remote(lab, tmp_path)
        lab("publish", str(origin))
        lab("push")
        lab.patch.chdir(tmp_path)
        lab.dws("--batch", "clone", "--hostname", "two", str(origin), "clone")
        clone = lab.at(tmp_path / "clone")
        clone("pull")

        assert clone.upstream("intermediate-data:/use") == {"use"}
        assert clone.stale() == []
        assert "changed" not in clone.verified().values()
        if self.kind.is_shared:
            assert clone.read() == 1
        if self.kind.known_in_clone:
            assert clone.change() is False
            clone.use(name="there")
            assert clone.hash_in("v1") == lab.hash_in("v1")
        clone("snapshot", "theirs")
        clone("push")
        lab("pull")
        assert "theirs" in lab.json("report", "history")[0]["tags"]

    def prepare_remote(self, lab: Journey, tmp_path: Path) -> None:
        """What the type needs before it can be pushed."""

    def test_under_a_new_name_it_is_what_it_was(self, lab: Journey) -> None:
        lab.use()
        lab("snapshot", "v1")
        before = lab.hash_in("v1")

        lab("rename", NAME, "other")

        assert lab.upstream("intermediate-data:/use") == {"use"}
        assert lab.stale() == []
        assert lab.hash_in("v1", "other") == before
        lab.write(2)
        assert lab.stale() == ["use"]
        [row] = [r for r in lab.json("diff", "v1")["resources"] if r["name"] == "other"]
        assert row["change"] == "changed"
        lab("snapshot", "v2")
        if self.kind.comes_back:
            lab("restore", "--only", "other", "v1")
            assert lab.read() == 1

    def test_taken_out_of_the_workspace_it_stays_as_it_is(self, lab: Journey) -> None:
        lab.use()
        lab("snapshot", "v1")

        lab("remove", NAME)

        assert lab.read() == 1
        assert NAME not in [r["name"] for r in lab.json("report", "status")["resources"]]
        assert lab.hash_in("v1") is not None
        assert lab.upstream("intermediate-data:/use") == {"use"}
        lab("restore", "v1")
        assert "no longer in the workspace" in lab.refused("restore", "--strict", "v1")
        lab("doctor")
