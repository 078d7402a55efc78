"""A drawing as one HTML file that opens from disk, with no network, and explains itself.

pyvis carries the data and vis-network; places, lines and the page are ours. pyvis's own template
loads style sheets from a CDN and escapes nothing, so it is replaced whole: text is escaped by
jinja, data are JSON that no browser runs, and a content security policy lets only our two scripts
run, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from dws_graph.model.subgraph import Subgraph
from dws_graph.render.drawing import Drawing, laid_out
from dws_graph.render.groups import grouped
from dws_graph.render.look import FONTS, GROUPINGS, NOTHING, SHAPES, STATES, TONES, Detail, Grouping
from dws_graph.render.marks import Entry, legend_of, swatch
from dws_graph.render.picture import Marks, Picture, picture_for
from dws_graph.render.text import clean, shortened

HERE = Path(__file__).parent
OPTIONS: dict[str, Any] = {
    "physics": {"enabled": False},
    "layout": {"improvedLayout": False},
    "interaction": {
        "hover": True,
        "dragNodes": False,
        "selectConnectedEdges": False,
        "hoverConnectedEdges": False,
    },
}
COLUMN_LENGTH = 300
HEIGHTS = (440, 800)  # of a figure; the lower has room for the panel of details
BAR_AND_LEGEND = 160  # with some room around the picture
GROUPED_ABOVE = 80  # nodes, above which a page opens with steps of one name as one
SCRIPTS = ("paint.js", "graph.js", "panel.js", "page.js")


def to_html(
    subgraph: Subgraph,
    *,
    title: str,
    width: int = 1024,
    height: int | None = 800,
    detail: Detail = "steps",
    group: Grouping | None = None,
    marks: Marks | None = None,
) -> str:
    """The subgraph as a page: to be written as UTF-8, opened from anywhere.

    Args:
        subgraph: What to draw.
        title: Heading of the page.
        width: Of the figure, in pixels; a button of the page lets it fill the window.
        height: Of the figure with its bar and legend; None: as high as the picture needs, between
            two limits.
        detail: As for `drawing_of`.
        group: How the page opens; by default by step name when there is much to see. The page
            can show each grouping.
        marks: Why nodes are stale, by their keys.
    """
    import jinja2  # noqa: PLC0415 - these two take a third of a second
    from pyvis.network import Network  # noqa: PLC0415

    views = _views(picture_for(subgraph, detail, marks))
    drawing = views["none"]
    # Chromium and the rest hash a script after turning CRLF into LF.
    vis = _vis_network().replace("\r\n", "\n")
    page = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(HERE),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        fonts=FONTS,
        groupings=[(name, GROUPINGS[name]) for name in views],
        legend=_legend(views),
        nothing=NOTHING,
        note=drawing.picture.note,
        page_script=page,
        rows=_rows(drawing),
        start=_start(views, group),
        script_hashes=" ".join(map(_script_hash, (vis, page))),
        tones=TONES,
        views={name: _view(one, name) for name, one in views.items()},
        vis_script=vis,
        words=dict[str, str]([*SHAPES.items(), *STATES.items()]),
    )
    if height is None:
        tallest = max(one.height for one in views.values())
        height = round(max(HEIGHTS[0], min(HEIGHTS[1], tallest + BAR_AND_LEGEND)))
    net = Network(height=f"{height:d}px", width=f"{width:d}px", directed=True, heading=clean(title))
    net.set_options(json.dumps(OPTIONS))
    net.templateEnv, net.path = environment, "template.html.j2"
    _fill(net, drawing)
    html = net.generate_html()
    assert isinstance(html, str)  # noqa: S101 - pyvis has no types
    return html


def page_of(
    subgraph: Subgraph,
    *,
    detail: Detail = "steps",
    group: Grouping | None = None,
    marks: Marks | None = None,
) -> dict[str, Any]:
    """What a page of the service shows: `data` for its scripts, legend and table for its text.

    Args: as `to_html`.
    """
    views = _views(picture_for(subgraph, detail, marks))
    data = views["none"].to_json()
    nodes = [{**node, "group": node["shape"], "shape": "custom"} for node in data["nodes"]]
    return {
        "data": {
            "nodes": nodes,
            "edges": data["edges"],
            "views": {name: _view(one, name) for name, one in views.items()},
            "start": _start(views, group),
            "words": dict[str, str]([*SHAPES.items(), *STATES.items()]),
            "options": OPTIONS,
        },
        "groupings": [(name, GROUPINGS[name]) for name in views],
        "legend": _legend(views),
        "rows": _rows(views["none"]),
        "note": views["none"].picture.note,
    }


def _views(picture: Picture) -> dict[Grouping, Drawing]:
    """The picture laid out on its own, and by each grouping that puts anything together."""
    found: dict[Grouping, Drawing] = {}
    for by in GROUPINGS:
        made = grouped(picture, by)
        if by == "none" or any(node.members for node in made.nodes):
            found[by] = laid_out(made)
    return found


def _start(views: dict[Grouping, Drawing], group: Grouping | None) -> Grouping:
    many = len(views["none"].picture.nodes) > GROUPED_ABOVE
    wanted = group or ("steps" if many else "none")
    return wanted if wanted in views else "none"


def _view(drawing: Drawing, by: Grouping) -> dict[str, Any]:
    """What a view adds to the nodes and edges as they are on their own."""
    data = drawing.to_json()
    if by == "none":
        return {key: data[key] for key in ("legs", "width", "height")}
    placed = [
        n if n["members"] else {k: n[k] for k in ("id", "x", "y", "w", "h")} for n in data["nodes"]
    ]
    return {**data, "nodes": placed}


def _fill(net: Any, drawing: Drawing) -> None:
    """Give pyvis the nodes with their places, and the edges with their ways."""
    data = drawing.to_json()
    for node in data["nodes"]:
        rest = {key: value for key, value in node.items() if key not in ("id", "label", "shape")}
        # pyvis takes an empty label for none; `group` keeps it from adding a colour.
        net.add_node(node["id"], node["label"] or " ", shape="custom", group=node["shape"], **rest)
    for edge in data["edges"]:
        net.add_edge(edge["from"], edge["to"], stroke=edge["stroke"], legs=edge["legs"])


def _vis_network() -> str:
    inside = files("pyvis") / "templates" / "lib" / "vis-9.1.2" / "vis-network.min.js"
    return inside.read_bytes().decode("utf-8")


def _script_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _legend(views: dict[Grouping, Drawing]) -> list[dict[str, str]]:
    """Each entry with the views that it is for."""
    found: dict[Entry, list[str]] = defaultdict(list)
    for by, drawing in views.items():
        for entry in legend_of(drawing.picture):
            found[entry].append(by)
    return [
        {
            "words": entry.words,
            "views": " ".join(names),
            "drawn": swatch(entry, 0, 0, "var(--{})".format),
        }
        for entry, names in found.items()
    ]


def _rows(drawing: Drawing) -> list[dict[str, str]]:
    """The picture in words: the table below it."""
    names = {node.key: node.name for node in drawing.picture.nodes}
    sources: dict[str, list[str]] = defaultdict(list)
    for edge in drawing.picture.edges:
        sources[edge.target].append(names[edge.source])
    return [
        {
            "kind": SHAPES[node.role],
            "name": shortened(node.name, COLUMN_LENGTH),
            "second": node.second,
            "states": ", ".join(node.said(s) for s in node.states),
            "sources": shortened(", ".join(dict.fromkeys(sources[node.key])), COLUMN_LENGTH),
            "facts": shortened(
                ", ".join(f"{f.name} = {f.value}" for f in node.details if f.group), COLUMN_LENGTH
            ),
        }
        for node in drawing.picture.nodes
    ]
