"""Cells of a CSV that a spreadsheet will open: what it would compute gets an apostrophe in front (OWASP)."""

import csv
import io
import json
from collections.abc import Iterable

# In their full width too, which some spreadsheets take for the same.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BOM = "\ufeff"


def cell(value: object) -> str:
    """One value as the text of a cell: None is empty, numbers, truth values, lists and objects are JSON.

    A text that a spreadsheet would compute gets an apostrophe in front; `text` takes it away.
    """
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if _computed(text) else text


def text(cell: str) -> str:
    """The text of a cell without the apostrophe that `cell` put in front."""
    return cell[1:] if cell.startswith("'") and _computed(cell[1:]) else cell


def _computed(text):
    # An apostrophe that stands before a formula already gets one more, or nobody could tell it from ours.
    return text.lstrip(" '\u00a0\ufeff").startswith(FORMULA)


def without(text: str, first: str) -> str:
    """A CSV that `lines` wrote, without the rows whose first cell is ``first``."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows(row for row in csv.reader(io.StringIO(text, newline="")) if row[:1] != [first])
    return out.getvalue()


def lines(rows: Iterable[Iterable[object]]) -> str:
    """Rows of values (`cell`) as CSV (RFC 4180), each quoted: a separator of another country then splits nothing."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
