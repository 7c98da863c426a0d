"""What copies of personal data must know: endpoints, whose scopes bound what they get; answers, whom they are about."""

import hashlib
import json
from datetime import UTC

import django.db.models.deletion
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

import reuseid.models.sealed
from reuseid import crypto
from reuseid.migrations import _trail_guard

READING = ("users:read", "attributes:read", "devices:read", "operations:read")


def state_scopes(apps, schema_editor):
    """An endpoint that a client made shows what that client may read; a colleague's, what the account's clients may.

    So nobody gets by an endpoint what nobody of the account may read, and no integration that may loses anything.
    """
    endpoints, clients = apps.get_model("reuseid", "WebhookEndpoint"), apps.get_model("reuseid", "Client")
    for endpoint in endpoints.objects.exclude(status="DELETED").select_related("created_by").iterator():
        if endpoint.created_by:
            held = set(endpoint.created_by.scopes)
        else:
            rows = clients.objects.filter(account=endpoint.account_id, status="ACTIVE")
            held = {scope for scopes in rows.values_list("scopes", flat=True) for scope in scopes}
        endpoint.scopes = [scope for scope in READING if scope in held]
        endpoint.granted_by = endpoint.created_by
        endpoint.save(update_fields=["scopes", "granted_by"])


def sign_marks(apps, schema_editor):
    """Lines that went by the retention so far: their marks get the signature that is asked for from now on."""
    keys, seals = apps.get_model("reuseid", "TrailKey"), apps.get_model("reuseid", "TrailSeal")
    key = keys.objects.order_by("-created_at").first()
    for one in seals.objects.filter(purged_at__lte=Now(), purge_signature="").iterator():
        place = {"account": None, "table": "reuseid_trailkey", "row": key.pk, "column": "private_key"}
        private = Ed25519PrivateKey.from_private_bytes(crypto.unseal(key.private_key, **place))
        one.purge_days = (one.purged_at - one.at).days
        if one.purge_days >= 0:
            times = [moment.astimezone(UTC).isoformat(timespec="microseconds") for moment in (one.at, one.purged_at)]
            text = json.dumps([one.number, one.hash, *times, one.purge_days])
            digest = hashlib.sha256(b"reuseid trail purge 1\0" + text.encode()).digest()
            one.purge_key, one.purge_signature = key, private.sign(digest).hex()
            one.save(update_fields=["purge_days", "purge_key", "purge_signature"])


class Migration(migrations.Migration):
    dependencies = [
        ("reuseid", "0007_composed_references"),
    ]
    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="scopes",
            field=models.JSONField(
                blank=True, default=list, help_text="What its events show beyond ids, as the scopes of a client."
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="granted_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Whose own scopes bound them; nobody's: a colleague stated them.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
            ),
        ),
        migrations.RunPython(state_scopes, migrations.RunPython.noop),
        migrations.AddField(
            model_name="user",
            name="emptied_at",
            field=models.DateTimeField(
                editable=False, help_text="When nothing was left but what is still owed to the outside.", null=True
            ),
        ),
        migrations.AddField(
            model_name="idempotencykey",
            name="user_id",
            field=models.UUIDField(help_text="The person whom the answer is about.", null=True),
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="answer",
            field=reuseid.models.sealed.SealedField(
                help_text="Gone, where there is a status, with its person's erasure.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="fingerprint",
            field=models.CharField(help_text="Keyed hash of method, path and body.", max_length=64),
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="key",
            field=models.CharField(help_text="A keyed hash of the header: it may name a person.", max_length=255),
        ),
        migrations.AddIndex(
            model_name="idempotencykey",
            index=models.Index(
                condition=models.Q(("user_id__isnull", False)), fields=["user_id"], name="idempotency_of_user"
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrow",
            index=models.Index(
                condition=models.Q(("typed__isnull", False)), fields=["account"], name="bulk_row_typed"
            ),
        ),
        migrations.RunPython(_trail_guard.remove, migrations.RunPython.noop),
        migrations.AddField(
            model_name="trailseal",
            name="version",
            field=models.PositiveSmallIntegerField(default=1, help_text="What is signed: from 2 on the time, too."),
        ),
        migrations.AddField(
            model_name="trailseal",
            name="purge_days",
            field=models.PositiveIntegerField(
                help_text="The retention time by which they went, in days.", null=True
            ),
        ),
        migrations.AddField(
            model_name="trailseal",
            name="purge_key",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reuseid.trailkey",
            ),
        ),
        migrations.AddField(
            model_name="trailseal",
            name="purge_signature",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Over the seal, both times and the days: nobody else purges.",
                max_length=128,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(sign_marks, migrations.RunPython.noop),
        migrations.RunPython(_trail_guard.install, _trail_guard.remove),
    ]
