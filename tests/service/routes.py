"""The routes of the service as its modules declare them, and what each is asked with."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import NamedTuple

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from dws_graph.api.service import pages, v1
from dws_graph.api.service.app import PREFIX


class Asked(NamedTuple):
    """A route and its parameters; a required one is in `required`, too."""

    path: str
    in_path: list[str]
    in_query: list[str]
    required: set[str]


def routes() -> Iterator[APIRoute]:
    """All routes, without their prefixes."""
    for _, route in _prefixed():
        yield route


def got() -> Iterator[Asked]:
    """What GET may be asked with."""
    for prefix, route in _prefixed():
        if "GET" not in (route.methods or ()):
            continue
        found = list(_within(route.dependant))
        in_query = [field for one in found for field in one.query_params]
        yield Asked(
            prefix + route.path.replace(":path}", "}"),
            [field.alias for one in found for field in one.path_params],
            [field.alias for field in in_query],
            {field.alias for field in in_query if field.field_info.is_required()},
        )


def _prefixed() -> Iterator[tuple[str, APIRoute]]:
    for package in (v1, pages):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for name in ("router", "open_router"):
                router = getattr(module, name, None)
                for route in router.routes if router else ():
                    yield (PREFIX if package is v1 else ""), route


def _within(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for one in dependant.dependencies:
        yield from _within(one)
