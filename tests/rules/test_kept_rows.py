"""Rows that others name without a constraint are never deleted (decision 0038).

Beside these rules every test fails that deletes such a row, and every one with real commits that leaves a reference to
one that is not there: tests/conftest.py.
"""

import ast

import pytest
from django.contrib import admin
from django.db.models import PROTECT

from mobileid.models import Application, Device, Operation
from reuseid.models import Account, Client, Delivery, DeliveryAttempt, User, WebhookEndpoint
from reuseid.services import references
from tests.rules.test_house import ROOT, every_source

KEPT = {Account, Client, User, WebhookEndpoint, Application, Device, Operation}
NAMES = {model.__name__ for model in KEPT}
DELETES = {"delete", "adelete", "_raw_delete", "_delete_some"}


def test_nothing_that_is_ever_deleted_is_named_without_a_constraint():
    assert {field.related_model for field in references.unchecked()} == KEPT


def test_django_still_refuses_to_delete_what_is_named():
    assert {field.remote_field.on_delete for field in references.unchecked()} == {PROTECT}


def test_what_is_deleted_is_checked_by_the_database():
    checked = (Delivery._meta.get_field("event"), DeliveryAttempt._meta.get_field("delivery"))
    assert all(field.db_constraint for field in checked)


def deleted_in(tree):
    """(line, name) of what each deleted expression begins with: `Device` of ``Device.objects.all().delete()``."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or getattr(call.func, "attr", getattr(call.func, "id", "")) not in DELETES:
            continue
        for node in [call.func, *call.args[:1]]:
            while isinstance(node, (ast.Call, ast.Attribute, ast.Subscript)):
                node = node.func if isinstance(node, ast.Call) else node.value
            if isinstance(node, ast.Name):
                yield call.lineno, node.id


@pytest.mark.parametrize("path", list(every_source()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_deletes_them(path):
    assert [found for found in deleted_in(ast.parse(path.read_text())) if found[1] in NAMES] == []


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Device.objects.filter(pk=1).delete()", {"Device"}),
        ("sweeping.delete(Device.objects.all(), 5)", {"sweeping", "Device"}),
        ("_delete_some(Device.objects.all()[:5])", {"_delete_some", "Device"}),
        ("Nonce.objects.filter(device__in=Device.objects.all()).delete()", {"Nonce"}),
    ],
)
def test_the_rule_knows_what_is_deleted(line, names):
    assert {name for _line, name in deleted_in(ast.parse(line))} == names


@pytest.mark.django_db
@pytest.mark.parametrize("model", sorted(KEPT, key=str), ids=lambda model: model.__name__)
def test_not_even_a_superuser_deletes_them_in_the_back_office(model, root, rf):
    request = rf.get("/")
    request.user = root.staff
    assert not admin.site.get_model_admin(model).has_delete_permission(request)


@pytest.mark.django_db
def test_a_test_that_deletes_one_fails():
    unnamed = Account.objects.create(name="Nobody's")
    with pytest.raises(AssertionError, match="0038"):
        unnamed.delete()
