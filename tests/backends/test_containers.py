"""Names of images, and the command line of a container."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dws_graph.backends.containers import (
    as_image_name,
    check_base_name,
    check_image_name,
    run_command,
)
from dws_graph.errors import ConfigurationError


@pytest.mark.parametrize(
    ("workspace", "image"),
    [
        ("digits", "digits"),
        ("My Digits, 2", "my-digits-2"),
        ("-v/:/host", "v-host"),
        ("é", "workspace"),
    ],
)
def test_the_name_of_a_workspace_is_made_fit_for_an_image(workspace: str, image: str):
    assert as_image_name(workspace) == image
    assert check_image_name(image) == image


def test_an_image_may_be_of_a_registry_and_a_base_of_a_digest():
    name = "registry.example.com:5000/team/digits:v1.2"
    digest = f"{name}@sha256:{'0' * 64}"

    assert check_image_name(name) == name
    assert check_base_name(digest) == digest
    with pytest.raises(ConfigurationError):
        check_image_name(digest)


@pytest.mark.parametrize("name", ["", "-x", "--rm", "A", "a b", "a\n", "a//b", "a:", "a" * 300])
def test_what_would_be_an_option_or_no_name_is_refused(name: str):
    for check in (check_image_name, check_base_name):
        with pytest.raises(ConfigurationError):
            check(name)


def test_no_path_adds_an_option_to_a_mount_or_to_the_command():
    path = Path('/home/ann/a,"b",readonly=false:c')

    line = run_command("digits", ["--privileged"], [(path, "/resources/a")], terminal=True)

    mount = line[line.index("--tty") + 1]
    (fields,) = csv.reader([mount.removeprefix("--mount=")])
    assert fields == ["type=bind", f"source={path}", "target=/resources/a", "readonly"]
    assert line[-3:] == ["--", "digits", "--privileged"]
