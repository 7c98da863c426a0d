"""What is masked is not found out by searching for it: names, quota, notice, and whom it hit."""

from datetime import timedelta

import pytest
from django.utils import timezone

from reuseid.actors import SYSTEM
from reuseid.models import AttributeKey, StaffNotice, TrailEntry, User
from reuseid.services.people import attribute_keys
from tests import factories
from tests.conftest import unguarded
from tests.staff_factories import browser_of, buttons, make_colleague, page, rows_of, said

pytestmark = pytest.mark.django_db
BORN = "1984-02-29"


@pytest.fixture(autouse=True)
def keys(account):
    """A phone that everybody may look for; a birth date that the catalogue does not make searchable."""
    attribute_keys.create(account, "phone", actor=SYSTEM, searchable=True, normalisation="phone")
    attribute_keys.create(account, "birthDate", actor=SYSTEM, type="date")


@pytest.fixture
def born(account):
    return factories.make_user(
        account, external_ref="c-1", attributes={"birthDate": BORN, "phone": "+358401234567", "shoe": "42"}
    )


def ask(browser, term, through="list"):
    if through == "Ctrl+K":
        return browser.get("/admin/search/", {"s": term, "extended": "1"}).content.decode()
    return browser.get(rows_of(User, q=term)).content.decode()


THROUGH = pytest.mark.parametrize("through", ["list", "Ctrl+K"])


def searchable(name):
    AttributeKey.objects.filter(name=name).update(searchable=True)
    for attribute in User.objects.get(external_ref="c-1").attributes.filter(name=name):
        from reuseid.services.people import catalogue

        rules = catalogue.rules_for(attribute.account, [name])[name]
        attribute.blind_index = rules.index(attribute.account_id, BORN)
        attribute.save()


@THROUGH
@pytest.mark.parametrize("term", [f"birthDate:{BORN}", "shoe:42", BORN, "42"])
def test_a_name_that_the_catalogue_does_not_make_searchable_is_never_compared(support, born, term, through):
    shown = ask(support, term, through)
    assert str(born.pk) not in shown
    if ":" in term:
        assert "is not searchable: the attribute catalogue says what is." in shown
    assert {tuple(line.changes["compared"]) for line in TrailEntry.objects.filter(action="users.searched")} <= {
        ("external reference",),
        ("external reference", "phone"),
    }


@THROUGH
def test_a_date_is_found_by_its_name_alone_and_few_times(support, born, settings, through):
    settings.SEARCH_QUOTA_BY_NAME = 3
    searchable("birthDate")
    assert str(born.pk) not in ask(support, BORN, through)
    for _ in range(3):
        assert str(born.pk) in ask(support, f"birthDate:{BORN}", through)
    shown = ask(support, f"birthDate:{BORN}", through)
    assert str(born.pk) not in shown
    assert "Searching by value rests" in shown
    assert str(born.pk) in ask(support, "+358 40 1234567", through)


def test_sixty_four_tries_find_no_birth_date(support, born):
    searchable("birthDate")
    days = [(timezone.datetime(1984, 4, 5) - timedelta(days=day)).date().isoformat() for day in range(64)]
    assert BORN in days
    assert not [day for day in days if str(born.pk) in ask(support, f"birthDate:{day}")]


def test_a_bare_value_has_its_quota_and_ids_and_references_go_on(support, born, settings):
    settings.SEARCH_QUOTA = 2
    for _ in range(2):
        assert str(born.pk) in ask(support, "+358401234567")
    assert str(born.pk) not in ask(support, "+358401234567")
    for term in (str(born.pk), "c-1"):
        assert str(born.pk) in ask(support, term)


def test_the_quota_is_one_colleagues_and_comes_back(support, senior, born, settings):
    settings.SEARCH_QUOTA = 1
    for _ in range(2):
        ask(support, "+358401234567")
    assert str(born.pk) in ask(senior, "+358401234567")
    with unguarded():
        TrailEntry.objects.update(at=timezone.now() - timedelta(hours=1, minutes=1))
    assert str(born.pk) in ask(support, "+358401234567")


def test_who_uses_it_up_is_told_of_once_to_those_responsible(support, administrator, auditor, account, born, settings):
    settings.SEARCH_QUOTA = 1
    for _ in range(4):
        ask(support, "+358401234567")
    notice = StaffNotice.objects.get()
    assert (notice.code, notice.account, notice.object_id) == ("search.quota", account, str(support.staff.pk))
    assert "358" not in notice.text
    for browser in (administrator, auditor):
        assert notice.text in browser.get(rows_of(StaffNotice)).content.decode()
        assert page(support.staff) in browser.get(page(notice)).content.decode()
    assert notice.text not in support.get(rows_of(StaffNotice)).content.decode()
    assert support.get(page(notice)).status_code == 302
    assert "Mark as seen" in buttons(administrator, notice)


def test_nobody_marks_a_notice_about_themselves(account, born, settings):
    settings.SEARCH_QUOTA = 1
    both = browser_of(make_colleague("both", "Support", account))
    both.staff.groups.add(browser_of(make_colleague("ada", "Administrator", account)).staff.groups.get())
    for _ in range(2):
        ask(both, "+358401234567")
    notice = StaffNotice.objects.get()
    assert "Mark as seen" not in buttons(both, notice)
    both.post(page(notice, "mark"), {"_form_submitted": "on"})
    assert StaffNotice.objects.get().seen_at is None


def test_the_trail_says_whom_a_value_hit_and_how(support, senior, born, account):
    other = factories.make_user(account, attributes={"phone": "+358401234567"})
    factories.make_user(account, attributes={"phone": "+358409999999"})
    ask(support, "phone:+358401234567")
    ask(support, "c-1")
    lines = TrailEntry.objects.filter(action="user.found")
    assert {line.user_id for line in lines} == {born.pk, other.pk}
    assert {(line.actor_label, line.changes["by"]) for line in lines} == {("sam", "name and value")}
    assert "358" not in str([line.__dict__ for line in lines])
    assert "Found the person by a value" in senior.get(page(born, tab="looked")).content.decode()
    for address in (page(born), page(born, tab="timeline"), rows_of(TrailEntry)):
        assert "Found the person by a value" not in support.get(address).content.decode()


def test_a_refused_click_names_the_last_change_and_not_the_last_look(support, senior, born):
    from tests.staff_factories import REASON

    senior.post(page(born, "lock"), REASON)
    ask(senior, "+358401234567")
    senior.get(page(born))
    (told,) = said(support.post(page(born, "lock"), REASON))
    assert "user.locked by kim" in told
