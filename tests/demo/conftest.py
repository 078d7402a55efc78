"""Each view of the demo."""

import pytest

from tests.fixtures.demo import demo  # noqa: F401


@pytest.fixture(params=["cypher", "neo4j"])
def view(request, demo, monkeypatch):  # noqa: F811
    """Each view that is asked in Cypher, by its name; with the demo in it, and nothing else."""
    if request.param == "neo4j":
        address = request.getfixturevalue("empty_neo4j_address")
        for name, value in address.environment().items():
            monkeypatch.setenv(name, value)
    return request.param
