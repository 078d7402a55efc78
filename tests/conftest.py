"""What every test gets: a home and git identity of its own, and the marker `needs`.

Fixtures that tests ask for by name are in the modules of `tests/fixtures`.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.docker import engine
from tests.faults.mounting import can_mount
from tests.faults.seeds import one_of, seed
from tests.neo4j import local, shared
from tests.neo4j.local import Address, ServerError
from tests.sharing.servers import has_sshd
from tests.with_16 import program

# What tests may need, and how to get it: a command, or something that has a function to find it.
PACKAGES = {
    **{"chromium": "chromium", "dot": "graphviz", "git-lfs": "git-lfs"},
    **{"java": "default-jdk-headless", "mmdebstrap": "mmdebstrap", "setpriv": "util-linux"},
    **{"rclone": "rclone", "rsync": "rsync", "strace": "strace"},
}
HOW = {
    **{tool: f"apt-get install {package}" for tool, package in PACKAGES.items()},
    "dataworkspaces": "reach a package index with pip, once",
    "docker": "apt-get install docker.io docker-compose, and start the engine",
    "tmpfs": "run as root, where one can be mounted",
    "sshd": "apt-get install openssh-server",
    "neo4j": "apt-get install default-jdk-headless maven, or set DWS_TEST_NEO4J_URL",
    "chattr": "apt-get install e2fsprogs",
    "neo4j-jars": "apt-get install default-jdk-headless maven",
}
FIND: dict[str, Callable[[str], object]] = {
    "dataworkspaces": lambda _: program.available(),
    "docker": engine.answers,
    "tmpfs": can_mount,
    "sshd": has_sshd,
    "neo4j": lambda _: shared.available(),
    "neo4j-jars": lambda _: local.available(),
}

# A slow machine is no failure.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")

HERE = Path(__file__).parent
DOCKER = HERE / "docker"  # what its tests need: a minute for each image, and half of one to start
DOCKER_NEEDS = ("docker", "java", "mmdebstrap")

# What a shell or a git hook may have set that would lead a test out of its own folders.
LEAKS = (
    *("AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
    *("AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SHARED_CREDENTIALS_FILE"),
    *("DWS_BATCH", "DWS_TOKEN_FILE", "DWS_WORKSPACE_DIR"),
    *("DWS_GRAPH_DATABASE", "DWS_GRAPH_PASSWORD", "DWS_GRAPH_URL", "DWS_GRAPH_USER"),
    *("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "RCLONE_CONFIG"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"),
)

# Journeys through whole workspaces, and browsers: left out by `make check`.
SLOW = (
    *("api/", "cli/", "demo/", "faults/", "keeping/", "kits/", "neo4j/", "rules/", "sharing/"),
    *("with_16/", "render/test_html.py"),
    *("resources/test_rclone", "resources/test_s3.py", "resources/test_s3_contract.py"),
    "resources/test_s3_refusals.py",
    *("service/test_access.py", "service/test_beside.py", "service/test_browser.py"),
    *("service/test_expanding.py", "service/test_focusable.py", "service/test_many_nodes.py"),
    "service/test_moving.py",
    *("service/test_hostile.py", "service/test_pages.py", "service/test_schema.py"),
    *("service/test_filter.py", "service/test_impact.py", "service/test_slice.py"),
)

LONGEST = ("faults/test_kills.py", "neo4j/", "rules/test_random_dag.py")

GIT_CONFIG = """\
[user]
    name = Test User
    email = test@example.com
[init]
    defaultBranch = main
    templateDir = {template}
"""


@pytest.fixture(scope="session", autouse=True)
def _isolated_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the whole run (each worker of it) an empty home and a git identity."""
    home = tmp_path_factory.mktemp("home")
    config = home / "gitconfig"
    template = home / "template"  # without the samples, a dozen files of each repository
    for name in ("hooks", "info"):
        (template / name).mkdir(parents=True)
    config.write_text(GIT_CONFIG.format(template=template))
    with pytest.MonkeyPatch.context() as patch:
        for name in LEAKS:
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_GLOBAL", str(config))
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """What tests start can be interrupted, also below a shell that ignores that for its jobs."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark whole folders of tests, and files, as slow; leave out those of the image.

    Those that take minutes come first: while one worker does them, the others do the rest.
    """
    for item in items:
        if item.path.relative_to(HERE).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)
        if item.path.is_relative_to(DOCKER):
            item.add_marker(pytest.mark.docker)
            for tool in DOCKER_NEEDS:
                item.add_marker(pytest.mark.needs(tool))
    left_out = _not_in_turn(items)
    if not _wants_docker(config):
        left_out |= {item for item in items if item.get_closest_marker("docker")}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = sorted((item for item in items if item not in left_out), key=_is_short)


def _is_short(item: pytest.Item) -> bool:
    return not item.path.relative_to(HERE).as_posix().startswith(LONGEST)


def _not_in_turn(items: list[pytest.Item]) -> set[pytest.Item]:
    """Of the tests that take turns, those whose day it is not."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        if marker := item.get_closest_marker("turns"):
            groups.setdefault(marker.args[0], []).append(item)
    return {
        item
        for name, group in groups.items()
        for item in set(group).difference(one_of(name, group))
    }


def _wants_docker(config: pytest.Config) -> bool:
    return "docker" in str(config.option.markexpr)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more worker than there are processors: much of the time is waiting for the disk."""
    return (os.cpu_count() or 1) + 1


def pytest_report_header() -> str:
    """Tell which part of `tests/faults` runs, so that it can be run again."""
    return f"faults: seed {seed()}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `needs(TOOL)` without the tool; fail it when DWS_REQUIRE_ALL=1."""
    for marker in item.iter_markers("needs"):
        (tool,) = marker.args
        how = HOW[tool]  # an unknown tool is a mistake of the test
        if not FIND.get(tool, shutil.which)(tool):
            _missing(item, tool, f"{tool}: {how}")


def _missing(item: pytest.Item, tool: str, what: str) -> NoReturn:
    """Skip a test for want of a tool; fail it where that may not be."""
    item.user_properties.append(("missing", what))
    reason = f"needs {what}"
    required = {"DWS_REQUIRE_ALL", *(["DWS_REQUIRE_NEO4J"] if tool.startswith("neo4j") else [])}
    if any(os.environ.get(name) == "1" for name in required):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def _shared_neo4j(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[shared.SharedServer]:
    server = shared.SharedServer(_of_the_run(tmp_path_factory, worker_id) / "neo4j")
    yield server
    server.close()


@pytest.fixture(scope="session")
def _empty_neo4j(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[shared.SharedServer]:
    server = shared.SharedServer(
        _of_the_run(tmp_path_factory, worker_id) / "empty-neo4j", made_here=True
    )
    yield server
    server.close()


def _of_the_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


@pytest.fixture
def neo4j_address(request: pytest.FixtureRequest, _shared_neo4j: shared.SharedServer) -> Address:
    """The run's Neo4j server. Others use it at once: a test has a workspace id of its own."""
    return _address(request, _shared_neo4j)


@pytest.fixture
def empty_neo4j_address(
    request: pytest.FixtureRequest, _empty_neo4j: shared.SharedServer
) -> Address:
    """A server that holds what the tests of one workspace, the demo, put there, and no more."""
    return _address(request, _empty_neo4j)


def _address(request: pytest.FixtureRequest, server: shared.SharedServer) -> Address:
    try:
        if server.available():
            return server.address()
        what = f"neo4j: {HOW['neo4j']}"
    except ServerError as e:
        what = f"neo4j, which does not start: {e}"
    _missing(request.node, "neo4j", what)


def _would_run_docker(config: pytest.Config) -> bool:
    """Whether the tests of the image are left out of a run of everything."""
    if config.option.markexpr or config.option.keyword:
        return False
    at = config.invocation_params.dir
    return any(DOCKER.is_relative_to((at / arg.split("::")[0]).resolve()) for arg in config.args)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """End with what could not be run here, and the package that would change that."""
    missing = Counter(
        str(what)
        for outcome in ("skipped", "error")
        for report in terminalreporter.stats.get(outcome, [])
        for name, what in getattr(report, "user_properties", ())
        if name == "missing"
    )
    lines = []
    for what, count in sorted(missing.items()):
        tests = "1 test needs" if count == 1 else f"{count} tests need"
        lines.append(f"{tests} {what}")
    if _would_run_docker(config):
        lines.append("the tests of the image and its services: make test-docker")
    if lines:
        terminalreporter.section("not run here")
        for line in lines:
            terminalreporter.line(line)
