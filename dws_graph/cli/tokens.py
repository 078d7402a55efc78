"""What the commands of `dws token` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dws_graph.api.service.token_file import Token
from dws_graph.api.service.tokens import TokenStore, token_file
from dws_graph.cli.cells import when
from dws_graph.cli.session import note
from dws_graph.model.values import Json

F = TypeVar("F", bound=Callable[..., Any])


def token_file_option(f: F) -> F:
    """`--token-file`."""
    return click.option(
        "--token-file",
        "path",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Where tokens are kept.  [default: $DWS_TOKEN_FILE, else tokens.json in your "
        "configuration folder]",
    )(f)


def store(path: Path | None) -> TokenStore:
    """The tokens of this file, else of the user's own."""
    return TokenStore(path or token_file(), notify=note)


def token_row(token: Token) -> Json:
    """What is told of a token, as JSON."""
    told = token.to_json()
    del told["sha256"]
    return told


def until(token: Token) -> str:
    """When it expires, in words."""
    expires = token.to_json()["expires"]
    return "never" if expires is None else when(expires)
