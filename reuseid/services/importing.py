"""Bulk import of users: every row is judged before the first is made, and a second run goes on where one stopped."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction

from reuseid.actors import Actor, ActorKind
from reuseid.errors import Invalid, ServiceError
from reuseid.models import AssuranceLevel, Attribute, TrailEntry, User
from reuseid.services import catalogue, users
from reuseid.services.attributes import Record

BATCH = 200
MAX_LINE = 256 * 1024
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


class DryRun(Exception):
    """Undoes a batch."""


@dataclass(slots=True)
class Row:
    """One line of the file: what it says, or why it can't be taken, and in the end what became of it."""

    number: int
    external_ref: str = ""
    segment: str = ""
    attributes: dict[str, Record] = field(default_factory=dict)
    status: str = "valid"
    user_id: UUID | None = None
    errors: list[dict] = field(default_factory=list)

    def refuse(self, error: ServiceError):
        """Keep the reasons; never the values."""
        self.status = "refused"
        self.errors += error.invalid_params or [{"name": "row", "reason": error.detail or error.title}]

    def as_json(self) -> dict:
        """The row's line in the result file."""
        return {
            "row": self.number,
            "externalRef": self.external_ref or None,
            "status": self.status,
            "userId": self.user_id and str(self.user_id),
            "errors": self.errors,
        }


def read(path: Path) -> Iterator[Row]:
    """The rows of a ``.jsonl`` file (a line is the body of ``POST users`` without ``proofing``) or a ``.csv`` file.

    A CSV has a header with ``externalRef``, ``segment`` and ``attributes.NAME``; its values are text, an empty one is
    none. ``externalRef`` is required: it is what makes the import resumable.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, members in enumerate(csv.DictReader(file) if path.suffix == ".csv" else file, 1):
            row = Row(number)
            try:
                _fill(row, _from_csv(members) if path.suffix == ".csv" else _from_json(members))
            except ServiceError as error:
                row.refuse(error)
            yield row


def _from_csv(members):
    if None in members or None in members.values():
        raise Invalid.field("row", "It has more or fewer columns than the header.")
    body = {"attributes": {}}
    for name, value in members.items():
        if name.startswith("attributes."):
            body["attributes"] |= {name.removeprefix("attributes."): value} if value else {}
        else:
            body[name] = value or None
    return body


def _from_json(line):
    if len(line) > MAX_LINE:
        raise Invalid.field("row", f"At most {MAX_LINE} characters.")
    try:
        body = json.loads(line, parse_constant=_refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Invalid.field("row", "It is not JSON.") from None
    if not isinstance(body, dict):
        raise Invalid.field("row", "It is not a JSON object.")
    return body


def _refuse_constant(text):
    raise ValueError(text)


def _fill(row, body):
    if unknown := set(body) - {"externalRef", "segment", "attributes"}:
        raise Invalid.field(min(unknown), "This field is not known.")
    for name in ("externalRef", "segment"):
        if not isinstance(body.get(name, ""), str | None):
            raise Invalid.field(name, "Must be text.")
    if not body.get("externalRef"):
        raise Invalid.field("externalRef", "It is required.")
    row.external_ref = users.check_external_ref(body["externalRef"])
    row.segment = users.check_segment(body.get("segment"))
    attributes = body.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise Invalid.field("attributes", "Must be an object.")
    row.attributes = {name: record_of(name, value) for name, value in attributes.items()}


def record_of(name: str, value) -> Record:
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
    if text is None:
        return None
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        pass
    raise Invalid.field(name, "Must be an RFC 3339 time with an offset.")


def actor_of(path: Path) -> Actor:
    """The import of exactly these bytes: by it a second run knows what the first one made."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Actor(ActorKind.SYSTEM, f"import_users {digest[:32]}", f"manage.py import_users {path.name}"[:150])


def judge(account, path: Path, actor: Actor) -> Iterator[list[Row]]:
    """Every row in batches, refused where its values, its names, another row or the database speak against it."""
    seen: dict[str, int] = {}
    for batch in _batches(read(path)):
        _judge_values(account, batch, seen)
        _judge_presence(account, batch, actor)
        yield batch


def _judge_values(account, batch, seen):
    names = {name for row in batch for name in row.attributes if catalogue.NAME.fullmatch(name)}
    rules = catalogue.rules_for(account, names, closed=False)
    for row in batch:
        try:
            catalogue.check_names(account, row.attributes, rules)
            indexes = {f"externalRef:{row.external_ref}": "externalRef"} if row.external_ref else {}
            for name, record in row.attributes.items():
                rules[name].encode(record.value)
                index = rules[name].index(account.pk, record.value)
                if rules[name].unique:
                    indexes[index] = f"attributes.{name}"
            for index, name in indexes.items():
                if seen.setdefault(index, row.number) != row.number:
                    raise Invalid.field(name, f"Row {seen[index]} has it.")
        except ServiceError as error:
            row.refuse(error)
    _judge_unique(account, batch, rules)


def _judge_unique(account, batch, rules):
    wanted = {
        index: (row, name)
        for row in batch
        if row.status == "valid"
        for name, record in row.attributes.items()
        if rules[name].unique
        for index in rules[name].indexes(account.pk, record.value)
    }
    taken = Attribute.objects.filter(account=account, unique_index__in=list(wanted)).select_related("user")
    for attribute in taken if wanted else ():
        row, name = wanted[attribute.unique_index]
        if attribute.user.external_ref != row.external_ref:
            row.refuse(Invalid.field(f"attributes.{name}", "Another user has it."))


def _judge_presence(account, batch, actor):
    """A user that this very import made counts as done; any other with the reference speaks against the row."""
    refs = [row.external_ref for row in batch if row.status == "valid"]
    present = dict(User.objects.of(account).filter(external_ref__in=refs).values_list("external_ref", "pk"))
    ours = TrailEntry.objects.filter(
        action="user.created", actor_type=actor.kind, actor_id=actor.id, user_id__in=list(present.values())
    )
    made = set(ours.values_list("user_id", flat=True)) if present else set()
    for row in batch:
        if row.status != "valid" or row.external_ref not in present:
            continue
        if present[row.external_ref] in made:
            row.status, row.user_id = "imported before", present[row.external_ref]
        else:
            row.refuse(Invalid.field("externalRef", "Another user has it."))


def carry_out(account, path: Path, actor: Actor, *, dry_run: bool) -> Iterator[list[Row]]:
    """Judge again and make the users, a batch to a transaction; a dry run undoes each batch after it."""
    for batch in judge(account, path, actor):
        try:
            with transaction.atomic():
                for row in batch:
                    _make(account, row, actor)
                if dry_run:
                    raise DryRun
        except DryRun:
            for row in batch:
                row.status, row.user_id = row.status.replace("created", "would be created"), None
        yield batch


def _make(account, row, actor):
    if row.status != "valid":
        return
    try:
        user = users.create(
            account, actor=actor, external_ref=row.external_ref, segment=row.segment, attributes=row.attributes
        )
    except ServiceError as error:
        row.refuse(error)
    else:
        row.status, row.user_id = "created", user.pk


def _batches(rows):
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
