"""The words of a list's filter, as the views take them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, get_args

from dws_graph.api.service.problems import refused
from dws_graph.backends.views import Comparison, MetricIs, StepFilter
from dws_graph.errors import DwsError
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import parsed_or_text, parsed_time, to_plain

_METRIC = re.compile(r"(?P<name>[^<>=]+)(?P<sign><=|>=|<|>|=)(?P<number>.+)", re.DOTALL)
_SIGNS: dict[str, Comparison] = {sign: sign for sign in get_args(Comparison)}


def step_filter(
    *,
    workspace: str | None,
    name: str | None,
    status: str | None,
    ref: str | None,
    parameters: Sequence[str],
    metrics: Sequence[str],
    since: str | None,
    until: str | None,
) -> StepFilter:
    """Which steps are meant.

    Raises:
        Problem: A word makes no sense.
    """
    if ref is not None and workspace is None:
        raise refused("A ref needs the workspace that it is of.", "Give workspace=ID, too.")
    return StepFilter(
        workspace=workspace,
        name=name,
        status=status,
        refs=None if ref is None else (ref_of(ref),),
        parameters=dict(map(_parameter, parameters)),
        metrics=tuple(map(_metric, metrics)),
        since=None if since is None else moment(since),
        until=None if until is None else moment(until),
    )


def ref_of(text: str) -> ResourceRef:
    """A ref by its text: `NAME` or `NAME:/PATH`.

    Raises:
        Problem: It is none.
    """
    try:
        return ResourceRef.parse(text)
    except (DwsError, ValueError) as e:
        raise refused("That is no ref.", "Give NAME, or NAME:/PATH.") from e


def moment(text: str) -> str:
    """A time as facts have it; one without a zone is UTC.

    Raises:
        Problem: It is none.
    """
    try:
        return parsed_time(text)
    except (ValueError, OverflowError) as e:
        raise refused(f"'{text}' is no time.", "Give ISO 8601: 2026-11-01T12:00:00Z.") from e


def _parameter(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise refused(f"'{text}' is no condition.", "Give parameter=NAME=VALUE.")
    try:
        return name, to_plain(parsed_or_text(value), "the value")  # NaN as facts have it
    except RecursionError as e:
        raise refused("The value of a parameter is nested too deeply.") from e


def _metric(text: str) -> MetricIs:
    found = _METRIC.fullmatch(text)
    try:
        number = float(found["number"]) if found else math.nan
    except ValueError:
        number = math.nan
    if found is None or not math.isfinite(number):
        raise refused(f"'{text}' is no condition.", "Give a name, < <= = >= or >, and a number.")
    return MetricIs(found["name"].strip(), _SIGNS[found["sign"]], number)
