"""A phone's kept answers are found when its person is erased."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobileid", "0004_lost_answers"),
    ]
    operations = [
        migrations.AddField(
            model_name="messageanswer",
            name="device_id",
            field=models.UUIDField(help_text="The phone that it is for, once that is known.", null=True),
        ),
        migrations.AddIndex(
            model_name="messageanswer",
            index=models.Index(fields=["device_id"], name="message_of_device"),
        ),
    ]
