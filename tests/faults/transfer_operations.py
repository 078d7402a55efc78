"""The operations that bring content from elsewhere, or take it there, as the suite does them."""

from __future__ import annotations

from tests.faults.operations import STATUS, Act, Operation

LARGE, RCLONE, BUCKET = "large", "rclone", "bucket"
"""What an operation needs beside a workspace; see `counterparts` in conftest.py."""

WS = ["dws", "--batch", "--workspace-dir", "{place}/ws"]
PUBLISH = [*WS, "publish", "{place}/origin.git"]
FILTERS = ["--filters", "lfs,fat"]
CLONE = ["dws", "--batch", "clone", "--hostname", "bench", "{place}/origin.git", "{place}/other"]
CLONE_LARGE = [*CLONE[:3], *FILTERS, *CLONE[3:]]
OTHER = ["dws", "--batch", "--workspace-dir", "{place}/other"]


def _snapshot(tag: str) -> Act:
    return [*WS, "snapshot", tag]


LARGE_FILES: list[Act] = [
    ["large", "{place}", "{LFS}"],
    _snapshot("V1"),
    PUBLISH,
    ["edit_large", "{place}", "second"],
]
ADD_RCLONE = [*WS, "add", "rclone", "--role", "s", "--name", "far"]
AT = ["disk:{place}/remote", "{place}/far"]
ADD_BUCKET = [*WS, "add", "s3", "--role", "s", "--name", "far", "{BUCKET}"]
BUCKET_NOW = ["keep_bucket", "{place}", "{BUCKET}"]
BUCKET_BACK = ["bucket_back", "{place}", "{BUCKET}"]
IN_BUCKET: list[Act] = [
    ["bucket", "{place}", "{BUCKET}"],
    ADD_BUCKET,
    _snapshot("V1"),
    ["edit_bucket", "{BUCKET}"],
]


def _rclone(*options: str, at: str = "remote") -> list[Act]:
    added = [*ADD_RCLONE, "--compute-hash", *options, *AT]
    return [["remote", "{place}", at], added, _snapshot("V1"), PUBLISH]


TRANSFERS = [
    Operation(
        "snapshot of large files",
        ["dws", "snapshot", "V2"],
        again=["dws", "snapshot", "V3"],
        setup=LARGE_FILES,
        needs=LARGE,
    ),
    Operation(
        "restore of large files",
        ["dws", "--batch", "restore", "V1"],
        setup=[*LARGE_FILES, _snapshot("V2"), ["dws", "push"], ["forget_large", "{place}"]],
        needs=LARGE,
    ),
    Operation(
        "push of large files", ["dws", "push"], setup=[*LARGE_FILES, _snapshot("V2")], needs=LARGE
    ),
    Operation(
        "pull of large files",
        ["dws", "pull"],
        setup=[
            *LARGE_FILES,
            CLONE_LARGE,
            [*OTHER, "report", "status"],
            _snapshot("V2"),
            [*WS, "push"],
        ],
        root="other",
        needs=LARGE,
    ),
    Operation(
        "clone of large files",
        CLONE_LARGE,
        setup=LARGE_FILES,
        root="other",
        empty=True,
        next=[STATUS, CLONE_LARGE, [*OTHER, "config", "git.filters", "lfs,fat"], [*OTHER, "pull"]],
        needs=LARGE,
    ),
    Operation(
        "add rclone",
        [*ADD_RCLONE, "--master", "remote", "--compute-hash", *AT],
        again=["dws", "config", "results.dir_template", "snapshots/{TAG}"],
        setup=[["remote", "{place}"], _snapshot("V0"), PUBLISH],
        partly=("far",),
        needs=RCLONE,
    ),
    Operation(
        "pull from a remote",
        ["dws", "pull"],
        setup=[*_rclone("--master", "remote", "--sync-mode", "sync"), ["edit_remote", "{place}"]],
        partly=("far/",),
        needs=RCLONE,
    ),
    Operation(
        "push to a remote",
        ["dws", "push"],
        setup=[
            *_rclone("--master", "local", "--sync-mode", "sync", at="far"),
            ["edit_remote", "{place}", "far"],
        ],
        partly=("remote/",),
        needs=RCLONE,
    ),
    Operation(
        "clone with a remote",
        CLONE,
        setup=_rclone("--master", "remote"),
        root="other",
        empty=True,
        next=[STATUS, CLONE, [*OTHER, "pull"]],
        needs=RCLONE,
    ),
    Operation(
        "add a bucket",
        ADD_BUCKET,
        again=["dws", "config", "results.dir_template", "snapshots/{TAG}"],
        setup=[["bucket", "{place}", "{BUCKET}"]],
        needs=BUCKET,
    ),
    Operation(
        "snapshot of a bucket",
        ["dws", "snapshot", "V2"],
        again=["dws", "snapshot", "V3"],
        before=[BUCKET_BACK],
        setup=[*IN_BUCKET, BUCKET_NOW],
        needs=BUCKET,
    ),
    Operation(
        "restore of a bucket",
        ["dws", "--batch", "restore", "--only", "far", "V1"],
        setup=[*IN_BUCKET, _snapshot("V2")],
        needs=BUCKET,
    ),
    Operation(
        "undo a restore of a bucket",
        ["dws", "undo"],
        setup=[*IN_BUCKET, _snapshot("V2"), [*WS, "restore", "--only", "far", "V1"]],
        needs=BUCKET,
    ),
    Operation(
        "pull of a bucket",
        ["dws", "pull"],
        setup=[
            *IN_BUCKET,
            ["remote", "{place}"],
            PUBLISH,
            [*WS, "restore", "--only", "far", "V1"],
        ],
        needs=BUCKET,
    ),
    Operation("read from a bucket", ["read_bucket", "{place}/ws"], setup=IN_BUCKET, needs=BUCKET),
]
