"""What a resend is answered with is a StoredResponse: in the same table, to whose name its rows are sealed.

Django renames the content type with the model. The rights and the saved views follow here, row by row, so that every
group and colleague that has one keeps it.
"""

from django.db import migrations

OLD, NEW = ("messageanswer", "message answer"), ("storedresponse", "stored response")
VERBS = ("add", "change", "delete", "view")


def rename_rights(apps, editor, old=OLD, new=NEW):
    rights = apps.get_model("auth", "Permission").objects.using(editor.connection.alias)
    views = apps.get_model("reuseid", "SavedView").objects.using(editor.connection.alias)
    for verb in VERBS:
        right = rights.filter(content_type__app_label="mobileid", codename=f"{verb}_{old[0]}")
        right.update(codename=f"{verb}_{new[0]}", name=f"Can {verb} {new[1]}")
    views.filter(model=f"mobileid.{old[0]}").update(model=f"mobileid.{new[0]}")


def name_as_before(apps, editor):
    rename_rights(apps, editor, NEW, OLD)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("mobileid", "0005_message_device"),
        ("reuseid", "0009_people_found"),
    ]

    operations = [
        migrations.AlterModelTable("messageanswer", "mobileid_messageanswer"),
        migrations.RenameModel("MessageAnswer", "StoredResponse"),
        migrations.RunPython(rename_rights, name_as_before),
    ]
