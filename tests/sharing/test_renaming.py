"""Resources that one renames while the other works on, or renames them too."""

from __future__ import annotations

import pytest

from tests.sharing.team import Person, Team


@pytest.mark.parametrize("name", ["own", "files", "intermediate-data", "code"])
def test_a_pull_brings_a_new_name_with_what_was_recorded(both: tuple[Person, Person], name: str):
    ann, bob = both
    bob("rename", name, "other")
    bob("push")

    ann("pull")

    assert ann.json("report", "status")["resources"] == bob.json("report", "status")["resources"]
    assert ann.dump() == bob.dump()
    ann.check()


@pytest.mark.parametrize("name", ["own", "files", "intermediate-data", "code"])
def test_a_rename_and_work_at_the_same_time(both: tuple[Person, Person], name: str):
    ann, bob = both
    bob("rename", name, "other")
    bob("push")
    ann.prepare("more")
    ann.snapshot("V2")
    ann("pull")
    ann("push")
    bob("pull")

    for who in both:
        assert who.upstream("intermediate-data/clean") == {"make clean"}
        who.check()
        who("restore", "V2")
    assert ann.history() == bob.history()


@pytest.mark.parametrize("name", ["own", "files", "intermediate-data", "code"])
def test_what_both_renamed_gets_the_name_that_the_message_says(
    both: tuple[Person, Person], name: str
):
    ann, bob = both
    ann("rename", name, "ours")
    bob("rename", name, "theirs")
    bob("push")

    told = ann.refused("pull")

    assert f"resource '{name}' was named 'ours' here and 'theirs' at the origin" in told
    assert "Type: dws rename ours theirs. Then: dws pull." in told
    ann("rename", "ours", "theirs")
    ann("pull")
    ann("push")
    bob("pull")
    for who in both:
        assert "theirs" in [r["name"] for r in who.json("report", "status")["resources"]]
        who.check()
        who("restore", "V1")
    ann("push")
    bob("pull")
    assert ann.dump() == bob.dump()


def test_what_was_kept_under_the_name_before_is_found_under_the_new_one(
    both: tuple[Person, Person], team: Team
):
    ann, bob = both
    bob("rename", "files", "other")
    bob("push")
    (team.place / "files" / "f.csv").write_text("1,2,3\n")
    ann.snapshot("V2")
    ann("pull")
    ann("push")
    bob("pull")
    (team.place / "files" / "f.csv").write_text("4\n")

    for who in both:
        [changed] = [r for r in who.json("diff", "V1", "V2")["resources"] if r["name"] == "other"]
        assert changed["files"]["changed"] == ["f.csv"]
        who.check()
