"""Tokens: what lets programs and people into the service.

A token is `dws_ID_SECRET`. The secret is 256 random bits, which nobody can guess: a hash that is
quick to compute keeps it as well as a slow one. Source: docs/formats.md, "Tokens".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs

from dws_graph.api.service.token_file import (
    LONGEST_NAME,
    SCOPES,
    Token,
    is_name,
    read_tokens,
    stamp,
    write_tokens,
)
from dws_graph.backends.files import make_folder
from dws_graph.backends.locks import Lock, Notify, quiet
from dws_graph.errors import ConfigurationError, DwsError, ParamValidationError
from dws_graph.model.secrets import scrub_text
from dws_graph.workspace import environment

log = logging.getLogger("dws_graph.service")
_FORM = re.compile(r"dws_([0-9a-f]{12})_([A-Za-z0-9_\-]{43})")
_ID_BYTES, _SECRET_BYTES = 6, 32
_NO_HASH = "0" * 64  # of no secret that anybody knows


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was made just now, with its text, which nobody can tell again."""

    token: Token
    text: str = field(repr=False)


def token_file() -> Path:
    """Where tokens are kept: `DWS_TOKEN_FILE`, else in the user's configuration folder."""
    if named := environment.token_file():
        return Path(named)
    return platformdirs.user_config_path("dws-graph") / "tokens.json"


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


class TokenStore:
    """The tokens of a file; several threads may ask it, and several processes change the file.

    Attributes:
        path: The file.
    """

    def __init__(
        self, path: Path, *, now: Callable[[], dt.datetime] = _utc_now, notify: Notify = quiet
    ) -> None:
        self.path = path
        self._now = now
        self._notify = notify
        self._guard = threading.Lock()
        self._tokens: Mapping[str, Token] = {}
        self._stamp: tuple[int, ...] | None = None  # of the file that they are from
        self._complaint = ""
        self._noted: dict[str, dt.date] = {}

    def list(self) -> tuple[Token, ...]:
        """All tokens, also those that have expired, in the order of their making.

        Raises:
            ConfigurationError: Others can read or change the file, or it is of a later version.
            JsonValueError: It is damaged.
            OSError: It cannot be read.
        """
        return tuple(read_tokens(self.path).tokens.values())

    def create(
        self, scope: str = SCOPES[0], name: str = "", *, expires: float | None = None
    ) -> NewToken:
        """Make a token.

        Args:
            scope: One of `SCOPES`.
            name: What people call it.
            expires: After so many seconds; None: never.

        Raises:
            ParamValidationError: Scope, name or time are none.
            ConfigurationError, JsonValueError, OSError: As `list`; nothing was made.
        """
        if scope not in SCOPES:
            raise ParamValidationError(
                f"'{scope}' is no scope", hint=f"There are {', '.join(SCOPES)}."
            )
        name = scrub_text(name)
        if not is_name(name):
            raise ParamValidationError(
                "the name of the token is too long, or has characters that do not show",
                hint=f"Give one of at most {LONGEST_NAME} characters, on one line.",
            )
        created = self._now()
        until = None if expires is None else _after(created, expires)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        make_folder(Path(os.path.realpath(self.path)).parent)
        with self._changes().held():
            tokens = read_tokens(self.path).tokens
            token = Token(
                id=_new_id(tokens),
                name=name,
                scope=scope,
                sha256=_sha256(secret),
                created=created,
                expires=until,
            )
            self._write({**tokens, token.id: token})
        return NewToken(token, f"dws_{token.id}_{secret}")

    def revoke(self, token_id: str) -> Token:
        """Take a token back: from now on it is none, also in services that run.

        Args:
            token_id: Its id, or all of it.

        Raises:
            ConfigurationError: There is no such token; or as `list`.
            JsonValueError, OSError: As `list`.
        """
        whole = _FORM.fullmatch(token_id)
        wanted = whole[1] if whole else token_id
        if wanted in read_tokens(self.path).tokens:
            with self._changes().held():
                tokens = dict(read_tokens(self.path).tokens)
                if (token := tokens.pop(wanted, None)) is not None:
                    self._write(tokens)
                    return token
        raise ConfigurationError(
            f"there is no token '{scrub_text(wanted)}' in {self.path}",
            hint="See: dws token list.",
        )

    def check(self, text: str) -> Token | None:
        """The token that this is the text of; None when it is none, was revoked or has expired.

        It takes as long for an unknown id as for a wrong secret. Nobody gets in by a file that is
        damaged, or that others can change.
        """
        form = _FORM.fullmatch(text)
        if form is None:
            return None
        token = self._usable().get(form[1])
        same = hmac.compare_digest(_sha256(form[2]), _NO_HASH if token is None else token.sha256)
        if token is None or not same or token.has_expired(self._now()):
            return None
        self._note_use(token)
        return token

    def get(self, token_id: str) -> Token | None:
        """The token of this id; None when there is none, it was revoked or has expired."""
        token = self._usable().get(token_id)
        return None if token is None or token.has_expired(self._now()) else token

    def _usable(self) -> Mapping[str, Token]:
        """What is in the file now; it is read again when it was changed."""
        with self._guard:
            try:
                if self._stamp is None or stamp(self.path.stat()) != self._stamp:
                    self._tokens, self._stamp = read_tokens(self.path)
                self._complaint = ""
            except (DwsError, OSError) as e:
                self._tokens, self._stamp = {}, None
                self._complain(str(e))
            return self._tokens

    def _complain(self, why: str) -> None:
        """Tell once that nobody gets in any more."""
        if why != self._complaint:
            log.warning("no token is taken: %s", why)
        self._complaint = why

    def _note_use(self, token: Token) -> None:
        """Write down the day, if nobody else changes the file; it matters to nobody who asks."""
        today = self._now().date()
        if today in (token.last_used, self._noted.get(token.id)):
            return
        try:
            with self._changes().held_at_once() as mine:
                if not mine:
                    return
                self._noted[token.id] = today
                tokens = dict(read_tokens(self.path).tokens)
                if token.id in tokens:
                    tokens[token.id] = replace(tokens[token.id], last_used=today)
                    self._write(tokens)
        except (DwsError, OSError) as e:  # a file that may only be read
            self._noted[token.id] = today
            log.debug("the last use of a token was not written down: %s", e)

    def _changes(self) -> Lock:
        lock = Path(f"{os.path.realpath(self.path)}.lock")
        return Lock(lock, f"changes {self.path}", self._notify)

    def _write(self, tokens: Mapping[str, Token]) -> None:
        write_tokens(Path(os.path.realpath(self.path)), tokens.values())


def _after(created: dt.datetime, seconds: float) -> dt.datetime:
    try:
        until = created + dt.timedelta(seconds=seconds)
    except (OverflowError, ValueError):  # beyond the year 9999; no number
        until = created
    if until <= created:
        raise ParamValidationError(
            "a token cannot expire then", hint="Give a time ahead, 90d for example."
        )
    return until


def _new_id(taken: Mapping[str, Token]) -> str:
    while (made := secrets.token_hex(_ID_BYTES)) in taken:
        pass
    return made


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
