from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from filelock import FileLock

from dws_graph import __version__
from dws_graph.cli.commands import Group
from dws_graph.cli.root import dws as root
from tests.cli.terminals import DWS, piped

HEAVY = (
    *("git", "kglite", "neo4j", "fastapi", "numpy", "pandas", "sklearn", "pyvis", "networkx"),
    *("jinja2", "graphviz"),
)


def all_commands(group: Group = root, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name in group.entries:
        command = group.get_command(click.Context(group), name)
        found.append((*path, name))
        if isinstance(command, Group):
            found += all_commands(command, (*path, name))
    return found


def test_help_lists_commands_in_groups(dws):
    ran = dws("--help")

    assert ran.err == ""
    assert ran.out.index("Begin:") < ran.out.index("init") < ran.out.index("snapshot")
    assert "dws init --create-resources all" in ran.out


@pytest.mark.parametrize("path", all_commands(), ids=" ".join)
def test_each_command_explains_itself_with_h_and_help(dws, path):
    short, long = dws(*path, "-h"), dws(*path, "--help")

    assert short == long
    assert short.out.startswith(f"Usage: dws {' '.join(path)}")
    assert max(map(len, short.out.splitlines())) <= 80


def test_help_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from dws_graph.cli.running import run; run(['--help']);"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stderr == "[]\n"


def test_the_version_is_printed(dws):
    assert dws("version").out == f"dws-graph {__version__}\n"
    assert dws("--version").out == f"dws-graph {__version__}\n"


@pytest.mark.parametrize(
    "args",
    [
        ("nonsense",),
        ("snapshot", "--nonsense"),
        ("report", "nonsense"),
        ("restore",),
        ("report", "history", "--limit", "many"),
        ("report", "history", "--format", "xml"),
        ("restore", "--only", "a", "--leave", "b", "v1"),
        ("tag",),
        ("tag", "v1"),
        ("tag", "--delete", "v1", "v2"),
        ("lineage", "query"),
        ("lineage", "query", "--param", "a", "RETURN 1"),
        ("config", "--unset"),
        ("add", "git", "--role", "nonsense", "."),
        ("init", "--create-resources", "nonsense"),
    ],
    ids=" ".join,
)
def test_a_mistake_in_usage_ends_with_2_and_says_how_to_get_help(dws, args):
    assert " --help' for help." in dws.refused(*args, status=2)


def test_a_name_in_an_error_cannot_steer_the_terminal(dws, workspace):
    assert "\x1b" not in dws.refused("show", "\x1b[31mv1")


def test_an_unknown_command_gets_a_suggestion(dws):
    assert "Did you mean snapshot?" in dws.refused("snapshott", status=2)


def test_without_a_workspace_the_hint_says_how_to_make_one(dws, folder):
    err = dws.refused("report", "status")

    assert err == (
        f"Error: {folder} is not in a workspace\n"
        "Make one with 'dws init', or name one with --workspace-dir.\n"
    )


def test_the_workspace_may_be_named_anywhere(dws, workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = ("--workspace-dir", str(workspace))

    for args in (
        (*named, "report", "history"),
        ("report", *named, "history"),
        ("report", "history", *named),
    ):
        assert "0 snapshots total" in dws(*args).out


def test_the_environment_names_the_workspace_and_the_option_wins(
    dws, workspace, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DWS_WORKSPACE_DIR", str(workspace))

    assert dws("report", "status").lines[0] == "Status for workspace: lab"
    assert str(tmp_path) in dws.refused("--workspace-dir", str(tmp_path), "report", "status")


def test_verbose_adds_the_git_commands_and_the_traceback(dws, workspace):
    ran = dws.run("--verbose", "snapshot", "a tag")

    assert ran.status == 1
    assert "Traceback" in ran.err
    assert ran.err.endswith("beginning with a letter or digit.\n")
    assert "+ git " in dws("snapshot", "v1", "--verbose").err
    assert "+ git " not in dws("snapshot", "v2").err


def test_a_damaged_file_is_named_with_its_line(dws, workspace):
    file = workspace / ".dataworkspace" / "resources.json"
    file.write_text("[\n{]")

    err = dws.refused("report", "status")

    assert f"{file}: line 2 is not JSON" in err
    assert "git checkout" in err


def test_an_error_of_the_system_is_a_sentence_that_names_the_file(dws, workspace, train):
    train(1)
    (workspace / "in-the-way").write_text("")

    err = dws.refused("lineage", "graph", "in-the-way/x.html")

    assert err == "Error: in-the-way/x.html: not a directory\n"


def test_a_mistake_of_ours_asks_to_be_reported(dws, workspace, monkeypatch):
    monkeypatch.setattr("dws_graph.cli.report_history.report_history_in", lambda *_, **__: 1 / 0)

    err = dws.refused("report", "history")

    assert err.startswith("Error: internal error (ZeroDivisionError: division by zero)\n")
    assert "--verbose" in err


def test_an_interrupted_command_ends_with_130_and_leaves_the_workspace_as_it_was(dws, workspace):
    lock = FileLock(workspace / ".dataworkspace" / "local" / "workspace.lock")
    with lock:
        process = subprocess.Popen(
            [*DWS, "snapshot", "v1"], cwd=workspace, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        waiting = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert waiting == "Note: waiting for another dws process that changes it\n"
    assert err.strip() == "Interrupted."
    assert process.returncode == 130
    assert dws.json("report", "history") == []


def test_a_reader_that_stops_reading_is_no_error(workspace):
    command = f"'{sys.executable}' -m dws_graph config --format json | true"
    ran = subprocess.run(
        ["bash", "-c", command], cwd=workspace, capture_output=True, text=True, check=False
    )

    assert ran.stderr == ""


def test_a_full_disk_is_told_in_a_sentence(workspace):
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [*DWS, "config"], cwd=workspace, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert ran.returncode == 1
    assert ran.stderr == b"Error: no space left on device\nMake room, and run the command again.\n"


def test_a_process_of_its_own_does_the_same(tmp_path):
    made = piped("init", "lab", cwd=tmp_path)
    again = piped("init", "lab", cwd=tmp_path)
    usage = piped("init", "--nonsense", cwd=tmp_path)

    assert (made.returncode, made.stdout) == (0, f"Made workspace lab in {tmp_path}.\n")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith(f"Error: {tmp_path} is a workspace already\n")
    assert usage.returncode == 2


def test_json_is_utf8_whatever_the_locale(workspace):
    piped("snapshot", "-m", "größer", "v1", cwd=workspace)
    env = {"PYTHONIOENCODING": "latin-1"}
    ran = subprocess.run(
        [*DWS, "report", "history", "--format", "json"],
        cwd=workspace,
        env={**os.environ, **env},
        capture_output=True,
        check=True,
    )

    assert '"message": "größer"'.encode() in ran.stdout


def test_completion_offers_commands(tmp_path):
    env = {"_DWS_COMPLETE": "bash_complete", "COMP_WORDS": "dws sn", "COMP_CWORD": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", "from dws_graph.cli import main; main()"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stdout == "plain,snapshot\n"
