"""`lineage.json`: what is written is read again, and nothing else is."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.errors import JsonError
from dws_graph.model.certificates import Certificate
from dws_graph.model.import_graph import import_graph
from dws_graph.model.lineage_file import FileImport, FileLeaf, FileStep, Item, LineageFile
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import local_text, utc_text

names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x7f"), min_size=1
).filter(lambda t: len(t) < 40)
ids = st.uuids().map(str)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
subpaths = st.none() | st.lists(st.sampled_from(["a", "b.csv", "ü x"]), min_size=1).map("/".join)
refs = st.builds(ResourceRef, names, subpaths)
hashes = st.text("0123456789abcdef", min_size=40, max_size=40)
hashed = st.builds(
    Certificate,
    id=ids,
    ref=refs,
    hash=hashes,
    subpath_hash=st.none() | hashes,
    comment=texts,
)
lost = st.builds(
    Certificate,
    id=ids,
    ref=refs,
    version=st.integers(1, 9),
    kind=st.sampled_from(["input", "output"]),
    superseded=st.just(True),
    comment=texts,
)
certificates = st.lists(hashed | lost, max_size=3).map(tuple)
times = st.datetimes(
    dt.datetime(2001, 1, 1),  # noqa: DTZ001  # hypothesis wants it naive
    dt.datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(dt.timezone.utc),
).map(utc_text)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
).filter(lambda v: "NaN" not in str(v) and "Infinity" not in str(v))


@st.composite
def steps(draw: st.DrawFn) -> FileStep:
    time = draw(times)
    return FileStep(
        id=draw(ids),
        name=draw(names),
        start_time=time,
        local_time=local_text(time),
        execution_time_seconds=draw(st.none() | st.floats(0, 1e6)),
        parameters=draw(st.dictionaries(texts, plain, max_size=3)),
        inputs=draw(certificates),
        code=draw(certificates),
        outputs=draw(certificates),
        command_line=draw(st.none() | st.lists(texts, max_size=3)),
        run_from=draw(st.none() | st.tuples(names, subpaths).map(list)),
    )


roles = st.dictionaries(names, names, max_size=3)
leaves = st.builds(
    FileLeaf, certificate=hashed | lost, kind=st.sampled_from(["source_data", "code"])
)


def imports(inner: st.SearchStrategy[Item]) -> st.SearchStrategy[Item]:
    return st.builds(
        FileImport,
        resource=names,
        workspace=ids,
        workspace_name=st.none() | names,
        roles=roles,
        lineages=st.lists(inner, max_size=2).map(tuple),
        imported_as=st.lists(st.tuples(ids, ids), max_size=2).map(tuple),
    )


items: st.SearchStrategy[Item] = st.recursive(steps() | leaves, imports, max_leaves=4)
files = st.builds(
    LineageFile,
    resource=names,
    complete=st.booleans(),
    workspace=ids,
    workspace_name=st.none() | names,
    roles=roles,
    resource_type=st.sampled_from(["git", "file"]),
    compute_hash=st.none() | st.booleans(),
    exported=st.lists(ids, max_size=2).map(tuple),
    lineages=st.lists(items, max_size=4).map(tuple),
)


@given(files)
def test_what_is_written_is_read_again(file: LineageFile):
    assert LineageFile.from_json(json.loads(json.dumps(file.to_json()))) == file


@given(files, st.data())
def test_what_was_changed_is_read_or_refused_by_a_json_error(file: LineageFile, data: Any):
    """Whatever a value is replaced with: no other error comes out."""
    told = json.loads(json.dumps(file.to_json()))
    places = list(_places(told))
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(plain | st.just("../..") | st.just(["x", None]))
    with contextlib.suppress(JsonError):
        import_graph(LineageFile.from_json(told), str(uuid.uuid4()))


def _places(obj: Any) -> Any:
    pairs = obj.items() if isinstance(obj, dict) else enumerate(obj)
    for key, value in list(pairs):
        yield obj, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


@pytest.mark.parametrize("told", [None, [], 3, "text", {"resource_name": "features"}])
def test_what_is_no_such_file_is_refused(told: Any):
    with pytest.raises(JsonError):
        LineageFile.from_json(told)
