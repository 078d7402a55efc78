"""The Python packages of an image: those of the Python that runs this, or of a file.

What was installed from an index is named with its version. What came from a folder of this machine
(an editable installation, dws-graph itself) becomes a wheel.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dws_graph.errors import ConfigurationError
from dws_graph.model.secrets import scrub_text

IN_IMAGE = "/src/python/wheels"  # while it is built
OWN = "dws-graph"
INSTEAD = "Or name them yourself: --requirements FILE"
_LOCKS = {
    "Pipfile.lock": "pipenv requirements",
    "pdm.lock": "pdm export",
    "poetry.lock": "poetry export",
    "pylock.toml": "uv export --format requirements-txt",
    "pyproject.toml": "pip freeze",
    "uv.lock": "uv export --format requirements-txt",
}
_OTHER_FILES = re.compile(
    r"-[rce]|--(?:requirement|constraint|editable)\b"
    r"|(?:-f|--find-links)[\s=]*(?!https?:|[\s=])"
    r"|\.{0,2}/|~|file:|[^#]*@\s*(?:file:|\.{0,2}/)"
    r"|[^\s\[;@:]+(?:\.whl|\.tar\.gz|\.zip)\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_OF_THE_SYSTEM = "dist-packages"  # where Debian's own packages are


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package as it came here.

    Attributes:
        name: In its normal form.
        version: Of it.
        line: What pip is told; empty where it becomes a wheel.
        folder: That it was installed from, and becomes a wheel.
        file: A wheel or archive that it was installed from.
    """

    name: str
    version: str
    line: str = ""
    folder: Path | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Packages:
    """What pip is to install.

    Attributes:
        own: dws-graph.
        others: All others that are installed here; none where a file names what is needed.
        file: What that file says.
        left_out: Packages of the system's own package manager.
    """

    own: Package
    others: tuple[Package, ...] = ()
    file: str = ""
    left_out: tuple[str, ...] = ()

    def lacking(self, wanted: Iterable[str]) -> list[str]:
        """Of packages as `name==version`, those that are not among these.

        Of dws-graph and pip any version does; what is left out is told of elsewhere.
        """
        here = {(package.name, package.version) for package in self.others}
        any_does = {OWN, "pip", *self.left_out}
        split = [(text, *text.partition("==")[::2]) for text in wanted]
        named = [(text, _normal(name), version) for text, name, version in split]
        return [t for t, name, v in named if (name, v) not in here and name not in any_does]

    @property
    def complete(self) -> bool:
        """Whether they are all that is needed, or pip is to find what they need."""
        return not self.file


def python_version() -> str:
    """That of the Python which runs this, as `3.13`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def installed_packages() -> Packages:
    """What is installed for the Python which runs this, each as it came there.

    Raises:
        ConfigurationError: A package came from a place that is gone, or whose URL has a password.
    """
    found, left_out = _all_installed()
    own = found.pop(OWN, None) or _own()
    others = tuple(found[name] for name in sorted(found))
    return Packages(own=own, others=others, left_out=tuple(left_out))


def packages_of(file: Path) -> Packages:
    """What a requirements file names, and dws-graph as it is installed here.

    Raises:
        ConfigurationError: It cannot be read, is no requirements file, names files of this
            machine, or holds a password.
    """
    if file.name in _LOCKS:
        raise ConfigurationError(
            f"{file} is not in the format of pip",
            hint=f"Type: {_LOCKS[file.name]} > requirements.txt, and give that file.",
        )
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        why = e.strerror if isinstance(e, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"{file} cannot be read: {why}") from e
    for number, line in enumerate(text.splitlines(), 1):
        _check_line(f"line {number} of {file}", _COMMENT.sub("", line).strip())
    return Packages(own=_own(), file=text or "\n")


def put_packages(packages: Packages, folder: Path) -> None:
    """Write what pip is told, and the wheels that it is to find, into a folder.

    Raises:
        ConfigurationError: A wheel cannot be made; names its package.
    """
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    lines = [_put(package, wheels) for package in packages.others]
    text = packages.file or "".join(f"{line}\n" for line in lines)
    (folder / "requirements.txt").write_text(text, encoding="utf-8")
    (folder / "dws.txt").write_text(f"{_put(packages.own, wheels)}\n", encoding="utf-8")


def _put(package: Package, wheels: Path) -> str:
    """What pip is told of a package, whose wheel or archive is put into a folder."""
    if package.file is not None:
        shutil.copyfile(package.file, wheels / package.file.name)
    if package.folder is None:
        return package.line
    name = _wheel(package.name, package.folder, wheels)
    return f"{package.name} @ file://{IN_IMAGE}/{name}"


def _check_line(where: str, line: str) -> None:
    if scrub_text(line) != line:
        raise ConfigurationError(
            f"{where} holds a password or token, which must not go into an image",
            hint="Leave it out; PIP_INDEX_URL may name an index.",
        )
    if _OTHER_FILES.match(line):
        raise ConfigurationError(
            f"{where} names a file or folder of this machine: {line}",
            hint="Give a file that names packages alone: pip freeze, or pip-compile, writes one.",
        )


def _all_installed() -> tuple[dict[str, Package], list[str]]:
    found: dict[str, Package] = {}
    left_out: list[str] = []
    for dist in metadata.distributions():
        name = _normal(dist.metadata["Name"] or "")
        if not name or name == "pip" or name in found:
            continue
        if _OF_THE_SYSTEM in Path(str(dist.locate_file(""))).parts and not _installer(dist):
            left_out.append(name)
        else:
            found[name] = _found(dist)
    return found, sorted(left_out)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installer(dist: metadata.Distribution) -> str:
    said = (dist.read_text("INSTALLER") or "").strip()
    return "" if said == "debian" else said


def _found(dist: metadata.Distribution) -> Package:
    """A package as it came here; see PEP 610."""
    name, version = _normal(dist.metadata["Name"]), dist.version
    pinned = Package(name, version, f"{name}=={version}")
    raw = dist.read_text("direct_url.json")
    if not raw or _installer(dist) == "conda":  # whose folders are those where it was built
        return pinned
    origin: dict[str, Any] = json.loads(raw)
    url = str(origin.get("url", ""))
    if scrub_text(url) != url:
        raise ConfigurationError(
            f"the package {name} was installed from {scrub_text(url)}, with a password, which "
            "must not go into an image",
            hint=f"Install it without one. {INSTEAD}.",
        )
    if vcs := origin.get("vcs_info"):
        return Package(name, version, f"{name} @ {vcs['vcs']}+{url}@{vcs['commit_id']}")
    if not url.startswith("file:"):
        return Package(name, version, f"{name} @ {url}")
    path = Path(unquote(urlsplit(url).path))
    if path.is_dir():
        return Package(name, version, folder=path)
    if path.is_file():
        return Package(name, version, f"{name} @ file://{IN_IMAGE}/{path.name}", file=path)
    raise ConfigurationError(
        f"the package {name} was installed from {path}, which is gone",
        hint=f"Install it again. {INSTEAD}.",
    )


def _own() -> Package:
    try:
        return _found(metadata.distribution(OWN))
    except metadata.PackageNotFoundError:
        raise ConfigurationError(
            f"{OWN} itself is not installed for {sys.executable}, only found in a folder",
            hint="Install it there: pip install FOLDER.",
        ) from None


def _wheel(name: str, source: Path, folder: Path) -> str:
    """Build a wheel from a folder; its file's name."""
    if util.find_spec("pip") is None:
        raise ConfigurationError(
            f"the package {name} was installed from {source}, and there is no pip here to build it",
            hint=f"Type: {sys.executable} -m ensurepip. {INSTEAD}.",
        )
    said = ""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        target = Path(made)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
        # with the build tools that are installed, else with those that it names, from an index
        for isolated in (["--no-build-isolation"], []):
            built = subprocess.run(  # noqa: S603  # a list; a folder that pip itself has recorded
                [*command, str(target), *isolated, "--", str(source)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
            wheels = sorted(target.glob("*.whl"))
            if built.returncode == 0 and wheels:
                shutil.move(wheels[0], folder / wheels[0].name)
                return wheels[0].name
            said = scrub_text((built.stderr.strip().splitlines() or ["nothing"])[-1])
    raise ConfigurationError(
        f"no wheel of the package {name} can be built from {source}; pip said: {said}",
        hint=f"Try it: {sys.executable} -m pip wheel --no-deps {source}. {INSTEAD}.",
    )
