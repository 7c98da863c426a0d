"""The migration that renames models: on a database that has rows, rights and saved views, nothing is left behind."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from reuseid.actors import Actor
from reuseid.models import ApprovalRequest, SavedView, TrailEntry, UserAccess, kind_of
from reuseid.services.audit import access
from reuseid.services.people import approvals
from tests.staff_factories import make_colleague

pytestmark = pytest.mark.django_db(transaction=True)
OLD = {"view_request", "decide_request", "view_userview"}
NEW = {"view_approvalrequest", "decide_approvalrequest", "view_useraccess"}


def rights_of(owned):
    return {right.codename for right in owned.all()}


def migrate(name):
    call_command("migrate", "reuseid", name, verbosity=0)


def test_rows_rights_and_saved_views_follow_the_renamed_models(account, user):
    senior = make_colleague("senior", "Senior support", account)
    asked = approvals.ask(user, actor=Actor.staff(senior), action="user.erase", reason="CUSTOMER_REQUEST")
    access.viewed(user, actor=Actor.staff(senior))
    SavedView.objects.create(staff=senior, model="reuseid.approvalrequest", name="Mine", query="")
    own = Group.objects.create(name="The operator's own")
    own.permissions.set(Permission.objects.filter(codename__in=NEW))
    senior.user_permissions.set(own.permissions.all())
    before = set(Permission.objects.values_list("pk", flat=True))

    migrate("0009")
    assert rights_of(own.permissions) == rights_of(senior.user_permissions) == OLD
    assert SavedView.objects.get().model == "reuseid.request"

    migrate("0010")
    call_command("migrate", verbosity=0)
    assert rights_of(own.permissions) == rights_of(senior.user_permissions) == NEW
    assert rights_of(Group.objects.get(name="Senior support").permissions) >= NEW
    assert set(Permission.objects.values_list("pk", flat=True)) == before
    models = Permission.objects.filter(codename__in=NEW).values_list("content_type__model", flat=True)
    assert set(models) == {"approvalrequest", "useraccess"}
    assert SavedView.objects.get().model == "reuseid.approvalrequest"
    assert (ApprovalRequest.objects.get(), UserAccess.objects.get().user) == (asked, user)


def test_lines_go_on_to_name_what_they_are_about_by_the_old_word(account, user):
    senior = make_colleague("senior", "Senior support", account)
    asked = approvals.ask(user, actor=Actor.staff(senior), action="user.erase", reason="CUSTOMER_REQUEST")
    assert TrailEntry.objects.get(action="request.asked").object_type == kind_of(asked) == "request"
