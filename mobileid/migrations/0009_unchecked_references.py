"""References to rows that are never deleted are not checked, and have no index beside one that begins with them.

Decision 0038. On PostgreSQL nothing is read or written but the catalogue.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from reuseid.migrations._brief_locks import AlterFieldBriefly

PROTECT = django.db.models.deletion.PROTECT


def unchecked(model, name, to, *, kind=models.ForeignKey, **options):
    """A reference that stays PROTECT for Django and is nothing but a column for the database."""
    return AlterFieldBriefly(model, name, kind(db_constraint=False, on_delete=PROTECT, to=to, **options))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("mobileid", "0008_operation_code"),
        ("reuseid", "0011_unchecked_references"),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]
    operations = [
        unchecked("operation", "account", "reuseid.account", related_name="operations", db_index=False),
        unchecked(
            "operation", "application", "mobileid.application", related_name="operations", db_index=False, null=True
        ),
        unchecked(
            "operation",
            "client",
            settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
            related_name="+",
            db_index=False,
            null=True,
            help_text="Who started it.",
        ),
        unchecked("operation", "user", "reuseid.user", related_name="operations", db_index=False, null=True),
        unchecked(
            "operation",
            "target_device",
            "mobileid.device",
            related_name="+",
            null=True,
            help_text="Only this phone may answer.",
        ),
        unchecked(
            "operation",
            "device",
            "mobileid.device",
            related_name="operations",
            db_index=False,
            null=True,
            help_text="The phone that answered.",
        ),
        unchecked(
            "evidence",
            "operation",
            "mobileid.operation",
            kind=models.OneToOneField,
            related_name="evidence",
            primary_key=True,
            serialize=False,
        ),
        unchecked("nonce", "operation", "mobileid.operation", related_name="nonces", db_index=False, null=True),
        unchecked("nonce", "device", "mobileid.device", related_name="nonces", db_index=False, null=True),
        unchecked("storedresponse", "account", "reuseid.account", related_name="+", db_index=False),
        unchecked("storedresponse", "application", "mobileid.application", related_name="+", db_index=False),
        AlterFieldBriefly("nonce", "value", models.CharField(help_text="b64u", max_length=43)),
        AlterFieldBriefly(
            "operation",
            "code_index",
            models.CharField(
                help_text="Keyed hash of the activation code or of the claim; single use.", max_length=64, null=True
            ),
        ),
    ]
