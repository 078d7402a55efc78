"""Certificates: the state of a ref at one time.

`Certificate` is what facts and views hold, with an id of its own. `HashCertificate` and
`PlaceholderCertificate` are what lineage files of Data Workspaces 1.6 hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dws_graph.errors import JsonValueError
from dws_graph.model.ids import node_id
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, take, take_or

Kind = Literal["input", "output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HashCertificate:
    """The state of `ref` when its content is known."""

    ref: ResourceRef
    hashval: str  # lower-case hex, of the whole resource
    comment: str = ""
    subpath_hash: str | None = None  # of the subpath alone, where the resource can tell

    def to_json(self) -> Json:
        """As in lineage files."""
        cert = {"cert_type": "hash", "hashval": self.hashval, "comment": self.comment}
        if self.subpath_hash is not None:
            cert["subpath_hash"] = self.subpath_hash
        return {**self.ref.to_json(), "certificate": cert}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceholderCertificate:
    """The state of `ref` before it is hashed; an output's when a step wrote it."""

    ref: ResourceRef
    version: int
    is_output: bool
    comment: str = ""

    def to_json(self) -> Json:
        """As in lineage files."""
        cert = {
            "cert_type": "placeholder",
            "version": self.version,
            "comment": self.comment,
            "is_output": self.is_output,
        }
        return {**self.ref.to_json(), "certificate": cert}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate as facts and views know it.

    Attributes:
        id: UUIDv7 for what began as a placeholder, else derived from ref and hash.
        ref: What it is about.
        hash: Of the whole resource; None for a placeholder.
        subpath_hash: Of the subpath alone, where the resource can tell.
        version: Counts a ref's placeholders, for people; None for what never was one.
        kind: Whether a placeholder began as a step's input or output.
        superseded: Its content was replaced before any snapshot: never hashed.
        instance: The copy of the workspace that made the placeholder.
        comment: For people.
    """

    id: str
    ref: ResourceRef
    hash: str | None = None
    subpath_hash: str | None = None
    version: int | None = None
    kind: Kind | None = None
    superseded: bool = False
    instance: str | None = None
    comment: str = ""

    @property
    def content(self) -> str:
        """What equality of versions is judged by: the subpath's hash, the hash, else the id."""
        return self.subpath_hash or self.hash or self.id

    @property
    def status(self) -> Literal["hashed", "pending", "not kept"]:
        """Where it stands: hashed, waiting for a snapshot, or lost before one."""
        if self.hash is not None:
            return "hashed"
        return "not kept" if self.superseded else "pending"

    def same_version(self, other: Certificate) -> bool:
        """Whether both name the same content of one ref."""
        if self.id == other.id:
            return True
        if self.ref != other.ref or self.hash is None or other.hash is None:
            return False
        if self.subpath_hash is not None and other.subpath_hash is not None:
            return self.subpath_hash == other.subpath_hash
        return self.hash == other.hash

    def for_file(self) -> HashCertificate | PlaceholderCertificate:
        """As lineage files hold it."""
        if self.hash is not None:
            return HashCertificate(
                ref=self.ref,
                hashval=self.hash,
                comment=self.comment,
                subpath_hash=self.subpath_hash,
            )
        return PlaceholderCertificate(
            ref=self.ref,
            version=self.version or 0,
            is_output=self.kind == "output",
            comment=self.comment,
        )

    def to_json(self) -> Json:
        """As facts hold it: what is not known is left out."""
        obj: Json = {"id": self.id, "resource": self.ref.name, "subpath": self.ref.subpath}
        for key in ("hash", "subpath_hash", "version", "kind", "instance", "comment"):
            if value := getattr(self, key):
                obj[key] = value
        if self.superseded:
            obj["superseded"] = True
        return obj

    @classmethod
    def from_json(cls, obj: Json) -> Certificate:
        """From a fact."""
        kind = take_or(obj, "kind", str)
        if kind not in (None, "input", "output"):
            raise JsonValueError(f"'kind' is '{kind}', not input or output", key="kind")
        return cls(
            id=take(obj, "id", str),
            ref=ResourceRef(take(obj, "resource", str), take_or(obj, "subpath", str)),
            hash=take_or(obj, "hash", str),
            subpath_hash=take_or(obj, "subpath_hash", str),
            version=take_or(obj, "version", int),
            kind=kind,  # type: ignore[arg-type]  # checked above
            superseded=bool(obj.get("superseded", False)),
            instance=take_or(obj, "instance", str),
            comment=take_or(obj, "comment", str) or "",
        )


def hashed(
    workspace: str, ref: ResourceRef, hashval: str, subpath_hash: str | None, comment: str = ""
) -> Certificate:
    """The certificate of content that no step wrote: any instance gives it the same id."""
    return Certificate(
        id=node_id(workspace, "HashCertificate", ref.name, ref.subpath, hashval),
        ref=ref,
        hash=hashval,
        subpath_hash=subpath_hash,
        comment=comment,
    )
