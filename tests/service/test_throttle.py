"""Who fails to log in too often waits, and nobody else."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.api.service.throttle import MOST, Throttle
from tests.service.clocks import Clock


def throttle(attempts=5, seconds=60.0, **more):
    clock = Clock()
    return Throttle(attempts, seconds, clock=clock, **more), clock


def fail(made, client, times):
    for _ in range(times):
        assert made.wait(client) == 0
        made.failed(client)


def test_after_so_many_failures_a_client_waits_for_a_share_of_the_time():
    made, clock = throttle()

    fail(made, "192.0.2.1", 5)

    assert made.wait("192.0.2.1") == 12
    clock.now += 11.5
    assert made.wait("192.0.2.1") == 1
    clock.now += 0.5
    fail(made, "192.0.2.1", 1)
    assert made.wait("192.0.2.1") == 12
    clock.now += 60
    fail(made, "192.0.2.1", 5)
    assert made.wait("192.0.2.1") == 12


@pytest.mark.parametrize("attempts", range(1, 40))
def test_a_client_may_fail_exactly_so_often_at_once(attempts):
    made, _ = throttle(attempts, 10.0, in_all=10**9)

    fail(made, "192.0.2.1", attempts)

    assert made.wait("192.0.2.1") > 0


def test_another_client_waits_for_nothing():
    made, _ = throttle()

    fail(made, "192.0.2.1", 5)

    assert made.wait("192.0.2.2") == 0


def test_all_together_wait_when_all_together_fail_too_often():
    made, clock = throttle(attempts=2, in_all=10)

    for i in range(5):
        fail(made, f"192.0.2.{i}", 2)

    assert made.wait("198.51.100.7") == 6
    clock.now += 6
    assert made.wait("198.51.100.7") == 0


def test_one_client_has_many_addresses_of_ipv6_and_one_of_ipv4_in_two_forms():
    made, _ = throttle(attempts=2)

    fail(made, "2001:db8::1", 1)
    fail(made, "2001:db8::ffff:2", 1)
    fail(made, "192.0.2.1", 1)
    fail(made, "::ffff:192.0.2.1", 1)

    assert made.wait("2001:db8::3") > 0
    assert made.wait("192.0.2.1") > 0
    assert made.wait("2001:db8:0:1::1") == 0
    assert made.wait("::ffff:192.0.2.2") == 0


def test_those_who_stopped_are_forgotten():
    made, clock = throttle()
    for i in range(50):
        made.failed(f"192.0.2.{i}")
    assert len(made) == 50

    clock.now += 61
    made.failed("192.0.2.200")

    assert len(made) == 1


def test_no_more_than_so_many_are_remembered():
    made, _ = throttle(in_all=10**9)

    for i in range(MOST + 100):
        made.failed(f"10.0.{i // 256}.{i % 256}")

    assert len(made) == MOST


def test_of_too_many_those_are_forgotten_who_failed_first():
    made, _ = throttle(attempts=2, in_all=10**9)
    for client in ("192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.1"):
        made.failed(client)

    for i in range(MOST - 1):
        made.failed(f"10.0.{i // 256}.{i % 256}")

    assert made.wait("192.0.2.1") > 0
    assert made.wait("192.0.2.2") == 0


@given(st.lists(st.text(), max_size=30))
def test_any_text_may_stand_for_a_client(addresses):
    made, _ = throttle(attempts=1)

    for address in addresses:
        made.failed(address)

    assert all(made.wait(address) > 0 for address in addresses)


@given(
    attempts=st.integers(1, 20),
    seconds=st.floats(1, 3600),
    pauses=st.lists(st.floats(0, 600), max_size=60),
)
def test_whoever_waits_as_told_fails_no_more_often_than_he_may(attempts, seconds, pauses):
    made, clock = throttle(attempts, seconds)
    failures = []
    for pause in pauses:
        clock.now += pause
        clock.now += made.wait("192.0.2.1")
        assert made.wait("192.0.2.1") == 0
        made.failed("192.0.2.1")
        failures.append(clock.now)

    for first in failures:
        within = [t for t in failures if first <= t < first + seconds * 0.999]
        assert len(within) <= 2 * attempts


def test_failures_of_many_threads_are_all_counted():
    made, _ = throttle(attempts=1000)

    def fail_often():
        for _ in range(100):
            made.failed("192.0.2.1")

    threads = [threading.Thread(target=fail_often) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made.wait("192.0.2.1") == 1
