"""Which API client made a person; unknown (NULL) for those made before."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # Each statement by itself: the column is there at once, and while the indexes are made people can still be read.
    atomic = False

    dependencies = [
        ("reuseid", "0003_passkeys"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="client",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                help_text="The API client that made it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["client", "created_at", "id", "account"], name="user_of_client"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["client", "status", "created_at", "id", "account"], name="user_of_client_status"),
        ),
    ]
