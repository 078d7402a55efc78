"""What was recorded last, looked for once a moment, however many wait to hear of it."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from dws_graph.api.service.sources import Asking
from dws_graph.backends.views import Questions, StepFilter
from dws_graph.errors import DwsError

EVERY = 1.0  # seconds between two looks


class Newest(NamedTuple):
    """The newest step of all, and the one that is named with it: what news are told by."""

    step: str = ""
    name: str = ""
    time: str = ""


def newest(q: Questions) -> Newest:
    """The last step that was recorded."""
    steps = q.chosen_steps(StepFilter(), 1)
    return Newest(steps[0].id, steps[0].name, steps[0].start_time) if steps else Newest()


class News:
    """The newest step, as all who listen are told it."""

    def __init__(self) -> None:
        self._said: Newest | DwsError = Newest()
        self._seen = float("-inf")
        self._looking = asyncio.Lock()

    async def look(self, ask: Asking) -> Newest:
        """What was the newest step, a moment ago at most.

        Raises:
            DwsError: The view was away.
        """
        clock = asyncio.get_running_loop().time
        async with self._looking:
            if clock() - self._seen >= EVERY / 2:
                try:
                    self._said = await ask.ask(newest)
                except DwsError as e:
                    self._said = e
                self._seen = clock()
            if isinstance(self._said, DwsError):
                raise self._said
            return self._said
