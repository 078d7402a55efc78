"""Sessions of the pages: a browser that has shown a token once has a cookie in its place.

They are kept in memory: after a restart everybody logs in again. The cookie is random, and only
its hash is kept. A form carries a value made from a secret of its session, another one each time,
so that no length of a compressed page tells it (CSRF).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dws_graph.api.service.token_file import Token

IDLE = 12 * 3600.0  # seconds without a request
LONGEST = 7 * 86400.0  # seconds, however often it is used
MOST = 1000
_BYTES = 32
_NONCE = 16
_ID = re.compile(r"[A-Za-z0-9_\-]{43}")
_CSRF = re.compile(r"[A-Za-z0-9_\-]{64}")  # 16 random bytes, 32 that follow from them


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in.

    Attributes:
        token: The id of the token that it has shown.
        scope: What that token may do.
        begun: By the clock of `Sessions`.
        last_use: The same.
    """

    key: bytes = field(repr=False)
    token: str
    scope: str
    csrf: bytes = field(repr=False)
    begun: float
    last_use: float


class Sessions:
    """Those that go on; any number of threads may ask."""

    def __init__(
        self,
        token: Callable[[str], Token | None],
        *,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with none.

        Args:
            token: The token of an id, as long as it is one: `TokenStore.get`.
            most: Then who has done nothing for longest is logged out.
            clock: Seconds that never go back.
        """
        self._token = token
        self._most = most
        self._clock = clock
        self._guard = threading.Lock()
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()  # last used, last

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sessions)

    def begin(self, token: Token) -> str:
        """Log in; what the cookie is to hold, which nobody can tell again."""
        cookie = secrets.token_urlsafe(_BYTES)
        now = self._clock()
        csrf = secrets.token_bytes(_BYTES)
        session = Session(_key(cookie), token.id, token.scope, csrf, now, now)
        with self._guard:
            self._forget(now)
            while len(self._sessions) >= self._most:
                self._sessions.popitem(last=False)
            self._sessions[session.key] = session
        return cookie

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie; None when there is none, or none any more."""
        if _ID.fullmatch(cookie) is None:
            return None
        key, now = _key(cookie), self._clock()
        with self._guard:
            self._forget(now)
            session = self._sessions.get(key)
        if session is None:
            return None
        if self._token(session.token) is None or now - session.begun >= LONGEST:
            self.end(session)
            return None
        return self._used(session, now)

    def goes_on(self, cookie: str) -> bool:
        """Whether a cookie's session has not ended; that somebody asks so is no use of it."""
        with self._guard:
            self._forget(self._clock())
            return _ID.fullmatch(cookie) is not None and _key(cookie) in self._sessions

    def end(self, session: Session) -> None:
        """Log out."""
        with self._guard:
            self._sessions.pop(session.key, None)

    def _used(self, session: Session, now: float) -> Session | None:
        """The session after this use; None if it was ended by another thread meanwhile."""
        with self._guard:
            if self._sessions.pop(session.key, None) is None:
                return None
            used = replace(session, last_use=now)
            self._sessions[session.key] = used
            return used

    def _forget(self, now: float) -> None:
        while self._sessions:
            key, first = next(iter(self._sessions.items()))
            if now - first.last_use < IDLE:
                return
            del self._sessions[key]


def csrf_token(session: Session) -> str:
    """What a form of this session carries."""
    nonce = secrets.token_bytes(_NONCE)
    return base64.urlsafe_b64encode(nonce + _proof(session, nonce)).decode()


def check_csrf(session: Session, text: str) -> bool:
    """Whether a form came from a page of this session; in the same time for all that is wrong."""
    if _CSRF.fullmatch(text) is None:
        return False
    raw = base64.urlsafe_b64decode(text)
    return hmac.compare_digest(raw[_NONCE:], _proof(session, raw[:_NONCE]))


def set_cookie(name: str, value: str, *, secure: bool) -> str:
    """The header `Set-Cookie` of who has logged in.

    Args:
        name: Of the cookie.
        value: What `Sessions.begin` gave.
        secure: To be sent by TLS alone.
    """
    rest = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
    return f"{name}={value}; Max-Age={int(LONGEST) if value else 0}{rest}"


def unset_cookie(name: str, *, secure: bool) -> str:
    """The header `Set-Cookie` of who has logged out."""
    return set_cookie(name, "", secure=secure)


def _key(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("ascii")).digest()


def _proof(session: Session, nonce: bytes) -> bytes:
    return hmac.digest(session.csrf, nonce, "sha256")
