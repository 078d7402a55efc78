"""What a workspace needs of others: held in the graph, with what its own facts tell of it.

A node that several workspaces tell of says what its own one does. When that one's part is dropped
(or a holder's), it says what those who still hold it were told. Source: docs/formats.md, "Views".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

from dws_graph.backends.graph import parts
from dws_graph.backends.graph.writing import Run
from dws_graph.model.rows import Rows
from dws_graph.model.values import Json


def find_label(labels: Iterable[str]) -> str:
    """The label by which texts find a node."""
    return next((name for name in labels if name in parts.OWN_IDS), "Certificate")


def hold(run: Run, workspace: str, rows: Rows) -> None:
    """Notes the nodes of other workspaces that the rows of one name, and what they tell of them."""
    own = {row.id for row in rows.placeholders} | {row.id for row in rows.shared}
    bare = (key for key in rows.bare if key not in own)
    told = {key: _told(workspace, "Certificate", {"id": key}) for key in bare}
    for row in rows.identities:
        whose = row.id if row.label == "Workspace" else row.props["workspace"]
        if whose != workspace and row.id not in own:
            told[row.id] = _told(workspace, row.label, row.props)
    for row in rows.imported:  # or of this one, as 1.6 told it
        if row.props.get("workspace", row.id) != workspace:
            told[row.id] = _told(workspace, row.label, row.props)
    for label, some in _by_label(told.values()):
        run(parts.HOLD[label], some)


def _told(workspace: str, label: str, props: Json) -> Json:
    known = {key: value for key, value in props.items() if value is not None}
    return {
        "id": props["id"],
        "workspace": workspace,
        "at": known.get("at", ""),
        "label": label,
        "told": json.dumps(known, ensure_ascii=False, allow_nan=False),
    }


def tell_again(run: Run, label: str, rows: list[Json], *, own: bool) -> None:
    """Nodes say what those who hold them were told.

    Args:
        run: Runs a text.
        label: By which they are found.
        rows: Their ids, each with the workspace that is dropped.
        own: They are of that workspace; else only those that theirs tells nothing of change.
    """
    again = []
    for row in run((parts.TOLD_OF_OWN if own else parts.TOLD)[label], rows):
        as_label, told = row["told"]
        again.append({"id": row["id"], "label": as_label, "props": json.loads(told)})
    for as_label, some in _by_label(again, whole=True):
        run(parts.TELL[as_label], some)
    if label == "Step" and own and again:
        for text in parts.UNRETRACT:
            run(text, [{"id": row["id"]} for row in again])


def _by_label(rows: Iterable[Json], *, whole: bool = False) -> list[tuple[str, list[Json]]]:
    """Rows by the label that finds their node; or by the one that it has."""

    def key(row: Json) -> str:
        label: str = row["label"]
        return label if whole else find_label([label])

    return [(label, list(some)) for label, some in groupby(sorted(rows, key=key), key=key)]
