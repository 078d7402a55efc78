"""`dws deploy` where there is no Docker engine: the files that it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dws_graph.workspace.deployed import set_up
from tests.cli.conftest import Dws

SECRET = "hunter2-in-the-config"
KEY = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No engine, and a folder for temporary files, which must be empty in the end."""
    made = tmp_path / "scratch"
    made.mkdir()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(made))
    return made


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Where the files go."""
    return tmp_path / "image"


def programs(folder: Path, *names: str) -> str:
    """A PATH with these programs alone."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


def unpacked(image: Path, where: Path) -> Path:
    """The content of the image, in a folder; what belongs to anyone but its user is a mistake."""
    uid = os.getuid() or 1000
    for name in ("resources.tar", "workspace.tar"):
        with tarfile.open(image / name) as tar:
            assert {member.uid for member in tar} == {uid}
            for member in tar:  # as root would, else it would be another's
                member.uid, member.gid = os.getuid(), os.getgid()
            tar.extractall(where, filter="tar")
    return where


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_without_the_program_a_message_names_its_package(
    dws: Dws, workspace: Path, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", "git", "env"))

    for command in (("build",), ("run", "--", "true")):
        said = dws.refused("deploy", *command)

        assert "'docker' is not installed" in said
        assert "apt-get install docker.io" in said
        assert "--dockerfile-only" in said
    assert not any(scratch.iterdir())


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("Cannot connect to the Docker daemon at unix:///x.sock.", "systemctl start docker"),
        ("permission denied while trying to connect to the Docker daemon", "usermod -aG docker"),
    ],
)
def test_an_engine_that_does_not_answer_is_told_with_what_to_type(
    dws: Dws, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, told: str
):
    path = programs(tmp_path / "bin", "git", "env", "sh")
    (tmp_path / "bin" / "docker").write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    (tmp_path / "bin" / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", path)

    said = dws.refused("deploy", "build")

    assert says in said
    assert told in said
    assert "--dockerfile-only" in said


def test_the_files_hold_the_workspace_with_its_history(
    dws: Dws, workspace: Path, two_snapshots: None, image: Path, tmp_path: Path, scratch: Path
):
    said = dws("deploy", "build", "--image-name", "digits:v1", "--dockerfile-only", str(image))

    assert f"docker build -t digits:v1 {image}" in said.out
    assert not any(scratch.iterdir())
    inside = unpacked(image, tmp_path / "inside") / "workspace"
    for question in (("report", "history"), ("report", "lineage", "--snapshot", "v1")):
        here = dws.json(*question)
        assert dws.json(*question, "--workspace-dir", str(inside)) == here
    assert git(inside, "status", "--porcelain") == ""
    assert git(inside, "rev-parse", "HEAD") == git(workspace, "rev-parse", "HEAD")
    assert (inside / "code" / "clean.py").read_text() == "print('clean')\n"


def test_the_dockerfile_names_what_it_is_given_and_no_more(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path
):
    authority = tmp_path / "ca.pem"
    authority.write_text(CERTIFICATE)
    options = ("--base", "registry.example.com:5000/team/py:3.12", "--ca-bundle", str(authority))

    dws("deploy", "build", *options, "--dockerfile-only", str(image))

    dockerfile = (image / "Dockerfile").read_text()
    assert "ARG BASE=registry.example.com:5000/team/py:3.12\n" in dockerfile
    assert not re.search(r"@[A-Z_]+@", dockerfile)
    assert (image / "certificates" / "ca-bundle.crt").read_text() == CERTIFICATE
    sources = re.findall(r"^(?:COPY|ADD) (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    assert all((image / name).exists() for line in sources for name in line.split())
    user = re.search(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    assert user is not None
    assert "0" not in user.groups()


def test_the_packages_are_those_of_this_python_and_dws_is_a_wheel(
    dws: Dws, workspace: Path, image: Path
):
    dws("deploy", "build", "--dockerfile-only", str(image))

    lines = (image / "python" / "requirements.txt").read_text().splitlines()
    assert any(re.fullmatch(r"click==[\d.]+", line) for line in lines)
    assert not any(line.startswith(("dws-graph", "pip==")) for line in lines)
    (wheel,) = (image / "python" / "wheels").iterdir()
    assert (image / "python" / "dws.txt").read_text() == (
        f"dws-graph @ file:///src/python/wheels/{wheel.name}\n"
    )
    assert "pip install --quiet --no-deps -r" in (image / "Dockerfile").read_text()


def test_a_file_of_requirements_takes_their_place(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path
):
    lock = Path(__file__).parents[2] / "requirements.lock"

    dws("deploy", "build", "--requirements", str(lock), "--dockerfile-only", str(image))

    assert (image / "python" / "requirements.txt").read_bytes() == lock.read_bytes()
    assert "pip install --quiet -r" in (image / "Dockerfile").read_text()
    assert (image / "python" / "dws.txt").read_text().startswith("dws-graph @ file:")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("r.txt", "numpy\n-e ./mine\n", "line 2 of"),
        ("r.txt", "-r other.txt\n", "file or folder of this machine"),
        ("r.txt", "-cother.txt\n", "file or folder of this machine"),
        ("r.txt", "--requirement=other.txt\n", "file or folder of this machine"),
        ("r.txt", "./mine-1.0-py3-none-any.whl\n", "file or folder of this machine"),
        ("r.txt", "mine @ file:///home/ann/mine\n", "file or folder of this machine"),
        ("r.txt", "--index-url https://ann:opensesame@example.com/simple\n", "a password"),
        ("r.txt", "--find-links=wheels\n", "file or folder of this machine"),
        ("uv.lock", "version = 1\n", "uv export"),
        ("poetry.lock", "x\n", "poetry export"),
    ],
)
def test_requirements_that_cannot_be_had_in_an_image_are_refused(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path, name: str, text: str, says: str
):
    (tmp_path / name).write_text(text)

    said = dws.refused(
        *("deploy", "build", "--requirements", str(tmp_path / name)),
        *("--dockerfile-only", str(image)),
    )

    assert says in said
    assert "opensesame" not in said
    assert not image.exists()


def test_requirements_may_name_what_others_serve(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path
):
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(
        "--find-links https://example.com/wheels.html  # served there\n"
        "-i https://example.com/simple\n"
        "mine @ https://example.com/mine-1.0-py3-none-any.whl\n"
        "other @ git+https://example.com/other@3f2a91c0\n"
        "https://example.com/third-1.0.tar.gz\n"
        "numpy[extra]>=2 ; python_version > '3.9' --hash=sha256:00\n"
    )

    dws("deploy", "build", "--requirements", str(wanted), "--dockerfile-only", str(image))

    assert (image / "python" / "requirements.txt").read_bytes() == wanted.read_bytes()


def test_no_secret_and_nothing_uncommitted_is_in_the_files(
    dws: Dws, workspace: Path, two_snapshots: None, image: Path, tmp_path: Path
):
    git(workspace, "config", "http.https://example.com/.extraheader", f"Authorization: {SECRET}")
    git(workspace, "remote", "add", "origin", f"https://ann:{SECRET}@example.com/ws.git")
    (workspace / ".git" / "hooks").mkdir(exist_ok=True)
    (workspace / ".git" / "hooks" / "pre-push").write_text(f"#!/bin/sh\n# {SECRET}\n")
    (workspace / ".env").write_text(f"PASSWORD={SECRET}\n")
    (workspace / ".dataworkspace" / "local" / "note.json").write_text(SECRET)
    params = workspace / ".dataworkspace" / "local_params.json"
    params.write_text(json.dumps({**json.loads(params.read_text()), "url": SECRET}))

    ran = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "not committed as here, and so not in the image" in ran.err
    for path in image.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    inside = unpacked(image, tmp_path / "inside") / "workspace"
    assert git(inside, "remote", "get-url", "origin").strip() == "https://example.com/ws.git"
    assert str(workspace) not in (inside / ".git" / "config").read_text()
    assert not (inside / ".git" / "logs").exists()
    assert sorted(os.listdir(tmp_path / "inside" / "home" / "dws")) == [".gitconfig"]


def test_resources_elsewhere_are_carried_each_as_it_is(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path
):
    tables, models = tmp_path / "tables", tmp_path / "models"
    for folder in (tables, models):
        folder.mkdir()
    strange = b"two\nlines \xff.csv"
    Path(os.fsdecode(os.fsencode(tables) + b"/" + strange)).write_bytes(b"1,2\n")
    (tables / "a.csv").write_text("3\n")
    os.link(tables / "a.csv", tables / "b.csv")
    (tables / "c.csv").symlink_to(workspace / "source-data" / "raw.txt")
    (tables / "secret.key").write_text(SECRET)
    (tables / ".dwsignore").write_text("*.key\n")
    git(models, "init", "-q", "-b", "trunk")
    (models / "fit.py").write_text("fit\n")
    git(models, "add", ".")
    git(models, "commit", "-q", "-m", "one")
    dws("add", "local-files", "--role", "source-data", "--compute-hash", str(tables))
    dws("add", "git", "--role", "code", str(models))
    dws("snapshot", "kept")
    os.mkfifo(tables / "pipe")
    (models / "fit.py").write_text("changed\n")

    ran = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "models has changes that are not committed" in ran.err
    inside = unpacked(image, tmp_path / "inside")
    there = {os.fsencode(p.name): p for p in (inside / "resources" / "tables").iterdir()}
    assert set(there) == {strange, b"a.csv", b"b.csv", b"c.csv", b".dwsignore"}
    assert there[strange].read_bytes() == b"1,2\n"
    assert there[b"a.csv"].read_text() == there[b"b.csv"].read_text() == "3\n"
    assert there[b"c.csv"].read_text() == "1 2 3\n"
    assert (inside / "resources" / "models" / "fit.py").read_text() == "fit\n"
    local = json.loads(
        (inside / "workspace" / ".dataworkspace" / "resource_local_params.json").read_text()
    )
    assert local["tables"] == {"local_path": "/resources/tables"}
    assert local["models"] == {"local_path": "/resources/models"}
    links = json.loads((image / "image.json").read_text())["links"]
    assert links[str(tables)] == "/resources/tables"
    assert links[str(workspace)] == "/workspace"


def test_repositories_within_the_workspace_keep_their_place_and_commits_of_snapshots(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path
):
    data = workspace / "data"
    data.mkdir()
    git(data, "init", "-q", "-b", "main")
    dws("add", "git", "--role", "source-data", "--name", "data", "./data")
    for n in ("one", "two"):
        (data / "file").write_text(n)
        dws("snapshot", n)
    dws("--batch", "restore", "one")

    dws("deploy", "build", "--dockerfile-only", str(image))

    inside = unpacked(image, tmp_path / "inside") / "workspace"
    params = inside / ".dataworkspace" / "resource_local_params.json"
    assert json.loads(params.read_text())["data"] == {"local_path": "/workspace/data"}
    assert (inside / "data" / "file").read_text() == "one"
    params.write_text(json.dumps({"data": {"local_path": "data"}}))
    dws("--batch", "restore", "two", "--workspace-dir", str(inside))
    assert (inside / "data" / "file").read_text() == "two"


def test_steps_since_the_last_commit_are_named(
    dws: Dws, train: Callable[[int], None], image: Path, tmp_path: Path
):
    train(1)

    ran = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "steps 'clean', 'fit' ran since the last commit: take a snapshot first" in ran.err
    dws("snapshot", "kept")
    again = dws("deploy", "build", "--dockerfile-only", str(tmp_path / "again"))
    assert again.err == ""


def test_the_python_that_steps_name_by_its_path_is_known_to_the_image(
    dws: Dws, workspace: Path, image: Path
):
    dws("run", "-o", "results", "--", sys.executable, "-c", "open('results/x', 'w')")
    dws("run", "-o", "results", "--", "/bin/sh", "-c", "echo > results/y")

    dws("deploy", "build", "--dockerfile-only", str(image))

    assert json.loads((image / "image.json").read_text())["interpreters"] == [sys.executable]


def test_packages_that_steps_had_and_the_image_will_not_are_named(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path
):
    about = tmp_path / "site" / "gone-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: gone\nVersion: 1.0\n")
    command = [sys.executable, "-m", "dws_graph", "run", "-o", "results", "--", "true"]
    with_it = {**os.environ, "PYTHONPATH": f"{about.parent}"}
    subprocess.run(command, check=True, env=with_it, capture_output=True)

    ran = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "step 'true' last ran with gone==1.0, which are not installed here" in ran.err
    assert "gone" not in (image / "python" / "requirements.txt").read_text()


def test_what_is_skipped_is_not_carried(dws: Dws, workspace: Path, image: Path, tmp_path: Path):
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "data").write_text("big\n")
    dws("add", "local-files", "--role", "source-data", str(tmp_path / "big"))

    dws("deploy", "build", "--skip", "big", "--dockerfile-only", str(image))

    assert not (unpacked(image, tmp_path / "inside") / "resources" / "big").exists()
    assert "no resource 'bog'" in dws.refused(
        "deploy", "build", "--skip", "bog", "--dockerfile-only", "x"
    )


def test_gits_identity_is_the_users_or_the_one_given(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path
):
    dws("deploy", "build", "--dockerfile-only", str(image))
    name = '-x "Ann" \\ ; rm #'
    options = ("--git-user-name", name, "--git-user-email", "ann@example.com")
    dws("deploy", "build", *options, "--dockerfile-only", str(tmp_path / "given"))

    for place, expected in ((image, "Test User"), (tmp_path / "given", name)):
        inside = unpacked(place, tmp_path / f"inside-{place.name}") / "home" / "dws"
        found = git(inside, "config", "--file", ".gitconfig", "user.name")
        assert found.removesuffix("\n") == expected


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--image-name", "-v/:/host"), "cannot name an image"),
        (("--image-name", "Digits"), "cannot name an image"),
        (("--image-name", "a b"), "cannot name an image"),
        (("--image-name", ""), "cannot name an image"),
        (("--base", "--privileged"), "cannot name an image"),
        (("--base", "x\nRUN curl example.com"), "cannot name an image"),
        (("--git-user-name", "a\n[alias]"), "cannot be git's user.name"),
        (("--git-user-email", " "), "cannot be git's user.email"),
        (("--ca-bundle", "key.pem"), "certificates alone"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    dws: Dws, workspace: Path, image: Path, options: tuple[str, ...], says: str
):
    (workspace / "key.pem").write_text(CERTIFICATE + KEY)

    said = dws.refused("deploy", "build", *options, "--dockerfile-only", str(image))

    assert says in said
    assert not image.exists()


def test_a_folder_with_something_in_it_or_within_a_resource_is_refused(
    dws: Dws, workspace: Path, tmp_path: Path
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine\n")

    assert "is there already" in dws.refused(
        "deploy", "build", "--dockerfile-only", str(tmp_path / "full")
    )
    assert "lies in resource 'code'" in dws.refused(
        "deploy", "build", "--dockerfile-only", "code/image"
    )
    assert os.listdir(tmp_path / "full") == ["mine"]
    assert os.listdir(workspace / "code") == ["clean.py"]


def test_without_a_name_the_folder_is_one_that_git_does_not_see(dws: Dws, workspace: Path):
    ran = dws("deploy", "build", "--dockerfile-only")

    assert "docker build -t lab dws-deploy" in ran.out
    assert (workspace / "dws-deploy" / "Dockerfile").is_file()
    assert "dws-deploy" not in git(workspace, "status", "--porcelain", "--untracked-files=all")


def test_a_link_that_leads_to_its_own_folder_is_refused_and_nothing_is_left(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path, scratch: Path
):
    (tmp_path / "loop").mkdir()
    dws("add", "local-files", "--role", "source-data", str(tmp_path / "loop"))
    (tmp_path / "loop" / "again").symlink_to(tmp_path / "loop")

    said = dws.refused("deploy", "build", "--dockerfile-only", str(image))

    assert "leads to a folder that holds it" in said
    assert not image.exists()
    assert not any(scratch.iterdir())


def test_a_workspace_on_no_branch_is_refused(dws: Dws, workspace: Path, image: Path):
    git(workspace, "checkout", "-q", "--detach")

    assert "on no branch" in dws.refused("deploy", "build", "--dockerfile-only", str(image))


def test_an_index_with_a_password_is_not_handed_on_or_repeated(
    dws: Dws, workspace: Path, image: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIP_INDEX_URL", f"https://ann:{SECRET}@example.com/simple")

    ran = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "PIP_INDEX_URL, https://" in ran.err
    assert SECRET not in ran.err + ran.out


@pytest.mark.parametrize(
    ("name", "says"),
    [("NO_SUCH_VARIABLE", "is not set here"), (f"KEY={SECRET}", "no value"), ("-v", "no value")],
)
def test_a_variable_is_named_never_given(dws: Dws, workspace: Path, name: str, says: str):
    said = dws.refused("deploy", "run", f"--env={name}", "--", "true")

    assert says in said
    assert "export" in said
    assert SECRET not in said


def test_in_the_image_paths_of_the_machine_lead_to_where_things_are(tmp_path: Path):
    target, taken = tmp_path / "workspace", tmp_path / "taken"
    target.mkdir()
    taken.write_text("something else\n")
    path = tmp_path / "home" / "ann" / "ws"

    assert set_up.link(path, target) is None
    assert path.resolve() == target
    assert set_up.link(path, target) is None
    assert "something else" in str(set_up.link(taken, target))
    assert "cannot be made" in str(set_up.link(taken / "below", target))

    python = path / ".venv" / "bin" / "python"
    assert set_up.interpret(python) is None
    assert os.access(python, os.X_OK)
    assert "/opt/dws/bin/python" in python.read_text()
    assert set_up.interpret(taken) is None
    assert taken.read_text() == "something else\n"
    assert stat.S_IMODE(python.stat().st_mode) == 0o755
