"""References are folded by one function for every database, and kept in one composition (NFC)."""

import logging

from django.db import IntegrityError, migrations, models, transaction
from django.db.models import Value
from django.db.models.functions import Lower, Replace

log = logging.getLogger("reuseid")


def fold(apps, schema_editor):
    """ASCII in one statement; the rest one by one, as its normal form asks."""
    from reuseid.normalisation import compose, folded_ref

    users = apps.get_model("reuseid", "User").objects
    users.filter(external_ref__isnull=False).update(folded_ref=Lower(Replace("external_ref", Value(" "), Value(""))))
    # Read to the end first: what is changed while it is walked may be met twice.
    rows = users.values_list("pk", "external_ref", "segment").iterator()
    for pk, reference, segment in [row for row in rows if not f"{row[1] or ''}{row[2]}".isascii()]:
        composed = None if reference is None else compose(reference)
        forms = {"external_ref": composed, "folded_ref": folded_ref(composed), "segment": compose(segment)}
        try:
            with transaction.atomic(using=schema_editor.connection.alias):
                users.filter(pk=pk).update(**forms)
        except IntegrityError:
            log.warning("User %s has the reference of another user, composed otherwise: change one of the two.", pk)
            users.filter(pk=pk).update(folded_ref=forms["folded_ref"], segment=forms["segment"])


class Migration(migrations.Migration):
    dependencies = [
        ("reuseid", "0005_operation_revealed"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="user", name="user_by_folded_ref"),
        migrations.RemoveField(model_name="user", name="folded_ref"),
        migrations.AddField(
            model_name="user",
            name="folded_ref",
            field=models.CharField(editable=False, max_length=400, null=True),
        ),
        migrations.RunPython(fold, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                fields=["account", "folded_ref"],
                name="user_by_folded_ref",
                opclasses=["uuid_ops", "varchar_pattern_ops"],
            ),
        ),
    ]
