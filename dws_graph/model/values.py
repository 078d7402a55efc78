"""JSON: reading with errors that name the key, and user values made fit for facts and graphs.

Source: docs/formats.md, "Values".
"""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from dws_graph.errors import ApiParamError, JsonKeyError, JsonTypeError, JsonValueError

Json = dict[str, Any]
T = TypeVar("T")

_NAMES = {dict: "an object", list: "a list", str: "a string", int: "an integer", bool: "a boolean"}
_INT64 = 1 << 63
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def take(obj: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """`obj[key]`, which must be of type `kind`.

    Raises:
        JsonKeyError: The key is absent.
        JsonTypeError: The value has another type.
    """
    if type(obj) is dict:  # the first two lines are what millions of calls take
        value = obj.get(key)
        if type(value) is kind:
            return value
    elif not isinstance(obj, Mapping):
        raise JsonTypeError(f"expected an object with the key '{key}'", key=key)
    if key not in obj:
        raise JsonKeyError(f"the key '{key}' is missing", key=key)
    value = obj[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        expected = _NAMES.get(kind, kind.__name__)
        raise JsonTypeError(f"'{key}' must be {expected}, not {json.dumps(value)[:80]}", key=key)
    return value


def take_or(obj: Mapping[str, Any], key: str, kind: type[T], default: T | None = None) -> T | None:
    """`obj[key]` of type `kind`; `default` where it is absent or null."""
    value = obj.get(key)
    if value is None:
        return default
    return value if type(value) is kind else take(obj, key, kind)


def parse_json(text: str | bytes, *, file: str = "", hint: str | None = None) -> Any:
    """Parses a JSON document.

    Args:
        text: The document.
        file: Where it is from.
        hint: What to do about it; else that git has the file.

    Raises:
        JsonValueError: It is not JSON; names the file and the line.
    """
    if hint is None:
        hint = f"Take it back from git: git checkout HEAD -- {shlex.quote(file)}." if file else ""
    try:
        return json.loads(text)
    except UnicodeDecodeError as e:
        raise JsonValueError(f"is not UTF-8 text ({e.reason})", file=file, hint=hint) from None
    except json.JSONDecodeError as e:  # it says all that its cause does
        why = f"line {e.lineno} is not JSON ({e.msg.lower()})"
        raise JsonValueError(why, file=file, hint=hint) from None
    except (RecursionError, ValueError) as e:  # a number of thousands of digits
        why = "is nested too deeply, or has too long a number"
        raise JsonValueError(why, file=file, hint=hint) from e


def parsed_or_text(word: str) -> Any:
    """What a word of a command line stands for: a JSON value, else the word itself."""
    try:
        return json.loads(word)
    except (ValueError, RecursionError):
        return word


def dump_line(obj: Any) -> str:
    """One line of JSON: no spaces, keys as given, no NaN."""
    return json.dumps(obj, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def clean_text(text: str) -> str:
    r"""Text that can be encoded: each byte that was not UTF-8 as the four characters `\xNN`.

    Python holds such a byte of a file name as a lone surrogate (PEP 383).
    """
    if text.isascii():
        return text
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        raw = text.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "backslashreplace")


def to_plain(value: Any, name: str) -> Any:
    """A parameter, metric or other user value as JSON holds it.

    Accepts what JSON accepts, numpy scalars and arrays, datetimes, paths, enums, sets, tuples,
    NaN and infinities (as the strings `NaN`, `Infinity`, `-Infinity`).

    Args:
        value: The value.
        name: What to call it in an error.

    Raises:
        ApiParamError: The value is of another type; names it and its type.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return to_plain(value.value, name)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, float):
        return _finite(float(value))
    if isinstance(value, os.PathLike):
        return clean_text(os.fsdecode(os.fspath(value)))
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _plain_mapping(value, name)
    if isinstance(value, (set, frozenset)):
        plain = [to_plain(v, name) for v in value]
        return sorted(plain, key=lambda v: (type(v).__name__, str(v)))
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [to_plain(v, f"{name}[{i}]") for i, v in enumerate(value)]
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        plain = value.tolist()
        if type(plain).__module__.partition(".")[0] != "numpy" and plain is not value:
            return to_plain(plain, name)
    raise ApiParamError(
        f"'{name}' is of type {type(value).__name__}, which JSON cannot hold",
        hint="Give numbers, strings, lists, dictionaries, numpy values, dates, paths or enums.",
    )


def _plain_mapping(value: Mapping[Any, Any], name: str) -> Json:
    plain: Json = {}
    for key, item in value.items():
        if isinstance(key, enum.Enum):
            key = key.value
        if isinstance(key, bool) or key is None or isinstance(key, (int, float)):
            key = str(key)
        if type(key).__module__.partition(".")[0] == "numpy":
            key = str(key)
        if not isinstance(key, str):
            raise ApiParamError(
                f"'{name}' has a key of type {type(key).__name__}, which JSON cannot hold",
                hint="Use strings or numbers as keys.",
            )
        plain[clean_text(key)] = to_plain(item, f"{name}.{key}")
    return plain


def _finite(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def from_plain(value: Any) -> Any:
    """The inverse for files of Data Workspaces 1.6, which hold NaN and infinities as numbers."""
    if isinstance(value, str):
        return NOT_FINITE.get(value, value)
    if isinstance(value, dict):
        return {k: from_plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [from_plain(v) for v in value]
    return value


def as_property(value: Any) -> Any:
    """A plain value as a graph property: scalars as they are, all else as JSON text.

    Integers beyond 64 bits become strings, since no graph database holds them.
    """
    if isinstance(value, int) and not isinstance(value, bool) and not -_INT64 <= value < _INT64:
        return str(value)
    if isinstance(value, (dict, list)):
        return _compact(value)
    return value


def scalar_properties(prefix: str, values: Mapping[str, Any]) -> Json:
    """`{prefix + name: value}` for each scalar of `values`; lists and objects are left out."""
    return {
        prefix + name: as_property(value)
        for name, value in values.items()
        if value is not None and not isinstance(value, (dict, list))
    }


def utc_now() -> str:
    """The time as journal and graph hold it: `YYYY-MM-DDTHH:MM:SS.ffffffZ`."""
    return utc_text(dt.datetime.now(dt.timezone.utc))


def utc_text(moment: dt.datetime) -> str:
    """A moment (with a zone, or local) as journal and graph hold it."""
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parsed_time(text: str) -> str:
    """A time as people write it (ISO 8601; UTC where it has no zone), as journal and graph hold it.

    Raises:
        ValueError, OverflowError: It is none.
    """
    found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return utc_text(found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc))


def local_text(utc: str) -> str:
    """A time of the journal as files of 1.6 hold it: local, six digits, no zone."""
    return parse_utc(utc).astimezone().replace(tzinfo=None).strftime("%Y-%m-%dT%H:%M:%S.%f")


def parse_utc(text: str) -> dt.datetime:
    """The moment that `utc_text` wrote.

    Raises:
        JsonValueError: The text has another form.
    """
    try:
        moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007
    except ValueError as e:
        form = "YYYY-MM-DDTHH:MM:SS.ffffffZ"
        raise JsonValueError(f"'{text}' is not a time of the form {form}") from e
    return moment.replace(tzinfo=dt.timezone.utc)
