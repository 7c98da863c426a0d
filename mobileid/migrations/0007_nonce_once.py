"""Nonces are unique by an index that is alone in it (decision 0038); 0009 takes the former two away.

An atomic migration of its own, as 0008 is: it locks one table, so no request and it wait for each other.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobileid", "0006_stored_response"),
    ]
    operations = [
        migrations.AddConstraint("nonce", models.UniqueConstraint(fields=["value"], name="nonce_once")),
    ]
