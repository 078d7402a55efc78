"""Hashes of data in memory: what counts, and what does not."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.errors import ApiParamError
from dws_graph.kits import hashing
from dws_graph.kits.hashing import add_to_hash, hash_of


class Colour(enum.Enum):
    RED = 1


ARRAY = np.arange(12.0).reshape(3, 4)
FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
SPARSE = sp.csr_matrix(np.eye(3))
MASKED = np.ma.masked_array([1, 2, 3], [False, True, False])

SAME = {
    "an array in another order of memory": (ARRAY, np.asfortranarray(ARRAY)),
    "an array of another byte order": (ARRAY, ARRAY.astype(">f8")),
    "an array that is part of another": (ARRAY, np.repeat(ARRAY, 2, axis=1)[:, ::2]),
    "a frame and its copy": (FRAME, FRAME.copy(deep=True)),
    "a sparse matrix in another format": (SPARSE, SPARSE.tocsc()),
    "a sparse matrix by coordinates": (SPARSE, SPARSE.tocoo()),
    "a sparse matrix with a zero written out": (
        SPARSE,
        sp.csr_matrix((np.array([1.0, 0, 1, 1]), ([0, 0, 1, 2], [0, 1, 1, 2]))),
    ),
    "what is masked": (MASKED, np.ma.masked_array([1, 9, 3], [False, True, False])),
    "a mapping in another order": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "a set": ({"a", "b", "c"}, {"c", "b", "a"}),
}
OTHER = {
    "numpy integers": (np.int64(5), np.int64(6)),
    "a numpy integer of another size": (np.int64(5), np.int32(5)),
    "a number and a numpy number": (5.0, np.float64(5.0)),
    "a number and a boolean": (1, True),
    "an integer and a float": (1, 1.0),
    "a text and bytes": ("1", b"1"),
    "shapes": (ARRAY, ARRAY.reshape(4, 3)),
    "types of an array": (np.zeros(2, "i4"), np.zeros(1, "i8")),
    "an array and its list": (np.array([1, 2]), [1, 2]),
    "a list and a tuple": ([1, 2], (1, 2)),
    "where one text ends": (["ab", "c"], ["a", "bc"]),
    "where one list ends": ([[1], 2], [[1, 2]]),
    "column names": (FRAME, FRAME.rename(columns={"a": "z"})),
    "column types": (FRAME, FRAME.astype({"a": "int32"})),
    "the order of columns": (FRAME, FRAME[["b", "a"]]),
    "index labels": (FRAME, FRAME.set_axis([5, 6])),
    "a cell": (FRAME, FRAME.replace("y", "z")),
    "names of series": (FRAME["a"], FRAME["a"].rename("z")),
    "a column and its values": (FRAME["a"], FRAME["a"].to_numpy()),
    "categories in an order": (
        pd.Series(pd.Categorical(["u"], ordered=True)),
        pd.Series(pd.Categorical(["u"], ordered=False)),
    ),
    "nothing and a missing number": (None, float("nan")),
    "masks": (MASKED, np.ma.masked_array([1, 2, 3], [True, False, False])),
    "sparse shapes": (sp.csr_matrix((2, 3)), sp.csr_matrix((3, 2))),
    "fields of a record": (np.zeros(1, [("a", "i4")]), np.zeros(1, [("b", "i4")])),
    "dates": (dt.date(2020, 1, 1), dt.date(2020, 1, 2)),
    "a day and a moment": (dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)),  # noqa: DTZ001
}
TAKEN = [
    np.array([], dtype=float),
    np.zeros((0, 3)),
    np.array(["a", "bb"]),
    np.array([""]).astype("U0"),
    np.array([1, "a", None, pd.NA], dtype=object),
    np.array(["2020-01-01"], dtype="M8[ns]"),
    pd.DataFrame(),
    pd.Series(pd.array([1, None], dtype="Int64")),
    pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("UTC")),
    pd.cut(pd.Series([1.0, 2.0]), 2),
    pd.period_range("2020-01", periods=2, freq="M"),
    pd.MultiIndex.from_tuples([(1, "a")]),
    pd.Timedelta(1),
    pd.NaT,
    sp.csr_array(np.eye(2)),
    range(3),
    1 + 2j,
    decimal.Decimal("1.5"),
    Path("a"),
    Colour.RED,
    "\ud800",
    bytearray(b"x"),
    {"X": ARRAY, "y": [None, {1}]},
]


@pytest.mark.parametrize(("a", "b"), SAME.values(), ids=SAME)
def test_does_not_count(a: Any, b: Any) -> None:
    assert hash_of(a) == hash_of(b)


@pytest.mark.parametrize(("a", "b"), OTHER.values(), ids=OTHER)
def test_counts(a: Any, b: Any) -> None:
    assert hash_of(a) != hash_of(b)
    assert hash_of([a]) != hash_of([b])


def test_all_that_data_are_made_of_is_taken_and_told_apart() -> None:
    hashes = [hash_of(value) for value in TAKEN]
    assert len(set(hashes)) == len(TAKEN)
    assert hashes == [hash_of(value) for value in TAKEN]


@pytest.mark.parametrize("value", [object(), (n for n in [1]), np.array([object()])])
def test_what_says_nothing_of_its_content_is_refused(value: Any) -> None:
    with pytest.raises(ApiParamError, match=r"builtins\.(object|generator) cannot be hashed"):
        hash_of(value)


def test_an_array_is_hashed_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = hash_of(ARRAY.T)
    monkeypatch.setattr(hashing, "CHUNK", 16)
    assert hash_of(ARRAY.T) == whole


numbers = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
nested = st.recursive(numbers, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(nested, nested)
def test_equal_is_what_has_one_representation(a: Any, b: Any) -> None:
    assert (hash_of(a) == hash_of(b)) == (_shown(a) == _shown(b))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{sorted((key, _shown(item)) for key, item in value.items())}}}"
    return f"[{[_shown(v) for v in value]}]" if isinstance(value, list) else repr(value)


def test_values_one_after_the_other_make_one_hash() -> None:
    state = hashlib.sha1()
    add_to_hash(ARRAY, state)
    add_to_hash("y", state)
    assert state.hexdigest() == hash_of(ARRAY, "y") != hash_of([ARRAY, "y"])
