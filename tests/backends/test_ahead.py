"""What is made ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dws_graph.backends.ahead import ahead


def numbers(made: list[tuple[int, threading.Thread]], upto: int) -> Iterator[int]:
    for number in range(upto):
        made.append((number, threading.current_thread()))
        yield number


def test_the_next_item_is_made_by_a_thread_while_one_is_used():
    made: list[tuple[int, threading.Thread]] = []
    asked_for = threading.Event()

    def items() -> Iterator[int]:
        yield from numbers(made, 1)
        asked_for.set()  # before the first has been used to its end
        yield 1

    used = []
    for item in ahead(items()):
        used.append(item)
        assert asked_for.wait(60)

    assert used == [0, 1]
    assert made[0][1] is threading.current_thread()


def test_items_come_in_their_order_each_once():
    made: list[tuple[int, threading.Thread]] = []

    assert list(ahead(numbers(made, 50))) == list(range(50))
    assert [number for number, _ in made] == list(range(50))
    assert list(ahead([])) == []


def test_an_error_is_raised_when_what_came_before_it_is_used():
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second is damaged")

    used: list[int] = []
    with pytest.raises(ValueError, match="the second"):
        used.extend(ahead(items()))

    assert used == [1]


def test_who_stops_early_leaves_no_thread_behind():
    rest = ahead(iter(range(5)))
    assert next(rest) == 0
    before = threading.active_count()
    rest.close()

    assert threading.active_count() <= before


def test_a_process_that_ends_makes_the_items_itself(monkeypatch: pytest.MonkeyPatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    made: list[tuple[int, threading.Thread]] = []

    assert list(ahead(numbers(made, 3))) == [0, 1, 2]
    assert {thread for _, thread in made} == {threading.current_thread()}
