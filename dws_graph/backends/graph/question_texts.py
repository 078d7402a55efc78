"""The Cypher of the questions: Neo4j alone runs it.

Every text starts from an index: a unique one on `id`, or one of steps by time. Labels, types and
property names are literals; every value is a parameter. Reachability is asked as sets of nodes: a
bound and `DISTINCT`, which Neo4j plans as a search that visits each node once.
"""

from __future__ import annotations

CERTIFICATES = """
UNWIND $ids AS id
MATCH (c:Certificate {id: id})
RETURN c.id AS id, properties(c) AS properties
"""
PRODUCERS = """
UNWIND $ids AS id
MATCH (c:Certificate {id: id})<-[:WROTE]-(s:Step)
RETURN c.id AS id, s.id AS step ORDER BY step
"""
RETRACTED_PRODUCERS = """
UNWIND $ids AS id
MATCH (c:Certificate {id: id})<-[:RETRACTED_WROTE]-(s:Step)
RETURN c.id AS id, s.id AS step ORDER BY step
"""
CERTIFICATES_OF = """
MATCH (f:Ref {id: $ref})<-[:STATE_OF]-(c:Certificate)
RETURN c.id AS id, properties(c) AS properties
ORDER BY coalesce(c.at, c.id) DESC, id DESC
"""
CURRENT = """
MATCH (w:Workspace {id: $workspace})<-[:IN]-(:Resource)<-[:PART_OF]-(f:Ref)
MATCH (f)-[e:CURRENT]->(c:Certificate) WHERE e.instance = $instance
RETURN f.resource AS resource, f.subpath AS subpath, c.id AS id, properties(c) AS properties
ORDER BY id
"""
WORKSPACE_NAMES = """
UNWIND $ids AS id
MATCH (w:Workspace {id: id}) WHERE w.name IS NOT NULL
RETURN w.id AS id, w.name AS name
"""
RETRACTION = "MATCH (n:Retraction {id: $id}) RETURN properties(n) AS properties"
ENVIRONMENT = "MATCH (n:Environment {id: $id}) RETURN properties(n) AS properties"
SNAPSHOT = "MATCH (n:Snapshot {id: $id}) RETURN properties(n) AS properties"
SNAPSHOTS = """
MATCH (w:Workspace {id: $workspace})<-[:OF]-(n:Snapshot)
RETURN properties(n) AS properties
ORDER BY n.timestamp, n.number, n.hash
"""

# Steps: a name is what only the fact of the step itself gives.
STEPS = """
UNWIND $ids AS id
MATCH (s:Step {id: id}) WHERE s.name IS NOT NULL
RETURN properties(s) AS properties,
    [(s)<-[:READ_BY|RETRACTED_READ_BY]-(c:Certificate) | properties(c)] AS inputs,
    [(s)<-[:CODE_OF|RETRACTED_CODE_OF]-(c:Certificate) | properties(c)] AS code,
    [(s)-[:WROTE|RETRACTED_WROTE]->(c:Certificate) | properties(c)] AS outputs
"""
STEP_KEYS = """
MATCH (s:Step)
WHERE s.id STARTS WITH $prefix AND s.workspace = $workspace AND s.name IS NOT NULL
RETURN s.id AS id ORDER BY id LIMIT $limit
"""
STARTED = "MATCH (s:Step) WHERE s.start_time >= $since AND s.start_time <= $latest"
STARTED_IN = """
MATCH (s:Step)
WHERE s.workspace = $workspace AND s.start_time >= $since AND s.start_time <= $latest
"""
NAMED_IN = """
MATCH (s:Step)
USING INDEX s:Step(workspace, name, start_time)
WHERE s.workspace = $workspace AND s.name = $name
    AND s.start_time >= $since AND s.start_time <= $latest
"""
TOUCHING = """
UNWIND $refs AS ref
MATCH (f:Ref {id: ref})<-[:STATE_OF]-(c:Certificate)
MATCH (c)-[:READ_BY|CODE_OF|WROTE|RETRACTED_READ_BY|RETRACTED_CODE_OF|RETRACTED_WROTE]-(s:Step)
WITH DISTINCT s
WHERE s.workspace = $workspace AND s.start_time >= $since AND s.start_time <= $latest
"""
# A metric that is no number here may be one that no graph database holds: it is looked at again.
CONDITIONS = {
    "name": "s.name = $name",
    "wanted": "toLower(s.name) CONTAINS $wanted",
    "status": "CASE WHEN s.retracted THEN 'retracted' ELSE s.status END = $status",
    "until": "s.start_time < $until",
    "after": "(s.start_time < $by OR s.id < $after)",
    "scalars": "all(name IN keys($scalars) WHERE s[name] = $scalars[name])",
    "metrics": """
all(m IN $metrics WHERE s[m.property] IS NOT NULL AND coalesce(CASE m.comparison
    WHEN '<' THEN s[m.property] < m.number
    WHEN '<=' THEN s[m.property] <= m.number
    WHEN '=' THEN s[m.property] <= m.number AND s[m.property] >= m.number
    WHEN '>=' THEN s[m.property] >= m.number
    WHEN '>' THEN s[m.property] > m.number
END, true))
""",
}
# In the order of the index that the step was found by, so that no more is read than is shown.
_STEP = """
RETURN s.id AS id, s.start_time AS start_time, s.parameters AS parameters, s.metrics AS metrics
"""
NEWEST = f"{_STEP}ORDER BY s.start_time DESC, s.id DESC"
NEWEST_IN = f"{_STEP}ORDER BY s.workspace DESC, s.start_time DESC, s.id DESC"
NEWEST_NAMED = f"{_STEP}ORDER BY s.workspace DESC, s.name DESC, s.start_time DESC, s.id DESC"
FEW = "LIMIT $limit"
COUNT = "RETURN count(s) AS steps"

# Reachability: data flows along the arrows, so upstream is against them.
STARTS = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})
RETURN n.id AS id
UNION
UNWIND $ids AS id
MATCH (f:Ref {id: id})<-[:STATE_OF]-(n:Certificate)
RETURN n.id AS id
"""
INCOMING = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})<-[e:READ_BY|CODE_OF|WROTE|IMPORTED_AS]-(b)
RETURN b.id AS source, type(e) AS type, n.id AS target
"""
OUTGOING = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})-[e:READ_BY|CODE_OF|WROTE|IMPORTED_AS]->(b)
RETURN n.id AS source, type(e) AS type, b.id AS target
"""
LEAVING = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})
RETURN n.id AS id, COUNT { (n)-[:READ_BY|CODE_OF|WROTE|IMPORTED_AS]->() } AS arrows
"""
ALL_UPSTREAM = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})<-[:READ_BY|CODE_OF|WROTE|IMPORTED_AS*1..1000000]-(b)
RETURN DISTINCT b.id AS id
"""
ALL_DOWNSTREAM = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})-[:READ_BY|CODE_OF|WROTE|IMPORTED_AS*1..1000000]->(b)
RETURN DISTINCT b.id AS id
"""
CERTIFICATE_NODES = """
UNWIND $ids AS id
MATCH (c:Certificate {id: id})
RETURN c.id AS id, properties(c) AS properties,
    EXISTS { (c)<-[:WROTE]-(:Step) } AS produced,
    EXISTS { (c)<-[:RETRACTED_WROTE]-(:Step) } AS retracted
"""
STEP_NODES = """
UNWIND $ids AS id
MATCH (s:Step {id: id})
RETURN s.id AS id, s {.workspace, .name, .start_time, .execution_time_seconds, .parameters,
    .metrics, .command_line, .instance, .status} AS properties
"""
ROLES = """
UNWIND $ids AS id
MATCH (r:Resource {id: id})
RETURN r.id AS id, r.role AS role
"""
# What rule 2.1 looks at: a step's input is left out when the step also wrote its ref.
WALK = """
UNWIND $ids AS id
MATCH (:Certificate {id: id})<-[:WROTE]-(s:Step)<-[:READ_BY]-(c:Certificate)
WHERE NOT EXISTS {
    MATCH (s)-[:WROTE]->(o:Certificate)
    WHERE o.workspace = c.workspace AND o.resource = c.resource
        AND coalesce(o.subpath, '') = coalesce(c.subpath, '')
}
RETURN DISTINCT c.id AS id, properties(c) AS properties, s.id AS reader
UNION
UNWIND $ids AS id
MATCH (:Certificate {id: id})<-[:IMPORTED_AS]-(c:Certificate)
RETURN DISTINCT c.id AS id, properties(c) AS properties, null AS reader
"""
TOUCHING_NODES = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})<-[e:READ_BY|CODE_OF|WROTE|IMPORTED_AS]-(b)
RETURN b.id AS source, type(e) AS type, n.id AS target
UNION ALL
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})-[e:READ_BY|CODE_OF|WROTE|IMPORTED_AS]->(b)
RETURN n.id AS source, type(e) AS type, b.id AS target
"""

# A text in names; `$first` and `$last` are one workspace's id, or below and above them all.
FIND_WORKSPACES = """
MATCH (w:Workspace)
WHERE w.id >= $first AND w.id <= $last
WITH w.id AS key, coalesce(w.name, w.id) + '' AS name
WHERE (toLower(name) CONTAINS $wanted OR key STARTS WITH $wanted)
    AND (name > $by OR (name = $by AND key > $id))
RETURN key, name, key AS workspace, '' AS time,
    CASE WHEN toLower(name) CONTAINS $wanted THEN '' ELSE key END AS matched
ORDER BY name, key LIMIT $limit
"""
FIND_RESOURCES = """
MATCH (r:Resource)
WHERE r.workspace >= $first AND r.workspace <= $last
WITH r.id AS key, r.name + '' AS name, r.workspace AS workspace
WHERE toLower(name) CONTAINS $wanted AND (name > $by OR (name = $by AND key > $id))
RETURN key, name, workspace, '' AS time
ORDER BY name, key LIMIT $limit
"""
FIND_CERTIFICATES = """
MATCH (c:Certificate)
WHERE c.hash STARTS WITH $wanted OR c.subpath_hash STARTS WITH $wanted
WITH c, CASE WHEN c.hash STARTS WITH $wanted THEN c.hash ELSE c.subpath_hash END AS matched
WHERE c.workspace >= $first AND c.workspace <= $last
    AND (matched > $by OR (matched = $by AND c.id > $id))
RETURN c.id AS key, c.resource + coalesce(':/' + c.subpath, '') AS name,
    c.workspace AS workspace, '' AS time, matched, c.hash AS hash
ORDER BY matched, key LIMIT $limit
"""
FIND_REFS = """
MATCH (f:Ref)
WHERE f.workspace >= $first AND f.workspace <= $last
WITH f, f.resource + coalesce(':/' + f.subpath, '') AS name, f.workspace AS workspace
WHERE toLower(name) CONTAINS $wanted AND (name > $by OR (name = $by AND workspace > $id))
RETURN f.id AS key, name, workspace, '' AS time
ORDER BY name, workspace LIMIT $limit
"""
FIND_SNAPSHOTS = """
MATCH (n:Snapshot)
WHERE n.workspace >= $first AND n.workspace <= $last
    AND (n.timestamp < $by OR (n.timestamp = $by AND n.id < $id))
    AND (toLower(n.message) CONTAINS $wanted OR n.hash STARTS WITH $wanted
        OR any(tag IN n.tags WHERE toLower(tag) CONTAINS $wanted))
RETURN n.id AS key, n.hash AS name, n.hash AS hash, n.tags AS tags, n.message AS message,
    n.workspace AS workspace, n.timestamp AS time
ORDER BY time DESC, key DESC LIMIT $limit
"""
FIND_STEPS = """
MATCH (s:Step)
WHERE s.start_time <= $by AND (s.start_time < $by OR s.id < $id)
    AND (toLower(s.name) CONTAINS $wanted OR toLower(s.description) CONTAINS $wanted
        OR (toLower(s.parameters) CONTAINS $one AND toLower(s.parameters) CONTAINS $two))
RETURN s.id AS key, s.name AS name, s.workspace AS workspace, s.start_time AS time,
    s.description AS description, s.parameters AS parameters
ORDER BY s.start_time DESC, s.id DESC LIMIT $limit
"""
FIND_STEPS_IN = FIND_STEPS.replace("WHERE", "WHERE s.workspace = $first AND", 1).replace(
    "ORDER BY", "ORDER BY s.workspace DESC,", 1
)
