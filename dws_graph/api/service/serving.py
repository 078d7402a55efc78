"""Running the service: a socket, uvicorn, and an end that waits for what is under way."""

from __future__ import annotations

import datetime as dt
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

import uvicorn

from dws_graph.api.service.app import make_app
from dws_graph.api.service.patience import PatientProtocol
from dws_graph.api.service.settings import Settings
from dws_graph.api.service.tokens import TokenStore, token_file
from dws_graph.errors import ConfigurationError

LAST = 10  # seconds that an answer under way has to end
CONNECTIONS = 1_000
BACKLOG = 512
SWITCH = 0.0005  # seconds until a thread that answers lets the event loop have its turn


def serve(settings: Settings, begun: Callable[[str], None]) -> None:
    """Serve until a signal ends it.

    Args:
        settings: How it is reached.
        begun: Told its address, once it answers there.

    Raises:
        ConfigurationError: Others could reach it, and there is no token; the address is not to be
            had; or there is no workspace.
    """
    check_reachable(settings)
    sys.setswitchinterval(SWITCH)
    listening = listen(settings)
    settings = replace(settings, port=listening.getsockname()[1])  # 0 was any that is free
    with listening:
        config = uvicorn.Config(
            make_app(settings),
            access_log=False,
            log_level="warning",
            proxy_headers=False,  # nobody may say that he is another
            server_header=False,
            timeout_graceful_shutdown=LAST,
            limit_concurrency=CONNECTIONS,
            lifespan="on",
            http=PatientProtocol,
        )
        server = _Server(config, lambda: begun(address(settings, listening)))
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """Tells when it answers, and lets streams end when it is about to."""

    def __init__(self, config: uvicorn.Config, begun: Callable[[], None]) -> None:
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._begun()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        app: Any = self.config.app
        app.state.service.stopping.set()
        super().handle_exit(sig, frame)


def check_reachable(settings: Settings) -> None:
    """Refuse to be reached by others where nobody has a token.

    Raises:
        ConfigurationError: So it is.
    """
    if settings.is_local or _is_any_token(settings):
        return
    raise ConfigurationError(
        f"others could read everything at {settings.host}: there is no token",
        hint="Make one: dws token create. Or serve this machine alone: --host 127.0.0.1.",
    )


def _is_any_token(settings: Settings) -> bool:
    now = dt.datetime.now(dt.timezone.utc)
    known = TokenStore(settings.tokens or token_file()).list()
    return any(not token.has_expired(now) for token in known)


def listen(settings: Settings) -> socket.socket:
    """A socket at the address.

    Raises:
        ConfigurationError: It is not to be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
        made.listen(BACKLOG)
    except OSError as e:
        made.close()
        raise ConfigurationError(
            f"cannot listen at {settings.host}, port {settings.port}: {e.strerror}",
            hint="Another program may be there: give another port, or 0 for a free one.",
        ) from e
    return made


def address(settings: Settings, listening: socket.socket) -> str:
    """Where people find it."""
    port = listening.getsockname()[1]
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104
    host = "::1" if host == "::" else host
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.secure else 'http'}://{shown}:{port}/"
