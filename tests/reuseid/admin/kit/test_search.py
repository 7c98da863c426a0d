"""One box finds a person by anything exact, forgives form, says what it compared, and leaves a line."""

import pytest

from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry, User
from reuseid.services.people import attribute_keys, users
from tests import factories
from tests.staff_factories import rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone_key(account):
    return attribute_keys.create(account, "phone", actor=SYSTEM, searchable=True, normalisation="phone")


@pytest.fixture(autouse=True)
def email_key(account):
    return attribute_keys.create(account, "email", actor=SYSTEM, searchable=True, normalisation="email")


def found(browser, term):
    response = browser.get(rows_of(User, q=term))
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


@pytest.mark.parametrize(
    "form", [str, lambda pk: str(pk).upper(), lambda pk: f" {pk.hex} ", lambda pk: f"\u202a{pk}\u202c\u200b"]
)
def test_by_id_in_any_form(support, user, form):
    assert found(support, form(user.pk)) == [user.pk]


@pytest.mark.parametrize(
    "term",
    ["customer-1", "  customer-1 ", "email:ANNA@example.com", "email: anna@example.com ", "\u202acustomer-1\u200b"],
)
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
    assert line.changes == {"compared": ["external reference", "email"], "found": 1, "by": "name and value"}
    assert line.actor_label == "sam"
    assert "anna" not in str(line.__dict__)


def test_without_the_right_to_attributes_their_values_are_not_searched(support, user):
    support.staff.groups.get().permissions.remove(
        *support.staff.groups.get().permissions.filter(codename="view_attribute")
    )
    assert found(support, "email:anna@example.com") == []
    assert TrailEntry.objects.get(action="users.searched").changes["compared"] == ["external reference"]


def test_ctrl_k_finds_people_too_and_keeps_capitals(support, account, stranger):
    user = factories.make_user(account, external_ref="Kunde-ÄÖ7")
    shown = support.get("/admin/search/", {"s": "Kunde-ÄÖ7", "extended": "1"}).content.decode()
    assert str(user.pk) in shown
    assert str(user.pk) not in stranger.get("/admin/search/", {"s": "Kunde-ÄÖ7", "extended": "1"}).content.decode()


@pytest.mark.parametrize("term", ["CUSTOMER-1", "Customer - 1", "cUsToMeR-1"])
def test_case_and_spaces_of_a_reference_are_forgiven(support, user, term):
    assert found(support, term) == [user.pk]


def test_the_reference_as_it_is_comes_before_its_look_alikes(support, user, account):
    factories.make_user(account, external_ref="CUSTOMER-1")
    assert found(support, "customer-1") == [user.pk]
    assert len(found(support, "Customer-1")) == 2


def test_a_search_by_id_or_reference_leaves_a_line_too_and_not_what_was_typed(support, user):
    found(support, str(user.pk))
    found(support, "customer-1")
    lines = [line.changes for line in TrailEntry.objects.filter(action="users.searched").order_by("id")]
    assert lines == [
        {"compared": ["external reference", "user id", "device id", "operation id"], "found": 1},
        {"compared": ["external reference", "email"], "found": 1, "by": "value"},
    ]
    assert "customer-1" not in str([line.__dict__ for line in TrailEntry.objects.filter(action="users.searched")])


def test_each_account_is_told_of_its_own_people_only(support, user, other_account):
    support.staff.accounts.add(other_account)
    found(support, "customer-1")
    counts = {line.account_id: line.changes["found"] for line in TrailEntry.objects.filter(action="users.searched")}
    assert counts == {user.account_id: 1, other_account.pk: 0}


def begin(browser, start):
    response = browser.get(rows_of(User, starts=start))
    assert response.status_code == 200
    return {row.external_ref for row in response.context["cl"].result_list}


@pytest.mark.parametrize("start", ["cus", "CUST", "cust omer"])
def test_the_beginning_of_a_reference_is_a_search_of_its_own(support, stranger, user, account, start):
    factories.make_user(account, external_ref="Customer-22")
    factories.make_user(account, external_ref="a-customer")
    assert begin(support, start) == {"customer-1", "Customer-22"}
    assert begin(stranger, start) == set()
    lines = TrailEntry.objects.filter(action="users.searched", account=account)
    assert [line.changes for line in lines] == [{"compared": ["beginning of the external reference"], "found": 2}]


@pytest.mark.parametrize("start", ["cu", "c u", "%%%", "___", "cus%"])
def test_too_short_a_beginning_and_patterns_find_nobody(support, user, start):
    assert begin(support, start) == set()


def test_a_beginning_brings_at_most_fifty(support, account):
    for number in range(55):
        factories.make_user(account, external_ref=f"many-{number:03}")
    assert len(begin(support, "many")) == 50


def test_an_empty_search_offers_the_beginning(support, user):
    assert "?starts=custom" in support.get(rows_of(User, q="custom")).content.decode()


def test_ctrl_k_is_asked_anew_each_time_and_leaves_its_line(support, user):
    def ask(term="customer-1"):
        return support.get("/admin/search/", {"s": term, "extended": "1"}).content.decode()

    assert "Active · Nordbank" in ask()
    users.lock(user, actor=SYSTEM, reason="COMPLIANCE")
    assert "Locked · Nordbank" in ask()
    assert TrailEntry.objects.filter(action="users.searched").count() == 2
    assert str(user.pk) not in ask("cu")
    assert TrailEntry.objects.filter(action="users.searched").count() == 2
    assert rows_of(User) in ask("users")


def test_ctrl_k_is_for_colleagues(client, integrator, user):
    assert client.get("/admin/search/", {"s": "customer-1", "extended": "1"}).status_code == 302
    shown = integrator.get("/admin/search/", {"s": "customer-1", "extended": "1"}).content.decode()
    assert str(user.pk) not in shown
