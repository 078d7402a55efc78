"""Secrets out of what is recorded: their values become `***` in command lines and parameters.

A value goes when its name says secret (`--password x`, `API_KEY=x`), or when it has the shape of
one (a JWT, `ghp_...`, the password in a URL). A name is judged by its last words, so `max_tokens`,
`tokenizer`, `key_column` and `token_file` stay. In doubt about a value, it goes: lineage is
committed and pushed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

HIDDEN = "***"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# The last word of a name that holds a secret.
_SECRET_WORDS = _set(
    "auth authorization credential credentials passphrase passwd password passwords pwd "
    "secret secrets token"
)
# As `_SECRET_WORDS`, written in one with what comes before: PGPASSWORD, dbpasswd.
_SECRET_ENDS = (
    *("password", "passwd", "passphrase", "apikey", "secretkey", "accesskey", "privatekey"),
    *("authtoken", "accesstoken", "apitoken", "clientsecret", "secretaccesskey"),
)
# What makes a secret of the last word of a name that alone is none.
_SECRET_PAIRS = {
    "key": _set(
        "access account api auth encryption master private secret signing ssh storage subscription"
    ),
    "keys": _set("access api private secret signing"),
    "pass": _set(
        "admin app bind database db email ftp ldap login mail mysql pg postgres proxy redis root "
        "smtp ssh user"
    ),
    "tokens": _set("access api auth bearer refresh"),
}
# A token of text, not of access.
_TEXT_TOKENS = _set(
    "blank bos cls end eos first image last mask next oov pad per prefix sep sos special start "
    "stop sub suffix unk word"
)
# A first word that makes a name a switch, which has no value of its own.
_SWITCHES = _set("ask disable enable has is no prompt require show skip use with")
# Last words that say nothing about what the value is.
_FILLERS = _set("base64 confirmation value")

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAME = r"[A-Za-z_][\w.\-]*"
_OPTION = re.compile(rf"--?({_NAME})")
_FLAG = re.compile(r"--[A-Za-z][\w.\-]*(=.*)?|-[A-Za-z]", re.DOTALL)
_ASSIGNMENT = re.compile(rf"([-+]*)({_NAME})=(.*)", re.DOTALL)
_HEADER = re.compile(r"(-H)?([A-Za-z][\w\-]*)(\s*:\s*)(\S.*)", re.DOTALL)

_QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_BARE = r"[^\s\"'&;|,{}()\[\]<>]+"
_NAMED_IN_TEXT = re.compile(
    rf"(?P<quote>[\"'])(?P<key>{_NAME})(?P=quote)\s*:\s*(?P<item>{_QUOTED}|{_BARE})"
    rf"|(?<![\w.\-])-{{0,2}}(?P<name>{_NAME})\s?=\s?(?!=)(?P<value>{_QUOTED}|{_BARE})"
    rf"|(?<!\S)--(?P<option>{_NAME})\s+(?!-)(?P<argument>{_QUOTED}|{_BARE})"
    rf"|^[ \t]*(?P<field>{_NAME}):[ \t]+(?P<rest>\S[^\n]*)",
    re.MULTILINE,
)
_NAMED_GROUPS = (("key", "item"), ("name", "value"), ("option", "argument"), ("field", "rest"))

_URL_PASSWORD = re.compile(
    r"((?<![A-Za-z0-9+.\-])[A-Za-z][A-Za-z0-9+.\-]{0,30}://[^\s/?#@:\"']*:)[^\s/?#\"']+(@)"
)
_AUTHORIZATION = re.compile(
    r"((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)[^\s\"'][^\"'\n]*", re.IGNORECASE
)
_BEARER = re.compile(r"(\bBearer\s+)[\w.~+/\-]{8,}=*", re.IGNORECASE)
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z0-9_])(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w\-]{16,}"  # GitHub, GitLab
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # Amazon
    r"|eyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?"  # JSON web tokens
    r"|xox[abeoprs]-[A-Za-z0-9\-]{10,}"  # Slack
    r"|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w\-]{40,}|AIza[\w\-]{30,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"  # Stripe
    r"|sk-(?=[\w\-]{0,99}\d)(?=[\w\-]{0,99}[A-Z])[\w\-]{20,}"  # OpenAI, Anthropic
    r"|dop_v1_[a-f0-9]{32,})",
    re.DOTALL,
)


def scrub_command_line(args: Sequence[str], extra_names: Sequence[str] = ()) -> list[str]:
    """A command line as it may be recorded.

    Args:
        args: The program and its arguments.
        extra_names: More names whose values are secret; case and `-` or `_` do not matter.
    """
    extra = _normal_names(extra_names)
    clean: list[str] = []
    hide_next = False
    for arg in args:
        if hide_next and not _FLAG.fullmatch(arg):
            clean.append(_hidden(arg))
            hide_next = False
            continue
        clean.append(_scrub_argument(arg, extra))
        option = _OPTION.fullmatch(arg)
        hide_next = option is not None and _is_secret(option[1], extra)
    return clean


def scrub_parameters(params: Mapping[str, Any], extra_names: Sequence[str] = ()) -> dict[str, Any]:
    """Parameters as they may be recorded, however deep the secret lies; `params` stays as it is.

    Booleans and None are no secrets, whatever their name.

    Args:
        params: Names and values, which may be dictionaries and lists.
        extra_names: More names whose values are secret; case and `-` or `_` do not matter.
    """
    return _scrub_mapping(params, _normal_names(extra_names))


def is_secret_name(name: str, extra_names: Sequence[str] = ()) -> bool:
    """Whether a value of this name is a secret."""
    return _is_secret(name, _normal_names(extra_names))


def _is_secret(name: str, extra: frozenset[str]) -> bool:
    if _normal_name(name) in extra:
        return True
    words = [word.lower() for word in _WORDS.findall(name)]
    while words and (words[-1].isdigit() or words[-1] in _FILLERS):
        words.pop()
    if not words or (len(words) > 1 and words[0] in _SWITCHES):
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "token":
        return before not in _TEXT_TOKENS
    if last in _SECRET_PAIRS:
        return before in _SECRET_PAIRS[last]
    return last in _SECRET_WORDS or last.endswith(_SECRET_ENDS)


def _normal_name(name: str) -> str:
    return name.lstrip("-").replace("-", "_").lower()


def _normal_names(names: Sequence[str]) -> frozenset[str]:
    return frozenset(map(_normal_name, names))


def _hidden(value: str) -> str:
    return HIDDEN if value else value


def _scrub_argument(arg: str, extra: frozenset[str]) -> str:
    """One argument: `NAME=VALUE` and `Name: VALUE` as a whole, else what lies in its text."""
    assignment = _ASSIGNMENT.fullmatch(arg)
    if assignment is not None:
        dashes, name, value = assignment.groups()
        if _is_secret(name, extra):
            return f"{dashes}{name}={_hidden(value)}"
        return f"{dashes}{name}={_scrub_argument(value, extra)}"
    header = _HEADER.fullmatch(arg)
    if header is not None:
        flag, name, colon, _ = header.groups("")
        if _is_secret(name, extra) or name.lower() == "cookie":
            return f"{flag}{name}{colon}{HIDDEN}"
    return _scrub_text(arg, extra)


def _scrub_text(text: str, extra: frozenset[str]) -> str:
    def hide_named(found: re.Match[str]) -> str:
        for name, value in _NAMED_GROUPS:
            if found[name] is not None and _is_secret(found[name], extra):
                start, end = (found.start(value), found.end(value))
                quote = found[value][0] if found[value][0] in "\"'" else ""
                whole, offset = found[0], found.start()
                before, after = whole[: start - offset], whole[end - offset :]
                return f"{before}{quote}{HIDDEN}{quote}{after}"
        return found[0]

    text = _SHAPES.sub(HIDDEN, text)
    text = _URL_PASSWORD.sub(rf"\g<1>{HIDDEN}\2", text)
    text = _AUTHORIZATION.sub(rf"\g<1>{HIDDEN}", text)
    text = _BEARER.sub(rf"\g<1>{HIDDEN}", text)
    return _NAMED_IN_TEXT.sub(hide_named, text)


def _scrub_mapping(params: Mapping[Any, Any], extra: frozenset[str]) -> dict[Any, Any]:
    return {
        key: _scrub_value(value, extra, secret=_is_secret(str(key), extra))
        for key, value in params.items()
    }


def _scrub_value(value: Any, extra: frozenset[str], *, secret: bool = False) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if secret:
        return value if isinstance(value, str) and not value else HIDDEN
    if isinstance(value, str):
        clean = _scrub_argument(value, extra)
        return value if clean == value else clean
    if isinstance(value, Mapping):
        return _scrub_mapping(value, extra)
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(item, str) for item in value):
            items: list[Any] = list(scrub_command_line(value, tuple(extra)))
        else:
            items = [_scrub_value(item, extra) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, (set, frozenset)):
        return type(value)(_scrub_value(item, extra) for item in value)
    return value
