"""Cursors: where a page of a list ended, as a text that means nothing to a client."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence

from dws_graph.api.service.problems import refused
from dws_graph.backends.overviews import Place

MOST = 200  # rows of a page
USUAL = 50


def cursor(after: Sequence[str]) -> str:
    """The text for a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(list(after)).encode()).decode().rstrip("=")


def place(text: str | None) -> Place | None:
    """The place that a cursor stands for; None is the beginning.

    Raises:
        Problem: It is none that this service has given.
    """
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError):
        found = None
    fits = isinstance(found, list) and len(found) == len(Place._fields)
    if not fits or not all(isinstance(part, str) for part in found):
        raise refused("The cursor is none of this list.", "Begin without one.")
    return Place(*found)
