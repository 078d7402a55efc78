"""Schemathesis over the OpenAPI document: no mistake of the service, no answer it does not tell of.

What a schema cannot say (a cursor is one that was given out) may be refused, so whether all that
fits the schema is taken is not checked.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import openapi
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.service.processes import Served

EXAMPLES = 8  # of each operation
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]
ENDLESS = "/api/v1/events"


@pytest.mark.parametrize(
    ("which", "scope"),
    [("local", None), ("shared", None), ("shared", "read"), ("shared", "admin")],
)
def test_no_request_is_answered_otherwise_than_the_document_says(
    which: str, scope: str | None, request: pytest.FixtureRequest
):
    served: Served = request.getfixturevalue(which)
    with served.client("admin" if which == "shared" else None) as client:
        document = client.get("/api/v1/openapi.json").json()
    document["paths"].pop(ENDLESS)
    headers = {"authorization": f"Bearer {served.tokens[scope]}"} if scope else {}
    asked = 0
    for found in openapi.from_dict(document).get_all_operations():
        assert isinstance(found, Ok)
        asked += ask(found.ok(), served, headers)

    assert asked > EXAMPLES * len(document["paths"]) / 2


def ask(operation: schemathesis.APIOperation, served: Served, headers: dict[str, str]) -> int:
    """Ask some examples; how many there were."""
    asked = 0

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: schemathesis.Case) -> None:
        nonlocal asked
        asked += 1
        case.call_and_validate(
            base_url=served.url, headers=headers, checks=CHECKS, timeout=60, stream=False
        )

    one()
    return asked
