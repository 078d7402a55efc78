from __future__ import annotations

import argparse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.errors import ApiParamError
from dws_graph.lineage.parameters import (
    BooleanParameter,
    ChoiceParameter,
    CmdLineParameter,
    ConstantParameter,
    LineageParameter,
    add_lineage_parameters_to_arg_parser,
    get_lineage_parameter_values,
)

PARAMS = [
    CmdLineParameter("learning_rate", 0.1, float, "how fast"),
    ConstantParameter("seed", 7),
    BooleanParameter("shuffle", True, "shuffle the rows"),
    BooleanParameter("dry_run", False, "only say what would be done"),
    ChoiceParameter("kernel", ["rbf", "linear"], "rbf", str, "the kernel"),
]


def values(*args: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_lineage_parameters_to_arg_parser(parser, PARAMS)
    return get_lineage_parameter_values(PARAMS, parser.parse_args(args))


def test_defaults_come_in_the_order_given() -> None:
    assert list(values().items()) == [
        ("learning_rate", 0.1),
        ("seed", 7),
        ("shuffle", True),
        ("dry_run", False),
        ("kernel", "rbf"),
    ]


def test_options_set_the_parameters() -> None:
    args = ["--learning-rate", "0.5", "--no-shuffle", "--dry-run", "--kernel=linear"]

    assert values(*args) == {
        "learning_rate": 0.5,
        "seed": 7,
        "shuffle": False,
        "dry_run": True,
        "kernel": "linear",
    }


@pytest.mark.parametrize("args", [["--seed", "3"], ["--shuffle"], ["--kernel", "poly"]])
def test_what_is_no_option_is_refused(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        values(*args)
    assert "usage:" in capsys.readouterr().err


def test_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        values("--help")
    assert "how fast" in capsys.readouterr().out


def test_choices_are_converted_before_they_are_compared() -> None:
    depth = ChoiceParameter("depth", [1, 2, 3], 2, int, "how deep")
    parser = argparse.ArgumentParser()
    add_lineage_parameters_to_arg_parser(parser, [depth])

    assert get_lineage_parameter_values([depth], parser.parse_args(["--depth", "3"])) == {
        "depth": 3
    }


def test_a_default_outside_the_choices_is_refused() -> None:
    with pytest.raises(ApiParamError, match="'kernel', 'poly', is none of its choices"):
        ChoiceParameter("kernel", ["rbf"], "poly", str, "")


@pytest.mark.parametrize("name", ["", "two words", "--dashed", "a=b"])
def test_a_name_that_makes_no_option_is_refused(name: str) -> None:
    with pytest.raises(ApiParamError, match="cannot be the name"):
        CmdLineParameter(name, 1, int, "")


def test_two_parameters_of_one_name_are_refused() -> None:
    doubles: list[LineageParameter] = [ConstantParameter("a", 1), CmdLineParameter("a", 2, int)]

    with pytest.raises(ApiParamError, match="two parameters have the name 'a'"):
        add_lineage_parameters_to_arg_parser(argparse.ArgumentParser(), doubles)


def test_arguments_parsed_without_the_parameters_are_refused_with_what_to_call() -> None:
    with pytest.raises(ApiParamError, match="hold no 'learning_rate'") as caught:
        get_lineage_parameter_values(PARAMS, argparse.Namespace())

    assert "add_lineage_parameters_to_arg_parser" in caught.value.hint


@given(st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True), st.integers(), st.integers())
def test_any_integer_comes_back(name: str, default: int, value: int) -> None:
    params = [CmdLineParameter(f"p_{name}", default, int, None)]
    parser = argparse.ArgumentParser()
    add_lineage_parameters_to_arg_parser(parser, params)

    parsed = parser.parse_args([f"--p-{name.replace('_', '-')}={value}"])

    assert get_lineage_parameter_values(params, parsed) == {f"p_{name}": value}
