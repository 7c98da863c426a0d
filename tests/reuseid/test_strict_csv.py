"""CSV: every row comes out, or is refused where it stands."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reuseid import strict_csv


def read(text):
    """`(header, rows)` of the text."""
    header, rows = strict_csv.with_header(io.StringIO(text, newline="\n"), "ref".__eq__)
    return header, list(rows)


@pytest.mark.parametrize(
    "text",
    [
        'ref,name\nq-1,Anna\nq-2,"Bob\nq-3,Carl\n',
        'ref,name\nq-1,Anna\nq-2,"Bob\nq-3,Carl\nq-4,"Dora"\n',
        'ref,name\nq-1,Anna\nq-2,"Bob\nq-3,"Carl"\n',
        'ref,name\nq-1,Anna\nq-2,"Bob\nq-3,"\n',
        'ref,name,x\nq-1,Anna,1\nq-2,"Bob,2\nq-3,",3\n',
        'ref,name\nq-1,Anna\nq-2,"Bob"by\nq-3,Carl\n',
        'ref,name\nq-1,Anna\nq-2,Bob "the" builder\nq-3,Carl\n',
        'ref,name\nq-1,Anna\nq-2,Bob"\nq-3,Carl\n',
    ],
)
def test_a_quote_that_is_wrong_is_told_of_its_row_and_swallows_no_other(text):
    _, rows = read(text)
    assert rows[0].cells[:2] == ["q-1", "Anna"]
    assert rows[1].refused
    assert rows[1].line == 3


def test_the_rows_after_an_unclosed_quote_are_read():
    _, rows = read('ref,name\nq-2,"Bob\nq-3,Carl\n')
    assert rows[1].cells == ["q-3", "Carl"]


def test_a_cell_of_several_lines_is_one_where_nothing_speaks_against_it():
    assert read('ref,name\na,"x\ny"\nb,z\n')[1][0].cells == ["a", "x\ny"]
    assert read('ref,name\n"a","x\r\ny, z"\r\nb,z\r\n')[1][0].cells == ["a", "x\r\ny, z"]
    assert [row.line for row in read('ref,name\na,"x\ny"\nb,z\n')[1]] == [2, 4]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_tells_the_separator(delimiter):
    header, rows = read(f"name{delimiter} ref\na;b,c{delimiter}1\n".replace("a;b,c", '"a;b,\tc"'))
    assert header == ["name", "ref"]
    assert rows[0].cells == ["a;b,\tc", "1"]


def test_empty_cells_below_the_last_row_are_blank():
    _, rows = read("ref,name\na,b\n,\n \t,  \n\n")
    assert [row.blank for row in rows] == [False, True, True, True]


def test_without_a_known_column_there_is_no_table():
    assert strict_csv.with_header(iter(["name|ref\n"]), "ref".__eq__) is None
    assert strict_csv.with_header(iter([]), "ref".__eq__) is None


def test_a_row_has_a_limit():
    _, rows = read('ref\n"' + "x\n" * strict_csv.MAX_ROW)
    assert rows[0].refused
    assert len(rows) == strict_csv.MAX_ROW


@given(
    st.lists(st.lists(st.text(st.characters(exclude_characters="\r\n")), min_size=2, max_size=2)),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(strict_csv.DELIMITERS),
)
def test_what_a_writer_of_csv_writes_comes_back(table, quoting, delimiter):
    out = io.StringIO()
    csv.writer(out, quoting=quoting, delimiter=delimiter).writerows([["ref", "name"], *table])
    _, rows = read(out.getvalue())
    assert [row.cells for row in rows] == table


@given(st.text(st.sampled_from('ab",;\n\r')))
def test_every_line_is_in_exactly_one_row(text):
    _, rows = read("ref,name\n" + text)
    starts = [row.line for row in rows]
    assert starts == sorted(set(starts))
    lines = list(io.StringIO(text, newline="\n"))
    # A row of several lines holds what those lines say, and a refused one is a single line.
    for row, following in zip(rows, [*starts, len(lines) + 2][1:], strict=True):
        if row.refused:
            assert following == row.line + 1
        else:
            raw = "".join(lines[row.line - 2 : following - 2])
            assert row.cells == next(csv.reader([raw.removesuffix("\n").removesuffix("\r")], strict=True), [])
