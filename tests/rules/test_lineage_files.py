"""`complete` in a `lineage.json`: versions count as they do at the start of a step."""

from __future__ import annotations

import json

from tests.rules.lab import CLEAN, DATA, Lab


def is_complete(lab: Lab, tag: str) -> bool:
    folder = lab.metadata(lab.snapshot(tag).hash)["relative_destination_path"]
    return json.loads((lab.path("results") / folder / "lineage.json").read_text())["complete"]


def test_an_update_in_place_is_no_second_version(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V1")
    for n in range(2):
        (lab.raw / "a.csv").write_text(f"1,2,{n}\n")
        lab.step("add", [CLEAN], [CLEAN])
        lab.snapshot(f"added-{n}")
    lab.results_step([CLEAN], {"accuracy": 0.5})
    assert is_complete(lab, "V2")


def test_code_that_was_changed_between_two_steps_is_no_second_version(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    lab.results_step([CLEAN], {"accuracy": 0.5})
    assert is_complete(lab, "V2")


def test_results_of_two_versions_of_one_ref_are_not_complete(lab):
    lab.write(f"{DATA}:/clean/data.txt", "one\n")
    lab.step("look", [CLEAN])
    lab.snapshot("V1")  # so that the first version is kept
    lab.step("one", [CLEAN], ["results:/a"])
    lab.write(f"{DATA}:/clean/data.txt", "two\n")
    lab.step("two", [CLEAN], ["results:/b"])
    assert not is_complete(lab, "V2")
