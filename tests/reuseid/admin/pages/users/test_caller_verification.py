"""Verifying the caller is a recorded step; strong acts ask for it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry, User
from reuseid.services.people import caller_verification, users
from tests.staff_factories import REASON, page, said

pytestmark = pytest.mark.django_db
PASSED = {"asked": ["DATE_OF_BIRTH", "CALLED_BACK"], "outcome": "passed", "note": "", "_form_submitted": "on"}
RESOLVED = {**REASON, "reason": "RESOLVED"}
NOBODY = "Nobody has verified the caller"


def verify(browser, user, **sent):
    return browser.post(page(user, "verify-caller"), {**PASSED, **sent}, follow=True)


@pytest.fixture
def locked(user):
    return users.lock(user, actor=SYSTEM, reason="COMPLIANCE")


@pytest.fixture
def required(settings):
    settings.CALLER_CHECK = "required"


def test_the_check_is_recorded_and_stands_in_the_header(support, senior, user):
    assert said(verify(support, user)) == ["The check of the caller is recorded."]
    line = TrailEntry.objects.get(action="user.caller_verified")
    assert line.changes == {"outcome": "passed", "asked": ["DATE_OF_BIRTH", "CALLED_BACK"]}
    (value,) = [value for name, value in senior.get(page(user)).context["header"].lines if name == "Caller"]
    for words in ("Verified", "by sam", "Date of birth", "Called back on the number on file"):
        assert words in value
    assert "Checked who is calling" in senior.get(page(user, tab="timeline")).content.decode()


def test_a_failed_check_is_red_and_the_newest_counts(support, user):
    verify(support, user)
    verify(support, user, outcome="failed", asked=[])
    (value,) = [value for name, value in support.get(page(user)).context["header"].lines if name == "Caller"]
    assert "Check failed" in value
    assert not caller_verification.is_passed(caller_verification.latest(user.pk))


def test_after_a_quarter_of_an_hour_it_is_over(support, user, monkeypatch):
    verify(support, user)
    monkeypatch.setattr(caller_verification, "GOOD_FOR", timedelta(0))
    assert caller_verification.latest(user.pk) is None
    assert "Caller" not in [name for name, _value in support.get(page(user)).context["header"].lines]


@pytest.mark.parametrize(
    "sent", [{"asked": []}, {"asked": ["SHOE_SIZE"]}, {"outcome": ""}, {"outcome": "maybe"}, {"note": "n" * 2001}]
)
def test_a_check_without_substance_is_refused(support, user, sent):
    verify(support, user, **sent)
    assert not TrailEntry.objects.filter(action="user.caller_verified").exists()


def test_others_record_none(auditor, stranger, user):
    for browser in (auditor, stranger):
        assert verify(browser, user).status_code == 403
    assert not TrailEntry.objects.filter(action="user.caller_verified").exists()


def test_the_dialog_warns_and_by_default_no_more(support, locked):
    assert NOBODY in support.get(page(locked, "unlock")).content.decode()
    support.post(page(locked, "unlock"), RESOLVED)
    assert User.objects.get().status == "ACTIVE"


def test_the_dialog_is_content_after_a_check(support, locked):
    verify(support, locked)
    assert NOBODY not in support.get(page(locked, "unlock")).content.decode()


def test_where_it_is_required_nobody_unlocks_without(support, locked, required):
    (message,) = said(support.post(page(locked, "unlock"), RESOLVED, follow=True))
    assert "First verify the caller" in message
    assert User.objects.get().status == "LOCKED"
    verify(support, locked, outcome="failed")
    support.post(page(locked, "unlock"), RESOLVED)
    assert User.objects.get().status == "LOCKED"
    verify(support, locked)
    support.post(page(locked, "unlock"), RESOLVED)
    assert User.objects.get().status == "ACTIVE"


def test_a_check_of_another_person_is_none_of_this_one(support, locked, account, required):
    from tests import factories

    verify(support, factories.make_user(account))
    support.post(page(locked, "unlock"), RESOLVED)
    assert User.objects.get(pk=locked.pk).status == "LOCKED"


def test_clients_and_the_service_have_no_caller(api, locked, required):
    assert api.post(f"/reuseid/core/users/{locked.pk}/unlock", {"reason": "RESOLVED"}).status_code == 200
    users.lock(User.objects.get(), actor=SYSTEM, reason="COMPLIANCE", until=timezone.now() + timedelta(hours=1))
    User.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert users.end_locks() == 1
