"""Which steps there are: chosen by name, status, ref, parameters, metrics and time, newest first.

The conditions are constants, joined as they are needed; what a user gave is always a value. A list
with a limit reads little more than it shows; parameters and metrics are compared in SQL, on a
table that holds no more of a step than is asked for.
"""

from __future__ import annotations

import json
from typing import Any

from dws_graph.backends.index.asking import steps_in_full
from dws_graph.backends.index.store import Store
from dws_graph.backends.overviews import Place
from dws_graph.backends.views import StepFilter, StepInfo

ROWS = "SELECT n.id, n.props FROM step s JOIN node n ON n.id = s.node"
COUNT = "SELECT count(*) FROM step s"
ORDER = "ORDER BY s.start_time DESC, s.key DESC LIMIT :limit"
CONDITIONS = {
    "workspace": "s.workspace = :workspace",
    "name": "s.name = :name",
    "status": "s.status = :status",
    "since": "s.start_time >= :since",
    "until": "s.start_time < :until",
    "after": "(s.start_time, s.key) < (:by, :after)",
    "text": "instr(lower_text(s.name), :text)",
    "refs": """s.node IN (
        SELECT e.dst FROM json_each(:refs) j CROSS JOIN node r ON r.key = j.value
        CROSS JOIN edge o ON o.dst = r.id AND o.type = 'STATE_OF'
        CROSS JOIN edge e ON e.src = o.src
            AND e.type IN ('READ_BY', 'CODE_OF', 'RETRACTED_READ_BY', 'RETRACTED_CODE_OF')
        UNION
        SELECT e.src FROM json_each(:refs) j CROSS JOIN node r ON r.key = j.value
        CROSS JOIN edge o ON o.dst = r.id AND o.type = 'STATE_OF'
        CROSS JOIN edge e ON e.dst = o.src AND e.type IN ('WROTE', 'RETRACTED_WROTE')
    )""",
    # Lists and objects are equal when the same scalars (1 is 1.0) stand at the same places.
    "parameters": """NOT EXISTS (
        SELECT 1 FROM json_each(:parameters) w WHERE NOT EXISTS (
            SELECT 1 FROM json_each(s.parameters) p
            WHERE p.key = w.key AND replace(p.type, 'real', 'integer')
                = replace(w.type, 'real', 'integer') AND p.atom IS w.atom
                AND (p.type NOT IN ('array', 'object') OR NOT EXISTS (
                    SELECT fullkey, replace(type, 'real', 'integer'), atom FROM json_tree(p.value)
                    EXCEPT
                    SELECT fullkey, replace(type, 'real', 'integer'), atom FROM json_tree(w.value)
                ) AND NOT EXISTS (
                    SELECT fullkey, replace(type, 'real', 'integer'), atom FROM json_tree(w.value)
                    EXCEPT
                    SELECT fullkey, replace(type, 'real', 'integer'), atom FROM json_tree(p.value)
                ))
        )
    )""",
    "metrics": """NOT EXISTS (
        SELECT 1 FROM json_each(:metrics) w WHERE NOT EXISTS (
            SELECT 1 FROM json_each(s.metrics) m
            WHERE m.key = json_extract(w.value, '$[0]') AND m.type IN ('integer', 'real')
                AND CASE json_extract(w.value, '$[1]')
                    WHEN '<' THEN m.atom < json_extract(w.value, '$[2]')
                    WHEN '<=' THEN m.atom <= json_extract(w.value, '$[2]')
                    WHEN '=' THEN m.atom = json_extract(w.value, '$[2]')
                    WHEN '>=' THEN m.atom >= json_extract(w.value, '$[2]')
                    WHEN '>' THEN m.atom > json_extract(w.value, '$[2]')
                END
        )
    )""",
}
KEYS = """
SELECT n.key FROM node n JOIN step s ON s.node = n.id
WHERE n.key >= ?1 AND n.key < ?1 || '~' AND s.workspace = ?2
ORDER BY n.key LIMIT ?3
"""


def steps(
    store: Store, chosen: StepFilter, limit: int | None, after: Place | None = None
) -> list[StepInfo]:
    """The steps meant, newest first; at most so many."""
    where, values = _where(chosen, after)
    values["limit"] = -1 if limit is None else limit
    with store.read():
        rows = store.rows(f"{ROWS} {where} {ORDER}", values)
        return steps_in_full(store, rows)


def count(store: Store, chosen: StepFilter) -> int:
    """How many steps are meant."""
    where, values = _where(chosen)
    [(found,)] = store.rows(f"{COUNT} {where}", values)
    return int(found)


def keys(store: Store, workspace: str, prefix: str, limit: int) -> list[str]:
    """The ids of steps that begin so, sorted; at most so many."""
    return [key for (key,) in store.rows(KEYS, (prefix, workspace, limit))]


def _where(chosen: StepFilter, after: Place | None = None) -> tuple[str, dict[str, Any]]:
    metrics = [[m.name, m.comparison, m.number] for m in chosen.metrics]
    values: dict[str, Any] = {
        "workspace": chosen.workspace,
        "name": chosen.name,
        "text": None if chosen.text is None else chosen.text.lower(),
        "status": chosen.status,
        "since": chosen.since,
        "until": chosen.until,
        "refs": None if chosen.refs is None else json.dumps(chosen.ref_ids()),
        "parameters": json.dumps(dict(chosen.parameters)) if chosen.parameters else None,
        "metrics": json.dumps(metrics) if metrics else None,
        "after": after.id if after else None,
    }
    values = {name: value for name, value in values.items() if value is not None}
    conditions = " AND ".join(CONDITIONS[name] for name in values)
    if after:
        values["by"] = after.by
    return (f"WHERE {conditions}" if conditions else ""), values
