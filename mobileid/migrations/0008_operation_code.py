"""Codes are unique by an index of those operations that have one (decision 0038); 0009 takes the former two away.

It reads the operations once, and meanwhile writing to them waits.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobileid", "0007_nonce_once"),
    ]
    operations = [
        migrations.AddConstraint(
            "operation",
            models.UniqueConstraint(
                condition=models.Q(code_index__isnull=False), fields=["code_index"], name="operation_code"
            ),
        ),
    ]
