"""What people and programs say, as this workspace may record it: one place for the scrubbing.

The workspace's `secrets.names` add to what `model.secrets` takes for a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dws_graph.model import secrets
from dws_graph.model.imports import ImportedStep, ImportRecord
from dws_graph.model.values import Json, clean_text
from dws_graph.workspace.opened import OpenWorkspace


def scrubbed_text(ws: OpenWorkspace, text: str) -> str:
    """A message, a name, an error."""
    return secrets.scrub_text(clean_text(text), _names(ws))


def scrubbed_command_line(ws: OpenWorkspace, words: Sequence[str]) -> list[str]:
    """A program and its arguments."""
    return [clean_text(word) for word in secrets.scrub_command_line(words, _names(ws))]


def scrubbed_parameters(ws: OpenWorkspace, parameters: Mapping[str, Any]) -> Json:
    """Parameters, as plain JSON."""
    return secrets.scrub_parameters(parameters, _names(ws))


def scrubbed_metrics(ws: OpenWorkspace, metrics: Mapping[str, Any]) -> Json:
    """Metrics, as plain JSON."""
    return secrets.scrub_metrics(metrics, _names(ws))


def scrubbed_record(ws: OpenWorkspace, record: ImportRecord) -> ImportRecord:
    """Imported lineage, in which whoever wrote it may not have looked for secrets."""
    return replace(record, steps=tuple(_scrubbed_step(ws, step) for step in record.steps))


def _scrubbed_step(ws: OpenWorkspace, step: ImportedStep) -> ImportedStep:
    """A step of others."""
    return replace(
        step,
        name=scrubbed_text(ws, step.name),
        parameters=scrubbed_parameters(ws, step.parameters),
        command_line=None
        if step.command_line is None
        else scrubbed_command_line(ws, step.command_line),
    )


def _names(ws: OpenWorkspace) -> Sequence[str]:
    names: Sequence[str] = ws.get_global_param("secrets.names")
    return names
