"""Listings of buckets: their text, parts and names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.errors import JsonError
from dws_graph.resources.s3_listing import BucketListing, counts, packed, text_hash, unpacked

keys = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
LISTING = BucketListing(dict.fromkeys(["a", "a-b", "a/b", "a/c/d", "a0", "b//c", "z\nz"], "1"))


@given(st.dictionaries(keys, st.text(min_size=1, max_size=4)))
def test_a_listing_is_what_was_packed(versions: dict[str, str]) -> None:
    listing = BucketListing(versions)
    again = unpacked(packed(listing), listing.hash, "here")
    assert list(again.versions.items()) == sorted(versions.items())
    assert again.hash == text_hash(json.dumps(versions, sort_keys=True, indent=2).encode())


@given(st.sets(st.text("ab/-0", min_size=1, max_size=5)), st.text("ab/-0", min_size=1, max_size=3))
def test_a_part_is_an_object_and_what_lies_below(names: set[str], part: str) -> None:
    listing = BucketListing(dict.fromkeys(names, "1"))
    expected = {name for name in names if name == part or name.startswith(part + "/")}
    assert set(listing.below(part)) == expected
    assert (listing.hash_of(part) is None) == (not expected)


def test_names_in_a_folder() -> None:
    assert LISTING.names_in("") == [
        *(("a", True), ("a-b", True), ("a", False), ("a0", True), ("b", False), ("z\nz", True))
    ]
    assert LISTING.names_in("a") == [("a/b", True), ("a/c", False)]
    assert LISTING.names_in("b") == []  # a part without a name is in no path


@pytest.mark.parametrize("key", ["folder/", ".snapshots/x", ".snapshots/"])
def test_what_does_not_count(key: str) -> None:
    assert not counts(key)
    assert counts(".snapshots")
    assert counts("x/.snapshots/y")


@pytest.mark.parametrize("text", [b"[]", b'{"a": 1}', b"no json", b""])
def test_what_is_no_listing(text: bytes) -> None:
    import gzip

    with pytest.raises(JsonError):
        unpacked(gzip.compress(text), text_hash(text), "here")
    with pytest.raises(JsonError, match="is not the listing"):
        unpacked(packed(LISTING), "0" * 40, "here")
    with pytest.raises(JsonError, match="no listing"):
        unpacked(packed(LISTING)[:-9], LISTING.hash, "here")
