"""What lost answers need: the biometric key before a new one, and whether a phone was ever heard."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobileid", "0003_reveal_operation"),
        ("reuseid", "0005_operation_revealed"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="heard_at",
            field=models.DateTimeField(
                blank=True, help_text="Its first message after registering: from then on somebody holds it.", null=True
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="previous_inherence_jwk",
            field=models.JSONField(
                blank=True,
                help_text="After biometry was enabled anew it counts too, as the PIN before does.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="previous_inherence_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                condition=models.Q(("previous_inherence_until__isnull", False)),
                fields=["previous_inherence_until"],
                name="device_biometry_hand_over",
            ),
        ),
    ]
