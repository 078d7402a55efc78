"""What kits do with data that come from an API: their hash is that of the resource they came from.

A training begins a hash and saves it, so that a test in another process finds it. A test goes on
in a copy, saves, and drops the copy: several tests of one training do not run into one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dws_graph.kits.hashing import add_to_hash
from dws_graph.resources.api_resource import ApiResource, HashState

if TYPE_CHECKING:
    from dws_graph.model.refs import ResourceRef
    from dws_graph.workspace import Workspace


def find_api(workspace: Workspace, ref: ResourceRef) -> ApiResource | None:
    """The api-resource that a ref names; None when its resource is another."""
    resource = workspace.get_resource(ref.name)
    return resource if isinstance(resource, ApiResource) else None


def hash_training_data(api: ApiResource, *data: Any) -> HashState:
    """Begin a hash with the data of a training, and save it.

    Returns:
        The hash under way, for the tests that follow.

    Raises:
        ApiParamError: The data are of a type that cannot be hashed; nothing was saved.
    """
    api.init_hash_state()
    for part in data:
        add_to_hash(part, api.get_hash_state())
    api.save_current_hash("training data")
    return api.get_hash_state()


def hash_test_data(api: ApiResource, trained_on: HashState | None, *data: Any) -> None:
    """Go on from the hash of a training with the data of a test, in a copy, and save it.

    Args:
        api: The resource.
        trained_on: Of `hash_training_data`; None where the training was elsewhere: then the hash
            is that of the test's data alone.
        *data: Of the test.

    Raises:
        ApiParamError: The data are of a type that cannot be hashed; nothing was saved.
    """
    api.init_hash_state(trained_on)
    api.dup_hash_state()
    for part in data:
        add_to_hash(part, api.get_hash_state())
    api.save_current_hash("test data" if trained_on is None else "training and test data")
    api.pop_hash_state()
