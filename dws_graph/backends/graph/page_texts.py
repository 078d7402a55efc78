"""The Cypher of overviews and pages: Neo4j alone runs it.

As `question_texts`: every text starts from an index, and every value is a parameter. A page goes on
after `$by` and `$id`, what the last row before is sorted by, and its id.

Neo4j compares two stored texts by code points, but a stored one with any other by UTF-16 units.
A name is therefore sorted as `name + ''`, which is compared in the one way everywhere.
"""

from __future__ import annotations

# All workspaces are looked at, by their ids; what they hold is counted for those of a page.
WORKSPACES = """
MATCH (w:Workspace) WHERE w.id > ''
WITH w.id AS id, w.name AS name, coalesce(w.name, '') + '' AS sorted
WHERE sorted > $by OR (sorted = $by AND id > $id)
RETURN id, name ORDER BY sorted, id LIMIT $limit
"""
RESOURCES_OF = """
UNWIND $ids AS id
MATCH (w:Workspace {id: id})<-[:IN]-(r:Resource) WHERE r.removed IS NULL
RETURN id, count(r) AS found
"""
STEPS_OF = """
UNWIND $ids AS id
MATCH (s:Step) WHERE s.workspace = id AND s.start_time >= ''
RETURN id, count(s) AS found, max(s.start_time) AS time
"""
SNAPSHOTS_OF = """
UNWIND $ids AS id
MATCH (n:Snapshot) WHERE n.workspace = id AND n.timestamp >= ''
RETURN id, count(n) AS found, max(n.timestamp) AS time
"""
RESOURCES = """
MATCH (w:Workspace {id: $workspace})<-[:IN]-(r:Resource)
WITH r, r.name + '' AS sorted WHERE sorted > $after
WITH r, sorted ORDER BY sorted LIMIT $limit
RETURN r.id AS id, r.name AS name, r.role AS role, r.type AS type,
    r.removed IS NOT NULL AS removed, COUNT { (r)<-[:PART_OF]-(:Ref) } AS refs
ORDER BY sorted
"""
# Most resources that are used at all were touched by the newest steps.
TOUCHED_RECENTLY = """
MATCH (s:Step) WHERE s.workspace = $workspace AND s.start_time >= ''
WITH s ORDER BY s.workspace DESC, s.start_time DESC LIMIT $recently
MATCH (c:Certificate)
    -[:READ_BY|CODE_OF|WROTE|RETRACTED_READ_BY|RETRACTED_CODE_OF|RETRACTED_WROTE]-(s)
RETURN c.resource AS resource, max(s.start_time) AS time
"""
TOUCHED = """
UNWIND $ids AS id
MATCH (r:Resource {id: id})<-[:PART_OF]-(:Ref)<-[:STATE_OF]-(c:Certificate)
MATCH (c)-[:READ_BY|CODE_OF|WROTE|RETRACTED_READ_BY|RETRACTED_CODE_OF|RETRACTED_WROTE]-(s:Step)
WHERE s.start_time >= ''
RETURN r.name AS resource, max(s.start_time) AS time
"""
INSTANCES = """
MATCH (a:Applied) WHERE a.workspace = $workspace
RETURN a.instance AS id, a.hostname AS hostname, a.time AS time
"""
REFS = """
MATCH (w:Workspace {id: $workspace})<-[:IN]-(:Resource)<-[:PART_OF]-(f:Ref)
WITH f.resource + '' AS resource, f.subpath AS subpath, coalesce(f.subpath, '') + '' AS sorted
WHERE resource > $name OR (resource = $name AND sorted > $part)
RETURN resource, subpath ORDER BY resource, sorted LIMIT $limit
"""
REFS_OF_RESOURCE = """
MATCH (r:Resource {id: $resource})<-[:PART_OF]-(f:Ref)
WITH f.resource + '' AS resource, f.subpath AS subpath, coalesce(f.subpath, '') + '' AS sorted
WHERE resource > $name OR (resource = $name AND sorted > $part)
RETURN resource, subpath ORDER BY resource, sorted LIMIT $limit
"""

VERSIONS = """
MATCH (f:Ref {id: $ref})<-[:STATE_OF]-(c:Certificate)
WITH c, coalesce(c.at, c.id) AS rank, c.id AS id
WHERE rank < $by OR (rank = $by AND id < $id)
WITH c, rank, id ORDER BY rank DESC, id DESC LIMIT $limit
RETURN id, rank, properties(c) AS properties
ORDER BY rank DESC, id DESC
"""
READERS = """
MATCH (c:Certificate {id: $certificate})-[e:READ_BY|CODE_OF]->(s:Step)
WHERE s.start_time < $by OR (s.start_time = $by AND s.id < $id)
WITH s, collect(type(e)) AS types
ORDER BY s.start_time DESC, s.id DESC LIMIT $limit
RETURN s.id AS step, s.workspace AS workspace, s.name AS name, s.status AS status,
    s.start_time AS start_time, 'READ_BY' IN types AS as_input, 'CODE_OF' IN types AS as_code
ORDER BY start_time DESC, step DESC
"""
SNAPSHOTS = """
MATCH (n:Snapshot)
WHERE n.workspace = $workspace AND n.timestamp >= '' AND n.timestamp <= $by
    AND (n.timestamp < $by OR n.id < $id)
RETURN properties(n) AS properties
ORDER BY n.workspace DESC, n.timestamp DESC, n.id DESC LIMIT $limit
"""
CONTAINED = """
MATCH (n:Snapshot {id: $snapshot})-[:CONTAINS]->(c:Certificate)
RETURN c.id AS id, properties(c) AS properties, EXISTS { (c)<-[:WROTE]-(:Step) } AS output
"""
WRITERS = """
MATCH (n:Snapshot {id: $snapshot})-[:CONTAINS]->(:Certificate)<-[:WROTE]-(s:Step)
WHERE s.start_time < $by OR (s.start_time = $by AND s.id < $id)
WITH DISTINCT s
RETURN s.id AS id ORDER BY s.start_time DESC, id DESC LIMIT $limit
"""
