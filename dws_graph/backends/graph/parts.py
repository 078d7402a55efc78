"""The Cypher that keeps workspaces apart in one Neo4j: whose turn it is, and whose a node is.

A node belongs to the workspace that its property `workspace` names. A workspace also *holds* what
its facts name of others (imported lineage, certificates that no fact here describes): an edge
`HOLDS` from its `Turn`, with what they tell of it. Source: docs/formats.md, "Views".
"""

from __future__ import annotations

from dws_graph.backends.graph.texts import OWN_LABELS

# The write takes the workspace's lock: clients fold it one after the other.
TAKE_TURN = """
MERGE (t:Turn {id: $workspace})
SET t.kept = $kept
RETURN coalesce(t.dropping, false) AS dropping
"""
# Setting a property to what it is takes the lock as well.
TAKE_ANOTHERS_TURN = """
MERGE (t:Turn {id: $workspace})
SET t.id = t.id
"""
APPLIED_TO = """
UNWIND $rows AS r
MATCH (a:Applied {id: r.id})
RETURN a.workspace AS workspace, a.instance AS instance, a.seq AS seq, a.hash AS hash,
    a.offset AS offset
"""
APPLIED_OF = """
MATCH (a:Applied) WHERE a.workspace = $workspace
RETURN a.workspace AS workspace, a.instance AS instance, a.seq AS seq, a.hash AS hash,
    a.offset AS offset
"""

_HOLD = """
UNWIND $rows AS r
MATCH (n:<label> {id: r.id})
WHERE n.workspace IS NULL OR n.workspace <> r.workspace
MATCH (t:Turn {id: r.workspace})
MERGE (t)-[h:HOLDS]->(n)
WITH h, r WHERE h.told IS NULL OR h.at < r.at
SET h.at = r.at SET h.label = r.label SET h.told = r.told
"""
HOLD = {label: _HOLD.replace("<label>", label) for label in OWN_LABELS}

_OWN_IDS = "MATCH (n:<label>) WHERE n.workspace = $workspace RETURN n.id AS id"
OWN_IDS = {
    label: _OWN_IDS.replace("<label>", label) for label in sorted(OWN_LABELS - {"Workspace"})
}
OWN_IDS["Workspace"] = "MATCH (n:Workspace {id: $workspace}) RETURN n.id AS id"
HELD_IDS = """
MATCH (:Turn {id: $workspace})-[:HOLDS]->(n)
RETURN labels(n) AS labels, n.id AS id,
    CASE WHEN n:Workspace THEN n.id ELSE n.workspace END AS workspace
"""

# Dropping: steps before certificates, so that no node has many edges when its turn comes.
DROPPED = (
    *("Retraction", "Step", "Snapshot", "Tag", "Certificate"),
    *("Ref", "Resource", "Environment", "Workspace"),
)
BEGIN_DROP = """
MATCH (t:Turn {id: $workspace})
SET t.dropping = true
"""
FORGET_APPLIED = "MATCH (a:Applied) WHERE a.workspace = $workspace DELETE a"
# What another workspace holds stays, without what its own instances said is current.
_DROP_OWN = """
UNWIND $rows AS r
MATCH (n:<label> {id: r.id})
WHERE NOT EXISTS { MATCH (t:Turn)-[:HOLDS]->(n) WHERE t.id <> r.workspace }
DETACH DELETE n
"""
DROP_OWN = {label: _DROP_OWN.replace("<label>", label) for label in OWN_LABELS}
NOT_CURRENT = """
UNWIND $rows AS r
MATCH (n:Ref {id: r.id})-[e:CURRENT]->(:Certificate)
DELETE e
"""
_LET_GO = """
UNWIND $rows AS r
MATCH (t:Turn {id: r.workspace})-[h:HOLDS]->(n:<label> {id: r.id})
DELETE h
"""
# What was held goes, unless another holds it, or the workspace it is of is kept here itself.
_DROP_HELD = """
UNWIND $rows AS r
MATCH (n:<label> {id: r.id})
WHERE NOT EXISTS { MATCH (:Turn)-[:HOLDS]->(n) }
OPTIONAL MATCH (own:Turn {id: coalesce(n.workspace, <whose>)}) WHERE own.kept
WITH n, own WHERE own IS NULL
DETACH DELETE n
"""
_WHOSE = {label: "''" for label in OWN_LABELS} | {"Workspace": "n.id"}
LET_GO = {label: _LET_GO.replace("<label>", label) for label in OWN_LABELS}
DROP_HELD = {
    label: _DROP_HELD.replace("<label>", label).replace("<whose>", whose)
    for label, whose in _WHOSE.items()
}
# What is left says what its holders were told: of its own workspace only they know now.
_TOLD = """
UNWIND $rows AS r
MATCH (n:<label> {id: r.id})<-[h:HOLDS]-(t:Turn)
WHERE t.id <> r.workspace AND h.told IS NOT NULL<more>
WITH n, h ORDER BY h.at DESC
RETURN n.id AS id, collect([h.label, h.told])[0] AS told
"""
_NOT_OWN = " AND n.instance IS NULL AND (n.at IS NULL OR n.at STARTS WITH '-')"
TOLD_OF_OWN = {label: _TOLD.replace("<label>", label).replace("<more>", "") for label in OWN_LABELS}
TOLD = {label: _TOLD.replace("<label>", label).replace("<more>", _NOT_OWN) for label in OWN_LABELS}
_TELL = """
UNWIND $rows AS r
MATCH (n:<label> {id: r.id})
SET n = r.props<more>
"""
_MORE = {
    "Certificate": " REMOVE n:HashCertificate REMOVE n:PlaceholderCertificate",
    "HashCertificate": " SET n:HashCertificate REMOVE n:PlaceholderCertificate",
    "PlaceholderCertificate": " SET n:PlaceholderCertificate REMOVE n:HashCertificate",
    "Step": """
SET n.retracted = CASE WHEN EXISTS { MATCH (:Retraction)-[:RETRACTS]->(n) } THEN true END""",
}
TELL = {
    label: _TELL.replace(
        "<label>", "Certificate" if label.endswith("Certificate") else label
    ).replace("<more>", _MORE.get(label, ""))
    for label in {*OWN_LABELS, *_MORE}
}
_UNRETRACT_READ = """
UNWIND $rows AS r
MATCH (s:Step {id: r.id})<-[e:RETRACTED_<type>]-(c:Certificate)
WHERE s.retracted IS NULL
MERGE (c)-[:<type>]->(s)
DELETE e
"""
UNRETRACT = [
    _UNRETRACT_READ.replace("<type>", "READ_BY"),
    _UNRETRACT_READ.replace("<type>", "CODE_OF"),
    """
UNWIND $rows AS r
MATCH (s:Step {id: r.id})-[e:RETRACTED_WROTE]->(c:Certificate)
WHERE s.retracted IS NULL
MERGE (s)-[:WROTE]->(c)
DELETE e
""",
]
END_DROP = """
MATCH (t:Turn {id: $workspace})
REMOVE t.dropping
"""
