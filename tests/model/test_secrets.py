from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.model.secret_names import is_secret_name
from dws_graph.model.secrets import (
    scrub_command_line,
    scrub_metrics,
    scrub_parameters,
    scrub_text,
)


def words(text: str) -> list[str]:
    return text.split()


# Put together here, so that no scanner takes this file for a leak.
GITHUB = "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"
AMAZON = "AKIA" + "IOSFODNN7EXAMPLE"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"
GITHUB_NEW = "github" + "_pat_11ABCDEFG0abcdefghij_klmnopqrstuvwxyz0123456789ABC"
OPENAI = "sk" + "-proj-abcDEF123456789ghiJKL"
SLACK = "xoxb" + "-123456789012-abcdefGHIJKL"
HUB = "hf" + "_abcdefghijklmnopqrstuvwxyz0123"
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


@pytest.mark.parametrize("secret", [GITHUB, GITHUB_NEW, AMAZON, OPENAI, SLACK, HUB, JWT, PEM])
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


SERVICE = "dws_0192f0c12f0b_Ae-" + "x_4" * 13 + "Q"
UUID = "0192f0c1-2f0b-7cc3-98c4-dc0c0c07398f"

# What is written, and what is kept of it (None: all).
TEXTS: list[tuple[str, str | None]] = [
    # a user and a password for curl
    ("curl -u ann:hunter2 http://h/x", "curl -u ann:*** http://h/x"),
    ("curl -uann:hunter2 http://h/x", "curl -uann:*** http://h/x"),
    ("curl --user 'ann:two words' http://h/x", "curl --user 'ann:***' http://h/x"),
    ("curl --user=ann:hunter2 && ls", "curl --user=ann:*** && ls"),
    ("curl --proxy-user ann:hunter2; ls", "curl --proxy-user ann:***; ls"),
    ("docker run -u 1000:1000 image", "docker run -u 1000:1000 image"),
    ("python -u train.py --user ann", "python -u train.py --user ann"),
    ("rsync -u host:/data .", "rsync -u host:/data ."),
    ("load -u https://host/data", "load -u https://host/data"),
    # users of URLs
    ("https://0123456789abcdef0123@host/x", "https://***@host/x"),
    ("https://0123456789abcdef0123:x-oauth-basic@host/x", "https://***:***@host/x"),
    ("https://0123456789abcdef0123:@host/x", "https://***:@host/x"),
    (f"https://{GITHUB}@host/x", "https://***@host/x"),
    ("ssh://git@host/x.git", "ssh://git@host/x.git"),
    ("git@host:ann/x.git", "git@host:ann/x.git"),
    ("https://ann@host/x", "https://ann@host/x"),
    # queries of URLs
    ("https://h/x?X-Amz-Signature=0af3&n=5", "https://h/x?X-Amz-Signature=***&n=5"),
    ("https://h/x?sv=2024&sig=a%2Fb%3D&se=5", "https://h/x?sv=2024&sig=***&se=5"),
    ("https://h/x?access_token=abc&n=5", "https://h/x?access_token=***&n=5"),
    ("https://h/x#access_token=abc", "https://h/x#access_token=***"),
    ("https://h/x?api_key=abc", "https://h/x?api_key=***"),
    ("https://h/x?user=ann&pass=abc", "https://h/x?user=ann&pass=***"),
    ("https://h/x?sigma=0.5&key=a.csv&page=2", "https://h/x?sigma=0.5&key=a.csv&page=2"),
    ("AccountName=a;SharedAccessSignature=abc;x=1", "AccountName=a;SharedAccessSignature=***;x=1"),
    # headers
    ("Authorization: Bearer x", "Authorization: ***"),
    ("curl -H 'Authorization: Bearer x' http://h", "curl -H 'Authorization: ***' http://h"),
    ('curl -H "X-Api-Key: abc" http://h', 'curl -H "X-Api-Key: ***" http://h'),
    ("curl --header 'Cookie: id=1' http://h", "curl --header 'Cookie: ***' http://h"),
    ("curl -H 'Accept: text/csv' http://h", "curl -H 'Accept: text/csv' http://h"),
    # tokens of the service
    (f"curl http://h/api/v1/steps?t={SERVICE}&n=5", "curl http://h/api/v1/steps?t=***&n=5"),
    (f"serve it with {SERVICE}, take care", "serve it with ***, take care"),
    (f"x={SERVICE}\\n{SERVICE}", "x=***\\n***"),
    (f"{SERVICE[:40]} is cut", "*** is cut"),
    ("dws_graph_0192f0c12f0b7cc398c4dc0c0c07398f.py and dws_0192f0c12f0b_small", None),
    # people's words
    (f"made with {GITHUB}, take care", "made with ***, take care"),
    ("as before, password=hunter2", "as before, password=***"),
    ("password: hunter2", "password: ***"),
    ("a new tokenizer: 32k words; the secret is more data", None),
    ("sk-learn-model-2024-final-version is the best", None),
    ("tokens: 5 million", None),
    # what only looks odd
    ("at commit 8f4b2a61c9d0e3f7a5b6c7d8e9f0a1b2c3d4e5f6", None),
    (f"run {UUID}", None),
    ("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", None),
    ("train.py --lr 3e-4 --sig 0.05 --author-token-count 5 --max-token 9", None),
    ("data/eyJ/hf_transformers_model_v2.bin", None),
    ("s3://bucket/2024/part-00000-0192f0c1.snappy.parquet", None),
]


@pytest.mark.parametrize(("text", "some"), TEXTS)
def test_what_is_kept_of_a_text_of_a_shell_line_and_of_a_parameter(
    text: str, some: str | None
) -> None:
    kept = text if some is None else some

    assert scrub_text(text) == kept
    assert scrub_text(f"so:\n{text}\nand on") == f"so:\n{kept}\nand on"
    assert scrub_command_line(["sh", "-c", text]) == ["sh", "-c", kept]
    assert scrub_parameters({"x": {"y": [1, text]}}) == {"x": {"y": [1, kept]}}


@pytest.mark.parametrize(
    ("args", "kept"),
    [
        ("curl -u ann:hunter2 u", "curl -u ann:*** u"),
        ("curl -uann:hunt;er2 u", "curl -uann:*** u"),
        ("curl --user ann:hunter2 u", "curl --user ann:*** u"),
        ("curl --user=ann:hunter2 u", "curl --user=ann:*** u"),
        (f"curl -u {GITHUB}:x-oauth-basic u", "curl -u ***:*** u"),
        ("docker run -u 1000:1000 image", "docker run -u 1000:1000 image"),
        ("docker run --user=1000:1000 image", "docker run --user=1000:1000 image"),
        ("fit --token 5 --author-token-count 5", "fit --token *** --author-token-count 5"),
        (f"fit --run {UUID} --lr 0.1", f"fit --run {UUID} --lr 0.1"),
    ],
)
def test_what_is_kept_of_the_arguments_of_a_command(args: str, kept: str) -> None:
    assert command(*args.split()) == kept


def test_numbers_stay_among_metrics_whatever_their_name() -> None:
    found = {"password": {"f1": 0.5, "support": 12, "note": "x"}, "token": 0.25, "api_key": "abc"}

    assert scrub_metrics(found) == {
        "password": {"f1": 0.5, "support": 12, "note": "***"},
        "token": 0.25,
        "api_key": "***",
    }
    assert scrub_metrics({"a": {"f1": 0.5}, "token": 3}, ["f1", "token"]) == {
        "a": {"f1": "***"},
        "token": "***",
    }


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


ODD = st.sampled_from(["-u", "--user", "-uann:", "ann:x y", "-H", "'", "https://", "?sig=", "@h"])


@given(st.lists(st.text(max_size=30) | WORDS | ODD | NAMES.map("--{}".format), max_size=6))
def test_scrubbing_twice_is_scrubbing_once(args: list[str]) -> None:
    once = scrub_command_line(args)

    assert scrub_command_line(once) == once
    assert len(once) == len(args)
    text = " ".join(args)
    assert scrub_text(scrub_text(text)) == scrub_text(text)


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
