"""What a person was shown can be revealed before anybody has claimed it, and is among the looks at a person."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reuseid", "0004_user_client"),
    ]

    operations = [
        migrations.AlterField(
            model_name="reveal",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reuseid.user",
            ),
        ),
        migrations.RemoveIndex(
            model_name="trailentry",
            name="trail_of_looks",
        ),
        migrations.AddIndex(
            model_name="trailentry",
            index=models.Index(
                condition=models.Q(
                    (
                        "action__in",
                        [
                            "attribute.revealed",
                            "operation.downloaded",
                            "operation.revealed",
                            "proofing.revealed",
                            "user.viewed",
                        ],
                    )
                ),
                fields=["user_id", "id"],
                name="trail_of_looks",
            ),
        ),
    ]
