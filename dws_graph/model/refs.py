"""What a piece of lineage is about: a resource, or a path within one."""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from dws_graph.errors import ConfigurationError
from dws_graph.model.values import Json, clean_text, take, take_or


class ResourceRef(NamedTuple):
    """A resource, or a path within it.

    Attributes:
        name: The resource's name.
        subpath: A path within it with `/` between its parts, or None for the whole resource.
    """

    name: str
    subpath: str | None = None

    def covers(self, other: ResourceRef) -> bool:
        """Whether `other` is a proper part of this ref, by whole path parts."""
        if self.name != other.name or other.subpath is None:
            return False
        return self.subpath is None or other.subpath.startswith(self.subpath + "/")

    def touches(self, other: ResourceRef) -> bool:
        """Whether the two refs share content: equal, or one covers the other."""
        return self == other or self.covers(other) or other.covers(self)

    def recorded(self) -> ResourceRef:
        r"""The ref as facts hold it: each byte of a name that is not UTF-8 as `\xNN`."""
        return self if self.subpath is None else self._replace(subpath=clean_text(self.subpath))

    def to_json(self) -> Json:
        """As in lineage files."""
        return {"resource_name": self.name, "subpath": self.subpath}

    @classmethod
    def from_json(cls, obj: Json) -> ResourceRef:
        """From a lineage file."""
        return cls(take(obj, "resource_name", str), take_or(obj, "subpath", str) or None)

    @classmethod
    def parse(cls, text: str) -> ResourceRef:
        """From `resource` or `resource:/sub/path`."""
        name, sep, subpath = text.partition(":/")
        return cls(name, normal_subpath(subpath) if sep else None)

    def __str__(self) -> str:
        return self.name if self.subpath is None else f"{self.name}:/{self.subpath}"


def normal_subpath(path: str) -> str | None:
    r"""A path within a resource in its one form; None for the resource's root.

    A byte of a name that is not UTF-8 becomes the four characters `\xNN`, as everywhere in facts.

    Raises:
        ConfigurationError: It leads out of the resource.
    """
    if path in ("", ".", "/"):
        return None
    normal = posixpath.normpath(path.lstrip("/"))
    if normal == ".." or normal.startswith("../"):
        raise ConfigurationError(
            f"the path '{path}' leads out of its resource", hint="Name a path inside the resource."
        )
    return None if normal == "." else clean_text(normal)


def first_overlap(refs: list[ResourceRef]) -> tuple[ResourceRef, ResourceRef] | None:
    """The first two refs of which one covers the other; None when there are none.

    In one sorted walk, since a step may name thousands of files.
    """
    ordered = sorted(set(refs), key=lambda r: (r.name, (r.subpath or "").split("/")))
    open_refs: list[ResourceRef] = []
    for ref in ordered:
        while open_refs and not open_refs[-1].covers(ref):
            open_refs.pop()
        if open_refs:
            return open_refs[-1], ref
        open_refs.append(ref)
    return None
