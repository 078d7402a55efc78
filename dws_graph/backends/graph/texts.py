"""The Cypher that writes facts and dumps the graph; kglite and Neo4j run it unchanged.

Every text that takes values begins with `UNWIND $rows`. Labels, types and property names are
literals; every value is a parameter. A certificate is always found as `:Certificate` (its second
label alone would be a scan). Source: docs/formats.md, "Folding".
"""

from __future__ import annotations

IDENTITY_LABELS = ("Workspace", "Resource", "Ref", "Environment", "Snapshot", "Step")
SHARED_LABELS = ("Workspace", "Resource", "Environment", "Snapshot", "Tag", "Retraction")
EDGE_ENDS = {
    "READ_BY": ("Certificate", "Step"),
    "CODE_OF": ("Certificate", "Step"),
    "RETRACTED_READ_BY": ("Certificate", "Step"),
    "RETRACTED_CODE_OF": ("Certificate", "Step"),
    "WROTE": ("Step", "Certificate"),
    "STATE_OF": ("Certificate", "Ref"),
    "PART_OF": ("Ref", "Resource"),
    "IN": ("Resource", "Workspace"),
    "RAN_IN": ("Step", "Environment"),
    "OF": ("Snapshot", "Workspace"),
    "CONTAINS": ("Snapshot", "Certificate"),
    "IMPORTED_AS": ("Certificate", "Certificate"),
    "RETRACTS": ("Retraction", "Step"),
}

BARE = """
UNWIND $rows AS r
MERGE (c:Certificate {id: r.id})
"""

_IDENTITY = """
UNWIND $rows AS r
MERGE (n:<label> {id: r.id}) ON CREATE SET n += r.props
"""
IDENTITY = {label: _IDENTITY.replace("<label>", label) for label in IDENTITY_LABELS}

_SHARED = """
UNWIND $rows AS r
MERGE (n:<label> {id: r.id})
WITH n, r WHERE coalesce(n.at, '') < r.at
SET n = r.props
"""
SHARED = {label: _SHARED.replace("<label>", label) for label in SHARED_LABELS}
SHARED["HashCertificate"] = """
UNWIND $rows AS r
MERGE (n:Certificate {id: r.id})
WITH n, r WHERE coalesce(n.at, '') < r.at
SET n = r.props SET n:HashCertificate
"""

# What a workspace itself tells of a node (it has an instance then) stays, whatever others told.
_IMPORTED = """
UNWIND $rows AS r
MERGE (n:<label> {id: r.id})
WITH n, r WHERE n.instance IS NULL AND coalesce(n.at, '') < r.at
SET n = r.props<more>
"""
IMPORTED = {
    "Workspace": _IMPORTED.replace("<label>", "Workspace").replace("<more>", ""),
    "Resource": _IMPORTED.replace("<label>", "Resource").replace("<more>", ""),
    "HashCertificate": _IMPORTED.replace("<label>", "Certificate").replace(
        "<more>", " SET n:HashCertificate REMOVE n:PlaceholderCertificate"
    ),
    "PlaceholderCertificate": _IMPORTED.replace("<label>", "Certificate").replace(
        "<more>", " SET n:PlaceholderCertificate"
    ),
    "Step": """
UNWIND $rows AS r
MERGE (n:Step {id: r.id})
WITH n, r, n.retracted AS retracted WHERE n.instance IS NULL AND coalesce(n.at, '') < r.at
SET n = r.props
SET n.retracted = retracted
""",
}
# A step that was imported before its own workspace told of it.
OWN_AT_LAST = """
UNWIND $rows AS r
MATCH (n:Step {id: r.id})
WITH n, n.workspace AS workspace, n.retracted AS retracted, n.at AS at, r
WHERE at IS NOT NULL
SET n = r.props
SET n.workspace = workspace
SET n.retracted = retracted
"""

OWN = {
    "Step": """
UNWIND $rows AS r
MERGE (n:Step {id: r.id})
SET n += r.props
"""
}

PLACEHOLDER = """
UNWIND $rows AS r
MERGE (c:Certificate {id: r.id})
WITH c, r, c.workspace IS NOT NULL AS known WHERE c.hash IS NULL
SET c += r.props SET c:PlaceholderCertificate
RETURN count(*) AS found, collect(CASE WHEN known THEN r.id END) AS known
"""

PLACEHOLDER_AT_LAST = """
UNWIND $rows AS r
MATCH (c:Certificate {id: r.id})
WITH c, r, c.at AS at, c.hash AS hash WHERE hash IS NOT NULL AND at STARTS WITH '-'
SET c += r.props
"""

# A row has one end, which many edges of a batch have in common, and the list of their others.
BY_TARGET = frozenset({"READ_BY", "RETRACTED_READ_BY", "STATE_OF", "PART_OF", "IN", "RAN_IN", "OF"})
_EDGES = """
UNWIND $rows AS r
MATCH (<end> {id: r.id})
UNWIND r.others AS other
MATCH (<other> {id: other})
<make> (a)-[:<type>]->(b)
RETURN count(*) AS found
"""


def _edges(make: str, kind: str) -> str:
    source, target = EDGE_ENDS[kind]
    ends = [f"a:{source}", f"b:{target}"]
    end, other = reversed(ends) if kind in BY_TARGET else ends
    text = _EDGES.replace("<end>", end).replace("<other>", other)
    return text.replace("<make>", make).replace("<type>", kind)


# MERGE looks through all edges of one end, and a certificate may be read by every step there is,
# as an environment may be that of each: edges of a new step, or of a new placeholder to its ref,
# are made without looking; those that a step which was there before may have are looked for from
# the step.
READING = ("READ_BY", "CODE_OF", "RETRACTED_READ_BY", "RETRACTED_CODE_OF")
OF_STEPS = frozenset({*READING, "RAN_IN", "WROTE"})
EDGE = {kind: _edges("MERGE", kind) for kind in EDGE_ENDS if kind not in READING}
EDGE_NOW = {kind: _edges("CREATE", kind) for kind in (*OF_STEPS, "STATE_OF")}
_READ = """
UNWIND $rows AS r
MATCH (s:Step {id: r.id})<-[:<type>]-(c:Certificate)
RETURN c.id AS src, s.id AS dst
"""
READ = {kind: _READ.replace("<type>", kind) for kind in READING}

UNCURRENT = """
UNWIND $rows AS r
MATCH (f:Ref {id: r.ref})-[e:CURRENT]->(c:Certificate)
WHERE e.instance = r.instance
DELETE e
"""
CURRENT = """
UNWIND $rows AS r
MATCH (c:Certificate {id: r.certificate})
MATCH (f:Ref {id: r.ref})
MERGE (f)-[:CURRENT {instance: r.instance}]->(c)
RETURN count(*) AS found
"""
SUPERSEDED = """
UNWIND $rows AS r
MATCH (c:Certificate {id: r.id}) WHERE c.hash IS NULL
SET c.superseded = true
"""
KEEP = """
UNWIND $rows AS r
MATCH (c:Certificate {id: r.id})
SET c += r.props
SET c:HashCertificate
REMOVE c:PlaceholderCertificate
"""
_READERS = """
UNWIND $rows AS r
MATCH (c:Certificate {id: r.certificate})
MATCH (p:Certificate {id: r.placeholder})-[:<type>]->(s:Step)
WHERE NOT EXISTS { MATCH (c)-[:<type>]->(s) }
WITH DISTINCT c, s
CREATE (c)-[:<type>]->(s)
"""
READERS = {kind: _READERS.replace("<type>", kind) for kind in READING}
MERGED = """
UNWIND $rows AS r
MATCH (p:Certificate {id: r.placeholder})
DETACH DELETE p
"""

# A condition on `retracted` would make the engine look for it in all steps.
RETRACTED = """
UNWIND $rows AS r
MATCH (s:Step {id: r.id})
RETURN s.id AS id, s.retracted AS retracted
"""
_RETRACT_READ = """
UNWIND $rows AS r
MATCH (s:Step {id: r.id})<-[e:<type>]-(c:Certificate)
MERGE (c)-[:RETRACTED_<type>]->(s)
DELETE e
"""
RETRACT = [
    _RETRACT_READ.replace("<type>", "READ_BY"),
    _RETRACT_READ.replace("<type>", "CODE_OF"),
    """
UNWIND $rows AS r
MATCH (s:Step {id: r.id})-[e:WROTE]->(c:Certificate)
MERGE (s)-[:RETRACTED_WROTE]->(c)
DELETE e
""",
]

SNAPSHOTS_OF_TAGS = """
UNWIND $rows AS r
MATCH (t:Tag {id: r.id})
RETURN t.snapshot AS id
"""
TAGS = """
UNWIND $rows AS r
MATCH (s:Snapshot {id: r.id})
OPTIONAL MATCH (t:Tag) WHERE t.snapshot = s.id
WITH s, t ORDER BY t.tag
WITH s, collect(t.tag) AS tags
SET s.tags = tags
"""

APPLIED = """
MATCH (a:Applied)
RETURN a.workspace AS workspace, a.instance AS instance, a.seq AS seq, a.hash AS hash,
    a.offset AS offset
"""
SET_APPLIED = """
UNWIND $rows AS r
MERGE (a:Applied {id: r.id})
SET a += r.props
"""
FORGET_APPLIED = "MATCH (a:Applied) DETACH DELETE a"

OWN_LABELS = frozenset({*IDENTITY_LABELS, *SHARED_LABELS, "Certificate", "Step"})
DUMP_IDS = "MATCH (n) RETURN labels(n) AS labels, n.id AS id"
_DUMP_NODES = """
UNWIND $rows AS r
MATCH (n:<label> {id: r.id})
RETURN labels(n) AS labels, properties(n) AS properties
"""
DUMP_NODES = {label: _DUMP_NODES.replace("<label>", label) for label in OWN_LABELS}
_DUMP_EDGES = """
UNWIND $rows AS r
MATCH (a:<label> {id: r.id})-[e]->(b)
RETURN type(e) AS type, a.id AS source, b.id AS target, e.instance AS instance
"""
DUMP_EDGES = {label: _DUMP_EDGES.replace("<label>", label) for label in OWN_LABELS}
