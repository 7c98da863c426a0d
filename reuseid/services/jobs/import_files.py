"""The rows of an import file: what each says, or why it can't be taken. Whatever the bytes are, they end in words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from reuseid import strict_csv, strict_json
from reuseid.errors import Invalid, ServiceError
from reuseid.models import AssuranceLevel, User
from reuseid.services.jobs import csv_text
from reuseid.services.jobs.exported_people import MASKED
from reuseid.services.people import users
from reuseid.services.people.attributes import MAX_PER_USER, Record
from reuseid.times import parse_rfc3339

MAX_LINE = strict_csv.MAX_ROW
TAKEN = ("externalRef", "segment", "attributes", "state")
# What an export says besides. A new user gets an id and times of its own.
PASSED_OVER = ("userId", "stateSince", "lockReason", "lockedUntil", "created")
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class Row:
    """One row: what it says, or why it can't be taken, and in the end what became of it.

    ``number`` counts the rows below a CSV's header, or the lines of a JSON file; ``line`` is where it begins.
    ``spreadsheet`` is set where values are cells: text that may stand for a number or a truth value.
    """

    number: int
    line: int = 0
    spreadsheet: bool = False
    external_ref: str = ""
    segment: str = ""
    attributes: dict[str, Record] = field(default_factory=dict)
    status: str = "valid"
    user_id: UUID | None = None
    errors: list[dict] = field(default_factory=list)

    def refuse(self, error: ServiceError) -> None:
        """Keep the reasons; never the values."""
        self.status = "refused"
        self.errors += error.invalid_params or [{"name": "row", "reason": error.detail or error.title}]

    def as_json(self) -> dict:
        """The row's line in the result file."""
        return {
            "row": self.number,
            "line": self.line,
            "externalRef": self.external_ref or None,
            "status": self.status,
            "userId": self.user_id and str(self.user_id),
            "errors": self.errors,
        }


def read(path: Path) -> Iterator[Row]:
    """The rows of a ``.jsonl`` file (a line is the body of ``POST users`` without ``proofing``) or a ``.csv`` file.

    A CSV (RFC 4180; separated by comma, semicolon or tab) has a header with ``externalRef``, ``segment`` and
    ``attributes.NAME``; an empty value is none. ``externalRef`` is required: it is what makes the import resumable.
    Both may be exports. Lines and rows with nothing in them are passed over. Raises Invalid for a file that is
    neither.
    """
    with path.open("rb") as file:
        head = file.read(3)
        if head.startswith(_BYTE_ORDER_MARKS):
            raise Invalid.field("file", "It is UTF-16: save it as UTF-8.")
        if head != b"\xef\xbb\xbf":
            file.seek(0)
        read_rows = {".csv": _csv_rows, ".jsonl": _json_rows}.get(path.suffix.lower())
        if read_rows is None:
            raise Invalid.field("file", "It must be .csv or .jsonl.")
        for row, members in read_rows(_lines(file)):
            try:
                _fill(row, members())
            except ServiceError as error:
                row.refuse(error)
            yield row


def _lines(file):
    """Lines with their ends; of one that is too long its length alone is kept."""
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            while not line.endswith(b"\n") and (line := file.readline(MAX_LINE)):
                pass
            line = b"?" * (MAX_LINE + 1)
        yield line


def _json_rows(lines):
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield Row(number, line=number), lambda line=line: _from_json(line)


def _from_json(line):
    if len(line) > MAX_LINE:
        raise Invalid.field("row", f"At most {MAX_LINE} bytes.")
    try:
        body = strict_json.loads(line)
    except strict_json.NotStrict as error:
        raise Invalid.field("row", str(error)) from None
    if not isinstance(body, dict):
        raise Invalid.field("row", "It is not a JSON object.")
    return body


def _csv_rows(lines):
    # A byte that is not UTF-8 becomes a lone surrogate, which no UTF-8 does: told of the row that has it.
    texts = (line.decode("utf-8", "surrogateescape") for line in lines)
    table = strict_csv.with_header(texts, "externalRef".__eq__)
    if table is None:
        reason = "Its first line must name the columns, externalRef among them, with comma, semicolon or tab between."
        raise Invalid.field("file", reason)
    header, rows = table
    _check_header(header)
    for number, row in enumerate(rows, 1):
        if not row.blank:
            yield Row(number, line=row.line, spreadsheet=True), lambda row=row: _from_csv(header, row)


def _check_header(header):
    for name in header:
        if header.count(name) > 1:
            raise Invalid.field("file", f"The column “{name[:80]}” stands twice in the header.")
        if name not in (*TAKEN, *PASSED_OVER) and not name.startswith("attributes."):
            raise Invalid.field("file", f"The column “{name[:80]}” of the header is not known.")


def _from_csv(header, row):
    if row.refused:
        raise Invalid.field("row", row.refused)
    if len(row.cells) != len(header):
        raise Invalid.field("row", "It has more or fewer columns than the header.")
    body: dict[str, Any] = {"attributes": {}}
    for name, cell in zip(header, row.cells, strict=True):
        value = _text(name, cell)
        if name.startswith("attributes."):
            body["attributes"] |= {name.removeprefix("attributes."): value} if value else {}
        else:
            body[name] = value or None
    return body


def _text(name, cell):
    if "\0" in cell:
        raise Invalid.field(name, "The character NUL is not allowed.")
    if not cell.isprintable() and any("\ud800" <= character <= "\udfff" for character in cell):
        raise Invalid.field(name, "It is not UTF-8.")
    if cell == MASKED:
        raise Invalid.field(name, "The export masked it: there is no value to import.")
    return csv_text.text(cell)


def _fill(row, body):
    if unknown := set(body) - {*TAKEN, *PASSED_OVER}:
        raise Invalid.field(min(unknown), "This field is not known.")
    for name in ("externalRef", "segment", "state"):
        if not isinstance(body.get(name, ""), str | None):
            raise Invalid.field(name, "Must be text.")
    if not body.get("externalRef"):
        raise Invalid.field("externalRef", "It is required.")
    row.external_ref = users.check_external_ref(body["externalRef"])
    row.segment = users.check_segment(body.get("segment"))
    if body.get("state") not in (None, "", User.Status.ACTIVE):
        raise Invalid.field("state", "An import makes active users: leave this one out, or its state.")
    attributes = body.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise Invalid.field("attributes", "Must be an object.")
    if len(attributes) > MAX_PER_USER:
        raise Invalid.field("attributes", f"At most {MAX_PER_USER} for a user.")
    row.attributes = {name: record_of(name, value) for name, value in attributes.items()}


def record_of(name: str, value: object) -> Record:
    """A bare value, or a record as ``PUT attributes/{name}`` takes it; raises Invalid."""
    if not isinstance(value, dict) or "value" not in value:
        return Record(value)
    if unknown := set(value) - {"value", "source", "assuranceLevel", "verifiedAt", "expiresAt"}:
        raise Invalid.field(f"attributes.{name}.{min(unknown)}", "This field is not known here.")
    level, source = value.get("assuranceLevel") or "", value.get("source") or ""
    if level not in ("", *AssuranceLevel.values):
        raise Invalid.field(f"attributes.{name}.assuranceLevel", f"One of {', '.join(AssuranceLevel.values)}.")
    if not isinstance(source, str) or len(source) > 120:
        raise Invalid.field(f"attributes.{name}.source", "Text of at most 120 characters.")
    times = {key: _time(f"attributes.{name}.{key}", value.get(key)) for key in ("verifiedAt", "expiresAt")}
    return Record(value["value"], source, level, times["verifiedAt"], times["expiresAt"])


def _time(name, text):
    try:
        return None if text is None else parse_rfc3339(text)
    except ValueError:
        raise Invalid.field(name, "Must be an RFC 3339 time with an offset.") from None
