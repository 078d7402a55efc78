"""Names in a user's query that nothing in the graph has: they give no rows, or nulls, and no error.

A look at the text, not a parser: what it does not understand, it says nothing of.
Source: docs/formats.md, "The graph".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

LABELS = frozenset(
    [
        "Workspace",
        "Resource",
        "Ref",
        "Certificate",
        "HashCertificate",
        "PlaceholderCertificate",
        "Step",
        "Retraction",
        "Environment",
        "Snapshot",
        "Tag",
    ]
)
TYPES = frozenset(
    [
        "READ_BY",
        "WROTE",
        "CODE_OF",
        "STATE_OF",
        "PART_OF",
        "IN",
        "CURRENT",
        "RAN_IN",
        "CONTAINS",
        "OF",
        "RETRACTS",
        "IMPORTED_AS",
        "RETRACTED_READ_BY",
        "RETRACTED_CODE_OF",
        "RETRACTED_WROTE",
    ]
)
PROPERTIES = frozenset(
    [
        "id",
        "workspace",
        "at",
        "name",
        "role",
        "type",
        "resource",
        "subpath",
        "hash",
        "subpath_hash",
        "comment",
        "version",
        "kind",
        "instance",
        "superseded",
        "status",
        "start_time",
        "execution_time_seconds",
        "command_line",
        "run_from",
        "description",
        "commit",
        "error",
        "environment",
        "parameters",
        "metrics",
        "recorded",
        "retracted",
        "removed",
        "deleted",
        "step",
        "reason",
        "time",
        "python",
        "platform",
        "packages",
        "number",
        "message",
        "timestamp",
        "hostname",
        "tags",
        "tag",
        "snapshot",
    ]
)
OF_USERS = ("param_", "metric_")  # begin names that steps give

_NOT_NAMES = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `[^`]*` | //[^\n]* | /\*.*?\*/""", re.X | re.S
)
_END = r"\s*(?=[)\]{*]|\bWHERE\b)"
_NODE = re.compile(rf"\(\s*(\w*)\s*:([\w\s:|&!]+?){_END}", re.I)
_EDGE = re.compile(rf"\[\s*(\w*)\s*:([\w\s:|&!]+?){_END}", re.I)
_BARE = re.compile(r"[(\[]\s*(\w+)\s*[)\]{]")  # (s), [r], (s {...
_MAP = re.compile(r"[(\[][\w\s:|&!]*\{([^{}]*)\}")


def unknown_names(query: str) -> list[str]:
    """The labels, types and properties in a query that no graph of ours has, in words.

    Each with the known name that is most like it, where one is.
    """
    text = _NOT_NAMES.sub(lambda found: " " * len(found[0]), query)
    nodes, edges = _NODE.findall(text), _EDGE.findall(text)
    told = [
        *_unknown("label", _words(nodes), LABELS),
        *_unknown("relationship type", _words(edges), TYPES),
        *_unknown("property", _properties(text, {v for v, _ in (*nodes, *edges)}), PROPERTIES),
    ]
    return list(dict.fromkeys(told))


def _words(patterns: Collection[tuple[str, str]]) -> Iterator[str]:
    for _, names in patterns:
        yield from re.findall(r"\w+", names)


def _properties(text: str, variables: Collection[str]) -> Iterator[str]:
    """What is asked of the nodes and edges of patterns; a map of the user's is his own."""
    known = {*variables, *_BARE.findall(text)} - {""}
    for variable, name in re.findall(r"(?<![\w.$])(\w+)\.([A-Za-z_]\w*)\b(?!\s*\()", text):
        if variable in known:
            yield name
    for inside in _MAP.findall(text):
        yield from re.findall(r"(?:^|,)\s*(\w+)\s*:", inside)


def _unknown(kind: str, names: Iterator[str], known: Collection[str]) -> Iterator[str]:
    by_lower = {name.lower(): name for name in known}
    for name in names:
        if name in known or (kind == "property" and name.startswith(OF_USERS)):
            continue
        near = get_close_matches(name.lower(), by_lower, 1)
        yield f"{kind} '{name}'" + (f" (is it {by_lower[near[0]]}?)" if near else "")
