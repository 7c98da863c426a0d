"""Who looked at this person, and what did this colleague do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from reuseid.models import TrailEntry, User, UserAccess
from reuseid.services import purging
from tests import factories
from tests.staff_factories import REASON, page, rows_of

pytestmark = pytest.mark.django_db


def looks(**found):
    return TrailEntry.objects.filter(action="user.viewed", **found).count()


def test_opening_a_page_leaves_one_line_a_colleague_in_ten_minutes(support, senior, user, account):
    for browser in (support, support, senior):
        browser.get(page(user))
    support.get(page(user, tab="timeline"))
    assert looks(user_id=user.pk, actor_label="sam") == looks(user_id=user.pk, actor_label="kim") == 1
    other = factories.make_user(account)
    support.get(page(other))
    assert looks(user_id=other.pk) == 1
    UserAccess.objects.update(at=timezone.now() - timedelta(minutes=11))
    support.get(page(user))
    support.get(page(user))
    assert looks(user_id=user.pk, actor_label="sam") == 2


def test_what_shows_nothing_leaves_nothing(support, stranger, integrator, user):
    support.head(page(user))
    stranger.get(page(user))
    integrator.get(page(user))
    support.post(page(user))
    support.get(rows_of(User))
    assert looks() == 0


def test_the_tab_says_who_and_when_to_those_who_may_ask(support, senior, auditor, user):
    support.get(page(user))
    for browser in (senior, auditor):
        shown = browser.get(page(user, tab="looked"))
        assert shown.context["chosen"].slug == "looked"
        assert "sam" in shown.content.decode()
        assert "Opened the person" in shown.content.decode()
    assert "looked" not in [tab.slug for tab in support.get(page(user)).context["tabs"]]


def test_looks_stay_off_the_timeline_and_off_the_list_of_those_who_may_not_ask(support, senior, user):
    support.get(page(user))
    for address in (page(user, tab="timeline"), page(user), rows_of(TrailEntry, q=str(user.pk))):
        assert "Opened the person" not in support.get(address).content.decode()
    assert "Opened the person" in senior.get(rows_of(TrailEntry, q=str(user.pk))).content.decode()


def test_rows_that_hold_back_no_line_are_deleted(support, user):
    support.get(page(user))
    assert purging.purge()["access log"] == 0
    UserAccess.objects.update(at=timezone.now() - timedelta(days=2))
    assert purging.purge()["access log"] == 1
    assert looks() == 1


def activity(browser, staff, **query):
    return browser.get(page(staff, tab="activity", **query)).content.decode()


def test_what_a_colleague_did_from_one_day_to_another(auditor, support, user):
    support.post(page(user, "lock"), REASON)
    today = timezone.now().date()
    sam = support.staff
    assert "Locked the person" in activity(auditor, sam)
    assert page(user) in activity(auditor, sam)
    assert "Locked the person" in activity(auditor, sam, **{"from": today.isoformat(), "to": today.isoformat()})
    tomorrow = (today + timedelta(days=1)).isoformat()
    yesterday = (today - timedelta(days=1)).isoformat()
    assert "Locked the person" not in activity(auditor, sam, **{"from": tomorrow})
    assert "Locked the person" not in activity(auditor, sam, to=yesterday)
    assert "Locked the person" in activity(auditor, sam, **{"from": "no date", "to": ""})


def test_deeds_name_no_person_to_those_who_see_no_people(administrator, support, user):
    support.post(page(user, "lock"), REASON)
    shown = activity(administrator, support.staff)
    assert "Locked the person" in shown
    assert page(user) not in shown
