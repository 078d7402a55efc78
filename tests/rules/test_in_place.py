"""Rule 2.1 of steps that update in place what they read: said before they begin, or later."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from dws_graph.errors import ConfigurationError, LineageConflictError, LineageConsistencyError
from dws_graph.lineage import Lineage, ResourceRef
from tests.rules.lab import CLEAN, DATA, MODEL, Lab

ACC = f"{DATA}:/acc"
NO_PLACE = f"{DATA}:/other"


def ref(text: str) -> ResourceRef:
    return ResourceRef.parse(text)


def new_raw(lab: Lab, name: str = "a.csv") -> None:
    path = lab.raw / name
    path.write_text(f"{path.read_text() if path.exists() else ''}more\n")


def append(lab: Lab, reads: Sequence[str] = (ACC, "raw"), writes: Sequence[str] = (ACC,)) -> str:
    """Run the step that accumulates, as a plain script step does; its id."""
    key = lab.step("append", reads, writes)
    new_raw(lab)
    return key


def accumulated(lab: Lab) -> None:
    """A data set that was made once, and newer raw data."""
    append(lab, ["raw"])


def begun(lab: Lab, name: str = "append", reads: Sequence[str] = (ACC, "raw")) -> Lineage:
    return lab.begin(name, reads)


def refused_at_once(lab: Lab, name: str, reads: Sequence[str] = (ACC, "raw")) -> str:
    """The hint of the refusal; nothing was recorded."""
    before = lab.journal_lines()
    with pytest.raises(LineageConsistencyError) as refused:
        begun(lab, name, reads)
    assert lab.journal_lines() == before
    return refused.value.hint


def refused_at_its_end(lab: Lab, lineage: Lineage) -> LineageConsistencyError:
    """The refusal; the step was kept as a failed one."""
    with pytest.raises(LineageConsistencyError) as refused:
        lineage.complete()
    lab.ws.catch_up()
    info = lab.ws.index.step(lineage.key)
    assert info is not None
    assert (info.status, info.outputs) == ("failed", ())
    assert info.error == f"LineageConsistencyError: {refused.value.message}"
    return refused.value


def test_rule_2_1_a_plain_step_of_the_same_name_accumulates(lab):
    for reads in (["raw"], [ACC, "raw"], [ACC, "raw"]):
        last = append(lab, reads)

    assert lab.written_by(last, ACC).id == lab.current(ACC).id
    assert len(lab.upstream(ACC).hashes["raw"]) == 1  # all pending
    assert len([n for n in lab.upstream(ACC).certificates if n.name == "raw"]) == 3
    lab.step("train", [ACC], [MODEL])
    assert lab.upstream(MODEL).steps == {"append", "train"}


def test_rule_2_1_a_step_of_another_name_goes_on_with_what_one_has_updated_in_place(lab):
    accumulated(lab)
    append(lab)

    key = lab.step("extend", [ACC, "raw"], [ACC])

    assert lab.current(ACC).id == lab.written_by(key, ACC).id
    assert lab.upstream(ACC).steps == {"append", "extend"}


def test_rule_2_1_the_first_update_in_place_of_another_step_is_declared_before_it_begins(lab):
    accumulated(lab)
    hint = refused_at_once(lab, "extend")
    assert "Run 'append' again first" in hint
    assert f"If 'extend' updates '{ACC}' in place" in hint
    assert "with_output_ref()" in hint
    lab.step("look", ["raw"])
    assert f"If 'extend' updates '{ACC}' in place" in refused_at_once(lab, "extend")

    with lab.builder("extend", [ACC, "raw"]).with_output_ref(ref(ACC)).eval() as lineage:
        lab.write(f"{ACC}/more.txt", "more\n")
        lineage.add_output_ref(ref(ACC))

    assert lab.current(ACC).id == lab.written_by(lineage.key, ACC).id


def test_rule_2_1_what_is_not_declared_until_the_end_is_refused_there(lab, caplog):
    accumulated(lab)
    lab.step("tune", ["raw"], [MODEL])
    acc = lab.current(ACC)
    lineage = begun(lab)
    lineage.add_output_ref(ref(MODEL))

    error = refused_at_its_end(lab, lineage)

    assert "'raw'" in error.message
    assert f"If 'append' updates '{ACC}' in place" in error.hint
    assert {str(c["resource"]) for c in lab.step_fact(lineage.key)["inputs"]} == {DATA, "raw"}
    assert lab.current(ACC) == acc
    assert lab.entry(MODEL) is None  # unknown, as after any failed step
    with caplog.at_level(logging.WARNING):
        lineage.complete()
    assert any("aborted already" in message for message in caplog.messages)


def test_rule_2_1_leaving_the_block_refuses_it_too(lab):
    accumulated(lab)
    with pytest.raises(LineageConsistencyError), begun(lab):
        pass
    lab.ws.catch_up()
    assert [s.status for s in lab.ws.index.steps(lab.ws.id)] == ["failed", "completed"]


def test_rule_2_1_another_output_settles_nothing(lab):
    accumulated(lab)
    lineage = begun(lab)
    lineage.add_output_ref(ref(NO_PLACE))
    refused_at_its_end(lab, lineage)


def test_rule_2_1_a_reader_of_an_accumulated_set_beside_newer_data_is_refused(lab):
    accumulated(lab)
    append(lab)
    refused_at_its_end(lab, begun(lab, "report"))


def test_rule_2_1_an_exception_is_not_hidden_by_what_was_left_open(lab):
    accumulated(lab)
    with pytest.raises(ZeroDivisionError), begun(lab):
        raise ZeroDivisionError


@pytest.mark.parametrize("name", ["train", "append"])
def test_rule_2_1_an_ordinary_inconsistent_step_is_refused_at_once(lab, name):
    lab.step("prepare", ["raw"], [CLEAN])
    new_raw(lab)
    lab.step("fit", ["raw"], [MODEL])
    hint = refused_at_once(lab, name, [CLEAN, MODEL])
    assert "Run 'prepare' again first" in hint


def test_rule_2_1_two_new_sources_are_added_at_once(lab):
    sources = ["raw:/a.csv", "raw:/b.csv"]
    for _ in range(3):
        for source in ("a.csv", "b.csv"):
            new_raw(lab, source)
        reads = sources if lab.entry(ACC) is None else [ACC, *sources]
        key = lab.step("append", reads, [ACC])
    assert lab.current(ACC).id == lab.written_by(key, ACC).id
    for source in ("a.csv", "b.csv"):
        new_raw(lab, source)
    refused_at_its_end(lab, begun(lab, reads=[ACC, *sources]))


def test_rule_2_1_two_accumulated_sets_are_both_to_be_declared(lab):
    both = [ACC, CLEAN]
    append(lab, ["raw"], both)
    append(lab, [*both, "raw"], both)

    lineage = begun(lab, reads=[*both, "raw"])
    lineage.add_output_ref(ref(ACC))
    error = refused_at_its_end(lab, lineage)

    assert f"updates '{ACC}' and '{CLEAN}' in place" in error.hint


def test_rule_2_1_the_set_is_read_by_the_folder_that_holds_it(lab):
    accumulated(lab)
    lineage = begun(lab, reads=[DATA, "raw"])
    lineage.add_output_ref(ref(ACC))
    lineage.complete()
    assert str(lab.read_by(lineage.key, ACC).ref) == ACC
    lab.step("read", [DATA])
    assert lab.upstream(ACC).steps == {"append"}


def test_rule_2_1_the_set_is_read_by_a_part_of_it(lab):
    accumulated(lab)
    lineage = begun(lab, reads=[f"{ACC}/data.txt", "raw"])
    lineage.add_output_ref(ref(ACC))
    lineage.complete()
    assert lab.current(ACC).id == lab.written_by(lineage.key, ACC).id


def test_rule_2_1_what_is_read_while_the_step_runs_may_be_left_open_too(lab):
    accumulated(lab)
    with begun(lab, reads=[ACC]) as lineage:
        lineage.add_input_ref(ref("raw"))
        lineage.add_output_ref(ref(ACC))
    assert lab.current(ACC).id == lab.written_by(lineage.key, ACC).id

    new_raw(lab)
    with begun(lab, reads=[ACC]) as lineage:
        lineage.add_output_ref(ref(ACC))
        lineage.add_input_ref(ref("raw"))
    assert lab.current(ACC).id == lab.written_by(lineage.key, ACC).id

    new_raw(lab)
    lineage = begun(lab, reads=[ACC])
    lineage.add_input_ref(ref("raw"))
    refused_at_its_end(lab, lineage)


def test_rule_2_1_a_step_that_goes_on_to_make_results_declares_them(lab):
    lab.step("append", ["raw"], ["results:/acc"])
    new_raw(lab)
    lineage = begun(lab, reads=["results:/acc", "raw"])
    with lineage.as_results(ref("results:/acc")) as results:
        results.write_results({"rows": 2})
    assert lab.current("results:/acc").id == lab.written_by(results.key, "results:/acc").id


def test_rule_2_1_what_others_do_meanwhile_opens_nothing_that_was_settled(lab):
    accumulated(lab)
    lineage = begun(lab)
    new_raw(lab)
    lab.step("look", ["raw"])
    lineage.add_output_ref(ref(ACC))
    lineage.complete()
    assert lab.current(ACC).id == lab.written_by(lineage.key, ACC).id


def test_rule_2_1_an_output_declared_before_counts_once(lab):
    path = str(lab.path(CLEAN))
    builder = lab.builder("prepare", ["raw"]).with_output_path(path).with_output_ref(ref(MODEL))
    with builder.eval() as lineage:
        lab.write(f"{CLEAN}/data.txt", "1\n")
        lineage.add_output_path(path)
        lineage.add_output_ref(ref(MODEL))
    assert [(c["subpath"]) for c in lab.step_fact(lineage.key)["outputs"]] == ["clean", "model"]


def test_rule_2_1_results_may_be_declared_as_an_output_too(lab):
    builder = lab.builder("train", ["raw"]).with_output_ref(ref("results"))
    with builder.as_results_step(ref("results")).eval() as lineage:
        lineage.write_results({"accuracy": 0.5})
    assert [c["resource"] for c in lab.step_fact(lineage.key)["outputs"]] == ["results"]


@pytest.mark.parametrize("second", [CLEAN, DATA, f"{CLEAN}/part"])
def test_rule_2_3_outputs_declared_before_that_overlap_are_refused(lab, second):
    builder = lab.builder("prepare").with_output_ref(ref(CLEAN)).with_output_ref(ref(second))
    with pytest.raises(LineageConflictError):
        builder.eval()
    assert lab.step_names() == []


def test_rule_2_4_an_output_declared_before_that_overlaps_one_recorded_is_refused(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    with pytest.raises(LineageConflictError, match="which another step wrote"):
        lab.builder("other").with_output_ref(ref(f"{CLEAN}/part")).eval()


def test_rule_2_3_an_output_declared_before_lies_in_a_resource(lab):
    with pytest.raises(ConfigurationError, match="there is no resource 'nowhere'"):
        lab.builder("prepare").with_output_ref(ref("nowhere")).eval()
    with pytest.raises(ConfigurationError, match="lies in no resource"):
        lab.builder("prepare").with_output_path(str(lab.place / "elsewhere")).eval()
    assert lab.step_names() == []
