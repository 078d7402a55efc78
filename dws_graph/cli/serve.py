"""`dws serve`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.cli.terminal import say
from dws_graph.render.text import clean
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.own import own_workspace

EPILOG = """
\b
Examples:
  dws serve --open
  dws serve --port 0
  dws serve --host 0.0.0.0 --name lineage.example.org
  dws serve --data /srv/dws
"""


@click.command("serve", cls=Command, epilog=EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8790,
    show_default=True,
    help="Its port; 0 takes a free one.",
)
@click.option(
    "--name",
    "names",
    metavar="HOST",
    multiple=True,
    help="What else it may be called by, in requests. Several may be given.",
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The tokens of 'dws token' that it accepts, when they are not in the usual place.",
)
@click.option(
    "--origin",
    "origins",
    metavar="URL",
    multiple=True,
    help="Pages of this other origin may use it (CORS). Several may be given.",
)
@click.option(
    "--behind-tls", is_flag=True, help="It is reached by https alone, which a proxy ends."
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Serve this workspace, the service's own, in which programs outside record steps. It is "
    "made where there is none.",
)
@click.option("--open", "show", is_flag=True, help="Show it in the browser.")
@pass_session
def command(
    session: Session,
    host: str,
    port: int,
    names: tuple[str, ...],
    token_file: Path | None,
    origins: tuple[str, ...],
    behind_tls: bool,
    data: Path | None,
    show: bool,
) -> None:
    """Serve lineage to programs and people, over HTTP, until it is stopped.

    It serves the team's graph where 'graph.url' names one, else this workspace alone. On this
    machine reading needs no token; any other host is refused until there is one: see 'dws token'.

    With --data, programs that have no workspace record steps over HTTP: see docs/http.md.
    """
    from dws_graph.api.service.serving import serve  # noqa: PLC0415 - it takes half a second
    from dws_graph.api.service.settings import Settings  # noqa: PLC0415

    if data is not None:
        with open_workspace(own_workspace(data, notify=note), batch=True, notify=note) as own:
            root, name = own.root, own.name
    else:
        with session.workspace() as ws:
            root, name = ws.root, ws.name
    settings = Settings(
        workspace=root,
        host=host,
        port=port,
        names=frozenset(names),
        origins=frozenset(origins),
        tokens=token_file,
        secure=behind_tls,
        records=data is not None,
    )

    def begun(url: str) -> None:
        say(f"Serving {clean(name)} at {url} (Ctrl-C stops it)")
        if show:
            click.launch(url)

    serve(settings, begun)
