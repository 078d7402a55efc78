"""Names: what a tag, a host, a resource may be called; templates of results directories.

Source: docs/formats.md, "Names".
"""

from __future__ import annotations

import datetime as dt
import re
import string
from collections.abc import Iterable

from dws_graph.errors import ConfigurationError, ParamValidationError
from dws_graph.model.values import clean_text

TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
HOSTNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
FULL_HASH = re.compile(r"[0-9a-fA-F]{40}")
_BAD_IN_NAME = re.compile(r"[/\\:,*\x00-\x1f\x7f]")
_FIELDS = (
    *("USERNAME", "HOSTNAME", "SNAPSHOT_NO", "ISO_TIMESTAMP", "YEAR", "MONTH", "SHORT_MONTH"),
    *("DAY", "HOUR", "MIN", "SEC", "DAY_OF_WEEK", "TAG"),
)


def check_tag(tag: str) -> None:
    """Refuse what cannot be a tag.

    Raises:
        ConfigurationError: Names the tag and the rule.
    """
    if not TAG.fullmatch(tag) or tag.endswith((".", ".lock")) or ".." in tag:
        raise ConfigurationError(
            f"'{tag}' cannot be a tag",
            hint="Use letters, digits, '.', '_' and '-', beginning with a letter or digit.",
        )
    if tag == "latest" or FULL_HASH.fullmatch(tag):
        raise ConfigurationError(
            f"'{tag}' cannot be a tag: it means a snapshot already", hint="Choose another name."
        )


def check_hostname(name: str) -> None:
    """Refuse what cannot name a machine.

    Raises:
        ParamValidationError: Names it and the rule.
    """
    if not HOSTNAME.fullmatch(name):
        raise ParamValidationError(
            f"'{name}' cannot be a hostname",
            hint="Use letters, digits, '.' and '-', beginning with a letter or digit.",
        )


def as_hostname(name: str) -> str:
    """A machine's own name made fit for `check_hostname`."""
    fit = re.sub(r"[^A-Za-z0-9.-]", "-", name).lstrip(".-")[:100]
    return fit or "localhost"


def free_hostname(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, with `-2`, `-3`, ... where another instance has it."""
    used, name, n = set(taken), wanted, 2
    while name in used:
        name = f"{wanted[:95]}-{n}"
        n += 1
    return name


def check_new_resource_name(
    name: str, others: Iterable[str], *, hint: str = "Choose another name with --name."
) -> None:
    """Refuse what cannot name a new resource.

    Args:
        name: To be.
        others: Those that are taken.
        hint: How to give another.

    Raises:
        ConfigurationError: It is taken, also by a name that differs in case alone, breaks the
            rule for names, or is not UTF-8.
    """
    for other in others:
        if other.casefold() == name.casefold():
            same = "" if other == name else f" ('{other}' differs by case alone)"
            raise ConfigurationError(
                f"there is a resource named '{name}' already{same}",
                hint=hint,
            )
    if clean_text(name) != name:
        raise ConfigurationError(
            f"'{clean_text(name)}' cannot name a resource: it is not UTF-8 text",
            hint=hint,
        )
    if not 1 <= len(name) <= 100 or _BAD_IN_NAME.search(name) or name[0] in "-.":
        raise ConfigurationError(
            f"'{name}' cannot name a resource",
            hint="Use 1 to 100 characters without / \\ : , * and not beginning with '-' or '.'.",
        )


def check_template(template: str) -> None:
    """Refuse a template of results directories that would write elsewhere.

    Raises:
        ParamValidationError: Names the template and what is wrong with it.
    """
    hint = "It must begin with snapshots/ and use only: " + ", ".join(f"{{{f}}}" for f in _FIELDS)
    try:
        fields = [f for _, f, _, _ in string.Formatter().parse(template) if f is not None]
    except ValueError as e:
        raise ParamValidationError(f"'{template}' is no template: {e}", hint=hint) from e
    unknown = [field for field in fields if field not in _FIELDS]
    if unknown:
        raise ParamValidationError(f"'{template}' has an unknown '{unknown[0]}'", hint=hint)
    parts = template.split("/")
    if parts[0] != "snapshots" or len(parts) < 2 or any(p in ("", ".", "..") for p in parts):
        raise ParamValidationError(f"'{template}' cannot be a results directory", hint=hint)


def fill_template(
    template: str, *, username: str, hostname: str, number: int, tag: str | None, at: dt.datetime
) -> str:
    """The directory within a results resource that a snapshot's results go to.

    Args:
        template: As `check_template` allows.
        username: Who.
        hostname: Where.
        number: The snapshot's.
        tag: Its tag; the number stands for it when there is none.
        at: Local time.
    """
    digits = f"{number:03d}"
    return template.format(
        USERNAME=re.sub(r"[^\w.-]", "_", username),
        HOSTNAME=hostname,
        SNAPSHOT_NO=digits,
        ISO_TIMESTAMP=at.strftime("%Y-%m-%dT%H:%M:%S"),
        YEAR=at.strftime("%Y"),
        MONTH=at.strftime("%m"),
        SHORT_MONTH=at.strftime("%b"),
        DAY=at.strftime("%d"),
        HOUR=at.strftime("%H"),
        MIN=at.strftime("%M"),
        SEC=at.strftime("%S"),
        DAY_OF_WEEK=at.strftime("%A"),
        TAG=tag or digits,
    )
