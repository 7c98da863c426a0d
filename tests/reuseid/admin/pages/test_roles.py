"""Roles: one table, written to the database, and what it means on every page."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from config import roles
from reuseid.admin.kit.bulk_lists import BulkListMixin
from tests.staff_factories import browser_of, make_colleague, rows_of

pytestmark = pytest.mark.django_db
OURS = [model for model in admin.site._registry if model._meta.app_label in {"reuseid", "mobileid"}]


def rights_in_database(role):
    return {
        f"{app}.{code}"
        for app, code in Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    }


@pytest.mark.parametrize("role", roles.ROLES)
def test_the_database_holds_each_role_as_the_table_says(role):
    assert rights_in_database(role) == roles.rights_of(role)


def test_every_line_of_the_table_has_a_mark_for_each_role():
    marks = dict(zip(roles.ROLES, "SNAIM", strict=True))
    for right, line in roles.TABLE.items():
        assert len(line.split()) == len(roles.ROLES), right
        for expected, mark in zip(marks.values(), line.split(), strict=True):
            assert mark in {expected, "-"}, right


def test_the_auditor_sees_every_model_and_otherwise_only_exports():
    rights = roles.rights_of("Auditor")
    assert all(right.partition(".")[2].startswith(("view_", "export_")) for right in rights)
    assert {f"{model._meta.app_label}.view_{model._meta.model_name}" for model in OURS} <= rights


def test_what_is_given_to_a_role_by_hand_is_taken_back_by_the_next_migration():
    extra = Permission.objects.get(codename="deactivate_user")
    Group.objects.get(name="Support").permissions.add(extra)
    own = Group.objects.create(name="Night shift")
    own.permissions.add(extra)
    call_command("migrate", verbosity=0)
    assert "reuseid.deactivate_user" not in rights_in_database("Support")
    assert rights_in_database("Night shift") == {"reuseid.deactivate_user"}


def test_only_who_may_change_people_can_see_them_or_the_other_way_round():
    for role in ("Integration", "Administrator"):
        people = {"reuseid.view_user", "reuseid.view_attribute", "mobileid.view_device", "mobileid.view_operation"}
        assert not people & roles.rights_of(role)


@pytest.mark.parametrize("role", roles.ROLES)
def test_a_list_opens_exactly_for_those_with_the_right_to_it(role, account):
    browser = browser_of(make_colleague("somebody", role, account))
    for model in admin.site._registry:
        expected = f"{model._meta.app_label}.view_{model._meta.model_name}" in roles.rights_of(role)
        assert browser.get(rows_of(model)).status_code == (200 if expected else 403), model


@pytest.mark.parametrize("role", roles.ROLES)
def test_the_side_bar_offers_only_what_opens(role, account):
    browser = browser_of(make_colleague("somebody", role, account))
    response = browser.get("/admin/")
    links = [item["link"] for group in response.context["sidebar_navigation"] for item in group["items"]]
    assert len(links) > 5
    for link in links:
        assert browser.get(str(link)).status_code == 200


def test_every_model_of_both_apps_is_in_the_back_office_and_in_the_side_bar(root):
    models = {model for label in ("reuseid", "mobileid") for model in apps.get_app_config(label).get_models()}
    models = {model for model in models if not model._meta.auto_created}
    assert models == set(OURS)
    response = root.get("/admin/")
    links = {str(item["link"]) for group in response.context["sidebar_navigation"] for item in group["items"]}
    assert {rows_of(model) for model in models} <= links


def test_nothing_of_the_oauth_toolkit_is_registered():
    assert {model._meta.app_label for model in admin.site._registry} == {"reuseid", "mobileid", "auth"}


def test_every_act_asks_in_a_dialog_and_names_a_right():
    acts = 0
    for model_admin in admin.site._registry.values():
        for act in [*model_admin._get_base_actions_list(), *model_admin._get_base_actions_detail()]:
            assert act.dialog, act.action_name
            assert act.method.allowed_permissions, act.action_name
            assert all("." not in right for right in act.method.allowed_permissions)
            acts += 1
        assert not model_admin.actions_row
        assert not model_admin.actions_submit_line
        # Acts on many lead to a form, and exist only where they have a right of their own.
        for act in model_admin.actions or ():
            assert act.allowed_permissions == [act.__name__]
            assert isinstance(model_admin, BulkListMixin)
    assert acts >= 18


def test_somebody_who_is_not_staff_sees_nothing(client, account):
    browser = browser_of(make_colleague("gone", "Senior support", account, is_active=False))
    assert browser.get("/admin/").status_code == 302
    assert client.get("/admin/reuseid/user/").status_code == 302
