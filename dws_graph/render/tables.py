"""Tables for the terminal: one look for all, and the nodes of a subgraph.

Whatever a cell holds is text: rich's own markup in a name has no meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from dws_graph.model.subgraph import Subgraph
from dws_graph.render.details import LEFT_BY, STALE, second_line
from dws_graph.render.look import SHAPES, STATES, Shape, State
from dws_graph.render.picture import Marks, Picture, PictureNode, picture_of
from dws_graph.render.text import clean, shortened

PARAMETERS_LENGTH = 60
STYLES: dict[Shape, str] = {
    "step": "bold",
    "source": "green",
    "intermediate": "blue",
    "result": "magenta",
    "code": "dim",
}
STATE_STYLES: dict[State, str] = {"failed": "red", "stale": "yellow", "not_kept": "yellow"}
STATE_STYLES |= {"added": "green", "dropped": "red", "changed": "yellow"}
QUIET: frozenset[State] = frozenset({"root", "pending", "not_kept"})


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str | Text]], title: str | None = None
) -> Table:
    """A table with these headings; long cells are folded, never cut."""
    made = Table(
        *(),
        title=Text(clean(title)) if title else None,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        pad_edge=False,
    )
    for column in columns:
        made.add_column(Text(column), overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
    return made


def lineage_tree(subgraph: Subgraph, marks: Marks | None = None) -> Table:
    """The nodes of a subgraph, in its order: what each is, its version, when, with what.

    Args:
        subgraph: Of these nodes.
        marks: Why nodes are stale, by their keys.
    """
    picture = picture_of(subgraph, marks=marks)
    seconds = {node.key: second_line(node) for node in subgraph.nodes}
    rows = [_row(node, seconds[node.key]) for node in picture.nodes]
    columns = ["Kind", "Name", "Hash or time", "Stale because", "When", "Parameters"]
    shown = [0, 1, 2, *(i for i in (3, 4, 5) if any(row[i] for row in rows))]
    made = table([columns[i] for i in shown], [[row[i] for i in shown] for row in rows])
    made.caption = _caption(picture)
    made.caption_justify = "left"
    return made


def _row(node: PictureNode, second: str) -> list[str | Text]:
    style = next((STATE_STYLES[s] for s in node.states if s in STATE_STYLES), "")
    states = (STATES[s] for s in node.states if s not in QUIET and STATES[s] not in second)
    facts = {fact.name: fact.value for fact in node.details if not fact.group}
    left = [f"{LEFT_BY} {facts[LEFT_BY]}"] if LEFT_BY in facts else []
    said = ", ".join([second, *states, *left])
    why = "; ".join(fact.value for fact in node.details if fact.name == STALE and not fact.group)
    using = ", ".join(f"{f.name}={f.value}" for f in node.details if f.group == "parameters")
    root = " *" if "root" in node.states else ""
    return [
        Text(SHAPES[node.shape], style=STYLES.get(node.shape, "")),
        Text(node.name + root, style="bold" if node.shape == "step" else ""),
        Text(said.strip(", "), style=style),
        why,
        facts.get("started") or facts.get("taken") or "",
        shortened(using, PARAMETERS_LENGTH),
    ]


def _caption(picture: Picture) -> Text | None:
    parts = [picture.note] if picture.note else []
    if any("root" in node.states for node in picture.nodes):
        parts.insert(0, f"* {STATES['root']}.")
    return Text(" ".join(parts)) if parts else None
