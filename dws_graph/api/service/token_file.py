"""The file of tokens: read with suspicion, written whole. Source: docs/formats.md, "Tokens".

What is wrong with it is told without what is in it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import stat
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dws_graph.backends.files import is_private, write_atomic
from dws_graph.errors import ConfigurationError, JsonValueError
from dws_graph.model.values import Json, parse_json, parse_utc, utc_text

FORMAT = 1
SCOPES = ("read", "write", "admin")  # each may do what those before it may
LONGEST_NAME = 100
_ID, _SHA256 = re.compile(r"[0-9a-f]{12}"), re.compile(r"[0-9a-f]{64}")
_KEYS = {"id", "name", "scope", "sha256", "created", "expires", "last_used"}
_SETTLED = 1_000_000_000  # nanoseconds after which a change shows in a file's times
_HINT = "Bring back an earlier copy, or remove it and make new tokens: dws token create."


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is kept of a token.

    Attributes:
        sha256: Of its secret.
        expires: None: never.
        last_used: The day; None: never.
    """

    id: str
    name: str
    scope: str
    sha256: str = field(repr=False)
    created: dt.datetime
    expires: dt.datetime | None = None
    last_used: dt.date | None = None

    def may(self, scope: str) -> bool:
        """Whether it is enough for what needs this scope."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def has_expired(self, now: dt.datetime) -> bool:
        """Whether it is none any more."""
        return self.expires is not None and self.expires <= now

    def to_json(self) -> Json:
        """As the file has it."""
        return {
            "id": self.id,
            "name": self.name,
            "scope": self.scope,
            "sha256": self.sha256,
            "created": utc_text(self.created),
            "expires": None if self.expires is None else utc_text(self.expires),
            "last_used": None if self.last_used is None else self.last_used.isoformat(),
        }

    @classmethod
    def from_json(cls, obj: Any) -> Token:
        """Reads an entry of the file.

        Raises:
            KeyError, ValueError, JsonValueError: It is not as `to_json` writes it.
        """
        if not isinstance(obj, dict) or obj.keys() != _KEYS or obj["scope"] not in SCOPES:
            raise ValueError
        texts = {key: value for key, value in obj.items() if isinstance(value, str)}
        made = cls(
            id=_fits(_ID, texts["id"]),
            name=texts["name"],
            scope=texts["scope"],
            sha256=_fits(_SHA256, texts["sha256"]),
            created=parse_utc(texts["created"]),
            expires=parse_utc(texts["expires"]) if "expires" in texts else None,
            last_used=dt.date.fromisoformat(texts["last_used"]) if "last_used" in texts else None,
        )
        if made.to_json() != obj or not is_name(made.name):
            raise ValueError
        return made


class Content(NamedTuple):
    """What a file of tokens held.

    Attributes:
        stamp: What `stamp` says as long as the file is the same; None where that is not sure.
    """

    tokens: Mapping[str, Token]
    stamp: tuple[int, ...] | None


def is_name(text: str) -> bool:
    """Whether a token may be called so: it fits in a line, and shows all that it has."""
    return len(text) <= LONGEST_NAME and text.isprintable()


def stamp(found: os.stat_result) -> tuple[int, ...]:
    """What changes when a file does."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def read_tokens(path: Path) -> Content:
    """The tokens by id; none where there is no file.

    Raises:
        ConfigurationError: Others can read or change it, or it is of a later version.
        JsonValueError: It is damaged.
        OSError: It cannot be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # waits for no pipe
    except FileNotFoundError:
        return Content({}, None)
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        _check_private(path, found)
        raw = file.read()
    # two changes at the same tick of the clock have the same times
    settled = time.time_ns() - found.st_ctime_ns > _SETTLED
    return Content(_parsed(path, raw), stamp(found) if settled else None)


def write_tokens(path: Path, tokens: Iterable[Token]) -> None:
    """Write them all, into a folder that there is."""
    document = {"format": FORMAT, "tokens": [token.to_json() for token in tokens]}
    write_atomic(path, json.dumps(document, indent=2).encode() + b"\n", mode=0o600)


def _check_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(f"{path} is not a file", hint="Name a file for the tokens.")
    if not (is_private(found) or is_system_secret(found)):
        raise ConfigurationError(
            f"{path} holds tokens, and others can read or change it",
            hint=f"Type: chmod 600 {path}",
        )


def is_system_secret(found: os.stat_result) -> bool:
    """Whether a file is root's and nobody may change it, as Docker gives secrets to a container.

    Who reads it learns names and hashes, and no token. Nobody but root makes such a file.
    """
    return found.st_uid == 0 and not found.st_mode & 0o222


def _parsed(path: Path, raw: bytes) -> dict[str, Token]:
    document = parse_json(raw, file=str(path), hint=_HINT)
    version = document.get("format") if isinstance(document, dict) else None
    if type(version) is int and version > FORMAT:
        raise ConfigurationError(
            f"{path} is of format {version}, from a later version of dws-graph "
            f"(this one reads format {FORMAT})",
            hint="Upgrade: pip install --upgrade dws-graph.",
        )
    entries = document.get("tokens") if type(version) is int and version == FORMAT else None
    if not isinstance(entries, list):
        raise JsonValueError("is no file of tokens", file=str(path), hint=_HINT)
    tokens: dict[str, Token] = {}
    for number, entry in enumerate(entries, 1):
        try:
            token = Token.from_json(entry)
        except (KeyError, ValueError, JsonValueError):
            token = None
        if token is None or token.id in tokens:
            raise JsonValueError(f"token {number} is damaged", file=str(path), hint=_HINT)
        tokens[token.id] = token
    return tokens


def _fits(form: re.Pattern[str], text: str) -> str:
    if form.fullmatch(text) is None:
        raise ValueError
    return text
