"""References are folded by the service, alike for every database; the next migration fills the column."""

from django.db import migrations, models


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
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                fields=["account", "folded_ref"],
                name="user_by_folded_ref",
                opclasses=["uuid_ops", "varchar_pattern_ops"],
            ),
        ),
    ]
