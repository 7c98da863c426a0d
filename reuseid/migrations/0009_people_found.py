"""Who found a person by a value is among the looks at a person."""

from django.db import migrations, models

LOOKS = [
    "attribute.revealed",
    "operation.downloaded",
    "operation.revealed",
    "proofing.revealed",
    "user.found",
    "user.viewed",
]


class Migration(migrations.Migration):
    dependencies = [
        ("reuseid", "0008_copies"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="trailentry", name="trail_of_looks"),
        migrations.AddIndex(
            model_name="trailentry",
            index=models.Index(
                condition=models.Q(("action__in", LOOKS)), fields=["user_id", "id"], name="trail_of_looks"
            ),
        ),
    ]
