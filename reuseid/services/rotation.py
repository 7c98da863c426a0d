"""Key rotation while the service runs: what older keys sealed or indexed is written anew under the newest."""

import logging
from collections.abc import Iterator

from django.db import IntegrityError, transaction
from django.db.models import BinaryField
from django.db.models.functions import Substr

from reuseid import crypto
from reuseid.errors import Invalid
from reuseid.models import Account, Attribute, User
from reuseid.models.sealed import seal_field, sealed_columns, unseal_field
from reuseid.normalisation import folded_ref
from reuseid.services.people import catalogue
from reuseid.services.people.attributes import value_of

log = logging.getLogger(__name__)

BATCH = 500


def reseal() -> Iterator[tuple[str, int, int]]:
    """Re-encrypt every sealed column of every model; yields ``(column, done, unreadable)`` after each batch.

    What the newest key sealed is passed over in the database, so another run goes on where one was stopped. A value
    that changes meanwhile is left as it is: it is under the newest key already. What does not open is counted and kept.
    """
    for model, names in sealed_columns():
        for name in names:
            yield from _reseal_column(model, name)


def _reseal_column(model, name):
    label, done, unreadable, last = f"{model._meta.label_lower}.{name}", 0, 0, None
    yield label, 0, 0
    while rows := _older(model, name, last):
        last = rows[-1].pk
        with transaction.atomic():
            for row in rows:
                before = bytes(getattr(row, name))
                try:
                    seal_field(row, name, unseal_field(row, name))
                except crypto.Unreadable:
                    unreadable += 1
                    continue
                same = model._base_manager.filter(pk=row.pk, **{name: before})
                done += same.update(**{name: getattr(row, name)})
        yield label, done, unreadable


def _older(model, name, last):
    """The next rows whose value another key sealed: its header is a prefix that the database compares."""
    header = crypto.sealed_header()
    rows = model._base_manager.filter(**{f"{name}__isnull": False})
    rows = rows.annotate(_header=Substr(name, 1, len(header), output_field=BinaryField())).exclude(_header=header)
    if last is not None:
        rows = rows.filter(pk__gt=last)
    return list(rows.order_by("pk")[:BATCH])


def reindex() -> Iterator[tuple[str, int, int]]:
    """Write what search compares anew, under the newest blind-index key and in today's normal forms.

    Yields as `reseal` does. Search and uniqueness work under all configured keys meanwhile. A row that is as it should
    be is only read. Two values of different users that have become one are both found by search; which users they are
    is logged, and counted with the unreadable.
    """
    yield from _refold()
    label, done, unreadable = "reuseid.attribute.blind_index", 0, 0
    yield label, 0, 0
    for account in Account.objects.order_by("pk"):
        last = None
        while rows := _attributes(account, last):
            last = rows[-1].pk
            rules = catalogue.rules_for(account, {row.name for row in rows}, closed=False)
            for row in rows:
                try:
                    done += _reindex_row(account, row, rules[row.name])
                except crypto.Unreadable:
                    unreadable += 1
                except IntegrityError:
                    unreadable += 1
                    _tell_of_two(row, rules[row.name])
            yield label, done, unreadable


def _refold():
    label, done, last = "reuseid.user.folded_ref", 0, None
    yield label, 0, 0
    people = User.objects.filter(external_ref__isnull=False).order_by("pk").only("external_ref", "folded_ref")
    while rows := list((people if last is None else people.filter(pk__gt=last))[:BATCH]):
        last = rows[-1].pk
        for row in rows:
            if row.folded_ref != (folded := folded_ref(row.external_ref)):
                done += people.filter(pk=row.pk, external_ref=row.external_ref).update(folded_ref=folded)
        yield label, done, 0


def _tell_of_two(row, rules):
    index = rules.index(row.account_id, value_of(row))
    # Found by search as the other is; the unique index stays the other's.
    Attribute.objects.filter(pk=row.pk, value=bytes(row.value)).update(blind_index=index)
    other = Attribute.objects.filter(account=row.account_id, unique_index=index).values_list("user_id", flat=True)
    log.warning("The attribute %s of user %s is the same as that of user %s.", row.name, row.user_id, other.first())


def _attributes(account, last):
    rows = Attribute.objects.filter(account=account).order_by("pk")
    return list((rows if last is None else rows.filter(pk__gt=last))[:BATCH])


def _reindex_row(account, row, rules):
    try:
        index = rules.index(account.pk, value_of(row))
    except Invalid:
        index = ""  # The catalogue became stricter since; such a value is not found by search.
    unique = index if rules.unique and index else None
    if (row.blind_index, row.unique_index) == (index, unique):
        return 0
    same = Attribute.objects.filter(pk=row.pk, value=bytes(row.value))
    with transaction.atomic():
        return same.update(blind_index=index, unique_index=unique)
