"""What a fact writes into any view: rows, the same for SQL and Cypher.

A view applies the rows of a batch of facts in the order of the fields of `Rows`; a later row for
the same id wins where `at` says so. Source: docs/formats.md, "Folding".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from dws_graph.model.values import Json

READS = ("READ_BY", "CODE_OF")
RETRACTED = {kind: f"RETRACTED_{kind}" for kind in (*READS, "WROTE")}


class NodeRow(NamedTuple):
    """A node and its properties (`id` is one of them)."""

    label: str
    id: str
    props: Json


class EdgeRow(NamedTuple):
    """An edge; both ends are among the nodes of the same rows."""

    type: str
    src: str
    dst: str


class CurrentRow(NamedTuple):
    """The current certificate of a ref in an instance; None: its state is unknown."""

    ref: str
    instance: str
    certificate: str | None


@dataclass(slots=True)
class Rows:
    """The rows of one fact, or of several in order.

    Attributes:
        bare: Ids of certificates that other rows name and nobody here describes.
        identities: Nodes known by their identity alone (Workspace, Resource, Ref, Environment):
            made when missing, else left as they are.
        shared: Nodes that several instances describe (Resource, Environment, Snapshot, Tag,
            Retraction, Workspace, and `HashCertificate`): `props["at"]` is a fact's id; the row
            replaces the whole property map when `at` is greater than the node's.
        imported: Nodes of another workspace (Workspace, Resource, Step, `HashCertificate`,
            `PlaceholderCertificate`) as its `lineage.json` told them: as `shared`, but what their
            own workspace says of them wins; their `at` is below that of any fact.
        own: Nodes that one instance describes (Step): properties are added, in order; another
            instance may add `retracted`, which stays.
        placeholders: Certificates (label `PlaceholderCertificate`) of one instance; not applied
            to one that has a hash already.
        edges: Idempotent.
        current: Replaces what was current for that ref and instance.
        superseded: Ids of placeholders that will never have a hash.
        keep: Placeholders that get a hash and stay (what a step wrote):
            properties `hash`, `subpath_hash` (when known), `id`.
        merge: (placeholder, certificate): the first's `READ_BY` and `CODE_OF` edges (also those
            of retracted steps) go to the second, and it is deleted.
        retracted: Ids of steps; their `READ_BY`, `CODE_OF` and `WROTE` edges become
            `RETRACTED_READ_BY` and so on, as do those of later rows.
        refs: Ids of the refs that have all their rows already.
    """

    bare: list[str] = field(default_factory=list)
    identities: list[NodeRow] = field(default_factory=list)
    shared: list[NodeRow] = field(default_factory=list)
    imported: list[NodeRow] = field(default_factory=list)
    own: list[NodeRow] = field(default_factory=list)
    placeholders: list[NodeRow] = field(default_factory=list)
    edges: list[EdgeRow] = field(default_factory=list)
    current: list[CurrentRow] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    keep: list[Json] = field(default_factory=list)
    merge: list[tuple[str, str]] = field(default_factory=list)
    retracted: list[str] = field(default_factory=list)
    refs: set[str] = field(default_factory=set, compare=False)

    def steps(self) -> set[str]:
        """The steps of which the rows tell anything."""
        told = (*self.own, *self.identities, *self.imported)
        return {row.id for row in told if row.label == "Step"}

    def workspaces(self) -> set[str]:
        """Those whose nodes the rows describe, or name by their identity."""
        told = (*self.identities, *self.imported)
        return {row.props["workspace"] for row in told if row.label != "Workspace"} | {
            row.id for row in told if row.label == "Workspace"
        }


def once(total: Rows) -> Rows:
    """The rows of a batch, each node and edge once.

    Of shared nodes the one with the greatest `at` stays; of a ref's current certificates the last.
    A placeholder that the batch itself makes and merges is not made: it is what it becomes.
    """
    _merge(total)
    total.bare = list(dict.fromkeys(total.bare))
    total.identities = list({(r.label, r.id): r for r in total.identities}.values())
    total.edges = list(dict.fromkeys(total.edges))
    total.current = list({(r.ref, r.instance): r for r in total.current}.values())
    total.superseded = list(dict.fromkeys(total.superseded))
    total.retracted = list(dict.fromkeys(total.retracted))
    total.shared = _newest(total.shared)
    total.imported = _newest(total.imported)
    merged: dict[str, NodeRow] = {}
    for row in total.own:
        earlier = merged.get(row.id)
        props = {**earlier.props, **row.props} if earlier else row.props
        merged[row.id] = NodeRow(row.label, row.id, props)
    total.own = list(merged.values())
    return total


def _merge(total: Rows) -> None:
    """Its rows are left out but `merge`, since an import may have told of it before."""
    made = {row.id for row in total.placeholders}
    became = {gone: into for gone, into in total.merge if gone in made}
    if not became:
        return
    total.bare = [key for key in total.bare if key not in became]
    total.placeholders = [row for row in total.placeholders if row.id not in became]
    total.superseded = [key for key in total.superseded if key not in became]
    total.edges = [
        e._replace(src=became.get(e.src, e.src))
        for e in total.edges
        if e.type in READS or (e.src not in became and e.dst not in became)
    ]
    total.current = [
        row._replace(certificate=None) if row.certificate in became else row
        for row in total.current
    ]


def _newest(rows: Iterable[NodeRow]) -> list[NodeRow]:
    """Of each node the row with the greatest `at`."""
    newest: dict[tuple[str, str], NodeRow] = {}
    for row in rows:
        key = (row.label, row.id)
        if key not in newest or newest[key].props["at"] < row.props["at"]:
            newest[key] = row
    return list(newest.values())
