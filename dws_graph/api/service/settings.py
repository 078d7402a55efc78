"""What a service is told when it is started."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
MOST_BYTES = 1 << 20  # of a request's body
BODY_SECONDS = 10.0  # until all of it must be here
PORT = 8790


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a service is reached, and by whom.

    Attributes:
        workspace: The folder of the workspace whose index or team it serves.
        host: The address that it listens at.
        port: Its port.
        names: What a request may call it by, in its `Host` header, besides the names of loopback.
        origins: Pages of which other origins may read from it (CORS).
        tokens: The file of tokens.
        secure: It is reached by TLS alone, which another program ends.
        records: The workspace is the service's own: programs outside record steps there.
        seal_seconds: How often what is new there is committed.
    """

    workspace: Path
    host: str = "127.0.0.1"
    port: int = PORT
    names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    tokens: Path | None = None
    secure: bool = False
    records: bool = False
    seal_seconds: float = 300.0
    most_bytes: int = field(default=MOST_BYTES)
    body_seconds: float = field(default=BODY_SECONDS)

    @property
    def is_local(self) -> bool:
        """Whether nobody but this machine reaches it: then reading needs no token."""
        return is_loopback(self.host)

    @property
    def hosts(self) -> frozenset[str]:
        """What a `Host` header may name, without the port, in lower case."""
        own = frozenset() if self.host in ("0.0.0.0", "::") else {_in_header(self.host)}  # noqa: S104
        return LOOPBACK_NAMES | own | {name.lower() for name in self.names}


def is_loopback(host: str) -> bool:
    """Whether an address to listen at is this machine's alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _in_header(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()
