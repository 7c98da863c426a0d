"""Which cipher suite a phone last used; unknown (NULL) until it speaks again."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("mobileid", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="suite",
            field=models.SmallIntegerField(
                blank=True,
                choices=[(1, "X25519"), (2, "X-Wing (post-quantum)")],
                help_text="What its last message was sealed with.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(condition=Q(suite=None) | Q(suite__in=[1, 2]), name="device_suite"),
        ),
    ]
