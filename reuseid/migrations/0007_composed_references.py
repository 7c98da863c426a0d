"""References and segments that are kept become NFC, and references are folded: in small steps while the service runs."""

import logging

from django.db import IntegrityError, migrations, transaction
from django.db.models import Value
from django.db.models.functions import Lower, Replace

log = logging.getLogger("reuseid")

BATCH = 2000


def fold(apps, schema_editor):
    """A step's ASCII in one statement; the rest one by one, as its normal form asks. It can be run again."""
    users, last = apps.get_model("reuseid", "User").objects.order_by("pk"), None
    while rows := list(
        (users if last is None else users.filter(pk__gt=last)).values_list("pk", "external_ref", "segment")[:BATCH]
    ):
        step = users.filter(pk__gte=rows[0][0], pk__lte=rows[-1][0], external_ref__isnull=False, folded_ref=None)
        step.update(folded_ref=Lower(Replace("external_ref", Value(" "), Value(""))))
        for pk, reference, segment in rows:
            if not f"{reference or ''}{segment}".isascii():
                _write(users.filter(pk=pk, external_ref=reference), pk, reference, segment)
        last = rows[-1][0]


def _write(row, pk, reference, segment):
    from reuseid.normalisation import compose, folded_ref

    forms = {"folded_ref": folded_ref(reference), "segment": compose(segment)}
    try:
        with transaction.atomic(using=row.db):
            row.update(external_ref=None if reference is None else compose(reference), **forms)
    except IntegrityError:
        log.warning("User %s has the reference of another user, composed otherwise: change one of the two.", pk)
        row.update(**forms)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("reuseid", "0006_folded_references"),
    ]

    operations = [migrations.RunPython(fold, migrations.RunPython.noop)]
