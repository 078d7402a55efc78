"""Fixtures of the journeys of resource types: `dws` in a workspace, and a team of two."""

from __future__ import annotations

from tests.cli.conftest import dws, folder, workspace  # noqa: F401
from tests.fixtures.buckets import bucket  # noqa: F401
from tests.fixtures.moto import moto_server  # noqa: F401
from tests.fixtures.rclone import ann, remote, remotes, store  # noqa: F401
from tests.sharing.conftest import team  # noqa: F401
