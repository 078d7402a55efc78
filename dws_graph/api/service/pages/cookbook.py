"""The cookbook of docs/cypher.md, for the page where queries are written."""

from __future__ import annotations

COOKBOOK: tuple[tuple[str, str], ...] = (
    (
        "Which steps ran, and how good were they?",
        """\
MATCH (s:Step)
WHERE s.status = 'completed'
RETURN s.name AS step, s.metric_accuracy AS accuracy
ORDER BY s.start_time
""",
    ),
    (
        "What was made from this data set?",
        """\
MATCH (d:Certificate)-[:READ_BY]->(s:Step)-[:WROTE]->(r:Certificate)
WHERE d.resource = $data
RETURN s.name AS step, r.resource AS made, r.hash AS hash
ORDER BY s.start_time
""",
    ),
    (
        "What was a snapshot's result made from?",
        """\
MATCH (n:Snapshot)-[:CONTAINS]->(r:Certificate)
WHERE $tag IN n.tags AND r.resource = 'results'
MATCH (r)<-[:READ_BY|CODE_OF|WROTE*1..1000000]-(b)
WITH DISTINCT b
WHERE b:Certificate
RETURN b.resource AS resource, b.hash AS hash
ORDER BY resource
""",
    ),
    (
        "What depends on this data set, however far?",
        """\
MATCH (d:Certificate)
WHERE d.resource = $data
MATCH (d)-[:READ_BY|CODE_OF|WROTE*1..1000000]->(b)
WITH DISTINCT b
WHERE b:Step
RETURN b.name AS step
ORDER BY step
""",
    ),
    (
        "Which version of the code did each step run?",
        """\
MATCH (c:Certificate)-[:CODE_OF]->(s:Step)
RETURN s.name AS step, c.hash AS code
ORDER BY s.start_time
""",
    ),
    (
        "With which parameters did the best run work?",
        """\
MATCH (s:Step)
WHERE s.metric_accuracy IS NOT NULL
RETURN s.name AS step, s.param_C AS C, s.param_gamma AS gamma, s.metric_accuracy AS accuracy
ORDER BY accuracy DESC
LIMIT 1
""",
    ),
    (
        "On which Python, with which version of scikit-learn?",
        """\
MATCH (s:Step)-[:RAN_IN]->(e:Environment)
RETURN s.name AS step, e.python AS python,
       [p IN e.packages WHERE p STARTS WITH 'scikit-learn=='] AS scikit_learn
ORDER BY s.start_time
""",
    ),
    (
        "Which snapshots are there?",
        """\
MATCH (n:Snapshot)
RETURN n.number AS number, n.tags AS tags, n.message AS message, n.metric_accuracy AS accuracy
ORDER BY number
""",
    ),
    (
        "What do two snapshots have in common?",
        """\
MATCH (a:Snapshot)-[:CONTAINS]->(c:Certificate)<-[:CONTAINS]-(b:Snapshot)
WHERE $tag IN a.tags AND $other IN b.tags
RETURN c.resource AS resource, c.hash AS hash
ORDER BY resource
""",
    ),
    (
        "Which steps were retracted?",
        """\
MATCH (r:Retraction)-[:RETRACTS]->(s:Step)
RETURN s.name AS step, r.reason AS reason, r.time AS retracted
ORDER BY retracted
""",
    ),
    (
        "How many versions of each resource are known?",
        """\
MATCH (c:Certificate)-[:STATE_OF]->(f:Ref)
RETURN f.resource AS resource, count(DISTINCT c.hash) AS versions
ORDER BY resource
""",
    ),
    (
        "Which steps of other workspaces read what this one made?",
        """\
MATCH (mine:Certificate)-[:IMPORTED_AS]->(theirs:Certificate)-[:READ_BY]->(s:Step)
WHERE mine.workspace = $workspace
MATCH (w:Workspace)
WHERE w.id = s.workspace
RETURN w.name AS workspace, mine.resource AS resource, s.name AS step
ORDER BY workspace, step
""",
    ),
    (
        "Which sources of other workspaces does this one rest on, however far?",
        """\
MATCH (mine:Certificate)
WHERE mine.workspace = $workspace
MATCH (mine)<-[:READ_BY|CODE_OF|WROTE|IMPORTED_AS*1..1000000]-(b)
WITH DISTINCT b
MATCH (b)-[:STATE_OF]->(f:Ref)-[:PART_OF]->(r:Resource)
WHERE b.workspace <> $workspace AND r.role = 'source-data'
MATCH (w:Workspace)
WHERE w.id = b.workspace
RETURN DISTINCT w.name AS workspace, b.resource AS resource, b.hash AS hash
ORDER BY workspace, resource, hash
""",
    ),
)
