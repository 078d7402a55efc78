from __future__ import annotations

import re

import pytest

from tests.cli.terminals import on_terminal, piped


def plain(shown: str) -> list[str]:
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]


TABLES = {
    ("report", "status"): "intermediate-data",
    ("report", "history"): "0.000123",
    ("report", "lineage", "--snapshot", "v1"): "intermediate-data:/clean",
    ("show", "v1"): "intermediate-data",
    ("config",): "results.move_exclude_files",
    ("graph", "status"): "cypher",
    ("lineage", "upstream", "results", "--snapshot", "v1"): "source-data",
}


def test_tables_fit_the_terminal_and_break_no_name(workspace, two_snapshots):
    for columns in (80, 120):
        for args, name in TABLES.items():
            status, shown = on_terminal(*args, cwd=workspace, columns=columns)

            lines = plain(shown)
            assert status == 0
            assert max(map(len, lines)) <= columns, shown
            assert any(name in line.split() for line in lines), shown


def test_a_terminal_gets_colours_unless_it_is_told_not_to(workspace):
    assert "\x1b[" in on_terminal("report", "status", cwd=workspace)[1]
    assert "\x1b[" not in on_terminal("--no-color", "report", "status", cwd=workspace)[1]


def test_add_asks_for_the_role_until_it_gets_one(workspace):
    (workspace / "features").mkdir()

    status, shown = on_terminal(
        *("add", "git", "features"),
        cwd=workspace,
        answers={"to this workspace": "nonsense\n", "from 1 to 4": "2\n"},
    )

    assert status == 0
    assert "Added resource features (git-subdirectory) with the role intermediate-data." in shown


def test_restore_asks_and_without_a_yes_changes_nothing(workspace, two_snapshots):
    for typed, status, last in (
        ("n\n", 1, "Nothing was restored."),
        ("\x03", 130, "Interrupted."),
        ("\x04", 1, "To go on without questions, add --batch."),
    ):
        ended, shown = on_terminal(
            "restore", "v1", cwd=workspace, answers={"Go on? [Y/n]: ": typed}
        )

        assert (ended, plain(shown)[-1]) == (status, last)
    numbers = workspace / "intermediate-data" / "clean" / "numbers.txt"
    assert numbers.read_text() == "1 2 3 1 2 3 "


@pytest.mark.parametrize("how", ["option", "environment"])
def test_batch_never_asks_on_a_terminal(workspace, two_snapshots, how, monkeypatch):
    if how == "environment":
        monkeypatch.setenv("DWS_BATCH", "1")
    args = ("restore", "v1", "--batch") if how == "option" else ("restore", "v1")

    status, shown = on_terminal(*args, cwd=workspace)

    assert status == 0
    assert "Go on?" not in shown
    assert plain(shown)[-1] == "Restored 3 resources to snapshot v1."


def test_a_tag_for_what_did_not_change_is_asked_for(workspace):
    piped("snapshot", "v1", cwd=workspace)

    status, shown = on_terminal("snapshot", "v2", cwd=workspace, answers={"[Y/n]": "n\n"})

    assert status == 1
    assert "Nothing changed since snapshot v1. Add the tag 'v2' to it?" in shown


def test_verbose_asks_before_a_change(workspace):
    status, shown = on_terminal(
        "--verbose", "snapshot", "v1", cwd=workspace, answers={"Take a snapshot?": "n\n"}
    )

    assert status == 1
    assert plain(shown)[-1] == "Nothing was changed."
