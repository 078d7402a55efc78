"""A picture as Mermaid text, which GitHub and many notebooks draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dws_graph.model.subgraph import Subgraph
from dws_graph.render.groups import grouped
from dws_graph.render.look import CHANGES, Detail, Grouping, Shape, State, Stroke, light, of_all
from dws_graph.render.picture import Marks, Picture, PictureNode, picture_for

BRACKETS: dict[Shape, tuple[str, str]] = {
    "step": ("[", "]"),
    "code": ("{{", "}}"),
    "snapshot": ("[/", "/]"),
    "between": ("[", "]"),
}
PILL = ("([", "])")
# How a line ends in an arrow, and how one that goes on behind the name of data does not.
ARROWS: dict[Stroke, tuple[str, str]] = {"flow": ("-->", "---"), "added": ("==>", "===")}
DOTTED = ("-.->", "-.-")
# A later class wins over an earlier one.
STATE_CLASSES: dict[State, str] = {
    "root": "stroke-width:4px",
    "pending": "stroke-dasharray:2 3",
    "not_kept": f"fill:{light('page')},stroke-dasharray:5 3",
    "stale": f"stroke:{light('stale')},stroke-width:3px",
    "failed": f"fill:{light('page')},stroke:{light('failed')},color:{light('text')}",
    **{
        state: f"fill:{light('page')},color:{light('text')},stroke:{light(state)},stroke-width:3px"
        + (f",stroke-dasharray:{look.dash}" if look.dash else "")
        for state, look in CHANGES.items()
    },
}
BADGES: dict[State, str] = {
    "stale": " ⚠",
    "failed": " ✕",
    "retracted": " (?)",
    **{state: f" {look.sign}" for state, look in CHANGES.items()},
}
_UNSAFE = re.compile(r"[^\w \-.,:/()+=·…✕⚠?\u2212]")


def to_mermaid(
    subgraph: Subgraph,
    detail: Detail = "steps",
    *,
    group: Grouping = "none",
    marks: Marks | None = None,
) -> str:
    """The subgraph as a Mermaid flow chart; the same text for the same subgraph.

    Args: as `drawing_of`.
    """
    return "\n".join(_lines(grouped(picture_for(subgraph, detail, marks), group))) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    ids = {node.key: f"n{i}" for i, node in enumerate(picture.nodes)}
    yield "flowchart LR"
    for node in picture.nodes:
        yield f"    {ids[node.key]}{_node(node)}"
    passed = {node.key for node in picture.nodes if node.shape == "between"}
    for edge in picture.edges:
        arrow = ARROWS.get(edge.stroke, DOTTED)[edge.target in passed]
        yield f"    {ids[edge.source]} {arrow} {ids[edge.target]}"
    for shape in picture.shapes():
        colour = light("step-text" if shape == "step" else "text")
        line = "none" if shape == "between" else light(shape)
        fill = f"fill:{light(f'{shape}-fill')},stroke:{line},color:{colour}"
        yield f"    classDef {shape} {fill}"
        names = [ids[n.key] for n in picture.nodes if n.shape == shape]
        yield f"    class {','.join(names)} {shape}"
    outlined = [n for n in picture.nodes if n.shape != "between"]
    for state, style in STATE_CLASSES.items():
        names = [ids[n.key] for n in outlined if state in of_all(n.states)]
        if names:
            yield f"    classDef {state} {style}"
            yield f"    class {','.join(names)} {state}"


def _node(node: PictureNode) -> str:
    opening, closing = BRACKETS.get(node.shape, PILL)
    badges = "".join(BADGES[s] for s in node.states if s in BADGES)
    second = "" if node.shape == "between" else node.second
    lines = [escaped(node.label + badges), *filter(None, [escaped(second)])]
    return f'{opening}"{"<br/>".join(lines)}"{closing}'


def escaped(text: str) -> str:
    """The text as Mermaid writes it in a quoted label: `#60;` for `<`."""
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", text)
