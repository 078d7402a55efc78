"""What the suite does where content lies elsewhere: with git-lfs, git-fat, rclone, in a bucket.

The servers are in the process of the tests; where they keep what they have is in the place, so that
it is brought back with the rest.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dws_graph.backends.git.command import Git
from dws_graph.backends.git.pointers import Pointer, pointers_of
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.snapshots import all_metadata
from dws_graph.workspace.workspace import Workspace
from tests.rules.lab import CLEAN, Lab, git

RULES = "*.bin filter=lfs diff=lfs merge=lfs -text\n*.gz filter=fat -text\n"
STORES = {"lfs": hashlib.sha256, "fat": hashlib.sha1}


def small(place: str) -> None:
    """A workspace with code and intermediate data, and one step."""
    lab = Lab(Path(place), raw=False, roles=("code", "intermediate-data"))
    lab.write("code:/prep.py", "n = 1\n")
    lab.step("prepare", [], [CLEAN], text="first\n")
    lab.close()


def _share(lab: Lab) -> None:
    git("init", "-q", "--bare", "origin.git", cwd=lab.place)


# Large files


def large(place: str, url: str) -> None:
    """Large files of both kinds, in the workspace and in a repository of its own."""
    lab = Lab.at(Path(place, "ws"))
    own = lab.place / "own"
    for name in ("origin.git", "own.git"):
        git("init", "-q", "--bare", name, cwd=lab.place)
    git("init", "-q", str(own), cwd=lab.place)
    git("remote", "add", "origin", str(lab.place / "own.git"), cwd=own)
    (lab.place / "store/lfs").mkdir(parents=True)
    (lab.place / "store/fat").mkdir()
    for root in (lab.root, own):
        (root / ".gitattributes").write_text(RULES)
        (root / ".lfsconfig").write_text(f"[lfs]\n\turl = {url}\n")
        (root / ".gitfat").write_text(f"[rsync]\n\tremote = {lab.place}/store/fat\n")
        git("add", ".gitattributes", ".lfsconfig", ".gitfat", cwd=root)
        git("commit", "-qm", "where large files are", cwd=root)
    lab.ws.add_resource("own", "git", "source-data", str(own))
    lab.close()
    edit_large(place, "first")


def edit_large(place: str, text: str) -> None:
    """Another content of each of them, of which a step has read one and written another."""
    lab = Lab.at(Path(place, "ws"))
    for kind in ("bin", "gz"):
        lab.write(f"own:/raw.{kind}", f"{text} raw {kind}\n" * 3)
        lab.write(f"intermediate-data:/made.{kind}", f"{text} made {kind}\n" * 3)
    lab.step("prepare", ["own"], [CLEAN], text=f"{text}\n")
    lab.close()


def forget_large(place: str) -> None:
    """No content of large files is here but that which is on disk."""
    for name in ("ws", "own"):
        for store in ("lfs/objects", "fat/objects"):
            shutil.rmtree(Path(place, name, ".git", store), ignore_errors=True)


# A remote of rclone's


def remote(place: str, name: str = "remote") -> None:
    """What is at the remote, or in the folder here; and an origin to share the workspace by."""
    Path(place, "remote").mkdir()
    folder = Path(place, name)
    (folder / "deep").mkdir(parents=True)
    for path, text in {"a.csv": "1\n", "deep/b.csv": "2\n", "same.csv": "3\n"}.items():
        (folder / path).write_text(text * 3)
    git("init", "-q", "--bare", "origin.git", cwd=Path(place))


def edit_remote(place: str, name: str = "remote") -> None:
    """Files there that are changed, new and gone."""
    folder = Path(place, name)
    (folder / "a.csv").write_text("changed\n" * 3)
    (folder / "new.csv").write_text("new\n" * 3)
    (folder / "deep/b.csv").unlink()


# A bucket


def _client() -> Any:
    import boto3

    return boto3.client("s3")


def bucket(place: str, name: str) -> None:
    """A bucket with two objects."""
    client = _client()
    client.create_bucket(Bucket=name)
    status = {"Status": "Enabled"}
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration=status)
    for key in ("train/a.csv", "test/b.csv"):
        client.put_object(Bucket=name, Key=key, Body=b"first\n" * 100)
    Path(place, "store").mkdir(exist_ok=True)


def edit_bucket(name: str) -> None:
    """An object that is changed, one that is new, and one that is deleted."""
    client = _client()
    client.put_object(Bucket=name, Key="train/a.csv", Body=b"second\n" * 100)
    client.put_object(Bucket=name, Key="train/new.csv", Body=b"new\n" * 3)
    client.delete_object(Bucket=name, Key="test/b.csv")


def keep_bucket(place: str, name: str) -> None:
    """Note which versions it has, so that it can be brought back to them."""
    Path(place, "store/bucket.json").write_text(json.dumps(sorted(_versions(name))))


def bucket_back(place: str, name: str) -> None:
    """Bring it back to the versions that it had."""
    wanted = {tuple(pair) for pair in json.loads(Path(place, "store/bucket.json").read_text())}
    for key, version in set(_versions(name)) - wanted:
        _client().delete_object(Bucket=name, Key=key, VersionId=version)


def _versions(name: str) -> Iterator[tuple[str, str]]:
    listed = _client().list_object_versions(Bucket=name)
    for kind in ("Versions", "DeleteMarkers"):
        yield from ((found["Key"], found["VersionId"]) for found in listed.get(kind, ()))


def read_bucket(root: str) -> None:
    """Read an object twice: it comes from the bucket, then from this machine."""
    with open_workspace(root) as ws:
        for _ in range(2):
            assert ws.get_resource("far").open("train/a.csv").read().startswith(b"second\n")  # type: ignore[attr-defined]


# What must hold


def damaged(place: Path, root: str) -> list[str]:
    """What is there under a name that tells of other content; and what is lost."""
    found = [f"{path} is half-written" for path in _half_written(place)]
    for folder in sorted(place.iterdir()):
        if (folder / ".gitfat").exists() or folder.suffix == ".git":
            found += _lacking(place, folder)
    with open_workspace(root) as ws:
        found += _not_kept(ws)
    return found


def _half_written(place: Path) -> Iterator[Path]:
    for kind, digest in STORES.items():
        folders = [place / "store" / kind, *place.glob(f"*/.git/{kind}/objects")]
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        for path in files:
            is_named = len(path.name) == digest().digest_size * 2  # else it is one under way
            if is_named and digest(path.read_bytes()).hexdigest() != path.name:
                yield path
    for path in place.glob("*/.dataworkspace/scratch/*/objects/*-*"):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.name.rpartition("-")[2]:
            yield path


def _lacking(place: Path, folder: Path) -> list[str]:
    """Content that commits name: of an origin it is in the stores, elsewhere it may be here."""
    repository = Git(folder)
    heads = git("for-each-ref", "refs/heads", "--format=%(objectname)", cwd=folder).split()
    named = pointers_of(repository, heads) if heads else {}
    stores = [place / "store"]
    if folder.suffix != ".git":
        stores.append(folder / ".git")
    there = {path.name for store in stores for path in store.rglob("*")}
    return [f"{folder.name}: {path} is lost" for p, path in named.items() if not _in(p, there)]


def _in(pointer: Pointer, names: set[str]) -> bool:
    return pointer.oid in names


def _not_kept(ws: Workspace) -> Iterator[str]:
    for metadata in all_metadata(ws):
        for name, hashval in metadata.restore_hashes.items():
            if name not in ws.get_resource_names() or not hashval:
                continue
            resource = ws.get_resource(name)
            if resource.resource_type == "s3":
                kept = resource.check_kept(hashval)
                if kept is not None and not kept[0]:
                    yield f"{name} of {metadata.tags}: {kept[1]}"
