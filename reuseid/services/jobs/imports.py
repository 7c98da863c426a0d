"""Bulk import of users: every row is judged before the first is made, and a second run goes on where one stopped."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from django.db import DataError, transaction

from reuseid import strict_json
from reuseid.actors import Actor, ActorKind
from reuseid.errors import Invalid, ServiceError
from reuseid.models import Account, Attribute, AttributeKey, TrailEntry, User
from reuseid.services.jobs.import_files import Row, read
from reuseid.services.people import catalogue, users

BATCH = 200


class DryRun(Exception):
    """Raised inside the transaction of a batch to undo it."""


def actor_of(path: Path) -> Actor:
    """Who acts in an import: the service, named by the hash of the file's bytes.

    By it a second run of the same file knows which users the first one made.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Actor(ActorKind.SYSTEM, f"import_users {digest[:32]}", f"manage.py import_users {path.name}"[:150])


def judge(account: Account, path: Path, *, actor: Actor) -> Iterator[list[Row]]:
    """The file's rows in batches of BATCH, each row with its outcome; nothing is written.

    A row is refused where its values, its names, another row or the database speak against it, and ``imported before``
    where this very import made its user. Raises Invalid for a file that is no import file.
    """
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
            if row.spreadsheet:
                row.attributes = {name: _of_cell(record, rules[name]) for name, record in row.attributes.items()}
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


def _of_cell(record, rules):
    """What the cell stands for where the catalogue says that it is no text; text that doesn't is refused later."""
    scalar = rules.type in (AttributeKey.Type.NUMBER, AttributeKey.Type.BOOLEAN)
    if not scalar and not (rules.listed and rules.type == AttributeKey.Type.JSON and record.value[:1] in ("[", "{")):
        return record
    try:
        return replace(record, value=strict_json.loads(record.value.encode()))
    except strict_json.NotStrict:
        return record


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


def carry_out(account: Account, path: Path, *, actor: Actor, dry_run: bool) -> Iterator[list[Row]]:
    """Judge again and make the users, a batch to a transaction; a dry run undoes each batch after it.

    Raises Invalid for a file of which ``actor`` is not the import any more.
    """
    if actor_of(path) != actor:
        raise Invalid.field("file", "It has changed since it was judged: start again.")
    for batch in judge(account, path, actor=actor):
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
    except DataError:
        row.refuse(Invalid.field("row", "The database can't store it."))
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
