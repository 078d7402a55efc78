"""Users' read-only Cypher: what is refused before an engine sees it, and answers as JSON."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dws_graph.backends.graph.texts import OWN_LABELS
from dws_graph.errors import QueryError

# The engine refuses writes. Reading files it would allow; a false alarm in a string is harmless.
LOAD_CSV = re.compile(r"LOAD(?:[\s`]|//[^\n]*\n?)*CSV", re.IGNORECASE)
NODE = {"id", "labels", "properties"}
RELATIONSHIP = {"id", "start", "end", "type", "properties"}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer to a query; every value is one that JSON holds.

    A node is `{"labels": [...], "properties": {...}}`, a relationship
    `{"type": ..., "properties": {...}}`, a path `{"nodes": [...], "relationships": [...]}`.
    `truncated`: there were more rows.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool


def refuse_files(query: str) -> None:
    """Refuses what reads files.

    Raises:
        QueryError: The query has `LOAD CSV`.
    """
    if LOAD_CSV.search(query):
        raise QueryError(
            "the query has LOAD CSV, which would read files",
            hint="Give values as parameters: --param NAME=VALUE.",
        )


def as_result(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], max_rows: int
) -> QueryResult:
    """An engine's rows, of which it was asked one more than `max_rows`."""
    return QueryResult(
        columns=tuple(columns),
        rows=tuple(tuple(plain(row[c]) for c in columns) for row in rows[:max_rows]),
        truncated=len(rows) > max_rows,
    )


def plain(value: Any) -> Any:
    """A value of an answer as JSON holds it, without what kglite makes up."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _plain_mapping(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)


def _plain_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    if value.keys() == NODE and isinstance(value["labels"], list):
        properties = plain(real_properties(value["properties"]))
        return {"labels": sorted(value["labels"]), "properties": properties}
    if value.keys() == RELATIONSHIP:
        return {"type": value["type"], "properties": plain(value["properties"])}
    return {str(key): plain(item) for key, item in real_properties(value).items()}


def real_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Without what kglite makes up: `title`; `type` that repeats the label; `name` by the id."""
    real = dict(properties)
    if "id" in real and "title" in real:
        del real["title"]  # no node of ours has one
        label, _, key = str(real.get("name", "")).partition("_")
        if label in OWN_LABELS and key == real["id"]:  # a step that only its retraction names
            del real["name"]
        if real.get("type") in OWN_LABELS:
            del real["type"]
    return real


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
