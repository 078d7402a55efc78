"""The runs that programs outside have told of, by their own ids of them.

Filled from the facts like all else here: no file beside the journal knows of a run.
"""

from __future__ import annotations

import sqlite3

from dws_graph.backends.index.store import Store
from dws_graph.model import facts as f
from dws_graph.model.facts import Fact
from dws_graph.model.outside import OutsideEnd, OutsideStart, Run
from dws_graph.model.values import take, take_or

STARTED = """
INSERT INTO run (workspace, instance, run, step, status, name, producer, start_time, began)
VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?)
ON CONFLICT (workspace, run, instance) DO UPDATE SET began = excluded.began
"""
ENDED = """
INSERT INTO run (
    workspace, instance, run, step, status, name, producer, start_time, seconds, error, ended
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (workspace, run, instance) DO UPDATE SET
    step = excluded.step, status = excluded.status, name = excluded.name,
    producer = excluded.producer, start_time = excluded.start_time,
    seconds = excluded.seconds, error = excluded.error, ended = excluded.ended
"""
# What this instance says goes first; of a copied folder's journal, what was there before.
RUN = """
SELECT step, status, name, producer, start_time, seconds, error, began, ended FROM run
WHERE workspace = ? AND run = ? ORDER BY instance = ? DESC, ended IS NOT NULL DESC, step DESC
LIMIT 1
"""


def note(c: sqlite3.Connection, fact: Fact) -> None:
    """Writes down what a fact says of a run."""
    told = take_or(fact.body, "outside", dict)
    if told is None:
        return
    if fact.kind == f.STEP_STARTED:
        start, body = OutsideStart.from_json(told), f.StepStart.from_json(fact.body)
        key = (fact.workspace, fact.instance, start.run, body.step)
        c.execute(STARTED, (*key, body.name, start.producer, body.start_time, start.request))
    elif fact.kind in (f.STEP_COMPLETED, f.STEP_ABORTED):
        end = OutsideEnd.from_json(told)
        status = "completed" if fact.kind == f.STEP_COMPLETED else "failed"
        key = (fact.workspace, fact.instance, end.run, take(fact.body, "id", str))
        name, began = take(fact.body, "name", str), take(fact.body, "start_time", str)
        seconds, error = fact.body["execution_time_seconds"], take_or(fact.body, "error", str)
        c.execute(ENDED, (*key, status, name, end.producer, began, seconds, error, end.request))


def run(store: Store, workspace: str, instance: str, run: str) -> Run | None:
    """A run by its program's own id of it; None where none told of it."""
    row = store.row(RUN, (workspace, run, instance))
    if row is None:
        return None
    step, status, name, producer, start_time, seconds, error, began, ended = row
    return Run(
        run=run,
        step=step,
        status=status,
        name=name,
        producer=producer,
        start_time=start_time,
        seconds=seconds,
        error=error,
        began=began,
        ended=ended,
    )
