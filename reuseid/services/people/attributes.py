"""Attributes of a user: records with provenance, sealed values, and the values they had before."""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from reuseid.actors import Actor
from reuseid.errors import Conflict, Invalid, Unknown
from reuseid.models import Attribute, AttributeVersion, Client, Proofing, User
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.prepared import Param, Select
from reuseid.services.people import catalogue

MAX_PER_USER = 200
COLUMNS = ("source", "assurance_level", "verified_at", "expires_at", "proofing_id")


_OF_USER: Select[Attribute] = Select(lambda: Attribute.objects.filter(user=Param("user")).order_by("name"))


class NotUnique(Conflict):
    """Another user of the account has the value."""

    code = "attribute_not_unique"
    title = "Another user has this value."


@dataclass(frozen=True, slots=True)
class Record:
    """A value (any JSON but null) and where it comes from: what an attribute is set to."""

    value: object
    source: str = ""
    assurance_level: str = ""
    verified_at: datetime | None = None
    expires_at: datetime | None = None
    proofing_id: uuid.UUID | None = None


def write(
    user: User, records: Mapping[str, Record | None], *, actor: Actor, reason: str = "", new: bool = False
) -> list[str]:
    """Set each named attribute, or delete where None; returns the names that changed. A ``new`` user has none yet.

    For the services of this room: the caller holds the transaction and the user's row, writes the trail and the event.
    Raises Invalid or NotUnique. The number of queries does not grow with the number of attributes.
    """
    if not records:
        return []
    rules = catalogue.rules_for(user.account, records)
    present = {} if new else {attribute.name: attribute for attribute in user.attributes.all()}
    if len({*present, *(name for name, record in records.items() if record)}) > MAX_PER_USER:
        raise Invalid.field("attributes", f"At most {MAX_PER_USER} for a user.")
    _check_proofings(user, records)
    made: list[Attribute] = []
    changed: list[Attribute] = []
    gone: list[Attribute] = []
    history: list[AttributeVersion] = []
    for name, record in records.items():
        before = present.get(name)
        if before:
            history.append(_version(before, actor, reason))
        if record is None:
            gone += [before] if before else []
            continue
        attribute = before or Attribute(account_id=user.account_id, user=user, name=name)
        _fill(attribute, record, rules[name])
        (changed if before else made).append(attribute)
    _check_unique(user, made + changed, records, rules)
    _store(made, changed, gone, history)
    return [attribute.name for attribute in (*made, *changed, *gone)]


def _fill(attribute, record, rules):
    seal_field(attribute, "value", rules.encode(record.value))
    for column in COLUMNS:
        setattr(attribute, column, getattr(record, column))
    attribute.blind_index = rules.index(attribute.account_id, record.value)
    attribute.unique_index = attribute.blind_index if rules.unique else None
    attribute.withdrawn_at = None
    attribute.updated_at = timezone.now()


def _version(attribute, actor, reason):
    version = AttributeVersion(
        account_id=attribute.account_id,
        user_id=attribute.user_id,
        name=attribute.name,
        source=attribute.source,
        assurance_level=attribute.assurance_level,
        verified_at=attribute.verified_at,
        actor_type=actor.kind,
        actor_id=actor.id,
        reason=reason,
    )
    seal_field(version, "value", unseal_field(attribute, "value"))
    return version


def _check_proofings(user, records):
    wanted = {record.proofing_id for record in records.values() if record and record.proofing_id}
    if not wanted:
        return
    found = set(Proofing.objects.filter(user=user, status="ACTIVE", pk__in=wanted).values_list("pk", flat=True))
    for name, record in records.items():
        if record and record.proofing_id and record.proofing_id not in found:
            raise Invalid.field(f"attributes.{name}.proofingId", "Not an active proofing of this user.")


def _check_unique(user, attributes, records, rules):
    # The constraint decides between rivals; this names the attribute, and sees values indexed under an older key.
    unique = {
        index: attribute.name
        for attribute in attributes
        if attribute.unique_index
        for index in rules[attribute.name].indexes(user.account_id, records[attribute.name].value)
    }
    taken = Attribute.objects.filter(account_id=user.account_id, unique_index__in=unique).exclude(user=user)
    if unique and (rival := taken.first()):
        raise NotUnique(invalid_params=[{"name": f"attributes.{rival.name}", "reason": "Another user has it."}])


def _store(made, changed, gone, history):
    try:
        with transaction.atomic():
            AttributeVersion.objects.bulk_create(history)
            if gone:
                Attribute.objects.filter(pk__in=[attribute.pk for attribute in gone]).delete()
            if changed:
                fields = ["value", "blind_index", "unique_index", "withdrawn_at", "updated_at"]
                Attribute.objects.bulk_update(changed, [*fields, *(c.removesuffix("_id") for c in COLUMNS)])
            Attribute.objects.bulk_create(made)
    except IntegrityError:
        raise NotUnique from None


def value_of(attribute: Attribute | AttributeVersion) -> Any:
    """The value of one attribute, or of a former version of it: any JSON. Raises crypto.Unreadable."""
    return json.loads(unseal_field(attribute, "value"))


def values(users: Iterable[User], names: Iterable[str] | None = None) -> dict:
    """``{user id: {name: value}}`` of many users, in one query; all names unless some are given.

    Raises crypto.Unreadable.
    """
    found: dict[uuid.UUID, dict[str, Any]] = {user.pk: {} for user in users}
    if names is None and len(found) == 1:
        (user_id,) = found
        return {user_id: {attribute.name: value_of(attribute) for attribute in _OF_USER.all(user=user_id)}}
    rows = Attribute.objects.filter(user__in=list(found)).order_by("name")
    for attribute in rows if names is None else rows.filter(name__in=names):
        found[attribute.user_id][attribute.name] = value_of(attribute)
    return found


def get(user: User, name: str) -> Attribute:
    """The user's attribute of that name; raises Unknown."""
    attribute = user.attributes.filter(name=name).first()
    if attribute is None:
        raise Unknown
    return attribute


def requested(user: User | None, names: Collection[str], client: Client | None) -> dict:
    """``requestedUserAttributes`` of a successful operation: the named values that are there and have not expired.

    Nothing without the client's scope ``attributes:read``.
    """
    if user is None or client is None or not names or "attributes:read" not in client.scopes:
        return {}
    rows = user.attributes.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), name__in=list(names)).order_by("name")
    return {attribute.name: value_of(attribute) for attribute in rows}
