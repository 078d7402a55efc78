"""What nodes are joined to, in every view that is asked: what a picture does not show."""

from __future__ import annotations

from tests.backends.conftest import Folded, Recorders
from tests.backends.histories import ref


def test_links_are_the_arrows_into_nodes_and_how_many_leave_them(
    folded: Folded, recorder: Recorders
):
    a = recorder()
    made = a.step("prepare", ["raw", "labels"], ["clean"], code=["code"])
    ids = {name: a.current[ref(name)].id for name in ("raw", "labels", "code", "clean")}
    for name in ("one", "two", "three"):
        a.step(name, ["clean"], [name])
    with folded(a) as view:
        found = view.links([ids["clean"], made.id, ids["clean"], "no such id"])

    assert found.leaving == {ids["clean"]: 3, made.id: 1}
    assert list(found.into) == sorted(found.into)
    assert {(e.source, e.type, e.target) for e in found.into} == {
        (ids["raw"], "READ_BY", made.id),
        (ids["labels"], "READ_BY", made.id),
        (ids["code"], "CODE_OF", made.id),
        (made.id, "WROTE", ids["clean"]),
    }


def test_a_step_that_was_retracted_is_joined_to_nothing(folded: Folded, recorder: Recorders):
    a = recorder()
    first = a.step("wrong", ["raw"], ["model"])
    a.retract(first.id)
    raw = a.current[ref("raw")]
    with folded(a) as view:
        found = view.links([raw.id, first.id])

    assert found.leaving == {raw.id: 0, first.id: 0}
    assert found.into == ()


def test_nothing_is_joined_to_nothing(folded: Folded, recorder: Recorders):
    with folded(recorder()) as view:
        assert view.links([]) == ((), {})
