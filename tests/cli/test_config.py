from __future__ import annotations

import subprocess


def value(dws, name):
    return dws.json("config", name)[0]["value"]


def test_all_parameters_are_listed_with_what_they_mean(dws, workspace):
    ran = dws("config")

    assert ran.lines[0].split() == ["Name", "Scope", "Value", "Default?", "Help"]
    assert any(
        line.startswith("results.dir_template") and "snapshots/{HOSTNAME}-{TAG}" in line
        for line in ran.lines
    )
    assert {row["scope"] for row in dws.json("config")} == {"global", "local"}


def test_a_global_parameter_is_set_and_committed(dws, workspace):
    ran = dws("config", "results.dir_template", "snapshots/{TAG}")

    assert ran.out == "results.dir_template is snapshots/{TAG} now.\n"
    assert dws.json("config", "results.dir_template")[0]["is_default"] is False
    log = subprocess.run(["git", "log", "-1", "--format=%s"], capture_output=True, text=True)
    assert log.stdout == "Set parameter results.dir_template\n"


def test_a_parameter_that_is_unset_has_its_default_again(dws, workspace):
    dws("config", "results.dir_template", "snapshots/{TAG}")
    dws("config", "--unset", "results.dir_template")

    assert value(dws, "results.dir_template") == "snapshots/{HOSTNAME}-{TAG}"


def test_a_list_is_given_with_commas(dws, workspace):
    dws("config", "results.move_exclude_files", "README.md, notes.txt")

    assert value(dws, "results.move_exclude_files") == ["README.md", "notes.txt"]


def test_an_unknown_parameter_is_refused_with_those_there_are(dws, workspace):
    err = dws.refused("config", "nonsense", "x")

    assert "there is no parameter 'nonsense'" in err
    assert "results.dir_template" in err


def test_a_value_that_does_not_fit_is_refused(dws, workspace):
    assert "unknown 'NONSENSE'" in dws.refused(
        "config", "results.dir_template", "snapshots/{NONSENSE}"
    )
    assert "is no list" in dws.refused("config", "results.move_exclude_files", "[1")
    assert value(dws, "results.dir_template") == "snapshots/{HOSTNAME}-{TAG}"


def test_the_parameters_of_a_resource_are_shown_and_cannot_be_changed(dws, workspace):
    assert {"name": "role", "scope": "global", "value": "code"} in dws.json(
        "config", "--resource", "code"
    )
    assert "cannot be changed" in dws.refused("config", "--resource", "code", "role", "results")
    assert "has no parameter 'x'" in dws.refused("config", "--resource", "code", "x")
    assert "there is no resource 'x'" in dws.refused("config", "--resource", "x")
