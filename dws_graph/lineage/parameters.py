"""Program parameters: said once, they become options of a script and parameters of its step."""

from __future__ import annotations

import argparse
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from dws_graph.errors import ApiParamError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class LineageParameter(ABC):
    """A parameter of a step, known by its name.

    Args:
        name: The parameter's name, and its name among the parsed arguments.
        default: Its value when nobody sets it.

    Raises:
        ApiParamError: No option can be made of the name.
    """

    def __init__(self, name: str, default: Any) -> None:
        if not _NAME.fullmatch(name):
            raise ApiParamError(
                f"'{name}' cannot be the name of a parameter",
                hint="Begin with a letter, and use letters, digits, '_', '-' and '.' only.",
            )
        self.name = name
        self.default = default

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, default={self.default!r})"

    @abstractmethod
    def get_value(self, parsed_args: argparse.Namespace) -> Any:
        """The parameter's value in this run."""

    @abstractmethod
    def add_to_arg_parser(self, arg_parser: argparse.ArgumentParser) -> None:
        """Add the option, if there is one, that sets the parameter."""

    def _parsed(self, parsed_args: argparse.Namespace) -> Any:
        if not hasattr(parsed_args, self.name):
            raise ApiParamError(
                f"the parsed arguments hold no '{self.name}'",
                hint="Call add_lineage_parameters_to_arg_parser before the arguments are parsed.",
            )
        return getattr(parsed_args, self.name)

    def _option(self, prefix: str = "") -> str:
        return f"--{prefix}{self.name.replace('_', '-')}"


class CmdLineParameter(LineageParameter):
    """A parameter set by an option: `--a-b VALUE` for `a_b`.

    Args:
        name: The parameter's name.
        default: Its value without the option.
        type: Makes the value from the option's text, as argparse's `type` does.
        help: What argparse says about the option.
    """

    def __init__(
        self,
        name: str,
        default: Any,
        type: Callable[[str], Any] = str,
        help: str | None = None,
    ) -> None:
        super().__init__(name, default)
        self.type = type
        self.help = help

    def get_value(self, parsed_args: argparse.Namespace) -> Any:
        """The option's value, or the default."""
        return self._parsed(parsed_args)

    def add_to_arg_parser(self, arg_parser: argparse.ArgumentParser) -> None:
        """Add `--NAME VALUE`."""
        arg_parser.add_argument(
            self._option(), dest=self.name, default=self.default, type=self.type, help=self.help
        )


class BooleanParameter(LineageParameter):
    """A parameter set by a flag: `--name`, or `--no-name` when the default is true.

    Args:
        name: The parameter's name.
        default: Its value without the flag.
        help: What argparse says about the flag.
    """

    def __init__(self, name: str, default: bool, help: str | None = None) -> None:
        super().__init__(name, default)
        self.help = help

    def get_value(self, parsed_args: argparse.Namespace) -> bool:
        """True or false."""
        return bool(self._parsed(parsed_args))

    def add_to_arg_parser(self, arg_parser: argparse.ArgumentParser) -> None:
        """Add the flag that turns the default round."""
        arg_parser.add_argument(
            self._option("no-" if self.default else ""),
            dest=self.name,
            action="store_false" if self.default else "store_true",
            default=self.default,
            help=self.help,
        )


class ChoiceParameter(LineageParameter):
    """A parameter that takes one of a few values.

    Args:
        name: The parameter's name.
        choices: The values it may take.
        default: One of them.
        type: Makes the value from the option's text, as argparse's `type` does.
        help: What argparse says about the option.

    Raises:
        ApiParamError: The default is none of the choices.
    """

    def __init__(
        self,
        name: str,
        choices: Sequence[Any],
        default: Any,
        type: Callable[[str], Any] = str,
        help: str | None = None,
    ) -> None:
        super().__init__(name, default)
        if default not in choices:
            raise ApiParamError(
                f"the default of '{name}', {default!r}, is none of its choices",
                hint=f"The choices are {', '.join(map(repr, choices))}.",
            )
        self.choices = tuple(choices)
        self.type = type
        self.help = help

    def get_value(self, parsed_args: argparse.Namespace) -> Any:
        """The value chosen, or the default."""
        return self._parsed(parsed_args)

    def add_to_arg_parser(self, arg_parser: argparse.ArgumentParser) -> None:
        """Add `--NAME CHOICE`."""
        arg_parser.add_argument(
            self._option(),
            dest=self.name,
            choices=self.choices,
            default=self.default,
            type=self.type,
            help=self.help,
        )


class ConstantParameter(LineageParameter):
    """A parameter that no option sets: its value is the default."""

    def get_value(self, parsed_args: argparse.Namespace) -> Any:
        """The default."""
        return self.default

    def add_to_arg_parser(self, arg_parser: argparse.ArgumentParser) -> None:
        """Add nothing."""


def add_lineage_parameters_to_arg_parser(
    parser: argparse.ArgumentParser, params: Sequence[LineageParameter]
) -> None:
    """Add the options of all parameters to a parser.

    Raises:
        ApiParamError: Two parameters have one name.
    """
    _refuse_doubles(params)
    for param in params:
        param.add_to_arg_parser(parser)


def get_lineage_parameter_values(
    params: Sequence[LineageParameter], parsed_args: argparse.Namespace
) -> dict[str, Any]:
    """Each parameter's value in this run, in the order given: fit for `with_parameters`.

    Raises:
        ApiParamError: Two parameters have one name, or an option was never added.
    """
    _refuse_doubles(params)
    return {param.name: param.get_value(parsed_args) for param in params}


def _refuse_doubles(params: Sequence[LineageParameter]) -> None:
    doubles = [name for name, count in Counter(p.name for p in params).items() if count > 1]
    if doubles:
        raise ApiParamError(
            f"two parameters have the name '{doubles[0]}'", hint="Give each a name of its own."
        )
