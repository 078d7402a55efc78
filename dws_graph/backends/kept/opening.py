"""The store that a URL names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from dws_graph.backends.kept.local import LocalStore
from dws_graph.backends.kept.remote import RemoteStore
from dws_graph.backends.kept.store import Store, check_url
from dws_graph.backends.locks import Notify, quiet


def open_store(url: str, who: str, notify: Notify = quiet, *, is_known: bool = False) -> Store:
    """The store at a URL; nothing is asked of it yet.

    Args:
        url: As `check_url` lets it in.
        who: Names this copy to others that use the store.
        notify: Told when it is waited for.
        is_known: It was used before: a folder that is not there is not begun anew.

    Raises:
        ParamValidationError: It is no URL of a store.
    """
    parts = urlsplit(check_url(url))
    if parts.scheme == "file":
        return LocalStore(Path(unquote(parts.path)), notify=notify, is_known=is_known)
    return RemoteStore(url, who, notify=notify)
