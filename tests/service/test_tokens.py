"""A token lets in whoever shows it, until it is revoked or has expired; nobody else gets in."""

import datetime as dt
import hmac
import json
import logging
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.api.service import token_file, tokens
from dws_graph.api.service.token_file import SCOPES, Token, read_tokens, write_tokens
from dws_graph.api.service.tokens import TokenStore
from dws_graph.errors import ConfigurationError, DwsError, JsonError, ParamValidationError
from tests.service.clocks import Today


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokens.json"


@pytest.fixture
def today():
    return Today()


@pytest.fixture
def store(path, today):
    return TokenStore(path, now=today)


def other_secret(text):
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def test_a_token_lets_in_until_it_is_revoked_by_another_process(path, store):
    made = store.create("write", "nightly")
    assert store.check(made.text).scope == "write"

    TokenStore(path).revoke(made.token.id)

    assert store.check(made.text) is None
    assert store.list() == ()


def test_each_of_several_tokens_lets_in_as_itself(store):
    made = [store.create(scope) for scope in SCOPES]

    assert [store.check(one.text).id for one in made] == [one.token.id for one in made]


def test_the_right_id_with_another_secret_is_none(store):
    first, second = store.create(), store.create()

    assert store.check(other_secret(first.text)) is None
    assert store.check(first.text[:17] + second.text[17:]) is None


def test_an_unknown_id_costs_a_comparison_too(store, monkeypatch):
    made = store.create()
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(
        hmac, "compare_digest", lambda a, b: compared.append((len(a), len(b))) or compare(a, b)
    )

    assert store.check("dws_" + "0" * 12 + made.text[16:]) is None
    assert store.check(other_secret(made.text)) is None
    assert store.check(made.text) is not None

    assert compared == [(64, 64)] * 3


HOSTILE = ["", "dws_", "Bearer x", "\0", "dws_\n", "A" * 10**7, "dws_" + "0" * 10**7, "é" * 60]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_token_is_none(store, text):
    store.create()

    assert store.check(text) is None


@given(
    before=st.text(max_size=3),
    after=st.text(max_size=3),
    swap=st.sampled_from(["", "\0", "\n", "é", "_", "=", "\ud800", "\uff11"]),
    at=st.integers(0, 59),
)
def test_a_token_with_anything_around_or_in_it_is_none(tmp_path_factory, before, after, swap, at):
    store = TokenStore(tmp_path_factory.mktemp("tokens") / "tokens.json")
    text = store.create().text
    changed = before + text[:at] + swap + text[at + 1 :] + after

    assert (store.check(changed) is None) == (changed != text)


def test_a_token_expires(store, today):
    made = store.create(expires=90.0)

    today.moment += dt.timedelta(seconds=89)
    assert store.check(made.text) is not None
    assert store.get(made.token.id) is not None
    today.moment += dt.timedelta(seconds=1)

    assert store.check(made.text) is None
    assert store.get(made.token.id) is None
    assert [token.has_expired(today()) for token in store.list()] == [True]


@pytest.mark.parametrize("expires", [0.0, -1.0, 1e300, float("inf"), float("nan")])
def test_a_time_at_which_nothing_can_expire_is_refused(store, path, expires):
    with pytest.raises(ParamValidationError, match="cannot expire then"):
        store.create(expires=expires)

    assert not path.exists()


def test_a_scope_is_enough_for_itself_and_those_below(store):
    allowed = {
        scope: [wanted for wanted in SCOPES if store.create(scope).token.may(wanted)]
        for scope in SCOPES
    }

    assert allowed == {
        "read": ["read"],
        "write": ["read", "write"],
        "admin": ["read", "write", "admin"],
    }


@pytest.mark.parametrize(
    ("scope", "name"), [("root", ""), ("read", "a\nb"), ("read", "a" * 101), ("read", "\u202eabc")]
)
def test_a_scope_or_name_that_is_none_is_refused(store, path, scope, name):
    with pytest.raises(ParamValidationError):
        store.create(scope, name)

    assert not path.exists()


def test_the_secret_is_nowhere_but_in_what_create_gave(store, path):
    made = store.create(name="ann")
    secret = made.text[17:]
    store.check(made.text)

    assert secret not in path.read_text()
    assert secret not in repr(made)
    assert made.token.sha256 not in repr(made)
    assert secret not in repr(vars(store))


def test_a_token_in_the_name_of_a_token_is_hidden(store, path):
    made = store.create()

    named = store.create(name=f"as {made.text}")

    assert named.token.name == "as ***"
    assert made.text not in path.read_text()


def test_nobody_else_may_read_the_file_at_any_moment(store, path):
    before = os.umask(0)
    try:
        store.create()
        modes = [stat.S_IMODE(path.stat().st_mode)]
        path.chmod(0o400)
        store.create()
        modes.append(stat.S_IMODE(path.stat().st_mode))
    finally:
        os.umask(before)

    assert modes == [0o600, 0o600]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_file_that_others_can_get_at_is_refused(store, path, mode):
    made = store.create()
    assert store.check(made.text) is not None
    before = path.read_bytes()

    path.chmod(mode)

    assert store.check(made.text) is None
    for act in (store.list, store.create, lambda: store.revoke(made.token.id)):
        with pytest.raises(ConfigurationError, match="others can read or change it") as e:
            act()
        assert e.value.hint == f"Type: chmod 600 {path}"
    assert path.read_bytes() == before
    path.chmod(0o600)
    assert store.check(made.text) is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file away")
def test_a_file_of_somebody_else_is_refused(store, path):
    made = store.create()

    os.chown(path, 12345, -1)

    assert store.check(made.text) is None
    with pytest.raises(ConfigurationError, match="others can read or change it"):
        store.list()


def good():
    return {
        "id": "0123456789ab",
        "name": "ann",
        "scope": "read",
        "sha256": "0" * 64,
        "created": "2026-03-01T23:30:00.000000Z",
        "expires": None,
        "last_used": None,
    }


def write(path, content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.touch(0o600)
    path.write_bytes(raw)


DAMAGED = {
    "empty": b"",
    "cut": b'{"format": 1, "tokens": [',
    "not UTF-8": b'{"format": 1, "tokens": ["\xff"]}',
    "nested": b"[" * 100_000,
    "long number": b'{"format": ' + b"1" * 10_000 + b"}",
    "list": [],
    "no format": {"tokens": []},
    "format 0": {"format": 0, "tokens": []},
    "format true": {"format": True, "tokens": []},
    "format of text": {"format": "1", "tokens": []},
    "no tokens": {"format": 1},
    "tokens of text": {"format": 1, "tokens": "hunter2"},
    "twice": {"format": 1, "tokens": [good(), good()]},
    **{
        name: {"format": 1, "tokens": [good() | change]}
        for name, change in {
            "id": {"id": "hunter2"},
            "id with a line": {"id": "0123456789ab\n"},
            "no id": {"id": None},
            "scope": {"scope": "root"},
            "scopes": {"scope": ["read"]},
            "hash": {"sha256": "hunter2"},
            "hash of a list": {"sha256": [[]]},
            "created": {"created": "yesterday"},
            "created never": {"created": None},
            "expires": {"expires": 5},
            "no zone": {"expires": "2026-03-01T23:30:00"},
            "year": {"expires": "0999-03-01T23:30:00.000000Z"},
            "day": {"last_used": "20260301"},
            "name": {"name": "a\u202eb"},
            "more": {"secret": "hunter2"},
        }.items()
    },
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_by_a_damaged_file_nobody_gets_in_and_nothing_is_changed(path, store, content, caplog):
    made = store.create()
    assert store.check(made.text) is not None
    write(path, content)
    damaged = path.read_bytes()

    with caplog.at_level(logging.WARNING):
        assert [store.check(made.text) for _ in range(3)] == [None] * 3

    (told,) = caplog.messages  # once
    for act in (store.list, store.create, lambda: store.revoke(made.token.id)):
        with pytest.raises(JsonError) as e:
            act()
        assert str(path) in e.value.message
        assert "dws token create" in e.value.hint
        for text in (told, str(e.value)):
            assert not any(secret in text for secret in ("hunter2", made.text[17:]))
    assert path.read_bytes() == damaged


def test_a_damaged_file_that_is_mended_lets_in_again(path, store):
    made = store.create()
    before = path.read_bytes()
    write(path, b"{")
    assert store.check(made.text) is None

    write(path, before)

    assert store.check(made.text) is not None


def test_a_file_of_a_later_version_is_refused_by_its_number(path, store):
    made = store.create()
    document = json.loads(path.read_text()) | {"format": 7, "more": {}}
    write(path, document)

    assert store.check(made.text) is None
    with pytest.raises(ConfigurationError, match=r"format 7.*reads format 1") as e:
        store.create()
    assert "pip install --upgrade dws-graph" in e.value.hint
    assert json.loads(path.read_text()) == document


NAMES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=100)
BEGUN = dt.datetime(2000, 1, 1)  # noqa: DTZ001  # hypothesis adds the zone
MOMENTS = st.datetimes(BEGUN, timezones=st.just(dt.timezone.utc))
TOKENS = st.builds(
    Token,
    id=st.text("0123456789abcdef", min_size=12, max_size=12),
    name=NAMES,
    scope=st.sampled_from(SCOPES),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    created=MOMENTS,
    expires=st.none() | MOMENTS,
    last_used=st.none() | st.dates(dt.date(2000, 1, 1)),
)


@given(written=st.lists(TOKENS, max_size=5, unique_by=lambda token: token.id))
def test_tokens_are_read_as_they_were_written(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"

    write_tokens(path, written)

    assert list(read_tokens(path).tokens.values()) == written


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries({}, optional={key: JSON | st.just(good()[key]) for key in good()})


@given(
    content=st.binary(max_size=60)
    | JSON.map(lambda obj: json.dumps(obj).encode())
    | st.lists(JSON | ENTRIES, max_size=3).map(
        lambda entries: json.dumps({"format": 1, "tokens": entries}).encode()
    )
)
def test_any_content_is_either_tokens_or_refused_in_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    write(path, content)

    try:
        found = read_tokens(path).tokens
    except DwsError as e:
        told = e.message
    else:
        told = str(path)
        assert json.loads(content)["tokens"] == [token.to_json() for token in found.values()]
    assert str(path) in told


def test_changes_within_one_tick_of_the_clock_are_seen(store, path):
    seen = TokenStore(path)

    for _ in range(20):
        made = store.create()
        assert seen.check(made.text) is not None
        store.revoke(made.token.id)
        assert seen.check(made.text) is None


def test_a_file_changed_in_place_to_one_of_equal_size_is_seen(store, path):
    made = store.create("admin")
    store.check(made.text)  # writes down the day
    as_it_was = path.read_bytes()

    for n in range(40):
        scope = b"write" if n % 2 else b"admin"
        with path.open("r+b") as file:
            file.write(as_it_was.replace(b"admin", scope))
        assert store.check(made.text).scope == scope.decode()


@pytest.mark.parametrize(("age", "sure"), [(0, False), (999_000_000, False), (2 * 10**9, True)])
def test_the_times_of_a_file_tell_nothing_right_after_a_change(store, path, age, sure, monkeypatch):
    store.create()
    changed = path.stat().st_ctime_ns
    monkeypatch.setattr(token_file, "time", SimpleNamespace(time_ns=lambda: changed + age))

    assert (read_tokens(path).stamp is not None) == sure


def test_a_file_that_is_gone_lets_nobody_in(store, path):
    made = store.create()
    assert store.check(made.text) is not None

    path.unlink()

    assert store.check(made.text) is None
    assert store.list() == ()


def test_a_link_to_the_file_stays_one(tmp_path):
    real, link = tmp_path / "real" / "tokens.json", tmp_path / "tokens.json"
    link.symlink_to(real)

    made = TokenStore(link).create()

    assert link.is_symlink()
    assert TokenStore(real).check(made.text) is not None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_and_not_waited_for(path, make):
    make(path, 0o700)
    store = TokenStore(path)

    assert store.check("dws_" + "0" * 12 + "_" + "A" * 43) is None
    with pytest.raises((ConfigurationError, OSError)):
        store.list()


def test_the_day_of_last_use_is_written_once_a_day(store, path, today):
    made = store.create()
    days = [store.list()[0].last_used]

    files = []
    for hours in (0, 0, 1, 1):
        today.moment += dt.timedelta(hours=hours)
        assert store.check(made.text) is not None
        days.append(store.list()[0].last_used)
        files.append(path.stat().st_ino)

    assert TokenStore(path, now=today).check(made.text) is not None  # a service started anew
    files.append(path.stat().st_ino)

    first, second = dt.date(2026, 3, 1), dt.date(2026, 3, 2)
    assert days == [None, first, first, second, second]
    assert files[0] == files[1]
    assert files[2] == files[3] == files[4]


def test_a_token_that_is_refused_is_not_used(store, today):
    made = store.create(expires=1.0)
    store.check(other_secret(made.text))
    today.moment += dt.timedelta(seconds=2)
    store.check(made.text)

    assert store.list()[0].last_used is None


def test_who_cannot_write_down_a_use_lets_in_all_the_same(store, path):
    made = store.create()
    lock = path.with_name("tokens.json.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()  # for root, too

    assert store.check(made.text) is not None
    assert store.list()[0].last_used is None


MANY = """
import sys
from pathlib import Path
from dws_graph.api.service.tokens import TokenStore
store = TokenStore(Path(sys.argv[1]))
for i in range(8):
    made = store.create(name=f"{sys.argv[2]}-{i}")
    assert store.check(made.text) is not None
    if i % 2:
        store.revoke(made.token.id)
"""


def test_processes_that_create_use_and_revoke_at_once_lose_nothing(path):
    running = [subprocess.Popen([sys.executable, "-c", MANY, str(path), str(n)]) for n in range(4)]
    assert [process.wait(300) for process in running] == [0] * 4

    names = sorted(token.name for token in TokenStore(path).list())

    assert names == sorted(f"{n}-{i}" for n in range(4) for i in (0, 2, 4, 6))


def test_threads_that_ask_while_tokens_change_get_right_answers(store):
    made = [store.create() for _ in range(4)]

    def ask(n):
        return store.check(made[n % 4].text), store.check(other_secret(made[n % 4].text))

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(ask, range(200))
        for _ in range(5):
            store.revoke(store.create().token.id)

        assert [(right.id, wrong) for right, wrong in answers] == [
            (made[n % 4].token.id, None) for n in range(200)
        ]


def test_a_file_is_read_again_only_when_it_was_changed(store, path, monkeypatch):
    monkeypatch.setattr(token_file, "_SETTLED", -(10**12))  # each change shows in the times
    reads = []
    monkeypatch.setattr(tokens, "read_tokens", lambda at: reads.append(at) or read_tokens(at))
    made = store.create()
    store.check(made.text)  # writes down the day
    store.check(made.text)
    reads.clear()

    for _ in range(5):
        assert store.check(made.text) is not None
    assert reads == []

    path.chmod(0o644)
    assert store.check(made.text) is None
    assert reads == [path]


WEB = "fastapi starlette uvicorn jinja2 pydantic"


def test_no_web_framework_is_imported_with_them():
    names = "token_file tokens throttle sessions"
    code = (
        "import sys, importlib\n"
        f"for name in '{names}'.split():\n"
        "    importlib.import_module(f'dws_graph.api.service.{name}')\n"
        f"print([name for name in '{WEB}'.split() if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )

    assert done.stdout == "[]\n"
