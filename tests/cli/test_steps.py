from __future__ import annotations

import datetime as dt
import json
import shlex
import subprocess
import sys

import pytest

from dws_graph import api
from dws_graph.lineage import LineageBuilder
from tests.cli.terminals import on_terminal, piped


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("   ") if cell.strip()]


@pytest.fixture
def steps(workspace, train) -> dict[str, str]:
    """clean, fit, clean, fit, and a failed one; the ids of the last two and of that."""
    train(1)
    train(2)
    builder = LineageBuilder().with_step_name("broken").with_no_inputs()
    with (
        pytest.raises(ZeroDivisionError),
        builder.with_parameters({"lr": 0.1, "deep": [1, {}]}).eval(),
    ):
        _ = 1 / 0
    rows = api.steps()
    assert [r["name"] for r in rows] == ["broken", "fit", "clean", "fit", "clean"]
    return {"broken": rows[0]["key"], "fit": rows[1]["key"], "clean": rows[2]["key"]}


def chosen(dws, *args: str) -> list[str]:
    return [row["name"] for row in dws.json("steps", *args)]


def test_the_list_shows_steps_newest_first(dws, steps):
    ran = dws("steps")

    assert ran.lines[0] == "Recorded steps"
    head = ["ID", "Step", "Status", "Started", "Took", "Parameters", "Wrote"]
    assert cells(ran.lines[1]) == head
    rows = [cells(line) for line in ran.lines[3:-1]]
    assert [(r[1], r[2]) for r in rows] == [
        *(("broken", "failed"), ("fit", "completed"), ("clean", "completed")),
        *(("fit", "completed"), ("clean", "completed")),
    ]
    assert steps["fit"].startswith(rows[1][0])
    assert rows[1][-2:] == ["kernel=rbf, C=1.0", "results"]
    assert ran.lines[-1] == "5 steps"


def test_steps_are_chosen_by_name_status_ref_and_time(dws, steps):
    before = (dt.datetime.now().astimezone() - dt.timedelta(hours=1)).isoformat()

    assert chosen(dws, "--name", "fit") == ["fit", "fit"]
    assert chosen(dws, "--status", "failed") == ["broken"]
    assert chosen(dws, "--status", "completed", "--limit", "1") == ["fit"]
    assert chosen(dws, "--ref", "source-data") == ["clean", "clean"]
    assert chosen(dws, "--ref", "intermediate-data:/clean/numbers.txt", "--limit", "2") == [
        *("fit", "clean")
    ]
    assert chosen(dws, "--ref", "./results") == ["fit", "fit"]
    for since in ("1h", "2m", before, before[:16], before.replace("+00:00", "Z")):
        assert len(chosen(dws, "--since", since)) == 5
    assert chosen(dws, "--since", "2999-01-01") == []
    assert chosen(dws, "--name", "fit", "--ref", "source-data") == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["kernel=rbf"], ["fit", "fit"]),
        (['kernel="rbf"'], ["fit", "fit"]),
        (["C=1"], ["fit", "fit"]),
        (['C="1"'], []),
        (["C=true"], []),
        (["factor=2"], ["clean"]),
        (["factor=2", "kernel=rbf"], []),
        (["C=1", "kernel=rbf"], ["fit", "fit"]),
        (["lr=0.1"], ["broken"]),
        (["lr=1e-1"], ["broken"]),
        (["deep=[1.0, {}]"], ["broken"]),
        (["deep=[1]"], []),
        (["deep={}"], []),
        (["nothing=null"], []),
        (["' OR 1=1 --=1"], []),
    ],
)
def test_parameters_are_compared_as_json_values(dws, steps, given, found):
    assert chosen(dws, *(word for one in given for word in ("--param", one))) == found


def test_the_limit_applies_after_all_that_steps_are_chosen_by(dws, steps):
    assert chosen(dws, "--param", "factor=1", "--limit", "1") == ["clean"]
    assert chosen(dws, "--name", "clean", "--limit", "1", "--since", "1h") == ["clean"]


def test_a_table_shows_the_newest_thirty_and_says_so(dws, workspace):
    for n in range(32):
        step = LineageBuilder().with_step_name("s").with_parameters({"n": n}).with_no_inputs()
        step.eval().complete()

    ran = dws("steps")

    assert ran.lines[-1] == "30 of 32 steps"
    assert "--limit N" in ran.err
    assert len({cells(line)[0] for line in ran.lines[3:-1]}) == 30
    assert dws("steps", "--limit", "40").lines[-1] == "32 steps"
    assert dws("steps", "--param", "n=3").lines[-1] == "1 step"
    assert len(dws.json("steps")) == 32


def test_no_steps_are_said_so(dws, workspace):
    ran = dws("steps")

    assert ran.out == "0 steps\n"
    assert "dws run" in ran.err
    assert dws.json("steps") == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--since", "yesterday"], "'yesterday' is no time"),
        (["--since", "999999999w"], "'999999999w' is no time"),
        (["--ref", "nonsense"], "no resource 'nonsense'"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_a_sentence(dws, steps, args, said):
    assert said in dws.refused("steps", *args)


def test_options_of_the_list_are_refused_before_a_command(dws, steps):
    assert "--name belongs to the list" in dws.refused(
        "steps", "--name", "x", "show", "fit", status=2
    )
    assert "NAME=VALUE" in dws.refused("steps", "--param", "x", status=2)
    assert "twice" in dws.refused("steps", "--param", "x=1", "--param", "x=2", status=2)


def test_a_step_is_shown_in_full(dws, steps):
    ran = dws("steps", "show", steps["fit"])

    assert ran.lines[0] == "Step fit"
    assert f"ID          {steps['fit']}" in ran.lines
    assert "Status      completed" in ran.lines
    rows = [cells(line) for line in ran.lines]
    assert ["read", "intermediate-data:/clean", "pending", "clean"] in rows
    assert ["wrote", "results", "pending", "fit"] in rows
    assert ["kernel", "rbf"] in rows
    assert ["accuracy", "0.932"] in rows
    assert any(line.startswith("Environment Python 3.") for line in ran.lines)
    assert "Packages" not in ran.lines
    packages = dws("steps", "show", "fit", "--packages").lines
    assert any(line.startswith("pytest==") for line in packages[packages.index("Packages") :])
    shown = dws.json("steps", "show", steps["fit"])
    assert shown == json.loads(json.dumps(api.show_step("fit")))


def test_a_failed_step_shows_its_error(dws, steps):
    ran = dws("steps", "show", "broken")

    assert "Status      failed" in ran.lines
    assert any(line.startswith("Error") and "division by zero" in line for line in ran.lines)


def test_a_step_is_named_by_id_by_digits_or_by_name(dws, steps):
    key = steps["clean"]

    for text in (key, key.upper(), key.replace("-", ""), key[:23], key[:30], "clean"):
        assert dws.json("steps", "show", text)["key"] == key


def test_digits_that_several_steps_begin_with_name_them(dws, steps):
    err = dws.refused("steps", "show", steps["clean"][:8])

    assert f"'{steps['clean'][:8]}' fits several steps: " in err
    assert f"{steps['clean']} (clean at " in err
    assert "Give more digits" in err
    assert "there is no step" in dws.refused("steps", "show", steps["clean"][:7])
    assert "see dws steps" in dws.refused("steps", "show", "ffffffff")


def test_a_name_that_is_also_the_beginning_of_an_id_is_ambiguous(dws, steps):
    digits = steps["clean"][:23]
    LineageBuilder().with_step_name(digits).with_parameters({}).with_no_inputs().eval().complete()

    assert "fits several steps" in dws.refused("steps", "show", digits)


def test_the_command_line_can_be_copied(dws, workspace, monkeypatch):
    (workspace / "code" / "sub dir").mkdir()
    script = workspace / "code" / "say.py"
    script.write_text(
        "import json, os, sys\n"
        "from dws_graph.lineage import LineageBuilder\n"
        "from pathlib import Path\n"
        "Path(sys.argv[1]).write_text(json.dumps([os.getcwd(), sys.argv[2:]]))\n"
        "LineageBuilder().as_script_step().with_parameters({}).with_no_inputs().eval().complete()\n"
    )
    out = workspace / "seen.json"
    odd = ["two words", "it's", "$HOME", "a\nb", "\x1b[31m\\", "ü", "--x=*"]
    python = [sys.executable, str(script), str(out), *odd]
    subprocess.run(python, cwd=workspace / "code" / "sub dir", check=True)
    seen = out.read_text()
    out.unlink()

    ran = dws("steps", "show", "say")

    line = ran.lines[ran.lines.index("To run it again") + 1]
    assert line.startswith(f"cd {shlex.quote(str(workspace / 'code' / 'sub dir'))} && ")
    assert "\x1b" not in ran.out
    subprocess.run(["bash", "-c", line], cwd="/", check=True)
    assert out.read_text() == seen


def test_retracting_is_asked_for_on_a_terminal(dws, steps, workspace):
    status, shown = on_terminal(
        "steps", "retract", "fit", cwd=workspace, answers={"Retract it?": "n\n"}
    )
    assert status == 1
    assert "wrote results." in shown
    assert chosen(dws, "--status", "retracted") == []

    status, shown = on_terminal(
        "steps", "retract", "fit", cwd=workspace, answers={"Retract it?": "y\n"}
    )
    assert (status, f"Retracted step 'fit' ({steps['fit']})." in shown) == (0, True)
    assert [r["key"] for r in api.steps(status="retracted")] == [steps["fit"]]


def test_retracting_asks_nobody_with_yes_batch_or_a_pipe(dws, steps, workspace):
    status, shown = on_terminal("steps", "retract", "--yes", steps["fit"], cwd=workspace)
    assert (status, "Retract it?" in shown) == (0, False)
    status, shown = on_terminal("--batch", "steps", "retract", steps["clean"], cwd=workspace)
    assert (status, "Retract it?" in shown) == (0, False)
    ran = piped("steps", "retract", "broken", "--reason", "a test", cwd=workspace)
    assert (ran.returncode, ran.stderr.count("?")) == (0, 0)
    assert "If it was a mistake, run the step again: dws steps show " in ran.stderr

    assert chosen(dws, "--status", "retracted") == ["broken", "fit", "clean"]
    assert chosen(dws, "--status", "failed") == []


def test_a_retracted_step_is_shown_as_such_and_only_once(dws, steps):
    dws("steps", "retract", "clean", "--reason", "the wrong file")
    again = dws("steps", "retract", "clean", "--reason", "other")

    assert again.out.startswith(f"Nothing to do: step 'clean' ({steps['clean']}) was retracted ")
    assert again.out.endswith(": the wrong file\n")
    assert cells(dws("steps", "--name", "clean").lines[3])[2] == "retracted"
    shown = dws("steps", "show", "clean").lines
    assert "Status      retracted" in shown
    assert any(s.startswith("Retracted") and s.endswith(": the wrong file") for s in shown)
    fit = [cells(line) for line in dws("steps", "show", "fit").lines]
    assert ["read", "intermediate-data:/clean", "pending", "clean, retracted"] in fit
    table = dws("lineage", "upstream", "results").out
    assert "written by a step that was retracted" in table
    assert "written by a step that was retracted" in dws("report", "lineage").out
    dot = dws("lineage", "upstream", "results", "--format", "dot").out
    assert "written by a step that was retracted" in dot
    assert "see dws steps" in dws.refused("steps", "retract", "nonsense")
