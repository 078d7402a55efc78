"""Nodes of a subgraph, from what the views keep of steps and certificates."""

from __future__ import annotations

from dws_graph.backends.decoding import parsed
from dws_graph.backends.views import UNKNOWN
from dws_graph.model.certificates import Certificate
from dws_graph.model.subgraph import Node
from dws_graph.model.values import Json


def is_complete(cert: Certificate) -> bool:
    """Whether a certificate is described here, and its content kept or not yet hashed."""
    return cert.ref != UNKNOWN and cert.status != "not kept"


def certificate_node(
    cert: Certificate, workspace: str | None, role: str | None, *, produced: bool, retracted: bool
) -> Node:
    """A certificate as a node.

    Args:
        cert: The certificate.
        workspace: Whose it is; None for one that nobody here describes.
        role: Of its resource, where known.
        produced: Whether a step wrote it.
        retracted: Whether only a retracted step did.
    """
    properties = {
        "workspace": workspace,
        "resource": cert.ref.name,
        "subpath": cert.ref.subpath,
        "hash": cert.hash,
        "version": cert.version,
        "status": cert.status,
        "role": role,
        "produced": produced,
    }
    if retracted:
        properties["retracted"] = True
    return Node(key=cert.id, kind="certificate", name=str(cert.ref), properties=properties)


def step_node(key: str, obj: Json) -> Node:
    """A step as a node, from the properties that the graph has of it."""
    properties = {
        "workspace": obj.get("workspace"),
        "start_time": obj.get("start_time"),
        "execution_time_seconds": obj.get("execution_time_seconds"),
        "parameters": parsed(obj.get("parameters")) or {},
        "metrics": parsed(obj.get("metrics")) or {},
        "command_line": parsed(obj.get("command_line")),
        "instance": obj.get("instance"),
        "status": obj.get("status"),
    }
    return Node(key=key, kind="step", name=str(obj.get("name", "")), properties=properties)
