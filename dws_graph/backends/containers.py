"""The Docker engine, asked by its program `docker`: lists of arguments, never a shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dws_graph.errors import ConfigurationError, DwsError
from dws_graph.model.secrets import scrub_text
from dws_graph.model.values import parse_json

PROGRAM = "docker"
SHOWN = 12  # of what a failed build said, the last lines
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
_TAG = r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
_NAME = re.compile(rf"{_HOST}{_PART}(?:/{_PART})*{_TAG}")
_DIGEST = r"(?:@sha256:[0-9a-f]{64})?"
_BASE = re.compile(_NAME.pattern + _DIGEST)
_LONGEST = 255
_NOT_WITHOUT = "or write the files for another machine: dws deploy build --dockerfile-only DIR"
_REFUSED = re.compile(r"permission denied", re.IGNORECASE)

Told = Callable[[str], None]


class EngineError(DwsError):
    """The Docker engine is missing, does not answer, or could not do what was asked."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine has.

    Attributes:
        id: Of its content.
        user: Who runs in it, `UID:GID`.
        labels: What it says of itself.
    """

    id: str
    user: str
    labels: dict[str, str]


def check_image_name(name: str) -> str:
    """Refuse what cannot name an image that is made here.

    Raises:
        ConfigurationError: Names it and the rule.
    """
    return _checked(name, _NAME, "Use lower-case letters, digits, '.', '_' and '-': digits:v1.")


def check_base_name(name: str) -> str:
    """Refuse what cannot name an image to start from.

    Raises:
        ConfigurationError: Names it and the rule.
    """
    return _checked(name, _BASE, "It is as after 'docker pull': python:3.13-slim-bookworm.")


def _checked(name: str, pattern: re.Pattern[str], hint: str) -> str:
    if len(name) > _LONGEST or not pattern.fullmatch(name):
        raise ConfigurationError(f"'{scrub_text(name)}' cannot name an image", hint=hint)
    return name


def as_image_name(name: str) -> str:
    """A name made fit for `check_image_name`."""
    fit = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return fit[:100].strip("-") or "workspace"


def check_engine() -> None:
    """Find out whether there is an engine that answers.

    Raises:
        EngineError: There is none; the hint says which package brings it, or how to start it.
    """
    if shutil.which(PROGRAM) is None:
        raise EngineError(
            f"the program '{PROGRAM}' is not installed, or not on the PATH",
            hint="Install it (on Debian and Ubuntu: apt-get install docker.io; else "
            f"https://docs.docker.com/engine/install), {_NOT_WITHOUT}.",
        )
    asked = _ask("version", "--format", "{{.Server.Version}}")
    if asked.returncode == 0:
        return
    said = _last_line(asked.stderr) or f"exit status {asked.returncode}"
    if _REFUSED.search(said):
        raise EngineError(
            f"the Docker engine does not let you in: {said}",
            hint="Become one of its group: sudo usermod -aG docker $USER, and log in again; "
            f"{_NOT_WITHOUT}.",
        )
    raise EngineError(
        f"no Docker engine answers: {said}",
        hint=f"Start it: sudo systemctl start docker (DOCKER_HOST names another); {_NOT_WITHOUT}.",
    )


def find_image(name: str) -> Image | None:
    """The image of this name, or id; None where the engine has none."""
    asked = _ask("image", "inspect", "--format", "{{json .}}", "--", name)
    if asked.returncode:
        return None
    about = parse_json(asked.stdout.encode(), file="docker image inspect")
    config = about.get("Config") or {}
    return Image(about["Id"], config.get("User") or "", config.get("Labels") or {})


def build_image(folder: Path, name: str, told: Told, *, args: Sequence[str] = ()) -> None:
    """Build an image from a folder.

    Args:
        folder: It holds a Dockerfile, and all that this takes.
        name: What to call the image.
        told: Told each line that the engine prints.
        args: Build arguments whose values are those of environment variables of their names:
            a value may be a secret, and a command line is everybody's to read.

    Raises:
        EngineError: It failed; the message ends with what the engine said last.
    """
    options = [part for arg in args for part in ("--build-arg", arg)]
    command = [PROGRAM, "build", *options, "--tag", name, "--", str(folder)]
    last: deque[str] = deque(maxlen=SHOWN)
    with subprocess.Popen(  # noqa: S603  # a list, each part checked or a path of ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as built:
        try:
            for line in built.stdout or ():
                if text := scrub_text(line.rstrip()):
                    last.append(text)
                    told(text)
        except BaseException:
            built.terminate()
            raise
    if built.returncode:
        raise EngineError(
            f"image {name} could not be built (docker build: exit status {built.returncode}). "
            "It said last:\n" + "\n".join(f"  {line}" for line in last),
            hint="Nothing was changed. What it needs beyond Debian and Python comes with another "
            "image to start from (--base), other packages with --requirements FILE.",
        )


def remove_image(image: str) -> str | None:
    """Remove an image by its id; what the engine said where it would not."""
    asked = _ask("image", "rm", "--no-prune", "--", image)
    return _last_line(asked.stderr) if asked.returncode else None


def run_command(
    image: str,
    command: Sequence[str],
    mounts: Sequence[tuple[Path, str]],
    env: Iterable[str] = (),
    *,
    terminal: bool,
) -> list[str]:
    """The command line that runs a command in a container, which is gone when it ends.

    Args:
        image: Its name.
        command: What to run; nothing for what the image runs without one.
        mounts: Folders of this machine that the container sees, and where; it cannot write there.
        env: Environment variables that it has as here: their names, since a command line is
            everybody's to read.
        terminal: Whether it has a terminal.
    """
    options = ["--rm", "--interactive", *(["--tty"] if terminal else [])]
    options += [f"--mount={_mount(source, target)}" for source, target in mounts]
    options += [f"--env={name}" for name in env]
    return [PROGRAM, "run", *options, "--", image, *command]


def _mount(source: Path, target: str) -> str:
    """A mount as a line of CSV, which it is: a comma or quote in a path means nothing else."""
    fields = ["type=bind", f"source={source}", f"target={target}", "readonly"]
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields)


def _ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # a list, each part checked or of ours
        [PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return scrub_text(lines[-1]) if lines else ""
