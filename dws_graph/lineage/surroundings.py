"""What a step runs in: Python, platform, installed packages, and the code's commit."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata

from dws_graph.backends.git.command import Git
from dws_graph.errors import PathNotAResourceError
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, clean_text
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.workspace.opened import OpenWorkspace


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment of this process.

    Attributes:
        hash: SHA-256 of the rest.
        python: Version of Python.
        platform: As `platform.platform()`.
        packages: `name==version`, sorted.
    """

    hash: str
    python: str
    platform: str
    packages: tuple[str, ...]

    def to_json(self) -> Json:
        """The body of `EnvironmentSeen`."""
        return {
            "hash": self.hash,
            "python": self.python,
            "platform": self.platform,
            "packages": list(self.packages),
        }


@lru_cache(maxsize=1)
def surroundings() -> Surroundings:
    """The environment of this process, found once."""
    names = {
        (dist.metadata["Name"] or "").lower().replace("_", "-"): dist.version
        for dist in metadata.distributions()
    }
    packages = tuple(f"{name}=={version}" for name, version in sorted(names.items()) if name)
    about = (platform.python_version(), platform.platform(), packages)
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    return Surroundings(digest, *about)


def code_commit(ws: OpenWorkspace, code: Sequence[ResourceRef]) -> str | None:
    """The commit that the repository of the first code resource is at."""
    for ref in code:
        resource = ws.get_resource(ref.name)
        if isinstance(resource, GitSubdirectoryResource):
            return ws.git.head()
        if isinstance(resource, GitResource) and resource.local_path is not None:
            return Git(resource.local_path).head()
    return None


def run_from(ws: OpenWorkspace) -> list[str | None] | None:
    """[resource, subpath] of this directory; None: it lies in no resource."""
    try:
        name, subpath = ws.map_local_path_to_resource(os.curdir)
    except PathNotAResourceError:
        return None
    return [name, None if subpath is None else clean_text(subpath)]
