"""Secrets out of what is recorded: their values become `***`.

A value goes when its name says secret (`--password x`, `API_KEY=x`; see `secret_names`), when it
has the shape of one (a JWT, `ghp_...`), or by where it stands (the password in a URL, the
signature in its query, `curl -u ann:x`). In doubt about a value, it goes: lineage is committed and
pushed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dws_graph.model.secret_names import is_secret, normal_name, normal_names

HIDDEN = "***"

_NAME = r"[A-Za-z_][\w.\-]*"
_OPTION = re.compile(rf"--?({_NAME})")
_FLAG = re.compile(r"--[A-Za-z][\w.\-]*(=.*)?|-[A-Za-z]", re.DOTALL)
_ASSIGNMENT = re.compile(rf"([-+]*)({_NAME})=(.*)", re.DOTALL)
_HEADER = re.compile(r"(-H)?([A-Za-z][\w\-]*)(\s*:\s*)(\S.*)", re.DOTALL)

_QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_BARE = r"[^\s\"'&;|,{}()\[\]<>]+"
_NAMED_IN_TEXT = re.compile(
    rf"(?:-H|--header[= ])\s*(?P<around>[\"'])(?P<header>{_NAME})\s*:\s*(?P<content>[^\"'\n]+)"
    rf"|(?P<quote>[\"'])(?P<key>{_NAME})(?P=quote)\s*:\s*(?P<item>{_QUOTED}|{_BARE})"
    rf"|(?<![\w.\-])-{{0,2}}(?P<name>{_NAME})\s?=\s?(?!=)(?P<value>{_QUOTED}|{_BARE})"
    rf"|(?<!\S)--(?P<option>{_NAME})\s+(?!-)(?P<argument>{_QUOTED}|{_BARE})"
    rf"|^[ \t]*(?P<field>{_NAME}):[ \t]+(?P<rest>\S[^\n]*)",
    re.MULTILINE,
)
_NAMED_GROUPS = (
    *(("header", "content"), ("key", "item"), ("name", "value")),
    *(("option", "argument"), ("field", "rest")),
)

_URL_LOGIN = re.compile(
    r"(?P<scheme>(?<![A-Za-z0-9+.\-])[A-Za-z][A-Za-z0-9+.\-]{0,30}://)"
    r"(?P<user>[^\s/?#@:\"']*)(?P<password>:[^\s/?#\"']*)?@"
)
# A user in a URL that is no person's name: services take a token there, too.
_TOKEN_AS_USER = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[^\s]{20,}")
# Names that say secret in a URL's query alone: elsewhere `sig` is a significance.
_QUERY = re.compile(
    r"([?&#](?:[\w.\-]*signature|(?:[\w.\-]*[_.\-])?sig|pass)=)[^\s&#\"'<>]+", re.IGNORECASE
)
# `curl -u USER:PASSWORD`; two numbers are a user and a group, as containers are given them.
_LOGIN_OPTION = re.compile(r"-[uU]|--(?:proxy-)?user")
_LOGIN_ATTACHED = re.compile(r"(-[uU]|--(?:proxy-)?user=)(\S.*)", re.DOTALL)
_LOGIN_IN_TEXT = re.compile(
    r"((?<![\w\-])(?:-[uU]\s*|--(?:proxy-)?user(?:\s+|=)))"
    r"(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"';|&]+)"
)
_LOGIN = re.compile(r"(?!\d+:\d+$)([\w.@+%\\\-]+:)([^/\\].*)", re.DOTALL)
_AUTHORIZATION = re.compile(
    r"((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)[^\s\"'][^\"'\n]*", re.IGNORECASE
)
_BEARER = re.compile(r"(\bBearer\s+)[\w.~+/\-]{8,}=*", re.IGNORECASE)
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|dws_[0-9a-f]{12}_[A-Za-z0-9_\-]{16,}"  # of our own service, wherever it stands
    r"|(?<![A-Za-z0-9_])(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w\-]{16,}"  # GitHub, GitLab
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # Amazon
    r"|eyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?"  # JSON web tokens
    r"|xox[abeoprs]-[A-Za-z0-9\-]{10,}"  # Slack
    r"|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w\-]{40,}|AIza[\w\-]{30,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"  # Stripe
    r"|sk-(?=[\w\-]{0,99}\d)(?=[\w\-]{0,99}[A-Z])[\w\-]{20,}"  # OpenAI, Anthropic
    r"|sk-(?=[a-z]{0,99}\d)[a-z0-9]{20,}"
    r"|dop_v1_[a-f0-9]{32,})",
    re.DOTALL,
)


def scrub_text(text: str, extra_names: Sequence[str] = ()) -> str:
    """What people wrote, as it may be recorded: a message, a description, the name of a step.

    Args:
        text: Of any length.
        extra_names: More names whose values are secret; case and `-` or `_` do not matter.
    """
    return _scrub_text(text, normal_names(extra_names))


def scrub_command_line(args: Sequence[str], extra_names: Sequence[str] = ()) -> list[str]:
    """A command line as it may be recorded.

    Args:
        args: The program and its arguments.
        extra_names: As for `scrub_text`.
    """
    extra = normal_names(extra_names)
    clean: list[str] = []
    before = ""  # an option whose value is still to come
    for arg in args:
        option = _OPTION.fullmatch(before)
        if option is not None and is_secret(option[1], extra) and not _FLAG.fullmatch(arg):
            clean.append(_hidden(arg))
            before = ""
            continue
        if _LOGIN_OPTION.fullmatch(before):
            arg = _hide_login(arg)
        clean.append(_scrub_argument(arg, extra))
        before = arg
    return clean


def scrub_parameters(params: Mapping[str, Any], extra_names: Sequence[str] = ()) -> dict[str, Any]:
    """Parameters as they may be recorded, however deep the secret lies; `params` stays as it is.

    Booleans and None are no secrets, whatever their name.

    Args:
        params: Names and values, which may be dictionaries and lists.
        extra_names: As for `scrub_text`.
    """
    return _scrub_mapping(params, normal_names(extra_names))


def scrub_metrics(metrics: Mapping[str, Any], extra_names: Sequence[str] = ()) -> dict[str, Any]:
    """Metrics as they may be recorded: as parameters, but for numbers.

    A classifier that finds passwords has a metric `password`: its numbers stay, unless the name is
    one of `extra_names`.
    """
    return _scrub_mapping(metrics, normal_names(extra_names), numbers=True)


def _hidden(value: str) -> str:
    return HIDDEN if value else value


def _hide_login(text: str) -> str:
    found = _LOGIN.fullmatch(text)
    return f"{found[1]}{HIDDEN}" if found else text


def _scrub_argument(arg: str, extra: frozenset[str]) -> str:
    """One argument: `NAME=VALUE` and `Name: VALUE` as a whole, else what lies in its text."""
    attached = _LOGIN_ATTACHED.fullmatch(arg)
    if attached is not None and (login := _hide_login(attached[2])) != attached[2]:
        return attached[1] + _scrub_text(login, extra)
    assignment = _ASSIGNMENT.fullmatch(arg)
    if assignment is not None:
        dashes, name, value = assignment.groups()
        if is_secret(name, extra):
            return f"{dashes}{name}={_hidden(value)}"
        return f"{dashes}{name}={_scrub_argument(value, extra)}"
    header = _HEADER.fullmatch(arg)
    if header is not None:
        flag, name, colon, _ = header.groups("")
        if _is_secret_header(name, extra):
            return f"{flag}{name}{colon}{HIDDEN}"
    return _scrub_text(arg, extra)


def _is_secret_header(name: str, extra: frozenset[str]) -> bool:
    return is_secret(name, extra) or name.lower() in ("cookie", "set-cookie")


def _scrub_text(text: str, extra: frozenset[str]) -> str:
    def hide_named(found: re.Match[str]) -> str:
        for name, value in _NAMED_GROUPS:
            test = _is_secret_header if name == "header" else is_secret
            if found[name] is not None and test(found[name], extra):
                start, end = (found.start(value), found.end(value))
                quote = found[value][0] if found[value][0] in "\"'" else ""
                whole, offset = found[0], found.start()
                before, after = whole[: start - offset], whole[end - offset :]
                return f"{before}{quote}{HIDDEN}{quote}{after}"
        return found[0]

    text = _SHAPES.sub(HIDDEN, text)
    text = _URL_LOGIN.sub(_without_login, text)
    text = _QUERY.sub(rf"\g<1>{HIDDEN}", text)
    text = _LOGIN_IN_TEXT.sub(_without_password, text)
    text = _AUTHORIZATION.sub(rf"\g<1>{HIDDEN}", text)
    text = _BEARER.sub(rf"\g<1>{HIDDEN}", text)
    return _NAMED_IN_TEXT.sub(hide_named, text)


def _without_login(found: re.Match[str]) -> str:
    user, password = found["user"], found["password"] or ""
    user = HIDDEN if _TOKEN_AS_USER.fullmatch(user) else user
    return f"{found['scheme']}{user}{password[:1]}{_hidden(password[1:])}@"


def _without_password(found: re.Match[str]) -> str:
    option, login = found.groups()
    quote = login[0] if login[0] in "\"'" else ""
    return f"{option}{quote}{_hide_login(login.strip(quote) if quote else login)}{quote}"


def _scrub_mapping(
    params: Mapping[Any, Any],
    extra: frozenset[str],
    *,
    secret: bool = False,
    numbers: bool = False,
) -> dict[Any, Any]:
    return {
        key: _scrub_value(
            value,
            extra,
            secret=secret or is_secret(str(key), extra),
            numbers=numbers and normal_name(str(key)) not in extra,
        )
        for key, value in params.items()
    }


def _scrub_value(
    value: Any, extra: frozenset[str], *, secret: bool = False, numbers: bool = False
) -> Any:
    """A value without secrets; `numbers`: those stay, also where the name says secret."""
    if value is None or isinstance(value, bool):
        return value
    if numbers and isinstance(value, (int, float)):
        return value
    if secret and not (numbers and isinstance(value, (Mapping, list))):
        return value if isinstance(value, str) and not value else HIDDEN
    if isinstance(value, str):
        clean = _scrub_argument(value, extra)
        return value if clean == value else clean
    if isinstance(value, Mapping):
        return _scrub_mapping(value, extra, secret=secret, numbers=numbers)
    if isinstance(value, (list, tuple)):
        if value and not secret and all(isinstance(item, str) for item in value):
            items: list[Any] = list(scrub_command_line(value, tuple(extra)))
        else:
            items = [_scrub_value(item, extra, secret=secret, numbers=numbers) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, (set, frozenset)):
        return type(value)(_scrub_value(item, extra) for item in value)
    return value
