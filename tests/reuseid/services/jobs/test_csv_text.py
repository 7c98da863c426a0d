"""Cells for spreadsheets: nothing that they would compute, nothing that splits."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from reuseid.services.jobs import csv_text

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.lists(st.text(), max_size=3),
    st.builds(str.__add__, st.sampled_from([*csv_text.FORMULA, " =", "\ufeff=", " \u00a0+", "'=", "''+"]), st.text()),
)


@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=5))
def test_no_text_begins_like_a_formula_and_every_cell_comes_back(rows):
    read = list(csv.reader(io.StringIO(csv_text.lines(rows), newline="")))
    assert [len(row) for row in read] == [3] * len(rows)
    for row, cells in zip(rows, read, strict=True):
        for value, cell in zip(row, cells, strict=True):
            if isinstance(value, str):
                assert not cell.lstrip(" \u00a0\ufeff").startswith(csv_text.FORMULA)
                assert csv_text.text(cell) == value


def test_a_separator_of_another_country_splits_nothing():
    line = csv_text.lines([["a;=1", "b"]])
    cells = next(csv.reader(io.StringIO(line, newline=""), delimiter=";"))
    assert not any(cell.startswith(csv_text.FORMULA) for cell in cells)


def test_numbers_stay_numbers():
    assert [csv_text.cell(value) for value in (-5, 1.5, True, None, "-5", "+358")] == [
        *("-5", "1.5", "true", "", "'-5", "'+358")
    ]
