"""Services in processes of their own, which all tests of a worker ask."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.demo import Demo, demo  # noqa: F401
from tests.fixtures.many import many_root  # noqa: F401
from tests.service import hostile, pipelines
from tests.service.browsing import browser, see  # noqa: F401
from tests.service.processes import Served, serving


@pytest.fixture(scope="session")
def demo_root(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A copy of the demo's workspace, which tests may add to."""
    root = tmp_path_factory.mktemp("served") / "demo"
    shutil.copytree(demo.root, root, symlinks=True)
    return root


@pytest.fixture(scope="session")
def hostile_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of hostile names."""
    root = tmp_path_factory.mktemp("served") / "hostile"
    hostile.make(root)
    return root


@pytest.fixture(scope="session")
def pipeline_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of a small pipeline, all of which is stale."""
    root = tmp_path_factory.mktemp("served") / "pipeline"
    pipelines.make(root)
    return root


@pytest.fixture(scope="session")
def local(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo, for this machine alone: reading needs no token."""
    with serving(demo_root, tmp_path_factory.mktemp("local")) as served:
        yield served


@pytest.fixture(scope="session")
def shared(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo, for others, too: everything needs a token."""
    with serving(demo_root, tmp_path_factory.mktemp("shared"), "--host", "0.0.0.0") as served:
        yield served


@pytest.fixture(scope="session")
def of_hostile(hostile_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The workspace of hostile names, for this machine alone."""
    with serving(hostile_root, tmp_path_factory.mktemp("of_hostile")) as served:
        yield served


@pytest.fixture(scope="session")
def of_pipeline(pipeline_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The small pipeline, for this machine alone."""
    with serving(pipeline_root, tmp_path_factory.mktemp("of_pipeline")) as served:
        yield served


@pytest.fixture(scope="session")
def of_many(many_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:  # noqa: F811
    """A workspace of 2,100 nodes, for this machine alone."""
    with serving(many_root, tmp_path_factory.mktemp("of_many")) as served:
        yield served
