"""Clocks that go when they are told to."""

import datetime as dt


class Clock:
    """Seconds, from anywhere on."""

    def __init__(self):
        self.now = 123_456.789

    def __call__(self):
        return self.now


class Today:
    """A moment by the calendar."""

    def __init__(self):
        self.moment = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.timezone.utc)

    def __call__(self):
        return self.moment
