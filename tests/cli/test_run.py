"""`dws run`, as a process of its own: streams, signals, exit statuses, and what is recorded."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dws_graph import api
from dws_graph.backends.views import StepInfo
from dws_graph.lineage import LineageBuilder
from dws_graph.workspace.opening import open_workspace
from tests.cli.terminals import DWS, on_terminal

CLEAN = "intermediate-data:/clean"
PYTHON = sys.executable
SAY = "import sys; sys.stdout.write('ready\\n'); sys.stdout.flush()"


def run(*args: str | bytes, cwd: Path, **how: Any) -> subprocess.CompletedProcess[bytes]:
    how.setdefault("stdin", None if "input" in how else subprocess.DEVNULL)
    return subprocess.run(
        [*DWS, "run", *args], cwd=cwd, capture_output=True, timeout=60, check=False, **how
    )


def start(*args: str, cwd: Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """Of a session of its own: the tests' terminal, if any, is none of its."""
    return subprocess.Popen(
        [*DWS, "run", *args],
        cwd=cwd,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_with_signals,
    )


def _with_signals() -> None:
    """Whoever runs the tests may have had a signal ignored, as nohup does."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def steps(workspace: Path) -> list[StepInfo]:
    """The recorded steps, oldest first."""
    with open_workspace(workspace) as ws:
        return list(reversed(ws.index.steps(ws.id)))


def last(workspace: Path) -> StepInfo:
    return steps(workspace)[-1]


def running(workspace: Path) -> list[str]:
    """The names of steps that began and have not ended."""
    with open_workspace(workspace) as ws:
        return [s.name for s in ws.index.running(ws.id, ws.instance)]


def refs(certificates) -> list[str]:
    return [str(c.ref) for c in certificates]


def upstream(workspace: Path, ref: str) -> set[str]:
    """The steps that a ref was made by."""
    found = api.upstream(ref, workspace_uri_or_path=str(workspace))
    return {n.name for n in found.nodes if n.kind == "step"}


@pytest.fixture
def copy(workspace: Path) -> Path:
    """A workspace with a script that copies `source-data/raw.txt` to `intermediate-data/clean`."""
    (workspace / "code" / "copy.py").write_text(
        "import shutil; shutil.copy('source-data/raw.txt', 'intermediate-data/clean')\n"
    )
    return workspace


def run_copy(workspace: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    told = ("-i", "source-data", "-o", "intermediate-data/clean", *args)
    return run(*told, "--", PYTHON, "code/copy.py", cwd=workspace)


# What is recorded


def test_a_command_is_recorded_with_what_is_told_and_its_script_as_code(copy):
    ran = run_copy(copy, "--no-trace", "-p", "gamma=0.5", "-p", "kind=rbf", "-p", "deep=[1]")

    assert (ran.returncode, ran.stdout) == (0, b"")
    assert ran.stderr.decode() == (
        f"Recorded step 'copy': read source-data; ran code; wrote {CLEAN}.\n"
    )
    step = last(copy)
    assert (step.name, step.status, step.error) == ("copy", "completed", None)
    assert step.parameters == {"gamma": 0.5, "kind": "rbf", "deep": [1]}
    assert step.command_line == [PYTHON, "code/copy.py"]
    assert step.run_from is None  # the workspace's root is in no resource
    assert refs(step.inputs) == ["source-data"]
    assert refs(step.code) == ["code"]
    assert refs(step.outputs) == [CLEAN]


def test_without_the_two_dashes_options_end_at_the_command(copy):
    ran = run("-o", "./intermediate-data/x", "printf", "%s ", "-o", "--", "-p", "a", cwd=copy)

    assert ran.stdout == b"-o -- -p a "
    assert refs(last(copy).outputs) == ["intermediate-data:/x"]


def test_steps_are_joined_to_those_that_made_what_they_read(copy):
    run_copy(copy)
    run("-i", CLEAN, "-o", "intermediate-data:/best", "--step-name", "pick", "true", cwd=copy)

    assert upstream(copy, "intermediate-data:/best") == {"copy", "pick"}


def test_a_path_below_the_current_directory_is_a_ref_and_where_it_ran_is_kept(copy):
    ran = run("-i", "raw.txt", "-o", "new/deep", "true", cwd=copy / "source-data")

    assert ran.returncode == 0
    step = last(copy)
    assert refs(step.inputs) == ["source-data:/raw.txt"]
    assert refs(step.outputs) == ["source-data:/new/deep"]
    assert step.run_from == ["source-data", None]


def test_a_part_of_what_is_recorded_as_a_whole_is_told_to_be_recorded_as_that(copy, caplog):
    told = "recorded as earlier steps or snapshots name it: "
    first = run("-i", "source-data/raw.txt", "--code", "code/copy.py", "true", cwd=copy)
    assert told.encode() not in first.stderr
    assert refs(last(copy).inputs) == ["source-data:/raw.txt"]
    run_copy(copy)  # reads the part, which has an entry, and is no wider than that
    assert refs(last(copy).inputs) == ["source-data:/raw.txt"]
    (copy / "source-data" / "more.txt").write_text("4\n")
    run_copy(copy)
    (copy / "code" / "other.py").write_text("")

    ran = run("-i", "source-data/more.txt", "--code", "code/other.py", "true", cwd=copy)

    pairs = "'source-data:/more.txt' as 'source-data', 'code:/other.py' as 'code'"
    assert [line for line in ran.stderr.decode().splitlines() if told in line] == [
        f"Note: {told}{pairs}"
    ]
    assert refs(last(copy).inputs) == ["source-data"]
    api.run_step(["true"], inputs=["source-data:/more.txt"], workspace_uri_or_path=str(copy))
    assert f"{told}'source-data:/more.txt' as 'source-data'" in caplog.messages


def test_a_step_that_writes_source_data_is_warned_of(copy, caplog):
    told = "of role source-data: that is for data which no step makes"
    ran = run("-o", "source-data/raw.txt", "--", "sh", "-c", "echo > source-data/raw.txt", cwd=copy)
    assert ran.stderr.decode().count(told) == 1
    assert refs(last(copy).outputs) == ["source-data:/raw.txt"]
    builder = LineageBuilder().with_workspace_directory(str(copy)).with_step_name("make")
    with builder.with_parameters({}).with_no_inputs().eval() as lineage:
        lineage.add_output_path(str(copy / "intermediate-data" / "clean"))
        assert told not in caplog.text
        lineage.add_output_path(str(copy / "source-data" / "raw.txt"))
    assert caplog.text.count(told) == 1


def test_what_was_edited_since_is_read_as_a_version_that_no_step_made(copy):
    run_copy(copy)
    (copy / "intermediate-data" / "clean").write_text("by hand\n")
    run("-i", CLEAN, "-o", "intermediate-data:/best", "true", cwd=copy)

    assert upstream(copy, "intermediate-data:/best") == {"true"}


def test_an_input_that_the_command_itself_changes_is_told_of(copy):
    ran = run("-i", "source-data", "--", "sh", "-c", "echo >> source-data/raw.txt", cwd=copy)

    assert b"Warning: 'source-data' changed while step 'sh' ran\n" in ran.stderr
    assert last(copy).changed_while_running == ("source-data",)


def test_code_may_be_a_part_of_its_resource_and_must_be_code(copy):
    run("--code", "code/clean.py", "--", PYTHON, "code/copy.py", cwd=copy)
    refused = run("--code", "source-data", "true", cwd=copy)

    assert refs(last(copy).code) == ["code:/clean.py"]
    assert refused.returncode == 1
    assert b"'source-data' has the role source-data, not code" in refused.stderr
    assert len(steps(copy)) == 1


@pytest.mark.parametrize(
    ("command", "name", "code"),
    [
        (["python3", "-u", "code/fit.py", "other.py"], "fit", ["code"]),
        (["env", "X=1", "python3", "code/fit.py"], "fit", ["code"]),
        (["sh", "code/prepare"], "prepare", ["code"]),
        (["./code/prepare"], "prepare", ["code"]),
        (["./code/Load.SH"], "Load", ["code"]),
        (["cat", "code/model.R"], "model", ["code"]),
        (["cat", "code/notes.ipynb"], "notes", ["code"]),
        (["python3", "-c", "", "code/fit.py"], "python3", []),
        (["sh", "-c", "true"], "sh", []),
        (["python3", "elsewhere.py"], "elsewhere", []),
        (["true"], "true", []),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_a_step_is_named_after_its_script_whose_resource_is_its_code(
    dws, workspace, command, name, code
):
    for path in ("fit.py", "prepare", "Load.SH", "model.R", "notes.ipynb", "../elsewhere.py"):
        (workspace / "code" / path).write_text("#!/bin/sh\n")
        (workspace / "code" / path).chmod(0o755)

    dws("run", *command)

    assert (last(workspace).name, refs(last(workspace).code)) == (name, code)


def test_an_output_that_is_not_there_afterwards_is_recorded_with_a_warning(copy):
    ran = run("-o", CLEAN, "true", cwd=copy)

    assert ran.returncode == 0
    assert f"Warning: the output '{CLEAN}' does not exist".encode() in ran.stderr
    assert refs(last(copy).outputs) == [CLEAN]


def test_secrets_and_bytes_that_are_no_text_reach_the_command_but_not_the_record(copy):
    key = "ghp_" + "a1B2" * 9
    args = [b"\xff\xfe", "größer", "--password", "hunter2", key]
    show = "import os, sys; os.write(1, b'|'.join(map(os.fsencode, sys.argv[1:])))"
    told = ("-p", "api_key=hunter2", "--step-name", f"train {key}")
    ran = run(*told, "--", PYTHON, "-c", show, *args, cwd=copy)

    assert ran.stdout == b"|".join(os.fsencode(a) for a in args)
    step = last(copy)
    assert step.command_line is not None
    assert step.command_line[3:] == ["\\xff\\xfe", "größer", "--password", "***", "***"]
    assert step.parameters == {"api_key": "***"}
    assert step.name == "train ***"
    journal = (copy / ".dataworkspace/local/journal.jsonl").read_bytes()
    assert b"hunter2" not in journal
    assert key.encode() not in journal


# Files of values


def test_parameters_come_from_files_and_the_command_line_wins(copy):
    (copy / "a.json").write_text('{"gamma": 1, "net": {"layers": [1, 2]}, "loss": NaN}')
    (copy / "b.toml").write_text("gamma = 1\nday = 2026-01-02\n[net]\nlayers = 3\n")

    for file in ("a.json", "b.toml"):
        assert run("--params-file", file, "-p", "gamma=2", "true", cwd=copy).returncode == 0

    a, b = steps(copy)
    assert a.parameters == {"gamma": 2, "net": {"layers": [1, 2]}, "loss": "NaN"}
    assert b.parameters == {"gamma": 2, "day": "2026-01-02", "net": {"layers": 3}}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.json", None, "there is no parameters file none.json"),
        ("list.json", "[1]", "list.json holds no JSON object"),
        ("bad.json", "{", "bad.json is not JSON"),
        ("deep.json", '{"a":' * 100_000, "deep.json is nested too deeply"),
        ("bad.toml", "a = ", "bad.toml is not TOML"),
        ("p.yaml", "a: 1", "p.yaml ends in neither .json nor .toml\nGive JSON or TOML; YAML"),
    ],
)
def test_a_parameters_file_that_cannot_be_read_is_named_and_nothing_is_run(
    dws, copy, name, content, told
):
    if content is not None:
        (copy / name).write_text(content)

    assert told in dws.refused("run", "--params-file", name, "--", "touch", "ran")
    assert not (copy / "ran").exists()


@pytest.mark.parametrize("given", [["-p", "a"], ["-p", "=1"], ["-p", "a=1", "-p", "a=2"], []])
def test_a_mistake_in_usage_runs_nothing(dws, copy, given):
    command = ["--", "touch", "ran"] if given else []

    assert " --help' for help." in dws.refused("run", *given, *command, status=2)
    assert not (copy / "ran").exists()


def test_metrics_and_results_are_those_that_the_command_wrote(copy):
    write = """import json, sys; json.dump(json.loads(sys.argv[1]), open("m.json", "w"))"""
    metrics = {"accuracy": 0.9, "by": {"a": 1}, "password": 0.5, "api_key": "hunter2"}
    told = ("-p", "C=1", "--metrics", "m.json", "--results", "results/run-1")
    ran = run(*told, "--", PYTHON, "-c", write, json.dumps(metrics), cwd=copy)

    assert (ran.returncode, ran.stdout) == (0, b"")
    step = last(copy)
    assert step.metrics == {"accuracy": 0.9, "by": {"a": 1}, "password": 0.5, "api_key": "***"}
    assert refs(step.outputs) == ["results:/run-1"]
    written = json.loads((copy / "results/run-1/results.json").read_text())
    assert list(written) == [
        *("step", "start_time", "execution_time_seconds"),
        *("parameters", "run_description", "metrics"),
    ]
    assert (written["parameters"], written["metrics"]) == ({"C": 1}, step.metrics)
    assert written["execution_time_seconds"] == step.execution_time_seconds


def test_results_reach_the_history_of_snapshots(dws, copy):
    write = """open("m.json", "w").write('{"accuracy": 0.9}')"""
    run("--metrics", "m.json", "--results", "results", "--", PYTHON, "-c", write, cwd=copy)
    dws("snapshot", "v1")

    (row,) = dws.json("report", "history")
    assert row["metrics"] == {"accuracy": 0.9}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("rm m.json", "the command wrote no metrics file m.json"),
        ("true", "the command left the metrics file m.json as it was before"),
        ("echo '[1]' > m.json", "m.json holds no JSON object"),
        ("echo '{' > m.json", "m.json is not JSON"),
        ("rm m.json; mkfifo m.json", "the command wrote no metrics file m.json"),
    ],
)
def test_metrics_that_cannot_be_read_cost_no_step(copy, command, told):
    (copy / "m.json").write_text('{"accuracy": 0.1}')
    ran = run("--metrics", "m.json", "-o", "intermediate-data", "sh", "-c", command, cwd=copy)

    assert ran.returncode == 0
    assert f"Warning: {told}" in ran.stderr.decode()
    assert (last(copy).status, last(copy).metrics) == ("completed", {})


def test_results_that_cannot_be_written_cost_no_step(copy):
    ran = run("--results", "results/x", "--", "touch", "results/x", cwd=copy)

    assert ran.returncode == 0
    assert b"Warning: results.json was not written to 'results:/x': " in ran.stderr
    assert refs(last(copy).outputs) == ["results:/x"]


def test_results_that_the_command_wrote_itself_are_left_as_they_are(copy):
    command = """echo '{"metrics": {"accuracy": 0.9}}' > results/results.json"""
    ran = run("--results", "results", "--", "sh", "-c", command, cwd=copy)
    again = run("--results", "results", "-p", "C=1", "true", cwd=copy)

    assert b"Warning: the command wrote results.json to 'results' itself" in ran.stderr
    assert again.stderr == b"Recorded step 'true': wrote results.\n"
    written = json.loads((copy / "results/results.json").read_text())
    assert (written["step"], written["parameters"], written["metrics"]) == ("true", {"C": 1}, {})


# What is refused


def test_inputs_at_two_versions_are_refused_before_anything_is_run(copy):
    run_copy(copy)
    (copy / "source-data" / "raw.txt").write_text("other\n")
    ran = run("-i", "source-data", "-i", CLEAN, "--", "touch", "ran", cwd=copy)

    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"would depend on 'source-data' at two versions" in ran.stderr
    assert b"Run 'copy' again first" in ran.stderr
    assert not (copy / "ran").exists()
    assert (len(steps(copy)), running(copy)) == (1, [])


def test_a_step_that_might_have_accumulated_in_python_is_refused_before_it_runs(copy):
    """All outputs of a command are known, so nothing is left open until it has ended."""
    update = ("-i", "source-data", "-i", CLEAN, "--step-name", "copy", "--")
    run_copy(copy)
    (copy / "source-data" / "raw.txt").write_text("other\n")
    ran = run(*update, "touch", "ran", cwd=copy)

    assert ran.returncode == 1
    assert b"would depend on 'source-data' at two versions" in ran.stderr
    assert f"updates '{CLEAN}' in place, declare that as an output too, with -o".encode() in (
        ran.stderr
    )
    assert not (copy / "ran").exists()
    assert (len(steps(copy)), running(copy)) == (1, [])

    again = run("-o", CLEAN, *update, "touch", "ran", cwd=copy)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (["-i", "nowhere"], "there is no resource 'nowhere'"),
        (["-i", "./source-data/none"], "has no 'none'"),
        (["-o", "nowhere/x"], "there is no path 'nowhere/x', and it lies in no resource"),
        (["-o", "/tmp"], "/tmp lies in no resource"),
        (["-i", "source-data", "-i", "source-data/raw.txt"], "overlap"),
        (["-o", "results", "--results", "results/x"], "overlap"),
        (["--results", "source-data"], "has the role source-data, not results"),
        (["--results", "results/file"], "is a file"),
        (["--step-name", ""], "the step's name is empty"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_what_does_not_fit_is_refused_before_anything_is_run(dws, copy, told, why):
    (copy / "results" / "file").write_text("")

    assert why in dws.refused("run", *told, "--", "touch", "ran")
    assert not (copy / "ran").exists()
    assert (steps(copy), running(copy)) == ([], [])


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        ("nonsense-x", 127, "the command 'nonsense-x' was not found"),
        ("./nonsense-x", 127, "the command './nonsense-x' was not found"),
        ("./code/clean.py", 126, "'./code/clean.py' is not executable"),
        ("./code", 126, "'./code' is not executable"),
    ],
)
def test_a_program_that_is_not_there_leaves_everything_as_it_is(copy, command, status, told):
    run_copy(copy)
    ran = run("-o", CLEAN, "--", command, cwd=copy)

    assert (ran.returncode, ran.stdout) == (status, b"")
    assert ran.stderr.decode().startswith(f"Error: {told}\n")
    assert upstream(copy, CLEAN) == {"copy"}
    assert running(copy) == []


@pytest.mark.parametrize(("line", "status"), [("echo", 126), ("#!/nowhere/sh", 127)])
def test_a_program_that_the_system_refuses_is_a_failed_step(copy, line, status):
    script = copy / "code" / "run"
    script.write_text(line + "\n")
    script.chmod(0o755)
    ran = run("./code/run", cwd=copy)

    assert ran.returncode == status
    assert ran.stderr.startswith(b"Error: './code/run' cannot be run: ")
    assert (last(copy).status, running(copy)) == ("failed", [])


# How it ends


def test_a_failed_command_leaves_its_outputs_unknown_and_its_exit_status(copy):
    run_copy(copy)
    ran = run("-i", "source-data", "-o", CLEAN, "--", "sh", "-c", "exit 3", cwd=copy)

    assert ran.returncode == 3
    assert f"failed (exit status 3): read source-data; leaves unknown {CLEAN}" in str(ran.stderr)
    step = last(copy)
    assert (step.status, step.error, step.outputs) == ("failed", "exit status 3", ())
    assert refs(step.inputs) == ["source-data"]
    with pytest.raises(api_error("LineageNotFoundError")):
        upstream(copy, CLEAN)


def api_error(name: str) -> type[Exception]:
    from dws_graph import errors

    found: type[Exception] = getattr(errors, name)
    return found


def test_a_command_killed_by_a_signal_ends_as_in_a_shell(copy):
    assert run("sh", "-c", "kill -KILL $$", cwd=copy).returncode == 137
    assert last(copy).error == "killed by SIGKILL"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_dws_reaches_the_command_and_how_that_ends_is_recorded(copy, number):
    code = f"import signal; signal.signal({int(number)}, signal.SIG_DFL); {SAY}; signal.pause()"
    process = start("-o", CLEAN, "--", PYTHON, "-c", code, cwd=copy)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (128 + number, "")
    assert "Traceback" not in err
    assert last(copy).error == f"killed by {number.name}"


def test_a_command_that_ends_well_after_a_signal_has_ended_well(copy):
    code = f"import signal; {SAY}; signal.sigwait([signal.SIGTERM]); print('saved')"
    code = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]);" + code
    process = start("-o", CLEAN, "--", PYTHON, "-c", code, cwd=copy)
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    out, _ = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, "saved\n")
    assert last(copy).status == "completed"


def test_what_is_ignored_stays_ignored(copy):
    code = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    command = f"trap '' HUP; {' '.join(DWS)} run -- {PYTHON} -c '{code}'"
    ran = subprocess.run(
        ["sh", "-c", command], cwd=copy, capture_output=True, check=True, timeout=60
    )

    assert ran.stdout == b"True\n"


def test_no_signal_is_blocked_in_the_command(copy):
    ran = run("--", PYTHON, "-c", "import signal; print(signal.pthread_sigmask(0, []))", cwd=copy)

    assert ran.stdout == b"set()\n"


def test_the_step_of_a_dws_that_is_killed_is_ended_by_the_next(copy):
    process = start("-o", CLEAN, "--", PYTHON, "-c", f"{SAY}; sys.stdin.read()", cwd=copy,
                    stdin=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    assert running(copy) == [Path(PYTHON).name]
    process.kill()
    process.communicate(timeout=30)
    run("true", cwd=copy)

    assert running(copy) == []
    assert [s.status for s in steps(copy)] == ["failed", "completed"]


# Streams


def test_streams_are_the_commands_own_byte_for_byte(copy):
    data = os.urandom(3_000_000)
    code = (
        "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer);"
        "sys.stderr.buffer.write(b'\\xff' * 1000)"
    )
    ran = run("--", PYTHON, "-c", code, cwd=copy, input=data)

    assert hashlib.sha1(ran.stdout).digest() == hashlib.sha1(data).digest()
    assert ran.stderr.startswith(b"\xff" * 1000 + b"Recorded step ")


def test_a_reader_that_stops_reading_ends_the_command_as_it_would_alone(copy):
    command = f"{' '.join(DWS)} run -- yes | head -n 1; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(
        ["bash", "-c", command], cwd=copy, capture_output=True, check=True, timeout=60
    )

    assert ran.stdout == b"y\n141\n"
    assert last(copy).error == "killed by SIGPIPE"


def test_files_that_a_shell_opened_for_the_command_are_open_and_no_others(copy):
    command = f"{' '.join(DWS)} run -- cat <(echo hi); {' '.join(DWS)} run -- ls /proc/self/fd"
    ran = subprocess.run(
        ["bash", "-c", command], cwd=copy, capture_output=True, check=True, timeout=60
    )

    assert ran.stdout.split() == [b"hi", b"0", b"1", b"2", b"3"]  # 3: the folder, by ls itself


def test_a_terminal_stays_a_terminal(copy):
    code = "import os; print([os.isatty(n) for n in (0, 1, 2)], os.get_terminal_size().columns)"
    status, shown = on_terminal("run", "--", PYTHON, "-c", code, cwd=copy, columns=93)

    assert status == 0
    assert shown.startswith("[True, True, True] 93\n")


INTERRUPTED = """
import signal, time
count = 0
def handle(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, handle)
print("ready", flush=True)
end = time.monotonic() + 20
while not count and time.monotonic() < end:
    time.sleep(0.05)
time.sleep(0.5)
print("interrupts:", count, flush=True)
"""


def test_ctrl_c_on_a_terminal_reaches_the_command_once(copy):
    status, shown = on_terminal(
        "run", "--", PYTHON, "-c", INTERRUPTED, cwd=copy, answers={"ready": "\x03"}
    )

    assert status == 0
    assert "interrupts: 1\n" in shown
    assert last(copy).status == "completed"


def test_an_interrupt_of_dws_alone_on_a_terminal_reaches_the_command_too(copy):
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(copy)
        os.execv(DWS[0], [*DWS, "run", "--", PYTHON, "-c", INTERRUPTED])
    shown = b""
    while b"ready" not in shown:
        shown += os.read(master, 1000)
    os.kill(pid, signal.SIGINT)
    try:
        while data := os.read(master, 1000):
            shown += data
    except OSError:  # how a terminal ends on Linux
        shown += b""
    _, status = os.waitpid(pid, 0)
    os.close(master)

    assert os.waitstatus_to_exitcode(status) == 0
    assert b"interrupts: 1\r\n" in shown


# Several at once


def test_two_at_once_that_write_one_ref_are_two_steps(copy):
    wait = "import time, pathlib; pathlib.Path('intermediate-data/clean').write_text('x'); "
    wait += "time.sleep(0.5)"
    both = [
        start("--step-name", name, "-o", CLEAN, "--", PYTHON, "-c", wait, cwd=copy)
        for name in ("a", "b")
    ]
    for process in both:
        process.communicate(timeout=30)

    done = steps(copy)
    assert {s.name for s in done} == {"a", "b"}
    assert sorted(c.version for s in done for c in s.outputs) == [1, 2]
    assert len(upstream(copy, CLEAN)) == 1


NESTED = """
import os
from pathlib import Path
from dws_graph.lineage import LineageBuilder
builder = LineageBuilder().as_script_step().with_parameters({"outer": os.environ["DWS_STEP"]})
with builder.with_input_path("source-data").eval() as lineage:
    lineage.add_output_path("intermediate-data/clean")
    Path("intermediate-data/clean").write_text("x")
"""


def test_a_script_that_records_itself_is_a_second_step(copy):
    (copy / "code" / "inner.py").write_text(NESTED)
    ran = run("--step-name", "outer", "-i", "source-data", "-o", "intermediate-data:/log", "--",
              PYTHON, "code/inner.py", cwd=copy)  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    found = {s.name: s for s in steps(copy)}
    assert set(found) == {"inner", "outer"}
    assert found["inner"].parameters == {"outer": found["outer"].id}
    assert upstream(copy, CLEAN) == {"inner"}


def test_a_command_may_run_dws_itself(copy):
    ran = run("--step-name", "outer", "--", *DWS, "run", "--step-name", "inner", "true", cwd=copy)

    assert ran.returncode == 0, ran.stderr
    assert {s.name: s.status for s in steps(copy)} == {"inner": "completed", "outer": "completed"}


# From Python


def test_the_api_runs_a_step_and_reports(copy):
    report = api.run_step(
        [PYTHON, "code/copy.py"], inputs=["source-data"], outputs=["intermediate-data/clean"]
    )
    failed = api.run_step(["sh", "-c", "exit 4"], outputs="intermediate-data/clean")

    assert (report.exit_status, report.step_name, report.error) == (0, "copy", None)
    assert [*map(str, (*report.inputs, *report.code, *report.outputs))] == [
        *("source-data", "code", CLEAN)
    ]
    assert report.warnings == ()
    assert (failed.exit_status, failed.error, failed.outputs) == (4, "exit status 4", ())
    assert [*map(str, failed.unknown)] == [CLEAN]
    assert [s.id for s in steps(copy)] == [report.step, failed.step]


@pytest.mark.parametrize("command", ["sh code/x.sh", [], ["sh", "a\0b"]])
def test_the_api_refuses_what_is_no_command(copy, command):
    with pytest.raises(api_error("ApiParamError")):
        api.run_step(command)


def test_an_interrupt_of_python_ends_the_command_and_the_step(copy):
    code = f"import signal; {SAY}; signal.pause()"
    script = f"from dws_graph import api; api.run_step([{PYTHON!r}, '-c', {code!r}])"
    process = subprocess.Popen(
        [PYTHON, "-c", script],
        cwd=copy,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert "KeyboardInterrupt" in err
    assert (last(copy).status, last(copy).error) == ("failed", "KeyboardInterrupt")


WRITES = """
import os
for name in (b"intermediate-data/out\\xff", b"results/\\xe9/results.json"):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w") as file:
        file.write('{"metrics": {"accuracy": 0.5}}')
"""


def test_what_a_command_wrote_is_found_also_where_its_name_is_not_utf_8(dws, workspace):
    out, results = os.fsdecode(b"intermediate-data/out\xff"), os.fsdecode(b"results/\xe9")
    Path(results).mkdir()

    told = ("-o", out, "--results", results)
    err = dws("run", "--step-name", "odd", *told, "--", sys.executable, "-c", WRITES).err

    assert "does not exist" not in err
    assert "the command wrote results.json to 'results:/\\xe9' itself" in err
    written = json.loads(Path(results, "results.json").read_text())
    assert written == {"metrics": {"accuracy": 0.5}}
    [step] = dws.json("steps")
    assert step["outputs"] == ["intermediate-data:/out\\xff", "results:/\\xe9"]
