"""Hashing data in memory, as it goes to a model: arrays, frames, numbers, and what holds them.

Each value is hashed as its kind, its length or shape, and its bytes, so that no two values run
into one another: `["ab", "c"]` is another than `["a", "bc"]`, 1 another than 1.0, a column `x`
another than a column `y`. What does not change the values does not count: byte order, memory
layout, the format of a sparse matrix, the order in a set or a mapping.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import hashlib
import os
import struct
import uuid
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from dws_graph.errors import ApiParamError
from dws_graph.resources.api_resource import HashState

if TYPE_CHECKING:
    import numpy as np

CHUNK = 1 << 24  # bytes of an array made contiguous at a time


def add_to_hash(value: Any, state: HashState) -> None:
    """Go on with a hash by a value.

    Args:
        value: An array, a frame, a series or an index, a sparse matrix, a number, a text, bytes,
            a date, a path, or a list, tuple, set or mapping of these.
        state: The hash, of `hashlib` or of `ApiResource.get_hash_state`.

    Raises:
        ApiParamError: It is something else; nothing can be said of its content.
    """
    if not (_add_scalar(value, state) or _add_data(value, state) or _add_container(value, state)):
        raise ApiParamError(
            f"data of type {type(value).__module__}.{type(value).__qualname__} cannot be hashed",
            hint="Give arrays, data frames, sparse matrices, numbers, texts, or lists of these.",
        )


def hash_of(*values: Any) -> str:
    """The hash of some values, one after the other."""
    state = hashlib.sha1(usedforsecurity=False)
    for value in values:
        add_to_hash(value, state)
    return state.hexdigest()


def _piece(state: HashState, kind: str, data: bytes = b"") -> None:
    state.update(f"{kind}:{len(data)}:".encode())
    state.update(data)


def _add_scalar(value: Any, state: HashState) -> bool:
    """Numbers, texts and what else is one value; subclasses such as enums by their own name."""
    if value is None or isinstance(value, bool):
        _piece(state, str(value))
    elif isinstance(value, enum.Enum):
        _piece(state, "enum", f"{type(value).__qualname__}.{value.name}".encode())
    elif _is_numpy(value, "generic"):
        _add_array(value.reshape(1), state, "scalar")  # also of float64, which is a float
    elif isinstance(value, int):
        _piece(state, "int", str(value).encode())
    elif isinstance(value, float):
        _piece(state, "float", struct.pack("<d", value))
    elif isinstance(value, complex):
        _piece(state, "complex", struct.pack("<dd", value.real, value.imag))
    elif isinstance(value, str):
        _piece(state, "str", value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, (bytes, bytearray)):
        _piece(state, "bytes", bytes(value))
    elif isinstance(value, (dt.date, dt.time)):
        _piece(state, type(value).__name__, value.isoformat().encode())
    elif isinstance(value, (dt.timedelta, decimal.Decimal)):
        _piece(state, type(value).__name__, repr(value).encode())
    elif isinstance(value, os.PathLike):
        _piece(state, "path", os.fsencode(value))
    elif isinstance(value, (uuid.UUID, fractions.Fraction)) or _is_pandas_scalar(value):
        _piece(state, type(value).__name__, repr(value).encode())
    else:
        return False
    return True


def _is_pandas_scalar(value: Any) -> bool:
    return _root(value) == "pandas" and type(value).__name__ in ("NAType", "Interval", "Period")


def _add_data(value: Any, state: HashState) -> bool:
    """Arrays, and what libraries make of them."""
    kind = type(value).__name__
    if _is_numpy(value, "ndarray"):
        _add_array(value, state)
    elif _root(value) == "scipy" and hasattr(value, "tocsr"):
        _add_sparse(value, state)
    elif _root(value) == "pandas" and hasattr(value, "columns"):
        _piece(state, "frame", str(len(value.columns)).encode())
        add_to_hash(value.index, state)
        add_to_hash(value.columns, state)
        for i in range(len(value.columns)):
            _add_column(value.iloc[:, i], state)
    elif _root(value) == "pandas" and hasattr(value, "index") and hasattr(value, "iloc"):
        _piece(state, "series")
        add_to_hash(value.name, state)
        add_to_hash(value.index, state)
        _add_column(value, state)
    elif _root(value) == "pandas" and hasattr(value, "nlevels"):
        _piece(state, "index")
        add_to_hash(list(value.names), state)
        _add_column(value, state)
    elif _root(value) == "pandas" and hasattr(value, "__array__"):  # an array of its own
        _add_column(value, state)
    elif hasattr(value, "__array__") and not isinstance(value, (Sequence, Mapping, Set)):
        _piece(state, f"{_root(value)}.{kind}")
        _add_array(_as_array(value), state)
    else:
        return False
    return True


def _add_container(value: Any, state: HashState) -> bool:
    if isinstance(value, Mapping):
        _add_unordered("mapping", (hash_of(key, item) for key, item in value.items()), state)
    elif isinstance(value, Set):
        _add_unordered("set", (hash_of(item) for item in value), state)
    elif isinstance(value, Sequence):
        _piece(state, type(value).__name__, str(len(value)).encode())
        for item in value:
            add_to_hash(item, state)
    else:
        return False
    return True


def _add_unordered(kind: str, hashes: Iterable[str], state: HashState) -> None:
    _piece(state, kind, " ".join(sorted(hashes)).encode())


def _add_column(column: Any, state: HashState) -> None:
    """The values of a series, an index or an array of pandas, with their type."""
    _piece(state, "dtype", str(column.dtype).encode())
    if str(column.dtype) == "category":
        add_to_hash(bool(_categories(column).ordered), state)
    _add_array(_as_array(column), state)


def _categories(column: Any) -> Any:
    return getattr(column, "cat", getattr(column, "array", column))


def _add_sparse(matrix: Any, state: HashState) -> None:
    """A sparse matrix as its rows, in one order, without zeros that are written out."""
    rows = matrix.tocsr(copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    rows.sort_indices()
    _piece(state, "sparse", str(tuple(matrix.shape)).encode())
    for part in (rows.indptr.astype("<i8"), rows.indices.astype("<i8"), rows.data):
        _add_array(part, state)


def _add_array(array: np.ndarray[Any, Any], state: HashState, kind: str = "array") -> None:
    """An array's type, shape, and values in the order of its axes."""
    import numpy as np

    if isinstance(array, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(array)
        _add_array(mask, state, "mask")
        array = np.where(mask, np.zeros((), array.dtype), array.data)
    dtype = array.dtype.newbyteorder("<")
    _piece(state, kind, f"{dtype.descr if dtype.names else dtype.str} {array.shape}".encode())
    if array.dtype.hasobject:
        for item in array.ravel().tolist():
            add_to_hash(item, state)
        return
    flat, step = array.reshape(-1), max(1, CHUNK // max(1, array.dtype.itemsize))
    for start in range(0, flat.size, step):
        part = np.ascontiguousarray(flat[start : start + step].astype(dtype, copy=False))
        state.update(part.tobytes() if part.dtype.itemsize == 0 else part.view(np.uint8).data)


def _as_array(value: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.asarray(value)


def _is_numpy(value: Any, name: str) -> bool:
    """Whether a value is of one of numpy's classes; numpy is not imported to find out."""
    return any(c.__module__ == "numpy" and c.__name__ == name for c in type(value).__mro__)


def _root(value: Any) -> str:
    """The package that a value's class comes from, the first that is not the user's own."""
    roots = {c.__module__.partition(".")[0] for c in type(value).__mro__}
    return next((root for root in ("pandas", "scipy") if root in roots), "")
