"""The right to see for a minute what a person was shown."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("mobileid", "0002_device_suite"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="operation",
            options={
                "permissions": [
                    ("cancel_operation", "Can cancel an open operation"),
                    ("start_registration", "Can start the registration of a phone"),
                    ("reveal_operation", "Can see for a minute what a person was shown"),
                    ("try_operation", "Can try operations out with test users"),
                ]
            },
        ),
    ]
