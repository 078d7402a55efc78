from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.lineage.secrets import is_secret_name, scrub_command_line, scrub_parameters


def words(text: str) -> list[str]:
    return text.split()


# Put together here, so that no scanner takes this file for a leak.
GITHUB = "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"
AMAZON = "AKIA" + "IOSFODNN7EXAMPLE"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"

SECRET_NAMES = words("""
password passwd passphrase pwd secret secrets token credentials auth api_key api-key apikey APIKey
API_KEY x-api-key accessToken access_token GITHUB_TOKEN hf.token AWS_SECRET_ACCESS_KEY secret_key
private_key PGPASSWORD MYSQL_PWD db_pass NEO4J_AUTH client_secret password2 AccountKey
user_password password_confirmation api_tokens
""")

HARMLESS_NAMES = words("""
max_tokens tokenizer n_keys key_column key keys token_file token_count tokens pad_token eos_token
special_token mask-token n_pass pass passes passthrough password_file password_length secretary
author authors authority use_auth no_auth max_new_tokens primary_key sort_key key_size monkey
keyword path classifier gamma C num_tokens_per_batch compass bypass nextToken
""")


def command(*args: str) -> str:
    return " ".join(scrub_command_line(args))


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_values_of_secret_names_are_hidden(name: str) -> None:
    assert is_secret_name(name)
    assert scrub_command_line([f"--{name}", "v4lue"]) == [f"--{name}", "***"]
    assert scrub_command_line([f"--{name}=v4lue"]) == [f"--{name}=***"]
    assert scrub_command_line([f"{name}=v4lue = x"]) == [f"{name}=***"]
    assert scrub_parameters({"a": [{name: "v4lue"}]}) == {"a": [{name: "***"}]}


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_values_of_harmless_names_stay(name: str) -> None:
    for args in [f"--{name}", "v4lue"], [f"--{name}=v4lue"], [f"{name}=v4lue"]:
        assert scrub_command_line(args) == args
    assert scrub_parameters({name: {name: ["v4lue", 3]}}) == {name: {name: ["v4lue", 3]}}


@pytest.mark.parametrize("secret", [GITHUB, AMAZON, JWT, PEM])
def test_well_known_shapes_are_hidden_wherever_they_stand(secret: str) -> None:
    assert command("run", secret) == "run ***"
    assert command("run", f"--with=({secret})") == "run --with=(***)"
    assert scrub_parameters({"x": {"y": (secret, 1)}}) == {"x": {"y": ("***", 1)}}


def test_the_password_in_a_url_is_hidden_and_the_rest_stays() -> None:
    url = "postgresql://ann:s3cr@t@db.example:5432/lab?x=1"

    assert command("load", "--db", url) == (
        "load --db postgresql://ann:***@db.example:5432/lab?x=1"
    )
    assert command("https://host:80/a@b", "http://ann@host/") == (
        "https://host:80/a@b http://ann@host/"
    )
    assert command("http://host/data?api_key=abc&rows=5") == "http://host/data?api_key=***&rows=5"


@pytest.mark.parametrize(
    ("header", "clean"),
    [
        ("Authorization: Basic YWxhZGRpbg==", "Authorization: ***"),
        ("authorization:Bearer abc", "authorization:***"),
        ("X-Auth-Token: abc", "X-Auth-Token: ***"),
        ("Accept: text/csv", "Accept: text/csv"),
    ],
)
def test_headers_of_authorization_are_hidden(header: str, clean: str) -> None:
    assert scrub_command_line(["curl", "-H", header]) == ["curl", "-H", clean]
    assert scrub_command_line([f"-H{header}"]) == [f"-H{clean}"]
    assert scrub_command_line([f"--header={header}"]) == [f"--header={clean}"]
    assert scrub_parameters({"headers": [header]}) == {"headers": [clean]}


def test_secrets_inside_a_shell_line_are_hidden() -> None:
    line = "cd x && TOKEN=abc python train.py --password 'a b' --lr 0.1 --api-key=abc; ls"

    assert command("sh", "-c", line) == (
        "sh -c cd x && TOKEN=*** python train.py --password '***' --lr 0.1 --api-key=***; ls"
    )


def test_secrets_inside_json_are_hidden() -> None:
    assert command('--config={"user": "ann", "password": "a b", "depth": 3}') == (
        '--config={"user": "ann", "password": "***", "depth": 3}'
    )


def test_an_option_without_a_value_hides_nothing_of_the_next_one() -> None:
    args = ["login", "--token", "--verbose", "run", "--password", "-v"]

    assert scrub_command_line(args) == args


def test_short_options_stay() -> None:
    args = ["ssh", "-p", "2222", "-t", "5"]

    assert scrub_command_line(args) == args


def test_booleans_none_and_empty_values_are_no_secrets() -> None:
    params = {"token": None, "password": True, "secret": ""}

    assert scrub_parameters(params) == params
    assert scrub_command_line(["--token="]) == ["--token="]


def test_extra_names_are_secret_too() -> None:
    assert scrub_command_line(["--pin-code", "1", "-p", "2"], ["PIN_CODE", "p"]) == [
        *("--pin-code", "***"),
        *("-p", "***"),
    ]
    assert scrub_parameters({"a": {"max_tokens": 5}}, ["max-tokens"]) == {
        "a": {"max_tokens": "***"}
    }


def test_the_parameters_given_are_not_changed() -> None:
    params: dict[str, Any] = {"db": {"password": "x", "hosts": ["a"]}, "args": ["--token", "x"]}
    before = copy.deepcopy(params)

    clean = scrub_parameters(params)

    assert params == before
    assert clean == {"db": {"password": "***", "hosts": ["a"]}, "args": ["--token", "***"]}


SECRETS = st.text("abcXYZ0189!#%^*_", min_size=1, max_size=12).map(lambda s: f"q9{s}7q")
NAMES = st.sampled_from(SECRET_NAMES)
WORDS = st.from_regex(r"[A-Za-z0-9_.,:/=\- ]{0,20}", fullmatch=True)


@given(st.lists(WORDS, max_size=4), NAMES, SECRETS, st.sampled_from(["=", " "]))
def test_a_named_secret_is_found_among_any_other_arguments(
    others: list[str], name: str, secret: str, sep: str
) -> None:
    option = [f"--{name}={secret}"] if sep == "=" else [f"--{name}", secret]

    clean = scrub_command_line(["x", *option, *others])

    assert len(clean) == 1 + len(option) + len(others)
    assert not any(secret in arg for arg in clean[: 1 + len(option)])


@given(st.lists(st.text(max_size=30) | WORDS | NAMES.map("--{}".format), max_size=6))
def test_scrubbing_twice_is_scrubbing_once(args: list[str]) -> None:
    once = scrub_command_line(args)

    assert scrub_command_line(once) == once
    assert len(once) == len(args)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(WORDS | NAMES, PLAIN, max_size=4))
def test_parameters_keep_their_names_and_scrubbing_again_changes_nothing(
    params: dict[str, Any],
) -> None:
    once = scrub_parameters(params)

    assert list(once) == list(params)
    assert scrub_parameters(once) == once


@given(
    st.dictionaries(st.sampled_from(HARMLESS_NAMES), st.integers() | st.floats() | st.booleans())
)
def test_numbers_of_harmless_names_are_never_touched(params: dict[str, Any]) -> None:
    clean = scrub_parameters(params)

    assert all(clean[name] is value for name, value in params.items())
