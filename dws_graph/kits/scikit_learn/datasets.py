"""A data set out of a resource: one file an attribute, together a scikit-learn `Bunch`.

DIRECTORY/data.csv.gz  target.csv  DESCR.rst  feature_names.txt  weights.npy ...
"""

from __future__ import annotations

import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from dws_graph.errors import ConfigurationError, NotSupportedError
from dws_graph.kits.scikit_learn.recording import open_workspace
from dws_graph.model.refs import ResourceRef, normal_subpath
from dws_graph.resources.naming import path_on_disk

TEXT_ENDS = (".txt", ".rst")
CSV_ENDS = (".csv", ".csv.gz", ".csv.bz2")
ARRAY_ENDS = (".npy",)
REQUIRED = ("data", "target")


class ResourceArray(np.ndarray[Any, Any]):
    """An array, and slices of it, that knows the resource it comes from.

    Attributes:
        resource: Where the data comes from; None when that is not known.
    """

    resource: ResourceRef | None = None

    def __array_finalize__(self, obj: Any) -> None:
        self.resource = getattr(obj, "resource", None)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """A sum over all is a number, as with any array."""
        return array[()] if array.ndim == 0 else array.view(type(self))


def load_dataset_from_resource(
    resource_name: str, subpath: str | None = None, workspace_dir: str | None = None
) -> Bunch:
    """Load a data set: each file `ATTRIBUTE.EXTENSION` of a directory becomes an attribute.

    Args:
        resource_name: The resource that holds the data set.
        subpath: The data set's directory within the resource; its root when not given.
        workspace_dir: The workspace; found from the current directory when not given.

    Returns:
        A Bunch with `data`, `target`, `resource` (a ResourceRef) and what other files there are.
        Numbers are arrays, `.txt` and `.rst` are text.

    Raises:
        ConfigurationError: No such resource or directory, `data` or `target` is missing or
            there twice, a file cannot be read, or the numbers of rows differ.
    """
    with closing(open_workspace(workspace_dir)) as workspace:
        root = workspace.get_resource(resource_name).get_local_path_if_any()
    if root is None:
        raise NotSupportedError(
            f"the resource '{resource_name}' has no files on this machine",
            hint="Load the data by its own API, and name the resource to the LineagePredictor.",
        )
    ref = ResourceRef(resource_name, normal_subpath(subpath or ""))
    bunch = load_directory(Path(root, path_on_disk(Path(root), ref.subpath or "")))
    bunch["data"] = bunch["data"].view(ResourceArray)
    bunch["data"].resource = ref
    bunch["resource"] = ref
    return bunch


def load_directory(directory: Path) -> Bunch:
    """The data set whose files are in a directory."""
    files = _files_by_attribute(directory)
    bunch = Bunch(**{name: _load(path, name) for name, path in files.items()})
    rows = {name: len(bunch[name]) for name in REQUIRED}
    if rows["data"] != rows["target"]:
        raise ConfigurationError(
            f"{files['data']} has {rows['data']} rows, and {files['target']} has {rows['target']}",
            hint="Each row of the data needs one target.",
        )
    return bunch


def _files_by_attribute(directory: Path) -> dict[str, Path]:
    if not directory.is_dir():
        raise ConfigurationError(
            f"there is no directory {directory}", hint="Name the data set's directory as subpath."
        )
    files: dict[str, Path] = {}
    for path in sorted(directory.iterdir()):
        name, _, end = path.name.partition(".")
        if not name or f".{end}" not in TEXT_ENDS + CSV_ENDS + ARRAY_ENDS or not path.is_file():
            continue
        if name in files:
            raise ConfigurationError(
                f"both {files[name]} and {path.name} would be '{name}'", hint="Remove one of them."
            )
        files[name] = path
    for name in REQUIRED:
        if name not in files or files[name].suffix in TEXT_ENDS:
            ends = ", ".join(f"{name}{end}" for end in CSV_ENDS + ARRAY_ENDS)
            raise ConfigurationError(
                f"the data set in {directory} has no '{name}'", hint=f"Make one of {ends} there."
            )
    return files


def _load(path: Path, name: str) -> Any:
    if path.name.endswith(TEXT_ENDS):
        return path.read_text(encoding="utf-8")
    try:
        if path.name.endswith(ARRAY_ENDS):
            return np.load(path, allow_pickle=False)
        return _load_csv(path, is_table=name in REQUIRED)
    except (ValueError, OSError, EOFError) as e:  # pandas' own errors are ValueErrors
        raise ConfigurationError(f"{path} cannot be read: {e}") from e


def _load_csv(path: Path, *, is_table: bool) -> Any:
    """Numbers, or what pandas makes of the file; one column is a vector."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that there is no data: said below
            array = np.loadtxt(path, delimiter=",", ndmin=2)
    except ValueError:
        array = _load_with_pandas(path, is_table=is_table)
    if not array.size:
        raise ValueError("it is empty")
    if array.shape[1] == 1:
        return array[:, 0]
    return array if is_table or array.shape[0] != 1 else array[0]


def _load_with_pandas(path: Path, *, is_table: bool) -> Any:
    text = pd.read_csv(path, header=None, dtype=str, skipinitialspace=True)
    header = 0 if len(text) > 1 and _has_header(text, is_table=is_table) else None
    frame = pd.read_csv(path, header=header, skipinitialspace=True)
    array = frame.to_numpy()
    if array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat):
        return array.astype(str)
    return array


def _has_header(text: pd.DataFrame, *, is_table: bool) -> bool:
    """Whether a csv's first row names its columns.

    So it is when it has no number where all below are numbers; and in a table of words alone,
    when none of its words comes again below.
    """
    first, below = text.iloc[0], text.iloc[1:]
    if _is_number(first).any():
        return False
    if any(_is_number(below[column].dropna()).all() for column in text):
        return True
    return is_table and not any(cell in set(below.iloc[:, i]) for i, cell in enumerate(first))


def _is_number(cells: pd.Series[Any]) -> pd.Series[bool]:
    return pd.to_numeric(cells, errors="coerce").notna()
