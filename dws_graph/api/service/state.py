"""What one running service has."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event

from dws_graph.api.service.metering import Meter
from dws_graph.api.service.news import News
from dws_graph.api.service.recorder import Recorder
from dws_graph.api.service.sessions import Sessions
from dws_graph.api.service.settings import Settings
from dws_graph.api.service.sources import Asking
from dws_graph.api.service.throttle import Throttle
from dws_graph.api.service.tokens import TokenStore


@dataclass(frozen=True, slots=True)
class State:
    """What one running service has.

    Attributes:
        settings: What it was told.
        asking: What it asks, in threads.
        tokens: Who may ask it.
        sessions: Of its pages.
        throttle: Counts tokens that are none.
        meter: Counts requests.
        listeners: Streams of events that are open.
        news: What they are told.
        stopping: Set when the service is about to end: streams end by themselves.
        recorder: Records what programs outside tell; None where the workspace is not its own.
    """

    settings: Settings
    asking: Asking
    tokens: TokenStore
    sessions: Sessions
    throttle: Throttle
    meter: Meter
    listeners: set[object] = field(default_factory=set)
    news: News = field(default_factory=News)
    stopping: Event = field(default_factory=Event)
    recorder: Recorder | None = None

    @property
    def cookie(self) -> str:
        """The name of the pages' cookie; cookies do not keep ports apart."""
        return f"{'__Host-' if self.settings.secure else ''}dws-{self.settings.port}"
