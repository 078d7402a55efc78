from __future__ import annotations

import csv
import io
import json


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("   ") if cell.strip()]


def test_status_shows_resources_and_which_changed(dws, workspace):
    new = dws("report", "status")
    dws("snapshot", "v1")
    (workspace / "source-data" / "raw.txt").write_text("4 5 6\n")

    ran = dws("report", "status")

    assert ran.lines[0] == "Status for workspace: lab"
    assert cells(ran.lines[1]) == ["Resource", "Role", "Type", "Parameters", "Changed?"]
    assert cells(ran.lines[3]) == [
        *("source-data", "source-data", "git-subdirectory", "relative_path=source-data", "yes")
    ]
    assert [cells(line)[-1] for line in ran.lines[3:]] == ["yes", "no", "no", "no"]
    assert [cells(line)[-1] for line in new.lines[3:]] == ["new"] * 4
    assert [r["changed"] for r in dws.json("report", "status")["resources"]] == [
        *(True, False, False, False)
    ]


def test_status_says_which_roles_have_no_resource(dws, folder):
    dws("init", "--create-resources", "code,results")

    assert dws("report", "status").lines[-1] == (
        "No resources for the following roles: source-data, intermediate-data."
    )


def test_status_of_a_folder_that_is_gone_is_unknown(dws, workspace, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    dws("add", "local-files", "--role", "s", str(data))
    dws("snapshot", "v1")
    data.rmdir()

    assert cells(dws("report", "status").lines[-1])[-1] == "unknown"


def test_history_shows_the_two_commonest_metrics(dws, workspace, two_snapshots):
    ran = dws("report", "history")

    hashes = [row["hash"][:7] for row in dws.json("report", "history")]
    assert ran.lines[0] == "History of snapshots"
    assert cells(ran.lines[1]) == ["Hash", "Tags", "Created", "accuracy", "loss", "Message"]
    rows = [cells(line) for line in ran.lines[3:5]]
    assert [(r[0], r[1], *r[3:]) for r in rows] == [
        (hashes[0], "v2", "0.932", "0.000123", "factor 2"),
        (hashes[1], "v1", "0.922", "0.000123", "factor 1"),
    ]
    assert ran.lines[5:] == ["2 snapshots total"]


def test_lineage_of_now_warns_of_what_was_edited_since(dws, workspace, two_snapshots):
    assert dws("report", "lineage").err == ""
    (workspace / "source-data" / "raw.txt").write_text("edited\n")
    (workspace / "code" / "clean.py").write_text("print('edited')\n")

    ran = dws("report", "lineage")

    assert [line.split()[1] for line in ran.err.splitlines()] == ["code", "source-data"]
    assert all("was changed outside any step since" in line for line in ran.err.splitlines())
    assert dws("report", "lineage", "--format", "json").err == ran.err
    assert dws("report", "lineage", "--snapshot", "v2").err == ""


def test_a_broken_results_file_is_named_with_what_to_do(dws, workspace):
    file = workspace / "results" / "results.json"
    for text in ("{", "[]"):
        file.write_text(text)
        for command in (("report", "results"), ("snapshot", "v1")):
            err = dws.refused(*command)
            assert err.startswith(f"Error: {file}: ")
            assert f"Mend {file}, or move it out of resource 'results'" in err


def test_history_counts_a_single_snapshot_as_one(dws, workspace):
    dws("snapshot", "v1")

    assert dws("report", "history").lines[-1] == "1 snapshot total"


def test_history_shows_the_metrics_named(dws, workspace, two_snapshots):
    ran = dws("report", "history", "--metrics", "accuracy,nonsense", "--limit", "1")

    assert cells(ran.lines[1])[3:] == ["accuracy", "nonsense", "Message"]
    assert ran.lines[-1] == "1 of 2 snapshots total"
    assert ran.err == "Warning: no snapshot has a metric 'nonsense'\n"


def test_history_is_sorted_by_a_metric_and_reversed(dws, workspace, two_snapshots):
    def tags(*args):
        return [row["tags"][0] for row in dws.json("report", "history", *args)]

    assert tags() == ["v2", "v1"]
    assert tags("--reverse") == ["v1", "v2"]
    assert tags("--sort", "accuracy") == ["v2", "v1"]
    assert tags("--sort", "accuracy", "--reverse") == ["v1", "v2"]
    err = dws("report", "history", "--sort", "nonsense").err
    assert err == "Warning: no snapshot has a metric 'nonsense'\n"


def test_history_as_csv_and_json_has_all_metrics(dws, workspace, two_snapshots):
    rows = list(csv.DictReader(io.StringIO(dws("report", "history", "--format", "csv").out)))

    assert [row["tags"] for row in rows] == ["v2", "v1"]
    assert float(rows[1]["accuracy"]) == 0.9223456
    assert rows[0]["by"] == '{"a": 1}'
    assert dws.json("report", "history")[1]["metrics"] == {
        "accuracy": 0.9223456,
        "loss": 0.00012345,
        "by": {"a": 1},
    }


def test_history_csv_holds_every_metric_of_every_snapshot(dws, workspace):
    nested = {"a": {"b": [1, 2]}, "n": 1}
    for tag, metrics in {
        "v1": {"loss": 0.5, "by": nested},
        "v2": {"loss": float("nan"), "text": 'a "quoted", one\nof two lines'},
        "v3": {"other": 10**400},
        "v4": {"loss": 2, "other": 3.5},
    }.items():
        (workspace / "results" / "results.json").write_text(json.dumps({"metrics": metrics}))
        dws("snapshot", tag)

    out = dws("report", "history", "--format", "csv").out
    rows = {row["tags"]: row for row in csv.DictReader(io.StringIO(out))}

    assert set(rows["v1"]) >= {"number", "hash", "timestamp", "message", "loss", "by", "text"}
    assert json.loads(rows["v1"]["by"]) == nested
    assert rows["v2"]["text"] == 'a "quoted", one\nof two lines'
    assert (rows["v2"]["loss"], rows["v3"]["loss"], rows["v4"]["loss"]) == ("NaN", "", "2")
    chosen_out = dws("report", "history", "--format", "csv", "--metrics", "loss").out
    assert chosen_out.splitlines()[0] == "number,hash,tags,timestamp,message,loss"

    def order(*args: str) -> list[str]:
        return [r["tags"][0] for r in dws.json("report", "history", *args)]

    assert order("--sort", "loss") == ["v4", "v1", "v3", "v2"]
    assert order("--sort", "loss", "--reverse") == ["v1", "v4", "v3", "v2"]
    assert order("--sort", "other") == ["v3", "v4", "v2", "v1"]
    assert order("--sort", "by") == ["v4", "v3", "v2", "v1"]


def test_history_of_a_new_workspace_says_how_to_begin(dws, workspace):
    ran = dws("report", "history")

    assert (ran.out, ran.err) == ("0 snapshots total\n", "Take one: dws snapshot TAG.\n")
    assert dws.json("report", "history") == []


def test_lineage_shows_steps_and_their_inputs(dws, workspace, two_snapshots):
    ran = dws("report", "lineage", "--snapshot", "v1")

    rows = [cells(line) for line in ran.lines]
    assert rows[0] == ["Lineage for v1"]
    assert rows[1] == ["Resource", "Type", "Details", "Inputs"]
    shown = {row[0]: row[1:] for row in rows[3:]}
    assert shown["results"][0] == "Step"
    assert shown["results"][1].startswith("fit at 20")
    assert shown["results"][2] == "intermediate-data:/clean (current)"
    assert shown["source-data"][0] == "Source Data"
    assert shown["source-data"][2] == "None"
    assert shown["code"][0] == "Code"


def test_lineage_of_the_current_state_is_shown(dws, workspace, train):
    assert dws("report", "lineage").out == "Lineage for current state: no step was recorded.\n"
    train(1)

    assert dws("report", "lineage").lines[0] == "Lineage for current state"
    refs = {row["ref"] for row in dws.json("report", "lineage")}
    assert refs == {"source-data", "intermediate-data:/clean", "code", "results"}


def test_results_are_shown_in_groups(dws, workspace, train):
    train(1)

    ran = dws("report", "results")

    assert ran.lines[0] == "Results file at results:/results.json"
    headings = ("General Properties", "Parameters", "Metrics", "Metrics: by")
    assert [line for line in ran.lines if line in headings] == list(headings)
    assert ["accuracy", "0.922"] in [cells(line) for line in ran.lines]
    assert ["kernel", "rbf"] in [cells(line) for line in ran.lines]


def test_results_of_a_snapshot_are_shown(dws, workspace, two_snapshots):
    found = dws.json("report", "results", "--snapshot", "v1")

    assert found["path"].startswith("results:/snapshots/")
    assert found["results"]["metrics"]["accuracy"] == 0.9223456
    assert dws.json("report", "results")["path"].endswith("-v2/results.json")


def test_without_results_the_hint_says_who_writes_them(dws, workspace):
    assert "write_results()" in dws.refused("report", "results")
    assert "not results" in dws.refused("report", "results", "--resource", "code")


def test_status_by_its_old_name_says_so(dws, workspace, two_snapshots):
    ran = dws("status", "--history", "--limit", "1")

    assert ran.err.startswith("Warning: 'dws status' is deprecated: use 'dws report status'")
    assert "Status for workspace: lab" in ran.out
    assert "1 of 2 snapshots total" in ran.out
    assert "snapshots total" not in dws("status").out


def test_piped_tables_have_no_colours_and_cut_nothing(dws, workspace):
    message = "a message that is much longer than any terminal is wide " * 5
    dws("snapshot", "-m", message.strip(), "v1")

    out = dws("report", "history").out

    assert message.strip() in out
    assert "\x1b" not in out


def test_colours_come_when_asked_for_and_names_cannot_bring_them(dws, workspace, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    dws("snapshot", "-m", "\x1b[31mred[bold] [/nonsense]", "v1")

    assert "\x1b[1mHash" in dws("--color", "report", "history").out
    plain = dws("report", "history").out
    assert "\x1b" not in plain
    assert "red[bold] [/nonsense]" in plain
