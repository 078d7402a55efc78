from __future__ import annotations

import json
import re
import stat

import pytest

from dws_graph.api.service.tokens import TokenStore
from tests.cli.terminals import on_terminal

TOKEN = re.compile(r"dws_([0-9a-f]{12})_[A-Za-z0-9_\-]{43}")


@pytest.fixture
def tokens(tmp_path, monkeypatch):
    """The user's file of tokens, which is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "dws-graph" / "tokens.json"


def test_create_prints_the_token_alone_and_it_lets_in(dws, tokens):
    ran = dws("token", "create", "--name", "ann", "--expires", "90d")

    text = ran.out.removesuffix("\n")
    assert TOKEN.fullmatch(text)
    assert text[17:] not in ran.err
    assert f"Token {text[4:16]} (ann) is of scope read, and expires at 2" in ran.err
    assert "not shown again" in ran.err
    assert TokenStore(tokens).check(text).name == "ann"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600


def test_create_as_json_has_all_of_it_but_the_hash(dws, tokens):
    made = dws.json("token", "create", "--scope", "admin")

    token = TokenStore(tokens).check(made.pop("token"))
    assert made == {
        "id": token.id,
        "name": "",
        "scope": "admin",
        "created": token.to_json()["created"],
        "expires": None,
        "last_used": None,
    }


def test_list_shows_who_may_do_what_and_no_secret(dws, tokens):
    made = [
        dws.json("token", "create", "--name", name, "--scope", scope)
        for name, scope in (("ann", "read"), ("nightly", "write"))
    ]

    ran = dws("token", "list")
    listed = dws.json("token", "list")

    assert [line.split()[:3] for line in ran.lines[2:]] == [
        [one["id"], one["name"], one["scope"]] for one in made
    ]
    assert listed == [
        {k: v for k, v in one.items() if k != "token"} | {"expired": False} for one in made
    ]
    stored = json.loads(tokens.read_text())["tokens"]
    for one, kept in zip(made, stored, strict=True):
        assert one["token"][17:] not in ran.out + json.dumps(listed)
        assert kept["sha256"] not in ran.out + json.dumps(listed)


def test_list_marks_what_has_expired(dws, tokens):
    dws("token", "create", "--expires", "1h")
    document = json.loads(tokens.read_text())
    document["tokens"][0]["expires"] = "2026-01-01T00:00:00.000000Z"
    tokens.write_text(json.dumps(document))

    assert "2026-01-01T00:00:00 (expired)" in dws("token", "list").out
    assert dws.json("token", "list")[0]["expired"] is True


def test_list_of_none(dws, tokens):
    assert dws("token", "list").lines == ["There are no tokens."]
    assert dws.json("token", "list") == []
    assert not tokens.parent.exists()


@pytest.mark.parametrize("how", ["id", "whole"])
def test_revoke_takes_a_token_back_and_prints_no_secret(dws, tokens, how):
    kept, made = (dws.json("token", "create", "--name", "x") for _ in range(2))

    ran = dws("token", "revoke", made["id"] if how == "id" else made["token"])

    assert ran.lines == [f"Token {made['id']} (x) is revoked."]
    assert made["token"][17:] not in ran.out + ran.err
    assert TokenStore(tokens).check(made["token"]) is None
    assert [one["id"] for one in dws.json("token", "list")] == [kept["id"]]


def test_revoke_of_what_is_none_is_refused(dws, tokens):
    made = dws.json("token", "create")
    dws("token", "revoke", made["id"])

    for unknown in (made["id"], made["token"], "x", "x" + made["token"], "a\x1b[2Jb", ""):
        err = dws.refused("token", "revoke", unknown)

        assert "there is no token '" in err
        assert "See: dws token list." in err
        assert made["token"][17:] not in err
        assert "\x1b" not in err


def test_revoke_where_there_is_no_file_makes_none(dws, tokens):
    dws.refused("token", "revoke", "x")

    assert not tokens.parent.exists()


def test_an_option_names_the_file_before_the_environment_and_that_before_the_user(
    dws, tokens, folder, monkeypatch
):
    monkeypatch.setenv("DWS_TOKEN_FILE", str(folder / "of-variable.json"))

    by_option = dws.json("token", "create", "--token-file", "of-option.json")
    by_variable = dws.json("token", "create")
    monkeypatch.delenv("DWS_TOKEN_FILE")
    by_default = dws.json("token", "create")

    for made, path in (
        (by_option, folder / "of-option.json"),
        (by_variable, folder / "of-variable.json"),
        (by_default, tokens),
    ):
        assert [token.id for token in TokenStore(path).list()] == [made["id"]]
    assert [t["id"] for t in dws.json("token", "list", "--token-file", "of-option.json")] == [
        by_option["id"]
    ]
    dws("token", "revoke", by_option["id"], "--token-file", "of-option.json")
    assert dws.json("token", "list", "--token-file", "of-option.json") == []


REFUSED = {
    ("create", "--expires", "0"): (1, "Give a time ahead, 90d for example."),
    ("create", "--expires", "9" * 400 + "d"): (1, "Give a time ahead, 90d for example."),
    ("create", "--expires", "soon"): (2, "'soon' is no duration"),
    ("create", "--expires", "-1d"): (2, "'-1d' is no duration"),
    ("create", "--scope", "root"): (2, "'root' is not one of 'read', 'write', 'admin'"),
    ("create", "--name", "a\nb"): (1, "at most 100 characters, on one line"),
    ("create", "--name", "a" * 101): (1, "at most 100 characters, on one line"),
    ("create", "--name", "\udcff"): (1, "at most 100 characters, on one line"),
    ("create", "--token-file", "."): (2, "'.' is a directory"),
    ("create", "--token-file", "a-file/tokens.json"): (1, "a-file"),
    ("revoke",): (2, "Missing argument 'ID'"),
}


@pytest.mark.parametrize("args", REFUSED, ids=lambda args: "-".join(args)[:40])
def test_what_does_not_fit_is_refused_and_makes_no_file(dws, tokens, folder, args):
    (folder / "a-file").write_text("")
    status, told = REFUSED[args]

    assert told in dws.refused("token", *args, status=status)

    assert not tokens.parent.exists()
    assert [path.name for path in folder.iterdir()] == ["a-file"]


def test_a_file_that_others_can_read_is_refused_with_what_to_type(dws, tokens):
    made = dws.json("token", "create")
    tokens.chmod(0o644)

    for args in (("create",), ("list",), ("revoke", made["id"])):
        assert f"Type: chmod 600 {tokens}" in dws.refused("token", *args)


def test_a_damaged_file_and_one_of_a_later_version_are_named(dws, tokens):
    dws("token", "create")

    tokens.write_text('{"format": 1, "tokens": [{"id": "hunter2"}]}')
    assert f"{tokens}: token 1 is damaged" in dws.refused("token", "list")
    assert "hunter2" not in dws.refused("token", "list")

    tokens.write_text('{"format": 2, "tokens": []}')
    assert f"{tokens} is of format 2" in dws.refused("token", "create")


def test_verbose_asks_first_and_shows_no_secret(tokens, folder):
    status, shown = on_terminal(
        "token", "create", "--verbose", cwd=folder, answers={"Make a token of scope read?": "n\n"}
    )

    assert status == 1
    assert "Nothing was changed." in shown
    assert not tokens.exists()


def test_a_terminal_of_80_columns_holds_the_list_and_the_examples(dws, tokens, folder):
    dws("token", "create", "--name", "nightly", "--expires", "90d")

    _, shown = on_terminal("token", "list", "--no-color", cwd=folder, columns=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "nightly" in shown

    for args in ((), ("create",), ("list",), ("revoke",)):
        help_text = dws("token", *args, "-h").out
        assert "Example" in help_text
        assert max(map(len, help_text.splitlines())) <= 80
