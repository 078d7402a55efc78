"""Templates, and how values are written in them. Everything is escaped; nothing is a script."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse

from dws_graph import render
from dws_graph.api.differences import flat
from dws_graph.api.service.sessions import csrf_token
from dws_graph.api.service.state import State
from dws_graph.backends.views import StepInfo
from dws_graph.render.look import FONTS, TONES
from dws_graph.render.text import clean, shortened
from dws_graph.render.text import seconds as short_time

HERE = Path(__file__).resolve().parent.parent
DRAWING = Path(render.__file__).resolve().parent
OF_DRAWING = ("paint.js", "graph.js", "panel.js", "page.js", "page.css")
GRAPH_SCRIPTS = ("network.js", *OF_DRAWING[:4], "expand.js", "nodes.js", "slice.js", "state.js")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@lru_cache(maxsize=1)
def assets() -> dict[str, bytes]:
    """Every file that pages load, by its name: all that this service gives out of its folders."""
    found = {path.name: path.read_bytes() for path in (HERE / "static").iterdir() if path.is_file()}
    found |= {name: (DRAWING / name).read_bytes() for name in OF_DRAWING}
    found["tones.css"] = _tones().encode()
    return found


def _tones() -> str:
    light = "".join(f"--{name}: {tone.light}; " for name, tone in TONES.items())
    dark = "".join(f"--{name}: {tone.dark}; " for name, tone in TONES.items())
    return (
        f":root {{ --fonts: {FONTS}; {light}}}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark}}} }}\n'
        f':root[data-theme="dark"] {{ {dark}}}\n'
    )


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """The address of a file that pages load; it changes with the file."""
    return f"/static/{hashlib.sha256(assets()[name]).hexdigest()[:12]}/{name}"


@lru_cache(maxsize=1)
def _environment() -> Any:
    import jinja2  # noqa: PLC0415 - only the service pays for it

    made = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {
        "part": lambda text: quote(str(text), safe=""),
        "moment": moment,
        "clock": clock,
        "shown": shown,
        "seconds": seconds,
        "number": number,
        "pairs": pairs,
        "flat": flat,
        "status": status_of_step,
    }
    made.globals |= {"asset": asset}
    return made


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from its template."""
    state: State = request.app.state.service
    session = state.sessions.find(request.cookies.get(state.cookie, ""))
    common = {
        "section": "",
        "q": "",
        "local": state.settings.is_local,
        "session": session,
        "csrf": csrf_token(session) if session else "",
    }
    text = _environment().get_template(template).render({**common, **values})
    return HTMLResponse(text, status)


def moment(text: str) -> str:
    """A time (UTC) as people read it, where it stands alone."""
    return f"{clock(text)} UTC" if len(text) >= 19 else clean(text)


def clock(text: str) -> str:
    """The same below a heading that says UTC."""
    return f"{text[:10]} {text[11:19]}" if len(text) >= 19 else clean(text)


def shown(value: Any) -> str:
    """A parameter, metric or name."""
    if isinstance(value, float):
        return number(value)
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", shortened(said, 2_000))


def number(value: Any) -> str:
    """A number, with as many digits as tell it apart."""
    return (
        f"{value:.6g}"
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        else shown(value)
    )


def seconds(value: float) -> str:
    """How long something took: `0.12 s`, `3.4 s`, `2 min 5 s`, `1 h 2 min`."""
    if not 119.95 <= value < float("inf"):
        return short_time(value) or number(value)
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def pairs(found: Mapping[str, Any]) -> str:
    """Parameters or metrics in a line."""
    said = (f"{name} = {shown(value)}" for name, value in flat(found).items())
    return shortened(", ".join(said), 120)


def status_of_step(step: StepInfo) -> str:
    """`completed`, `failed`, or `retracted` whatever it was before."""
    return "retracted" if step.retracted else step.status
