"""What goes wrong with buckets is said in a sentence, and nothing is claimed or left half done."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dws_graph.api import get_filesystem, steps
from dws_graph.errors import ConfigurationError
from dws_graph.lineage import LineageBuilder, ResourceRef
from tests.cli.conftest import Dws
from tests.fixtures.buckets import Bucket
from tests.fixtures.gate import Answer, Gate, gate
from tests.fixtures.moto import S3Server
from tests.rules.lab import git

ADD = ("--batch", "add", "s3", "--role", "source-data", "--name", "data")


@pytest.fixture
def lab(folder: Path, dws: Dws) -> Path:
    """A workspace without a bucket."""
    dws("--batch", "init", "--hostname", "one", "--create-resources", "intermediate-data,code")
    return folder


@pytest.fixture
def door(
    lab: Path, dws: Dws, bucket: Bucket, moto_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gate]:
    """The same with a bucket `data`, that is reached through a gate."""
    with gate(moto_server.url) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        dws(*ADD, bucket.name)
        yield made


def unchanged(lab: Path, before: str) -> bool:
    return git("rev-parse", "HEAD", cwd=lab) == before and git("status", "-s", cwd=lab) == ""


def hang_up(method: str, path: str) -> Answer:
    return "hang up"


def use(lab: Path) -> None:
    step = LineageBuilder().with_step_name("use").with_parameters({})
    step = step.with_input_ref(ResourceRef("data", "train"))
    with step.with_output_path(str(lab / "intermediate-data/use")).eval():
        (lab / "intermediate-data/use").write_text("use")


# Adding


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("s3://some-bucket/train", "Type the name alone: some-bucket. Steps can name a part"),
        ("-x", "No such option"),
        ("a b", "Type the bucket's name"),
        ("arn:aws:s3:::bucket", "Type the bucket's name"),
        ("../x", "Type the bucket's name"),
    ],
)
def test_what_is_no_name_of_a_bucket(
    lab: Path, dws: Dws, bucket: Bucket, name: str, hint: str
) -> None:
    before = git("rev-parse", "HEAD", cwd=lab)
    ran = dws.run(*ADD, name)
    assert ran.status in (1, 2)
    assert hint in " ".join(ran.err.split())
    assert unchanged(lab, before)


def test_a_bucket_that_is_not_there(lab: Path, dws: Dws, bucket: Bucket) -> None:
    before = git("rev-parse", "HEAD", cwd=lab)
    err = dws.refused(*ADD, "no-such-bucket-here")
    assert "there is no bucket 'no-such-bucket-here' at 127.0.0.1" in err
    assert "AWS_ENDPOINT_URL" in err
    assert unchanged(lab, before)


@pytest.mark.parametrize("status", ["none", "Suspended"])
def test_a_bucket_without_versions(
    lab: Path, dws: Dws, bucket: Bucket, moto_server: S3Server, status: str
) -> None:
    plain = Bucket(moto_server).create(versions=status != "none")
    if status != "none":
        plain.versioning(status)
    err = dws.refused(*ADD, plain.name)
    assert "versioning is" in err
    assert f"put-bucket-versioning --bucket {plain.name}" in err


def test_results_are_not_for_buckets(lab: Path, dws: Dws, bucket: Bucket) -> None:
    err = dws.refused("--batch", "add", "s3", "--role", "results", bucket.name)
    assert "not results" in err


def test_no_credentials(
    lab: Path, dws: Dws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    err = dws.refused(*ADD, bucket.name)
    assert f"there are no credentials for bucket '{bucket.name}'" in err
    assert "aws configure" in err
    monkeypatch.setenv("AWS_PROFILE", "gone")
    assert "AWS_PROFILE" in dws.refused(*ADD, bucket.name)


def test_without_boto3(
    lab: Path, dws: Dws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)  # as where it is not installed
    err = dws.refused(*ADD, bucket.name)
    assert "boto3 is not installed" in err
    assert "pip install 'dws-graph[s3]'" in err


@pytest.mark.parametrize(
    ("code", "said", "hint"),
    [
        ("ExpiredToken", "have expired", "aws sso login"),
        ("InvalidAccessKeyId", "does not know the credentials", "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "does not know the credentials", "AWS_ACCESS_KEY_ID"),
        ("AccessDenied", "do not allow", "s3:GetBucketVersioning"),
        ("RequestTimeTooSkewed", "the clock of this machine", "Set it"),
        ("Oddness", "refused to use bucket", "again later"),
    ],
)
def test_credentials_that_are_refused(
    lab: Path,
    dws: Dws,
    bucket: Bucket,
    moto_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    said: str,
    hint: str,
) -> None:
    secret = "hush-hush-hush"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    before = git("rev-parse", "HEAD", cwd=lab)
    with gate(moto_server.url, lambda method, path: (403, code)) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.url)
        err = dws.refused(*ADD, bucket.name)
    assert said in err
    assert hint in err
    assert secret not in err
    assert unchanged(lab, before)


def test_a_server_that_cannot_be_reached(
    lab: Path, dws: Dws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://ann:s3cret@127.0.0.1:{port}")
    err = dws.refused(*ADD, bucket.name)
    assert f"at 127.0.0.1:{port} cannot be reached" in err
    assert "s3cret" not in err


def test_an_endpoint_is_this_machine_s_own(
    lab: Path,
    dws: Dws,
    bucket: Bucket,
    moto_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    for bad in ("ftp://h", "minio:9000", "http://ann:pw@h", "http://h?x=1", "http://"):
        err = dws.refused(*ADD, "--endpoint", bad, bucket.name)
        assert "the endpoint" in err
        assert "pw" not in err
    dws(*ADD, "--endpoint", moto_server.url, bucket.name)
    dws("--batch", "snapshot", "v1")
    local = json.loads((lab / ".dataworkspace/resource_local_params.json").read_text())
    assert local["data"] == {"endpoint": moto_server.url}
    assert moto_server.url not in git("grep", "-h", "", "HEAD", cwd=lab)


# Later on


def test_a_bucket_that_is_away_claims_nothing(
    lab: Path, dws: Dws, bucket: Bucket, door: Gate
) -> None:
    use(lab)
    dws("--batch", "snapshot", "v1")
    before = git("rev-parse", "HEAD", cwd=lab)
    recorded = len(steps())
    door.rule = hang_up

    for words in (
        ("lineage", "stale"),
        ("lineage", "verify"),
        ("lineage", "verify", "--snapshot", "v1"),
        ("--batch", "snapshot", "v2"),
        ("--batch", "restore", "v1"),
    ):
        err = dws.refused(*words)
        assert "cannot be reached" in err
        assert err.count("\n") <= 3
    with pytest.raises(ConfigurationError, match="cannot be reached"):
        use(lab)
    [row] = [r for r in dws.json("report", "status")["resources"] if r["name"] == "data"]
    assert row["changed"] is None
    assert "cannot be reached" in dws.run("doctor").out
    assert unchanged(lab, before)

    door.rule = lambda method, path: None
    assert dws.json("lineage", "stale") == []
    assert len(steps()) == recorded


def test_a_step_is_recorded_when_its_bucket_is_away_at_its_end(
    lab: Path, dws: Dws, bucket: Bucket, door: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    dws("--batch", "add", "s3", "--role", "intermediate-data", "--name", "out", bucket.name)
    step = LineageBuilder().with_step_name("long").with_parameters({})
    step = step.with_input_ref(ResourceRef("data", "train"))
    with caplog.at_level(logging.WARNING), step.with_output_ref(ResourceRef("out", "x")).eval():
        bucket.put("x/y", "made")
        door.rule = hang_up
    assert "what step 'long' wrote to 'out:/x' is not known" in caplog.text
    assert "whether 'data:/train' changed while step 'long' ran is not known" in caplog.text
    door.rule = lambda method, path: None
    upstream = dws.json("lineage", "upstream", "out:/x")
    assert "long" in {n["name"] for n in upstream["nodes"]}


def test_a_step_downstream_starts_when_the_bucket_is_away(
    lab: Path, dws: Dws, bucket: Bucket, door: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    use(lab)
    door.rule = hang_up
    step = LineageBuilder().with_step_name("next").with_parameters({})
    step = step.with_input_path(str(lab / "intermediate-data/use"))
    with (
        caplog.at_level(logging.WARNING),
        step.with_output_path(str(lab / "intermediate-data/next")).eval(),
    ):
        (lab / "intermediate-data/next").write_text("next")
    assert "whether 'data:/train' changed since an earlier step read it" in caplog.text
    upstream = dws.json("lineage", "upstream", "intermediate-data:/next")
    assert {"use", "next"} <= {n["name"] for n in upstream["nodes"]}


def test_a_bucket_that_may_only_be_read(
    lab: Path, dws: Dws, bucket: Bucket, door: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.rule = lambda method, path: (403, "AccessDenied") if method == "PUT" else None
    ran = dws("--batch", "snapshot", "v1")
    assert "the workspace keeps its listing" in ran.out + ran.err
    assert bucket.keys(".snapshots/") == []
    bucket.put("train/a.csv", "new\n")
    git("clone", "-q", str(lab), str(tmp_path / "clone"), cwd=tmp_path)
    monkeypatch.chdir(tmp_path / "clone")
    [row] = [r for r in dws.json("diff", "v1")["resources"] if r["name"] == "data"]
    assert row["files"]["changed"] == ["train/a.csv"]
    dws("--batch", "restore", "--only", "data", "v1")


def test_a_bucket_is_listed_once_for_a_command(
    lab: Path, dws: Dws, bucket: Bucket, door: Gate
) -> None:
    for part in ("train", "test"):
        step = LineageBuilder().with_step_name(part).with_parameters({})
        step = step.with_input_ref(ResourceRef("data", part))
        with step.with_output_path(str(lab / "intermediate-data" / part)).eval():
            (lab / "intermediate-data" / part).write_text(part)
    for words in (("lineage", "stale"), ("--batch", "snapshot", "v1"), ("lineage", "verify")):
        door.seen.clear()
        dws(*words)
        listings = [s for s in door.seen if "versions" in s and "max-keys=1&" not in s]
        assert len(listings) == 1, door.seen


def test_versions_that_are_turned_off_later(
    lab: Path, dws: Dws, bucket: Bucket, door: Gate
) -> None:
    bucket.versioning("Suspended")
    assert "versioning is suspended" in dws.refused("--batch", "snapshot", "v1")


def test_a_listing_that_breaks_off_is_no_listing(
    lab: Path, dws: Dws, bucket: Bucket, door: Gate
) -> None:
    page = (
        b'<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<IsTruncated>true</IsTruncated><Version><Key>a</Key><VersionId>1</VersionId>"
        b"<IsLatest>true</IsLatest><Size>1</Size><ETag>x</ETag></Version></ListVersionsResult>"
    )
    door.rule = lambda method, path: page if "versions&" in path else None
    assert "broke the listing off after 1 versions" in dws.refused("--batch", "snapshot", "v1")


@pytest.mark.parametrize(
    ("body", "said"), [(b"5,6", "response streaming"), (b"9,9\n", "came damaged")]
)
def test_an_object_that_comes_damaged_is_not_believed(
    lab: Path, dws: Dws, bucket: Bucket, door: Gate, body: bytes, said: str
) -> None:
    door.damaged = {"/test/c.csv": body}
    view = get_filesystem("data")
    with pytest.raises(ConfigurationError, match=said):
        view.cat_file("test/c.csv")
    assert not (lab / ".dataworkspace/scratch/data/objects").exists()
    door.damaged = {}
    assert view.cat_file("test/c.csv") == b"5,6\n"
