"""Identities: UUIDv7 for what is made once, uuid5 for what several instances can name.

Source: RFC 9562 section 5.7 (UUIDv7); docs/formats.md, "Identities".
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
import uuid
from functools import lru_cache

from dws_graph.model.values import utc_text

_RANDOM_BITS = 62 + 12


def uuid7(above: str = "") -> str:
    """A time-ordered UUID, greater (as text, too) than `above`.

    A clock that was set back must not make a later record smaller than an earlier one: then the
    new id is `above` plus one.
    """
    ms = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    rand_a = (random >> 62) & 0xFFF
    rand_b = random & ((1 << 62) - 1)
    fresh = (ms << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b
    if above:
        fresh = max(fresh, _next(uuid.UUID(above).int))
    return str(uuid.UUID(int=fresh))


def _next(value: int) -> int:
    """The next UUIDv7: adds one to the bits that are neither version nor variant."""
    ms, rand_a, rand_b = value >> 80, (value >> 64) & 0xFFF, value & ((1 << 62) - 1)
    counter = ((ms << 12 | rand_a) << 62 | rand_b) + 1
    ms, rand_a = counter >> _RANDOM_BITS, (counter >> 62) & 0xFFF
    return ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | counter & ((1 << 62) - 1)


def uuid7_time(text: str) -> str | None:
    """When a UUIDv7 was made (UTC, milliseconds); None for any other text."""
    if not is_uuid(text) or (found := uuid.UUID(text)).version != 7:
        return None
    try:
        moment = dt.datetime.fromtimestamp((found.int >> 80) / 1000, dt.timezone.utc)
    except (ValueError, OverflowError):  # beyond the year 9999
        return None
    return utc_text(moment)


@lru_cache(maxsize=1 << 14)  # a journal names the same refs again and again
def node_id(workspace: str, label: str, *parts: str | None) -> str:
    """The id of a node that is known by its properties.

    Args:
        workspace: The UUID of the workspace it belongs to.
        label: The node's label, such as `Ref`.
        parts: Its identifying properties in the order of docs/formats.md.
    """
    name = json.dumps([label, *parts], separators=(",", ":"))
    return str(uuid.uuid5(_namespace(workspace), name))


@lru_cache(maxsize=64)
def _namespace(workspace: str) -> uuid.UUID:
    return uuid.UUID(workspace)


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its usual form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
