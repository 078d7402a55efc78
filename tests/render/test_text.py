from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.render.text import clean, cut_middle, cut_name, seconds, text_width, value_text


@given(st.text(st.characters(codec=None)))
def test_clean_text_can_be_written_anywhere(text):
    cleaned = clean(text)

    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert not any(c < " " or c in "\x7f\u202e\u2028\ufffe" for c in cleaned)


@given(st.text(), st.floats(20, 300))
def test_cut_text_fits_and_keeps_both_ends(text, width):
    cut = cut_middle(text, width, 12)

    assert text_width(cut, 12) <= width + 0.01
    head, _, tail = cut.partition("…")
    assert cut == text or (text.startswith(head) and text.endswith(tail))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("data:/scores.csv", "data:/scores.csv"),
        ("data:/north/2026/scores.csv", "data:/…/scores.csv"),
        ("intermediate-data:/ghent/linear-scores", "…/ghent/linear-scores"),
        ("intermediate-data:/2026/june/ghent/linear-scores", "…/ghent/linear-scores"),
        ("intermediate-data:/linear-scores", "…/linear-scores"),
        ("intermediate-data:/scores-of-all-regions-of-2026.csv", "intermedia…of-2026.csv"),
        ("train-the-largest-model-of-all", "train-the-l…model-of-all"),
        ("intermediate-data-of-2026:/", "intermediat…a-of-2026:/"),
    ],
)
def test_a_ref_keeps_the_end_of_its_path(name, shown):
    assert cut_name(name, 150, 12) == shown


@given(st.text(st.sampled_from("ab:/…")), st.floats(20, 300))
def test_a_name_that_was_cut_fits(text, width):
    assert text_width(cut_name(text, width, 12), 12) <= width + 0.01


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (0.04, "0.04 s"),
        (0.997, "1.0 s"),
        (26.54, "26.5 s"),
        (999.94, "999.9 s"),
        (1800, "30 min"),
        (3905, "1 h 05 min"),
        (None, ""),
        (True, ""),
        (-1, ""),
        (float("nan"), ""),
        (float("inf"), ""),
    ],
)
def test_seconds_read_well(value, text):
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "yes"),
        (1e-05, "1e-05"),
        (0.1, "0.1"),
        ("two\nlines", "two lines"),
        ({"a": [1, "é"]}, '{"a": [1, "é"]}'),
        (10**12, "1000000000000"),
    ],
)
def test_values_read_as_people_write_them(value, text):
    assert value_text(value) == text


def test_an_endless_value_is_cut():
    assert len(value_text("x" * 100_000)) < 500
