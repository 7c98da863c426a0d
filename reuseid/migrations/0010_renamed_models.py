"""What a colleague asks for is an ApprovalRequest, who looked at whom is UserAccess: in the same tables.

Django renames the content types with the models. The rights follow here, row by row, so that every group and colleague
that has one keeps it.
"""

import django.db.models.deletion
from django.db import migrations, models

RENAMED = {"request": "approvalrequest", "userview": "useraccess"}
VERBS = ("add", "change", "delete", "view", "decide")


def rename_rights(apps, editor, names=RENAMED):
    rights = apps.get_model("auth", "Permission").objects.using(editor.connection.alias)
    views = apps.get_model("reuseid", "SavedView").objects.using(editor.connection.alias)
    for old, new in names.items():
        for verb in VERBS:
            rights.filter(content_type__app_label="reuseid", codename=f"{verb}_{old}").update(codename=f"{verb}_{new}")
        views.filter(model=f"reuseid.{old}").update(model=f"reuseid.{new}")


def name_as_before(apps, editor):
    rename_rights(apps, editor, {new: old for old, new in RENAMED.items()})


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("reuseid", "0009_people_found"),
    ]

    operations = [
        migrations.AlterModelTable("request", "reuseid_request"),
        migrations.RenameModel("Request", "ApprovalRequest"),
        migrations.AlterModelOptions(
            "approvalrequest",
            {"permissions": [("decide_approvalrequest", "Can approve or reject what another colleague asked for")]},
        ),
        migrations.AlterField(
            "approvalrequest",
            "user",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="approval_requests", to="reuseid.user"
            ),
        ),
        migrations.AlterModelTable("userview", "reuseid_userview"),
        migrations.RenameModel("UserView", "UserAccess"),
        migrations.AlterModelOptions(
            "useraccess", {"verbose_name": "access to a person", "verbose_name_plural": "access log"}
        ),
        migrations.RunPython(rename_rights, name_as_before),
    ]
