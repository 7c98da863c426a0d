"""References to rows that are never deleted are not checked, and have no index beside one that begins with them.

Decision 0038. On PostgreSQL nothing is read or written but the catalogue.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from reuseid.migrations import _trail_guard
from reuseid.migrations._brief_locks import AlterFieldBriefly, DropIndexBriefly

PROTECT = django.db.models.deletion.PROTECT


def unguard(apps, schema_editor):
    """SQLite writes the table anew, and its triggers go with the old one."""
    if schema_editor.connection.vendor == "sqlite":
        _trail_guard.remove(apps, schema_editor)


def guard(apps, schema_editor):
    """The triggers are there again."""
    if schema_editor.connection.vendor == "sqlite":
        _trail_guard.install(apps, schema_editor)


def unchecked(model, name, to, **options):
    """A reference that stays PROTECT for Django and is nothing but a column for the database."""
    options = {"db_constraint": False, "db_index": False, "related_name": "+", **options}
    return AlterFieldBriefly(model, name, models.ForeignKey(on_delete=PROTECT, to=to, **options))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("reuseid", "0010_renamed_models"),
    ]
    operations = [
        unchecked("event", "account", "reuseid.account", related_name="events"),
        unchecked("delivery", "account", "reuseid.account", db_index=True),
        unchecked("delivery", "endpoint", "reuseid.webhookendpoint", related_name="deliveries"),
        DropIndexBriefly(
            "deliveryattempt",
            "delivery",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempt_log",
                to="reuseid.delivery",
            ),
        ),
        unchecked("idempotencykey", "account", "reuseid.account"),
        unchecked("idempotencykey", "client", settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
        migrations.RunPython(unguard, guard),
        unchecked("trailentry", "account", "reuseid.account", null=True),
        migrations.RunPython(guard, unguard),
    ]
