"""Programs without a workspace record steps: once each, whatever happens, and only what is sane."""

import asyncio
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from dws_graph.api.service.recorder import Recorder
from dws_graph.backends.git.command import Git
from dws_graph.backends.views import diff_dumps
from dws_graph.lineage.outside import Told, start_run
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.own import own_workspace
from tests.service.serving import Served, dumps, steps

PART = {"name": "clean", "inputs": [{"resource": "raw"}], "outputs": [{"resource": "tidy"}]}
TRAIN = {"name": "train", "inputs": [{"resource": "tidy"}], "outputs": [{"resource": "model"}]}

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}  # what curl says, unless told


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One service for all that only ask for runs of their own."""
    found = Served(tmp_path_factory.mktemp("service"))
    found.start()
    yield found
    found.end()


@pytest.fixture
def client(shared):
    with shared.client() as client:
        yield client


@pytest.fixture
def served(tmp_path):
    found = Served(tmp_path)
    found.start()
    yield found
    if found.process is not None:
        found.kill()


def good(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["detail"]


def step_of(client, run):
    return good(client.get(f"steps/{run['step']}"))


# Once


def test_the_same_said_again_is_answered_the_same(client):
    begun = good(client.put("runs/again", json=PART))
    assert begun["status"] == "running"
    assert good(client.put("runs/again", json=PART)) == begun

    done = good(client.post("runs/again/complete", json={"metrics": {"rows": 3}}))
    assert done["status"] == "completed"
    assert done["step"] == begun["step"]
    assert good(client.post("runs/again/complete", json={"metrics": {"rows": 3}})) == done
    assert good(client.put("runs/again", json=PART)) == done
    assert good(client.get("runs/again")) == done


def test_a_body_that_does_not_say_that_it_is_json_is_told_to(client):
    for told in ({}, {"content-type": "text/plain"}, FORM):
        answer = client.put("runs/no-type", content=b'{"name": "a"}', headers=told)
        refused(answer, 422)
        assert "Content-Type: application/json" in answer.json()["hint"]
    wrong = client.put("runs/no-type", content=b"{", headers=JSON)
    refused(wrong, 422)
    assert "hint" not in wrong.json()
    good(client.put("runs/no-type", content=b'{"name": "a"}', headers=JSON))


def test_something_else_of_the_same_run_is_a_conflict(client):
    good(client.put("runs/other", json=PART))
    refused(client.put("runs/other", json={**PART, "name": "scrub"}), 409)
    refused(client.post("runs/other/complete", json={"name": "scrub"}), 409)
    good(client.post("runs/other/fail", json={"error": "no memory"}))
    good(client.post("runs/other/fail", json={"error": "no memory"}))
    refused(client.post("runs/other/fail", json={"error": "no disk"}), 409)

    assert "has failed already" in refused(client.post("runs/other/complete", json={}), 409)


def test_complete_without_a_start_is_both_and_needs_a_name(client):
    run = good(client.post("runs/at once/complete", json=PART))
    assert run["status"] == "completed"
    refused(client.put("runs/at once", json=PART), 409)
    refused(client.post("runs/nameless/complete", json={}), 400)
    refused(client.get("runs/nameless"), 404)


@pytest.mark.parametrize("run", ["a/b", "a/complete", "täglich 1", "x" * 200, "?#&%2F", "👩"])
def test_a_run_may_be_called_anything(client, run):
    from urllib.parse import quote

    path = f"runs/{quote(run, safe='')}"
    assert good(client.put(path, json=PART))["run"] == run
    assert good(client.post(f"{path}/complete", json={}))["run"] == run
    assert good(client.get(path))["status"] == "completed"


# What is recorded


def test_an_input_is_what_a_step_wrote_or_what_has_its_hash(client):
    first = good(client.post("runs/w1/complete", json=_writes("lake", "aa" * 8)))
    second = good(client.post("runs/w2/complete", json=_writes("lake", "bb" * 8)))
    reads = [
        good(client.post(f"runs/{name}/complete", json=_reads("lake", given)))
        for name, given in [
            ("r-now", None),
            ("r-old", "AA" * 8),
            ("r-new", "bb" * 8),
            ("r-else", "cc" * 8),
        ]
    ]

    wrote = [step_of(client, run)["outputs"][0]["id"] for run in (first, second)]
    read = [step_of(client, run)["inputs"][0] for run in reads]
    assert [cert["id"] for cert in read[:3]] == [wrote[1], wrote[0], wrote[1]]
    assert read[3]["id"] not in wrote
    assert read[3]["hash"] == "cc" * 8


def _writes(name, given):
    return {"name": "write", "outputs": [{"resource": name, "hash": given}]}


def _reads(name, given):
    return {"name": "read", "inputs": [{"resource": name, "hash": given}]}


def test_a_part_of_what_a_step_wrote_comes_from_that_step(client):
    good(client.post("runs/whole/complete", json=_writes("table", None)))
    part = {"name": "read", "inputs": [{"resource": "table", "subpath": "day/1"}]}
    run = good(client.post("runs/part/complete", json=part))

    assert [c["ref"]["name"] for c in step_of(client, run)["inputs"]] == ["table"]


def test_what_a_failed_run_was_to_write_is_unknown(client):
    good(client.post("runs/ok/complete", json=_writes("half", "dd" * 8)))
    good(client.post("runs/bad/fail", json=_writes("half", None)))
    run = good(client.post("runs/after/complete", json=_reads("half", None)))

    assert step_of(client, run)["inputs"][0]["hash"] is None


def test_what_is_told_is_in_the_step(client):
    body = {
        **PART,
        "parameters": {"rate": float("nan"), "deep": {"a": [1]}, "big": 2**70},
        "metrics": {"loss": float("inf")},
        "command_line": ["spark-submit", "clean.py"],
        "description": "nightly",
        "started": "2026-01-01T01:00:00+01:00",
        "ended": "2026-01-01T00:00:02.5Z",
    }
    run = good(client.post("runs/full/complete", content=json.dumps(body), headers=JSON))

    step = step_of(client, run)
    assert step["parameters"] == {"rate": "NaN", "deep": {"a": [1]}, "big": 2**70}
    assert step["metrics"] == {"loss": "Infinity"}
    assert step["command_line"] == ["spark-submit", "clean.py"]
    assert step["description"] == "nightly"
    assert step["start_time"] == "2026-01-01T00:00:00.000000Z"
    assert step["execution_time_seconds"] == 2.5


def test_secrets_are_taken_out_before_anything_is_written(shared, client):
    body = {
        **PART,
        "name": "load --password hunter2secret",
        "parameters": {"api_key": "hunter2secret", "url": "https://me:hunter2secret@host/"},
        "command_line": ["load", "--token", "hunter2secret"],
        "description": "password=hunter2secret",
        "producer": "https://me:hunter2secret@host/",
    }
    good(client.put("runs/secret", json=body))
    good(client.post("runs/secret/fail", json={"error": "token=hunter2secret"}))
    refused(client.put("runs/password=hunter2secret", json=PART), 400)

    journal = shared.data / ".dataworkspace/local/journal.jsonl"
    assert "hunter2secret" not in journal.read_text()


# What is refused


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({**PART, "more": 1}, 422),
        ({**PART, "name": ""}, 422),
        ({**PART, "name": "x" * 10_000}, 422),
        ({**PART, "name": "a\0b"}, 422),
        ({**PART, "inputs": [{"resource": "raw", "subpath": "../../etc/passwd"}]}, 400),
        ({**PART, "inputs": [{"resource": "..", "subpath": "x"}]}, 400),
        ({**PART, "inputs": [{"resource": "a/b"}]}, 400),
        ({**PART, "inputs": [{"resource": "x" * 10_000}]}, 422),
        ({**PART, "inputs": [{"resource": "raw", "subpath": "x" * 10_000}]}, 422),
        ({**PART, "inputs": [{"resource": "raw", "subpath": "a\0b"}]}, 422),
        ({**PART, "inputs": [{"resource": "raw", "hash": "no hash"}]}, 422),
        ({**PART, "inputs": [{"resource": "raw"}] * 1_001}, 422),
        ({**PART, "outputs": [{"resource": "o"}, {"resource": "o", "subpath": "p"}]}, 409),
        ({**PART, "parameters": {"a": "b\0"}}, 422),
        ({**PART, "parameters": {"a": ["\ud800"]}}, 422),
        ({**PART, "parameters": {"a\0": 1}}, 422),
        ({**PART, "started": "yesterday"}, 422),
        ({**PART, "started": "2026-01-01T00:00:00"}, 422),
        ({**PART, "started": 1767225600}, 422),
        ({**PART, "started": "2999-01-01T00:00:00Z"}, 422),
        ({**PART, "started": "0001-01-01T00:00:00+14:00"}, 422),
        ([], 422),
    ],
)
def test_what_makes_no_sense_is_refused(client, body, status):
    refused(client.put("runs/senseless", content=json.dumps(body), headers=JSON), status)
    refused(client.get("runs/senseless"), 404)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a", "parameters": ' + '{"a":' * 60 + "1" + "}" * 60 + "}",
        '{"name": "a", "parameters": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"name": "a", "parameters": {"a": ' + "9" * 10_000 + "}}",
        '{"name": "a\\ud800"}',
        "{",
        "\xff",
    ],
)
def test_a_body_that_is_no_sane_json_is_refused(client, text):
    answer = client.put("runs/insane", content=text.encode("latin-1"), headers=JSON)
    assert answer.status_code in (400, 422), answer.text
    refused(client.get("runs/insane"), 404)


def test_a_huge_body_is_refused(client):
    huge = {**PART, "description": "x" * (2 << 20)}
    refused(client.put("runs/huge", json=huge), 413)


def test_an_end_before_the_start_is_refused(client):
    times = {"started": "2026-01-02T00:00:00Z", "ended": "2026-01-01T00:00:00Z"}
    refused(client.post("runs/backwards/complete", json={**PART, **times}), 400)
    refused(client.get("runs/backwards"), 404)


def test_recording_needs_a_token_that_may_write(shared, client):
    import httpx

    for method, path in (("PUT", ""), ("POST", "/complete"), ("POST", "/fail"), ("GET", "")):
        url = f"{shared.url}/api/v1/runs/mine{path}"
        assert httpx.request(method, url, json=PART).status_code == 401


def test_a_service_on_somebodys_workspace_records_nothing(tmp_path):
    (tmp_path / "ws").mkdir()
    initialize(tmp_path / "ws").close()
    served = Served(tmp_path)
    served.start(tmp_path / "ws")
    with served.client() as client:
        assert "somebody's" in refused(client.put("runs/a", json=PART), 409)
    served.end()


# Whatever happens


def test_each_acknowledged_run_is_there_after_each_kill(served):
    for n in range(3):
        with served.client() as client:
            begun = good(client.put(f"runs/k{n}", json=PART))
            served.kill()
        served.start()
        with served.client() as client:
            assert good(client.put(f"runs/k{n}", json=PART)) == begun
            done = good(client.post(f"runs/k{n}/complete", json={}))
            served.kill()
        served.start()
        with served.client() as client:
            assert good(client.post(f"runs/k{n}/complete", json={})) == done
    served.end()

    index, anew = dumps(served.data)
    assert steps(index) == {f"k{n}": "completed" for n in range(3)}
    assert diff_dumps(index, anew) == []


def test_nobody_ends_a_run_because_no_process_stands_behind_it(served):
    with served.client() as client:
        good(client.put("runs/long", json=PART))
        served.end()
        served.start()
    with served.client() as client:
        good(client.post("runs/next/complete", json=TRAIN))
        assert good(client.get("runs/long"))["status"] == "running"
        assert good(client.post("runs/long/complete", json={}))["status"] == "completed"


def test_twenty_threads_record_200_runs_each_once(served):
    def tell(n):
        with served.client() as client:
            for _ in range(2):  # each says all twice
                good(client.put(f"runs/c{n}", json=PART))
                good(client.post(f"runs/c{n}/complete", json={"metrics": {"n": n}}))

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(tell, range(200)))
    served.end()

    index, anew = dumps(served.data)
    assert steps(index) == {f"c{n}": "completed" for n in range(200)}
    assert diff_dumps(index, anew) == []


def test_a_resource_may_be_renamed_while_a_run_reads_it(served):
    with served.client() as client:
        begun = good(client.put("runs/long", json=PART))
        words = ["--workspace-dir", str(served.data), "rename", "raw", "lake"]
        done = subprocess.run([sys.executable, "-m", "dws_graph", *words], capture_output=True)
        assert done.returncode == 0, done.stderr
        assert good(client.put("runs/long", json=PART)) == begun
        ended = good(client.post("runs/long/complete", json={}))
        later = good(client.post("runs/later/complete", json=PART))  # by the name that it knows
        read = [step_of(client, run)["inputs"][0]["ref"]["name"] for run in (ended, later)]
        assert read == ["lake", "lake"]
    served.end()
    index, anew = dumps(served.data)
    assert diff_dumps(index, anew) == []


def test_a_run_goes_on_in_a_copy_of_the_folder(served, tmp_path):
    with served.client() as client:
        begun = good(client.put("runs/moved", json=PART))
    served.end()
    (tmp_path / "new").mkdir()
    copy = Served(tmp_path / "new")
    shutil.copytree(served.data, copy.data)
    copy.start()
    with copy.client() as client:
        assert good(client.put("runs/moved", json=PART)) == begun
        done = good(client.post("runs/moved/complete", json={}))
        assert (done["step"], done["status"]) == (begun["step"], "completed")
    copy.end()
    index, anew = dumps(copy.data)
    assert steps(index) == {"moved": "completed"}
    assert diff_dumps(index, anew) == []


def test_the_journal_is_sealed_at_intervals(tmp_path):
    async def sealed():
        recorder = Recorder(own_workspace(tmp_path / "data"))
        before = await recorder.record(lambda ws: ws.git.head())
        await recorder.record(lambda ws: start_run(ws, "a", Told(name="clean")))
        keeping = asyncio.create_task(recorder.keep(0.001))
        while await recorder.record(lambda ws: ws.git.head()) == before:
            pass
        keeping.cancel()
        await recorder.close()

    asyncio.run(asyncio.wait_for(sealed(), 120))


def test_the_journal_is_in_git_when_the_service_has_ended(served):
    with served.client() as client:
        good(client.put("runs/sealed", json=PART))
    served.end()
    git = Git(served.data)

    assert git.text("log", "-1", "--format=%s").strip() == "Recorded lineage"
    assert git.text("status", "--porcelain").strip() == ""
    head = git.head()
    served.start()
    served.end()
    assert git.head() == head  # nothing was new


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    served = Served(tmp_path)
    served.data.mkdir()
    (served.data / "mine.txt").write_text("mine")
    words = [sys.executable, "-m", "dws_graph", "serve", "--data", str(served.data)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode != 0
    assert "something else is in it" in done.stderr
    assert [path.name for path in served.data.iterdir()] == ["mine.txt"]


def test_a_server_without_a_git_identity_can_keep_a_journal(tmp_path, monkeypatch):
    config = tmp_path / "gitconfig"
    config.write_text("[user]\n    useConfigOnly = true\n[init]\n    defaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    served = Served(tmp_path)
    served.start()
    with served.client() as client:
        good(client.put("runs/a", json=PART))
    served.end()

    by = subprocess.run(
        ["git", "-C", str(served.data), "log", "-1", "--format=%cn"], capture_output=True, text=True
    )
    assert by.stdout.strip() == "dws serve"
