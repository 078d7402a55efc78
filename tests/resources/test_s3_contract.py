"""Buckets keep what is promised of every type."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from dws_graph.resources.s3 import S3Resource
from dws_graph.workspace import find_and_load_workspace
from tests.fixtures.buckets import Bucket
from tests.resources.contract import Contract, Kind

pytestmark = pytest.mark.slow


class BucketKind(Kind):
    """Everybody writes to the bucket itself; what is read is what the workspace shows of it."""

    resource_type = "s3"
    refused_roles = ("results",)
    part, still = "part.txt", "still.txt"
    same_again = False  # the same bytes, uploaded again, are another version
    bucket: Bucket

    def create(self, root: Path) -> list[str]:
        if not self.bucket.keys("still.txt"):
            self.bucket.put("still.txt", "always the same\n")
            self.write(root, 1)
        return ["s3", self.bucket.name]

    def write(self, root: Path, version: int) -> None:
        self.bucket.put("part.txt", f"version {version}\n")

    def read(self, root: Path) -> int | None:
        with closing(find_and_load_workspace(True, False, str(root))) as ws:
            for found in ws.get_resources():
                if isinstance(found, S3Resource):
                    return int(found.filesystem().cat_file("part.txt").split()[1])
        return int(self.bucket.get("part.txt").split()[1])


class TestBucket(Contract):
    kind = BucketKind()

    @pytest.fixture(autouse=True)
    def _bucket(self, bucket: Bucket) -> None:
        self.kind.bucket = bucket
