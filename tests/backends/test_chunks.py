"""How many facts go into a transaction."""

from __future__ import annotations

from dws_graph.backends.views import chunks
from tests.backends.histories import Recorder


def test_a_chunk_ends_at_its_size_or_with_the_fact_that_makes_it_too_heavy():
    recorder = Recorder()
    for number in range(7):
        big = "x" * (10_000 if number == 2 else 0)
        recorder.step(f"step {number}", ["raw"], ["clean"], parameters={"text": big})

    heavy = list(chunks(recorder.lines, 4, 10_000))

    lines = [line for chunk in heavy for line in chunk]
    assert lines == recorder.lines
    assert all(len(chunk) <= 4 for chunk in heavy)
    [end] = [n for n, line in enumerate(lines) if "x" * 10_000 in str(line.fact.body)]
    ends = [sum(map(len, heavy[: n + 1])) - 1 for n in range(len(heavy))]
    assert end in ends
    assert max(len(chunk) for chunk in chunks(recorder.lines, 4)) == 4


def test_the_first_may_be_smaller():
    recorder = Recorder()
    for number in range(7):
        recorder.step(f"step {number}", ["raw"], ["clean"])
    assert [len(chunk) for chunk in chunks(recorder.lines, 4, first=1)][:2] == [1, 4]
    assert [
        line for chunk in chunks(recorder.lines, 4, first=1) for line in chunk
    ] == recorder.lines
    assert list(chunks([], 4, first=1)) == []
