"""A browser stays logged in as long as it is used and its token is one, and no longer."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.api.service.sessions import (
    IDLE,
    LONGEST,
    Sessions,
    check_csrf,
    csrf_token,
    set_cookie,
    unset_cookie,
)
from dws_graph.api.service.tokens import TokenStore
from tests.service.clocks import Clock, Today


@pytest.fixture
def today():
    return Today()


@pytest.fixture
def store(tmp_path, today):
    return TokenStore(tmp_path / "tokens.json", now=today)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(store, clock):
    return Sessions(store.get, most=3, clock=clock)


def test_a_cookie_leads_to_the_scope_of_its_token(store, sessions):
    made = store.create("write")

    session = sessions.find(sessions.begin(made.token))

    assert (session.token, session.scope) == (made.token.id, "write")


def test_no_other_text_leads_anywhere(store, sessions):
    cookie = sessions.begin(store.create().token)

    assert len(cookie) == 43
    for text in ("", cookie[:-1], cookie + "\n", cookie + "=", "A" * 43, "é" * 43, "A" * 10**6):
        assert sessions.find(text) is None
    assert sessions.find(cookie) is not None


def test_each_login_has_a_cookie_of_its_own(store, sessions):
    token = store.create().token

    first, second = sessions.begin(token), sessions.begin(token)
    sessions.end(sessions.find(first))

    assert first != second
    assert sessions.find(first) is None
    assert sessions.find(second) is not None


def test_who_logs_out_while_a_request_is_looked_at_stays_out(store):
    def logs_out(token_id):
        ended.end(session)
        return store.get(token_id)

    ended = Sessions(logs_out)
    cookie = ended.begin(store.create().token)
    (session,) = ended._sessions.values()

    assert ended.find(cookie) is None
    assert len(ended) == 0


def test_the_cookie_is_kept_nowhere(store, sessions):
    cookie = sessions.begin(store.create().token)
    session = sessions.find(cookie)

    assert cookie not in repr(vars(sessions))
    assert repr(session.csrf) not in repr(session)
    assert repr(session.key) not in repr(session)


def test_who_does_nothing_for_twelve_hours_is_logged_out(store, sessions, clock):
    cookie = sessions.begin(store.create().token)

    for _ in range(3):
        clock.now += IDLE - 1
        assert sessions.find(cookie) is not None
    clock.now += IDLE

    assert sessions.find(cookie) is None
    assert len(sessions) == 0


def test_after_a_week_everybody_logs_in_again(store, sessions, clock):
    cookie = sessions.begin(store.create().token)

    for _ in range(int(LONGEST / 3600) - 1):
        clock.now += 3600
        assert sessions.find(cookie) is not None
    clock.now += 3600

    assert sessions.find(cookie) is None


def test_a_revoked_token_ends_its_sessions_at_once(store, sessions):
    mine, other = store.create(), store.create()
    cookie, others = sessions.begin(mine.token), sessions.begin(other.token)
    assert sessions.find(cookie) is not None

    TokenStore(store.path).revoke(mine.token.id)  # another process

    assert sessions.find(cookie) is None
    assert sessions.find(others) is not None
    assert len(sessions) == 1


def test_a_session_ends_with_its_token(store, sessions, today):
    cookie = sessions.begin(store.create(expires=60).token)

    today.moment += dt.timedelta(seconds=59)
    assert sessions.find(cookie) is not None
    today.moment += dt.timedelta(seconds=1)

    assert sessions.find(cookie) is None


def test_of_too_many_the_one_unused_for_longest_ends(store, sessions, clock):
    token = store.create().token
    first, second, third = (sessions.begin(token) for _ in range(3))
    clock.now += 1
    sessions.find(first)

    fourth = sessions.begin(token)

    assert sessions.find(second) is None
    assert all(sessions.find(cookie) for cookie in (first, third, fourth))
    assert len(sessions) == 3


def test_a_form_is_taken_from_pages_of_its_own_session_alone(store, sessions):
    token = store.create().token
    mine, other = (sessions.find(sessions.begin(token)) for _ in range(2))

    assert check_csrf(mine, csrf_token(mine))
    assert not check_csrf(mine, csrf_token(other))
    assert csrf_token(mine) != csrf_token(mine)


def test_a_form_goes_on_being_taken_after_more_requests(store, sessions, clock):
    cookie = sessions.begin(store.create().token)
    form = csrf_token(sessions.find(cookie))

    clock.now += 60

    assert check_csrf(sessions.find(cookie), form)


@given(text=st.one_of(st.text(), st.text("Aa0_-=\n\0é", min_size=60, max_size=70)))
def test_no_other_text_is_taken_for_a_form(tmp_path_factory, text):
    store = TokenStore(tmp_path_factory.mktemp("forms") / "tokens.json")
    sessions = Sessions(store.get)
    session = sessions.find(sessions.begin(store.create().token))

    assert not check_csrf(session, text)


def test_each_changed_character_of_a_form_counts(store, sessions):
    session = sessions.find(sessions.begin(store.create().token))
    form = csrf_token(session)

    for i, c in enumerate(form):
        assert not check_csrf(session, form[:i] + ("A" if c != "A" else "B") + form[i + 1 :])


def test_the_header_keeps_the_cookie_from_scripts_and_other_sites():
    assert set_cookie("dws", "abc", secure=False) == (
        "dws=abc; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict"
    )
    assert set_cookie("__Host-dws", "abc", secure=True) == (
        "__Host-dws=abc; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict; Secure"
    )
    assert unset_cookie("__Host-dws", secure=True) == (
        "__Host-dws=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure"
    )
