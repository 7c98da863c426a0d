"""CSV as RFC 4180 writes it and not otherwise: the one reader of imported files and of pasted lists.

`csv` reads the cells; what it lets pass is told here: a quote that is never closed takes the rows after it into one
cell, and a quote inside a cell without quotes is taken for a letter.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

DELIMITERS = (",", ";", "\t")
MAX_ROW = 256 * 1024
UNCLOSED = "A quote is not closed, or stands where none may (RFC 4180); inside a cell in quotes it is doubled."
SWALLOWED = (
    "A cell goes over several lines and holds the separator: is a quote not closed? "
    "Put every cell of the row in quotes if it is meant so."
)


@dataclass(frozen=True, slots=True)
class CSVRow:
    """One row: the line of the text at which it begins (from 1), its cells, or why it has none."""

    line: int
    cells: list[str] = field(default_factory=list)
    refused: str = ""

    @property
    def blank(self) -> bool:
        """Nothing but empty cells, as spreadsheets leave them below the last row."""
        return not self.refused and not any(cell.strip() for cell in self.cells)


def with_header(lines: Iterable[str], known: Callable[[str], bool]) -> tuple[list[str], Iterator[CSVRow]] | None:
    """The header's names and the rows below, blank ones too; None where no separator makes a ``known`` name of it.

    ``lines`` keep their ends (LF or CRLF). The separator is comma, semicolon or tab, as the header says.
    """
    lines = iter(lines)
    header = next(lines, "")
    for delimiter in DELIMITERS:
        row = _row(1, header, delimiter)
        names = [cell.strip() for cell in row.cells]
        if any(known(name) for name in names):
            return names, _rows(lines, 2, delimiter)
    return None


def _rows(lines, number, delimiter):
    ahead: deque[str] = deque()

    def look(index):
        if index == len(ahead) and (line := next(lines, None)) is not None:
            ahead.append(line)
        return ahead[index] if index < len(ahead) else None

    while (line := look(0)) is not None:
        taken, size, inside = [line], len(line), line.count('"') % 2
        while inside and size <= MAX_ROW and (line := look(len(taken))) is not None:
            taken.append(line)
            size += len(line)
            inside ^= line.count('"') % 2
        row = _row(number, "".join(taken), delimiter)
        # What follows a quote that was never meant to reach so far is read as rows of their own.
        count = 1 if row.refused else len(taken)
        for _ in range(count):
            ahead.popleft()
        yield row
        number += count


def _row(number, text, delimiter):
    if len(text) > MAX_ROW:
        return CSVRow(number, refused=f"At most {MAX_ROW} characters, and every quote closed.")
    text = text.removesuffix("\n").removesuffix("\r")
    any_cells, quoted_cells = _grammar(delimiter)
    if not any_cells.fullmatch(text):
        return CSVRow(number, refused=UNCLOSED if '"' in text else "A line break is LF or CRLF.")
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return CSVRow(number, refused=f"A cell has at most {csv.field_size_limit()} characters.")
    if any(delimiter in cell.partition("\n")[2] for cell in cells) and not quoted_cells.fullmatch(text):
        return CSVRow(number, refused=SWALLOWED)
    return CSVRow(number, cells)


@cache
def _grammar(delimiter):
    between, quoted = re.escape(delimiter), '"[^"]*+(?:""[^"]*+)*+"'
    cell = rf'(?:{quoted}|[^"\r\n{between}]*+)'
    return re.compile(f"{cell}(?:{between}{cell})*+"), re.compile(f"{quoted}(?:{between}{quoted})*+")
