"""Which subpaths share content with one: itself and what covers it by name, the rest by range.

The cost is that of the answer, however many refs a resource has.
"""

from __future__ import annotations

import json

from dws_graph.model.refs import ResourceRef

LAST = "\U0010ffff"  # above every character of a path


def touching(ref: ResourceRef) -> dict[str, str]:
    """The parameters of a query for what is equal to a ref, covers it, or is covered by it.

    `resource`; `around`: JSON list of the subpath and those that cover it ('' is the whole
    resource); `first` and `end`: the range of those that it covers.
    """
    ref = ref.recorded()
    if ref.subpath is None:
        around, first, end = [""], "\0", LAST
    else:
        parts = ref.subpath.split("/")
        around = ["", *("/".join(parts[:n]) for n in range(1, len(parts) + 1))]
        first, end = f"{ref.subpath}/", f"{ref.subpath}0"  # 0 follows / in ASCII
    return {"resource": ref.name, "around": json.dumps(around), "first": first, "end": end}
