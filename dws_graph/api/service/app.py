"""The application: routes behind guards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from dws_graph import __version__
from dws_graph.api.service import guards, problems
from dws_graph.api.service.access import CSRF_HEADER, READ, WRITE, needs
from dws_graph.api.service.metering import Meter
from dws_graph.api.service.pages import (
    asking,
    browsing,
    comparing,
    entrance,
    graph,
    impacts,
    results,
    search,
    timeline,
)
from dws_graph.api.service.pages.telling import tell
from dws_graph.api.service.recorder import Recorder
from dws_graph.api.service.sessions import Sessions
from dws_graph.api.service.settings import Settings
from dws_graph.api.service.sources import Asking, Source, TeamSource, WorkspaceSource
from dws_graph.api.service.state import State
from dws_graph.api.service.throttle import Throttle
from dws_graph.api.service.tokens import TokenStore, token_file
from dws_graph.api.service.v1 import (
    diffs,
    events,
    impact,
    lineage,
    meta,
    outcomes,
    overlays,
    runs,
    searching,
    slices,
    snapshots,
    steps,
    workspaces,
)
from dws_graph.workspace.credentials import graph_address

PREFIX = "/api/v1"
V1 = (
    workspaces,
    steps,
    lineage,
    overlays,
    slices,
    impact,
    snapshots,
    outcomes,
    diffs,
    searching,
    events,
    meta,
)
PAGES = (comparing, browsing, search, results, graph, timeline, impacts, asking)
ATTEMPTS, PER = 10, 60.0  # tokens that are none: so many of a client, in so many seconds
ABOUT = """Lineage of data workspaces: steps, what they read and wrote, snapshots.

Errors are `application/problem+json`. Lists are paged: `next` is the `cursor` of the next page.
"""


def make_app(settings: Settings) -> FastAPI:
    """The service of a workspace, or of the team whose graph that names.

    Raises:
        ConfigurationError: There is no workspace, or its graph cannot be used.
    """
    tokens = TokenStore(settings.tokens or token_file())
    state = State(
        settings=settings,
        asking=Asking(_source(settings)),
        tokens=tokens,
        sessions=Sessions(tokens.get),
        throttle=Throttle(ATTEMPTS, PER),
        meter=Meter(),
        recorder=Recorder(settings.workspace) if settings.records else None,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        recorder = state.recorder
        keeping = asyncio.create_task(recorder.keep(settings.seal_seconds)) if recorder else None
        yield
        if recorder and keeping:
            keeping.cancel()
            await recorder.close()
        state.asking.close()

    app = FastAPI(
        title="dws lineage service",
        version=__version__,
        description=ABOUT,
        redirect_slashes=False,  # nobody is led anywhere by what he wrote
        openapi_url=None,  # ours needs a token, as all do; the pages about it load foreign scripts
        lifespan=lifespan,
        middleware=_middleware(settings, state),
    )
    app.state.service = state
    problems.install(app, tell)
    app.include_router(meta.open_router, prefix=PREFIX)
    reading = [Depends(needs(READ))]
    for module in V1:
        app.include_router(module.router, prefix=PREFIX, dependencies=reading)
    app.include_router(runs.router, prefix=PREFIX, dependencies=[Depends(needs(WRITE))])
    app.include_router(entrance.router)
    for pages in PAGES:
        app.include_router(pages.router, dependencies=reading)

    @app.get(f"{PREFIX}/openapi.json", dependencies=reading, include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return problems.describe(app.openapi())

    return app


def _source(settings: Settings) -> Source:
    home = WorkspaceSource(settings.workspace)
    address = home.at_home(graph_address)
    if address is None:
        return home
    home.close()
    return TeamSource(settings.workspace, address)


def _middleware(settings: Settings, state: State) -> list[Middleware]:
    found = [
        Middleware(guards.Headless),
        Middleware(guards.Counted, meter=state.meter),
        Middleware(guards.Headed, secure=settings.secure),
        Middleware(guards.Hosted, hosts=settings.hosts),
        Middleware(guards.Bounded, most=settings.most_bytes, seconds=settings.body_seconds),
        Middleware(guards.Caught, tell=tell),
    ]
    if settings.origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=sorted(settings.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", CSRF_HEADER],
        )
        found.insert(4, cors)
    return found
