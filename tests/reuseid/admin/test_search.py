"""One box finds a person by anything exact, forgives form, says what it compared, and leaves a line."""

import pytest

from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry, User
from reuseid.services import attribute_keys
from tests import factories
from tests.reuseid.admin.cast import rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone_key(account):
    return attribute_keys.create(account, "phone", actor=SYSTEM, searchable=True, normalisation="phone")


def found(browser, term):
    response = browser.get(rows_of(User, q=term))
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


@pytest.mark.parametrize("form", [str, lambda pk: str(pk).upper(), lambda pk: f" {pk.hex} "])
def test_by_id_in_any_form(support, user, form):
    assert found(support, form(user.pk)) == [user.pk]


@pytest.mark.parametrize("term", ["customer-1", "  customer-1 ", "email:ANNA@example.com", "email: anna@example.com "])
def test_by_reference_and_by_attribute(support, user, term):
    assert found(support, term) == [user.pk]


@pytest.mark.parametrize("term", ["phone:+358 40 123 4567", "phone:+358401234567", "+358 (40) 123-4567"])
def test_phone_formats_are_forgiven_and_a_catalogued_name_need_not_be_said(support, phone_key, account, term):
    user = factories.make_user(account, attributes={"phone": "+358401234567"})
    assert found(support, term) == [user.pk]


@pytest.mark.parametrize("term", ["customer", "customer-", "email:anna", "%", "email:", ":", "name:value:more"])
def test_parts_and_nonsense_find_nobody_and_break_nothing(support, user, term):
    assert found(support, term) == []


def test_nothing_found_says_what_was_compared_and_escapes_it(support, user):
    shown = support.get(rows_of(User, q="<b>nobody</b>")).content.decode()
    assert "Searched: “&lt;b&gt;nobody&lt;/b&gt;” as external reference" in shown
    shown = support.get(rows_of(User, q="00000000-0000-4000-8000-000000000000")).content.decode()
    for kind in ("external reference", "user id", "device id", "operation id"):
        assert kind in shown


def test_the_same_value_in_another_account_stays_there(support, user, other_account):
    theirs = factories.make_user(other_account, external_ref="customer-1", attributes={"email": "anna@example.com"})
    assert found(support, "customer-1") == found(support, "email:anna@example.com") == [user.pk]
    assert found(support, str(theirs.pk)) == []


def test_a_search_by_value_leaves_a_line_without_the_value(support, user):
    found(support, "email:anna@example.com")
    line = TrailEntry.objects.get(action="users.searched")
    assert line.changes == {"attributes": ["email"], "found": 1}
    assert line.actor_label == "sam"
    assert "anna" not in str(line.__dict__)


def test_without_the_right_to_attributes_their_values_are_not_searched(support, user):
    support.staff.groups.get().permissions.remove(
        *support.staff.groups.get().permissions.filter(codename="view_attribute")
    )
    assert found(support, "email:anna@example.com") == []
    assert not TrailEntry.objects.filter(action="users.searched").exists()


def test_ctrl_k_finds_people_too_and_keeps_capitals(support, account, stranger):
    user = factories.make_user(account, external_ref="Kunde-ÄÖ7")
    shown = support.get("/admin/search/", {"s": "Kunde-ÄÖ7", "extended": "1"}).content.decode()
    assert str(user.pk) in shown
    assert str(user.pk) not in stranger.get("/admin/search/", {"s": "Kunde-ÄÖ7", "extended": "1"}).content.decode()
