"""The index: the SQLite view that answers all that the product itself asks.

All SQL of the project is in this package.
"""

from dws_graph.backends.index.store import IndexDamagedError
from dws_graph.backends.index.view import Index, discard_index, open_index

__all__ = ["Index", "IndexDamagedError", "discard_index", "open_index"]
