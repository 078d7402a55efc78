"""Names that say that their value is a secret: `password`, `API_KEY`, `hf.token`.

A name is judged by its last words, so `max_tokens`, `tokenizer`, `key_column` and `token_file` are
none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence


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
    "signature": _set("access"),  # a signature alone may be a function's, or a model's
    "tokens": _set("access api auth bearer refresh"),
}
# A token of text, not of access.
_TEXT_TOKENS = _set(
    "blank bos cls end eos first image last mask max min n next num oov pad per prefix sep sos "
    "special start stop sub suffix total unk word"
)
# A first word that makes a name a switch, which has no value of its own.
_SWITCHES = _set("ask disable enable has is no prompt require show skip use with")
# Last words that say nothing about what the value is.
_FILLERS = _set("base64 confirmation value")

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def is_secret_name(name: str, extra_names: Sequence[str] = ()) -> bool:
    """Whether a value of this name is a secret.

    Args:
        name: Of a parameter, an option, a variable.
        extra_names: More names whose values are secret; case and `-` or `_` do not matter.
    """
    return is_secret(name, normal_names(extra_names))


def is_secret(name: str, extra: frozenset[str]) -> bool:
    """The same, with names that `normal_names` made."""
    if normal_name(name) in extra:
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


def normal_name(name: str) -> str:
    """A name without what does not matter in it."""
    return name.lstrip("-").replace("-", "_").lower()


def normal_names(names: Sequence[str]) -> frozenset[str]:
    """Names of the user's own, to be asked for often."""
    return frozenset(map(normal_name, names))
