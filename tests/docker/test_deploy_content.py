"""Content that git does not have is in the image: a step that read it runs again there, alone.

Nothing is given to the container: no credentials, and no server that it could reach.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.docker.deployed import Deployed, git
from tests.docker.engine import docker
from tests.fixtures.buckets import Bucket, credentials
from tests.fixtures.moto import S3Server

pytestmark = [pytest.mark.needs("git-lfs"), pytest.mark.needs("rclone")]

IMAGE = "dws-deploy:content"
NAMES = ("source-data", "fat", "kept", "remote", "pictures")
READ = """\
from pathlib import Path
from dws_graph import api

files = ["source-data/large.bin", "fat/large.gz", "{outside}/kept/one.txt", "{outside}/remote/one"]
texts = [Path(file).read_text() for file in files]
texts.append(api.get_filesystem("pictures").cat("train/a.csv").decode())
Path("results/all.txt").write_text("".join(text[:8].strip() + "\\n" for text in texts))
"""
RESULTS = "in lfs i\nin fat i\nkept\nremote\n1,2\n"


@pytest.fixture(scope="module")
def content(folder: Path, base: str, programs: Path, moto_server: S3Server) -> Iterator[Deployed]:
    """A workspace with a resource of each kind; a step has read a file of each."""
    place = folder / "content"
    (place / "home").mkdir(parents=True)
    made = Deployed(place / "lab", place / "home", programs, place / "outside", IMAGE)
    made.root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("RCLONE_CONFIG", str(place / "rclone.conf"))
        credentials(moto_server, patch, place)
        made("init", "lab", "--create-resources", "all", "--git-lfs-attributes", "*.bin")
        add_resources(made, Bucket(moto_server).create())
        (made.root / "source-data" / "large.bin").write_text("in lfs " * 500)
        (made.root / "code" / "read.py").write_text(READ.format(outside=made.outside))
        made("snapshot", "V0")
        inputs = [word for name in NAMES for word in ("-i", name)]
        step = ["--step-name", "read", "--code", "code", *inputs, "-o", "results"]
        made("run", *step, "--", "python", "code/read.py")
        made("snapshot", "V1")
        (made.outside / "kept" / "one.txt").write_text("changed\n")
        wanted = place / "wanted.txt"  # the rest is not what is tested here
        wanted.write_text(f"boto3=={version('boto3')}\n")
        made(*made.build("--requirements", str(wanted)))
    yield made
    docker("image", "rm", "-f", IMAGE)


def add_resources(made: Deployed, bucket: Bucket) -> None:
    fat, kept, origin = made.root / "fat", made.outside / "kept", made.outside / "origin"
    for path in (fat, kept, origin):
        path.mkdir(parents=True)
    git(fat, "init", "-q", "-b", "main")
    (fat / ".gitattributes").write_text("*.gz filter=fat -text\n")
    (fat / ".gitfat").write_text("[rsync]\nremote = nobody:/store\n")
    git(fat, "add", ".")
    git(fat, "commit", "-q", "-m", "where large files are")
    made("add", "git", "--role", "source-data", "./fat")
    (fat / "large.gz").write_text("in fat " * 500)
    (kept / "one.txt").write_text("kept\n")
    made("add", "local-files", "--role", "source-data", "--keep", str(kept))
    (origin / "one").write_text("remote\n")
    Path(os.environ["RCLONE_CONFIG"]).write_text("[disk]\ntype = local\n")
    remote = [f"disk:{origin}", str(made.outside / "remote")]
    made("add", "rclone", "--role", "source-data", "--compute-hash", "--name", "remote", *remote)
    bucket.put("train/a.csv", "1,2\n")
    bucket.put("train/b.csv", "3,4\n")
    where = ["--endpoint", bucket.server.url, bucket.name]
    made("add", "s3", "--role", "source-data", "--name", "pictures", *where)


def test_files_of_git_lfs_are_whole(content: Deployed):
    script = "cat source-data/large.bin; git lfs fsck >&2; git status --porcelain"

    assert content.inside("sh", "-euc", script) == "in lfs " * 500


def test_files_of_git_fat_are_whole(content: Deployed):
    script = "cd fat; cat large.gz; git fat verify >&2; git status --porcelain"

    assert content.inside("sh", "-euc", script) == "in fat " * 500


def test_kept_content_comes_back(content: Deployed):
    script = "cat /resources/kept/one.txt; dws --batch restore --only kept V1 >&2; "
    script += "cat /resources/kept/one.txt"

    assert content.inside("sh", "-euc", script) == "changed\nkept\n"


def test_the_folder_of_a_remote_is_there(content: Deployed):
    assert content.inside("cat", "/resources/remote/one") == "remote\n"


def test_objects_that_were_read_are_there_and_the_bucket_is_where_it_was(content: Deployed):
    script = "from dws_graph import api; fs = api.get_filesystem('pictures'); "
    script += "print(fs.cat('train/a.csv').decode(), fs.ls('train', detail=False))"

    said = content.inside("python", "-c", script)

    assert said == "1,2\n ['train/a.csv', 'train/b.csv']\n"
    refused = content.ask(
        *("deploy", "run", "--image-name", IMAGE, "--", "python", "-c"),
        script.replace("a.csv').decode", "b.csv').decode"),
    )
    assert refused.returncode == 1
    assert "there are no credentials" in refused.stderr


def test_the_step_that_read_them_all_runs_again(content: Deployed):
    inputs = " ".join(f"-i {name}" for name in NAMES)
    again = f"dws run --step-name read {inputs} -o results -- python code/read.py"
    script = f"exec 3>&1 1>&2; dws restore V1; {again}; cat results/all.txt >&3"

    assert content.inside("sh", "-euc", script) == RESULTS


def test_a_variable_is_handed_to_the_container_by_name(
    content: Deployed, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DWS_TESTED", "hunter2")

    said = content.inside("sh", "-c", "echo $DWS_TESTED", options=("--env", "DWS_TESTED"))

    assert said == "hunter2\n"
