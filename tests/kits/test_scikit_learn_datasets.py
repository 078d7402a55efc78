from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest

from dws_graph.errors import ConfigurationError
from dws_graph.kits.scikit_learn.datasets import load_directory


def dataset(folder: Path, **files: str) -> Path:
    """A folder of files, `data_csv="..."` making `data.csv`."""
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text)
    return folder


def test_each_file_becomes_an_attribute(tmp_path: Path) -> None:
    dataset(tmp_path, target_csv="0\n1\n", DESCR_rst="Two rows.\n", origin_txt="here")
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(b"1,2\n3,4\n"))
    (tmp_path / "images.csv.bz2").write_bytes(bz2.compress(b"5,6\n7,8\n"))
    np.save(tmp_path / "weights.npy", np.arange(8).reshape(2, 2, 2))
    dataset(tmp_path, target_names_csv="no\nyes\n")  # an unknown ending: target.names_csv
    (tmp_path / "feature_names.csv").write_text("width,height\n")
    (tmp_path / "lineage.json").write_text("{}")
    (tmp_path / ".hidden.csv").write_text("1")

    found = load_directory(tmp_path)

    assert set(found) == {
        *("data", "target", "DESCR", "origin", "images", "weights", "feature_names")
    }
    assert found.data.tolist() == [[1, 2], [3, 4]]
    assert found.target.tolist() == [0, 1]
    assert found.images.tolist() == [[5, 6], [7, 8]]
    assert found.weights.shape == (2, 2, 2)
    assert found.DESCR == "Two rows.\n"
    assert found.feature_names.tolist() == ["width", "height"]


def test_data_and_target_may_be_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", np.ones((3, 2), dtype=np.float32))
    np.save(tmp_path / "target.npy", np.array(["a", "b", "a"]))

    found = load_directory(tmp_path)

    assert found.data.dtype == np.float32
    assert found.target.tolist() == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("width,height\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("1,2\n3,\n", [[1, 2], [3, None]]),
        ("1,red\n2,blue\n", [[1, "red"], [2, "blue"]]),
        ("size,colour\n1,red\n2,blue\n", [[1, "red"], [2, "blue"]]),
        ("colour,form\nred,round\nred,flat\n", [["red", "round"], ["red", "flat"]]),
        ("red,round\nred,flat\n", [["red", "round"], ["red", "flat"]]),
    ],
)
def test_what_is_not_all_numbers_is_read_by_pandas(
    tmp_path: Path, text: str, expected: list
) -> None:
    data = load_directory(dataset(tmp_path, data_csv=text, target_csv="0\n1\n")).data

    rows = [[None if cell != cell else cell for cell in row] for row in data.tolist()]
    assert rows == expected


def test_a_target_of_words_keeps_its_first_row(tmp_path: Path) -> None:
    dataset(tmp_path, data_csv="1,2\n3,4\n5,6\n", target_csv="cat\ndog\ncat\n")

    assert load_directory(tmp_path).target.tolist() == ["cat", "dog", "cat"]


def test_a_single_row_of_data_stays_a_table(tmp_path: Path) -> None:
    found = load_directory(dataset(tmp_path, data_csv="1,2,3\n", target_csv="1\n"))

    assert found.data.shape == (1, 3)
    assert found.target.shape == (1,)


@pytest.mark.parametrize("missing", ["data", "target"])
def test_data_and_target_are_required(tmp_path: Path, missing: str) -> None:
    dataset(tmp_path, data_csv="1,2\n", target_csv="1\n", DESCR_txt="x")
    (tmp_path / f"{missing}.csv").rename(tmp_path / f"{missing}.txt")

    with pytest.raises(ConfigurationError, match=f"has no '{missing}'") as caught:
        load_directory(tmp_path)

    assert f"{missing}.csv.gz" in caught.value.hint


def test_different_numbers_of_rows_are_refused_naming_the_files(tmp_path: Path) -> None:
    dataset(tmp_path, data_csv="1,2\n3,4\n", target_csv="1\n2\n3\n")

    with pytest.raises(ConfigurationError, match=r"data\.csv has 2 rows, and .*target\.csv has 3"):
        load_directory(tmp_path)


def test_two_files_for_one_attribute_are_refused(tmp_path: Path) -> None:
    dataset(tmp_path, data_csv="1,2\n", data_txt="x", target_csv="1\n")

    with pytest.raises(ConfigurationError, match=r"data\.csv and data\.txt would be 'data'"):
        load_directory(tmp_path)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    dataset(tmp_path, target_csv="1\n")
    np.save(tmp_path / "data.npy", np.array([{"a": 1}], dtype=object))

    with pytest.raises(ConfigurationError, match=r"data\.npy cannot be read"):
        load_directory(tmp_path)


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    dataset(tmp_path, data_csv=text, target_csv="1\n")

    with pytest.raises(ConfigurationError, match=r"data\.csv cannot be read"):
        load_directory(tmp_path)


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no directory"):
        load_directory(tmp_path / "nowhere")
