"""Configuration parameters: scope, type, default, help; validated when set.

Those of Data Workspaces 1.6 stand in its files; this project's own stand beside them, since 1.6
stops at names that it does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from dws_graph.backends.graph.connecting import check_database, check_url
from dws_graph.errors import ParamNotFoundError, ParamParseError, ParamValidationError
from dws_graph.workspace.names import check_hostname, check_template

Scope = Literal["global", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A configuration parameter of a workspace.

    Attributes:
        name: As typed.
        scope: `global` (committed, for all copies) or `local` (of this copy).
        kind: `str` or `list` (of strings).
        default: Its value where none is set.
        help: One sentence.
        own: Whether 1.6 does not know it.
        check: Raises ParamValidationError.
    """

    name: str
    scope: Scope
    kind: type
    default: Any
    help: str
    own: bool = False
    check: Callable[[Any], None] = lambda value: None

    def parse(self, text: str) -> Any:
        """The value that a text on the command line means.

        Raises:
            ParamParseError: It is no value of the parameter's type.
        """
        if self.kind is str:
            return text
        if not text.lstrip().startswith("["):
            return [part.strip() for part in text.split(",") if part.strip()]
        try:
            return json.loads(text)
        except json.JSONDecodeError as e:
            raise ParamParseError(
                f"'{text}' is no list for '{self.name}' ({e.msg.lower()})",
                hint='Give a,b,c or ["a", "b", "c"].',
            ) from e

    def validate(self, value: Any) -> Any:
        """The value, if the parameter may have it.

        Raises:
            ParamValidationError: It may not; names the parameter and the rule.
        """
        if value is None and self.default is None:
            return None
        fits = isinstance(value, self.kind)
        if fits and self.kind is list:
            fits = all(isinstance(item, str) for item in value)
        if not fits:
            kind = "a list of strings" if self.kind is list else "a string"
            raise ParamValidationError(f"'{self.name}' must be {kind}, not {value!r}")
        self.check(value)
        return value


def _check_relative(value: str) -> None:
    if value.startswith("/") or ".." in value.split("/") or not value:
        raise ParamValidationError(
            f"'{value}' is not a folder within the workspace", hint="Give a relative path."
        )


def _check_drivers(value: list[str]) -> None:
    for name in value:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ParamValidationError(
                f"'{name}' is not the name of a filter", hint="Give names: lfs, or a,b,c."
            )


FILTERS = "git.filters"

PARAMS: dict[str, Param] = {
    p.name: p
    for p in (
        Param(
            name="results.dir_template",
            scope="global",
            kind=str,
            default="snapshots/{HOSTNAME}-{TAG}",
            help="Where in a results resource a snapshot puts the results.",
            check=check_template,
        ),
        Param(
            name="results.move_exclude_files",
            scope="global",
            kind=list,
            default=["README.txt", "README.rst", "README.md"],
            help="Files of a results resource that a snapshot leaves where they are.",
        ),
        Param(
            name="scratch_directory",
            scope="global",
            kind=str,
            default="scratch",
            help="A folder of the workspace for temporary files, not committed.",
            check=_check_relative,
        ),
        Param(
            name="dws_git_branch",
            scope="global",
            kind=str,
            default="master",
            help="The branch of the workspace's repository that is shared.",
        ),
        Param(
            name="secrets.names",
            scope="global",
            kind=list,
            default=[],
            help="More names whose values are secrets, which are not recorded.",
            own=True,
        ),
        Param(
            name="hostname",
            scope="local",
            kind=str,
            default=None,
            help="The name of this machine in results directories and snapshots.",
            check=check_hostname,
        ),
        Param(
            name="local_scratch_directory",
            scope="local",
            kind=str,
            default=None,
            help="A folder for temporary files outside the workspace, for this copy alone.",
        ),
        Param(
            name="graph.url",
            scope="local",
            kind=str,
            default=None,
            help="The team's Neo4j: neo4j://HOST:7687. No user or password: see docs/neo4j.md.",
            own=True,
            check=check_url,
        ),
        Param(
            name="graph.database",
            scope="local",
            kind=str,
            default=None,
            help="The database of that Neo4j, where it is not the server's default one.",
            own=True,
            check=check_database,
        ),
        Param(
            name=FILTERS,
            scope="local",
            kind=list,
            default=[],
            help="Filters of your git configuration that may run in repositories that dws cloned.",
            own=True,
            check=_check_drivers,
        ),
    )
}


def param(name: str) -> Param:
    """The parameter of this name.

    Raises:
        ParamNotFoundError: There is none; the hint lists the names.
    """
    try:
        return PARAMS[name]
    except KeyError:
        raise ParamNotFoundError(
            f"there is no parameter '{name}'", hint="There are: " + ", ".join(PARAMS) + "."
        ) from None
