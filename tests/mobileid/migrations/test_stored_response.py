"""The migration that renames MessageAnswer: rows stay readable, rights and saved views follow, nothing is left."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from mobileid.models import StoredResponse
from reuseid.models import SavedView
from reuseid.models.sealed import unseal_field
from tests.staff_factories import make_colleague

pytestmark = pytest.mark.django_db(transaction=True)
VERBS = ("add", "change", "delete", "view")


def rights(noun):
    return set(Permission.objects.filter(codename__in=[f"{verb}_{noun}" for verb in VERBS]))


def test_answers_rights_and_saved_views_follow_the_renamed_model(phone, account):
    phone.device.rename("Stored")
    before = {row.pk: unseal_field(row, "answer") for row in StoredResponse.objects.all()}
    auditor = make_colleague("auditor", "Auditor", account)
    SavedView.objects.create(staff=auditor, model="mobileid.storedresponse", name="Mine", query="")
    own = Group.objects.create(name="The operator's own")
    own.permissions.set(rights("storedresponse"))
    assert len(rights("storedresponse")) == 4

    call_command("migrate", "mobileid", "0005", verbosity=0)
    assert set(own.permissions.all()) == rights("messageanswer") != set()
    assert SavedView.objects.get().model == "mobileid.messageanswer"

    call_command("migrate", verbosity=0)
    assert set(own.permissions.all()) == rights("storedresponse") != set()
    assert rights("messageanswer") == set()
    assert not ContentType.objects.filter(app_label="mobileid", model="messageanswer").exists()
    assert {right.content_type.model for right in rights("storedresponse")} == {"storedresponse"}
    assert {right.name for right in rights("storedresponse")} == {f"Can {verb} stored response" for verb in VERBS}
    assert Group.objects.get(name="Auditor").permissions.filter(codename="view_storedresponse").exists()
    assert SavedView.objects.get().model == "mobileid.storedresponse"
    assert {row.pk: unseal_field(row, "answer") for row in StoredResponse.objects.all()} == before != {}
