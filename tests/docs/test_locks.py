"""The locks of the image are part of the lock of the project, and say all that it needs."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMAGE = ("docker/requirements.lock", "docker/requirements-build.lock")


def pins(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """{package: its version, its hashes}."""
    text = (ROOT / name).read_text(encoding="utf-8")
    found = {}
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        package, version = block.split(maxsplit=1)[0].split("==")
        found[package] = version, frozenset(re.findall(r"--hash=(\S+)", block))
    return found


@pytest.mark.parametrize("lock", IMAGE)
def test_the_image_has_what_the_tests_ran_with(lock: str):
    ours = pins("requirements.lock")

    assert pins(lock)
    assert {name: pin for name, pin in pins(lock).items() if ours.get(name) != pin} == {}, (
        "run: make lock"
    )


def test_the_image_has_what_the_package_requires():
    needed = [text for text in requires("dws-graph") or [] if "extra ==" not in text]
    names = {re.split(r"[^A-Za-z0-9.-]", text)[0].lower() for text in needed}

    assert names
    assert names - set(pins(IMAGE[0])) == set(), "run: make lock"
