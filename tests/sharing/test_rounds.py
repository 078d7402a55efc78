"""Two copies and an origin: rounds of random operations, after which both are alike.

An operation is a function of `OPERATIONS`; what is refused is followed by what the message says.
DWS_SHARING_ROUNDS and DWS_SHARING_SEED choose how many rounds, and which.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.sharing.team import Person, Team

ROUNDS = int(os.environ.get("DWS_SHARING_ROUNDS", "3"))
SEED = int(os.environ.get("DWS_SHARING_SEED", "20"))
AT_ONCE = 15  # rounds in which both take a snapshot before either pushes, of 50


@dataclass
class Rounds:
    """What happens, and what is to be found again at the end."""

    rng: random.Random
    number: int = 0
    steps: set[str] = field(default_factory=set)
    snapshots: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    # Operations

    def step(self, who: Person) -> None:
        """A step whose output is this person's own."""
        who.prepare(f"{self.number}", f"{who.root.name}-{self.rng.randrange(3)}")
        self.steps.add(who.json("steps", "--limit", "1")[0]["key"])

    def edit(self, who: Person) -> None:
        """Code, each in a file of his own."""
        who.write(f"code/{who.root.name}.py", f"print({self.number})\n")

    def snapshot(self, who: Person) -> None:
        who("snapshot", f"{who.root.name}-{self.number}-{self.rng.randrange(10**6)}")
        self.snapshots.add(who.json("show", "latest")["hash"])

    def restore(self, who: Person) -> None:
        tags = [tags for tags in who.tags() if tags]
        who("restore", self.rng.choice(tags)[0])

    def tag(self, who: Person) -> None:
        """The two may choose the same one."""
        wanted = f"best-{self.number}"
        if not any(wanted in tags for tags in who.tags()):
            row = self.rng.choice(who.json("report", "history"))
            who("tag", row["hash"], wanted)

    def untag(self, who: Person) -> None:
        tags = [t for tags in who.tags() if len(tags) > 1 for t in tags if t.startswith("best")]
        if tags:
            who("tag", "--delete", self.rng.choice(tags))

    def delete(self, who: Person) -> None:
        """A snapshot that the other may have restored, named or deleted meanwhile."""
        rows = who.json("report", "history")
        if len(rows) > 3:
            hashval = self.rng.choice(rows)["hash"]
            who("delete-snapshot", hashval)
            self.deleted.add(hashval)

    def rename(self, who: Person) -> None:
        """A resource that the other may use, or rename too, at the same time."""
        old = self.rng.choice([r["name"] for r in who.json("report", "status")["resources"]])
        new = f"{old.split('.')[0]}.{who.root.name}-{self.number}"
        if new != old:
            who("rename", old, new)

    def pull(self, who: Person) -> None:
        self.follow(who, "pull")

    def push(self, who: Person) -> None:
        self.follow(who, "push")

    # Following what is said

    def follow(self, who: Person, *args: str) -> None:
        """Do it; where it is refused, do as the message says, which must work."""
        for _ in range(6):
            ran = who.run(*args)
            if ran.status == 0:
                return
            self.told.append(ran.err)
            self.as_told(who, ran.err)
        raise AssertionError((args, self.told[-6:]))

    def as_told(self, who: Person, err: str) -> None:
        if "Type: dws snapshot" in err:
            self.snapshot(who)
        elif "Commit or undo them" in err:
            who.git("commit", "-qam", "mine", at="own")
        elif "Type: dws pull" in err:
            self.follow(who, "pull")
        elif found := re.search(r"Error: (.+) of the workspace (?:was|were) changed both", err):
            for path in found[1].split(" and ")[0].split(", "):
                self.take_theirs(who, path, err)
            who.git("commit", "-qm", "theirs")
        elif found := re.search(r"dws rename (\S+) (\S+)\. Then: dws pull", err):
            who("rename", found[1], found[2])
        elif found := re.search(r"dws tag (\S+) NEW_TAG; dws tag --delete (\S+)\.", err):
            who("tag", found[1], f"{found[2]}-of-{who.root.name}")
            who("tag", "--delete", found[2])
        else:
            raise AssertionError(err)

    def take_theirs(self, who: Person, path: str, err: str) -> None:
        """As the message says of a file that both changed."""
        assert "To take the origin's: git " in err
        there = subprocess.run(
            ["git", "cat-file", "-e", f"origin/main:{path}"], cwd=who.root, capture_output=True
        )
        if there.returncode == 0:
            who.git("checkout", "origin/main", "--", path)
        else:
            assert "git rm -- " in err
            who.git("rm", "-q", "--", path)


Operation = Callable[[Rounds, Person], None]
OPERATIONS: list[Operation] = [
    *(Rounds.step, Rounds.edit, Rounds.snapshot, Rounds.restore, Rounds.tag, Rounds.untag),
    *(Rounds.delete, Rounds.rename, Rounds.push, Rounds.pull),
]


def test_both_are_alike_after_random_rounds(team: Team, both: tuple[Person, Person]):
    rounds = Rounds(random.Random(SEED))
    at_once = set(rounds.rng.sample(range(ROUNDS), max(1, ROUNDS * AT_ONCE // 50)))
    users = [who.write("notes.md", f"{who.root.name}'s own\n") for who in both]
    for rounds.number in range(ROUNDS):
        order = list(both)
        rounds.rng.shuffle(order)
        if rounds.number in at_once:
            for who in order:
                rounds.step(who)
                rounds.snapshot(who)
            for who in order:
                rounds.push(who)
            continue
        for who in order:
            for operation in rounds.rng.choices(OPERATIONS, k=2):
                operation(rounds, who)
    _alike(rounds, both, users)


def _alike(rounds: Rounds, both: tuple[Person, Person], users: list[Path]) -> None:
    for _ in range(2):
        for who in both:
            rounds.pull(who)
            rounds.push(who)
    rounds.pull(both[0])
    ann, bob = both
    assert ann.history() == bob.history()
    dump = ann.dump()
    assert dump == bob.dump()
    for who in both:
        assert who("doctor").out.startswith("All is well")
        who("graph", "rebuild")
        assert who.dump() == dump
        assert rounds.snapshots - rounds.deleted <= {
            row["hash"] for row in who.json("report", "history")
        }
        assert not rounds.deleted & {row["hash"] for row in who.json("report", "history")}
        assert rounds.steps <= {step["key"] for step in who.json("steps", "--limit", "100000")}
    for who, path in zip(both, users, strict=True):
        assert path.read_text() == f"{who.root.name}'s own\n"
