"""What `fold` promises to every view."""

from __future__ import annotations

from dws_graph.model.folding import fold
from tests.backends.histories import B, Recorder, ref, two_instances


def test_the_rows_of_a_fact_hold_both_ends_of_its_edges():
    for journal in two_instances():
        for line in journal.lines:
            rows = fold([line.fact])
            made = set(rows.bare)
            for kind in (rows.identities, rows.shared, rows.own, rows.placeholders):
                made |= {row.id for row in kind}
            ends = {end for e in rows.edges for end in (e.src, e.dst)}
            ends |= {row.ref for row in rows.current}
            ends |= {row.certificate for row in rows.current if row.certificate}
            ends |= {certificate for _, certificate in rows.merge}
            assert ends <= made, line.fact.kind


def test_folding_a_fact_twice_gives_the_same_rows():
    for journal in two_instances():
        for line in journal.lines:
            assert fold([line.fact]) == fold([line.fact])


def test_of_shared_rows_in_a_batch_the_latest_stays_in_any_order():
    a, b = Recorder(), Recorder(B)
    a.resource("raw", "source-data")
    b.resource("raw", "results")
    one, other = a.lines[0].fact, b.lines[0].fact

    for batch in ([one, other], [other, one]):
        assert [row.props["role"] for row in fold(batch).shared] == ["results"]


def test_a_placeholder_that_a_batch_makes_and_merges_is_what_it_becomes():
    a = Recorder()
    step = a.step("train", ["raw"], ["model"], code=["code"])
    before = step.inputs[0].id
    a.snapshot("v1")
    became = a.current[ref("raw")].id

    rows = fold(line.fact for line in a.lines)

    assert (before, became) in rows.merge
    assert {e.src for e in rows.edges if e.type == "READ_BY"} == {became}
    assert before not in {row.id for row in rows.placeholders}
    assert before not in {end for e in rows.edges for end in (e.src, e.dst)}
    assert before not in {*rows.bare, *rows.superseded, *(row.certificate for row in rows.current)}
