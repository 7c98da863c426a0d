"""Cells of a CSV that a spreadsheet will open: what it would compute gets an apostrophe in front (OWASP)."""

import csv
import io
import json
from collections.abc import Iterable

# In their full width too, which some spreadsheets take for the same.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BOM = "\ufeff"


def cell(value: object) -> str:
    """Text as it is, or escaped; none is empty; numbers, lists and the like as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if _computed(text) else text


def text(cell: str) -> str:
    """What `cell` escaped, as it was."""
    return cell[1:] if cell.startswith("'") and _computed(cell[1:]) else cell


def _computed(text):
    # An apostrophe that stands before a formula already gets one more, or nobody could tell it from ours.
    return text.lstrip(" '\u00a0\ufeff").startswith(FORMULA)


def without(text: str, first: str) -> str:
    """The same lines but those that begin with the cell ``first``; for what `lines` wrote."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows(row for row in csv.reader(io.StringIO(text, newline="")) if row[:1] != [first])
    return out.getvalue()


def lines(rows: Iterable[Iterable[object]]) -> str:
    """Rows of values as CSV (RFC 4180), every cell quoted: a separator of another country then splits nothing."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
