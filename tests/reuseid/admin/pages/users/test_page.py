"""People in the back office: read, locked, unlocked, deactivated; once, with a reason, by who may."""

import html
from datetime import timedelta

import pytest
from django.utils import timezone

from reuseid.actors import SYSTEM
from reuseid.models import ApprovalRequest, AttributeKey, Event, TrailEntry, User
from reuseid.services.people import users
from tests import factories
from tests.staff_factories import REASON, browser_of, buttons, page, rows_of, said

pytestmark = pytest.mark.django_db


def state_of(user):
    return User.objects.get(pk=user.pk).status


def test_support_locks_a_person_with_a_reason(support, user):
    response = support.post(page(user, "lock"), REASON, follow=True)
    assert said(response) == ["The person is locked."]
    assert state_of(user) == "LOCKED"
    line = TrailEntry.objects.get(action="user.locked")
    assert (line.actor_label, line.actor_type, line.reason) == ("sam", "STAFF", "SUSPECTED_FRAUD")
    assert line.note == REASON["note"]
    assert Event.objects.filter(type="user.locked", user_id=user.pk).count() == 1


def test_the_dialog_over_htmx_is_answered_with_the_page_to_go_to(support, user):
    response = support.post(page(user, "lock"), REASON, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == page(user)


def test_a_link_changes_nothing_and_the_dialog_says_what_will_follow(senior, user):
    for act in ("lock", "deactivate", "erase"):
        response = senior.get(page(user, act))
        assert response.status_code == 200
        assert "What will follow" in response.content.decode()
        assert "user." in response.content.decode()
    assert state_of(user) == "ACTIVE"


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"reason": ""}, "This field is required"),
        ({"reason": "BOREDOM"}, "is not one of the available choices"),
        ({"reason": "OTHER", "note": " "}, "OTHER needs a note."),
        ({"reason": "RESOLVED", "note": "n" * 2001}, "at most 2000"),
    ],
)
def test_without_a_proper_reason_nothing_is_locked(support, user, sent, complaint):
    response = support.post(page(user, "lock"), {**REASON, **sent})
    assert complaint in response.content.decode()
    assert state_of(user) == "ACTIVE"


def test_two_colleagues_make_one_change_and_the_second_is_told_who_was_first(support, senior, user):
    support.post(page(user, "lock"), REASON)
    response = senior.post(page(user, "lock"), REASON, follow=True)
    (message,) = said(response)
    assert message.startswith("Nothing was changed: the user is locked already.")
    assert "user.locked by sam, <time" in message
    assert TrailEntry.objects.filter(action="user.locked").count() == 1
    assert Event.objects.filter(type="user.locked").count() == 1


def test_unlocking(senior, user):
    senior.post(page(user, "lock"), REASON)
    senior.post(page(user, "unlock"), {**REASON, "reason": "RESOLVED"})
    assert state_of(user) == "ACTIVE"


def test_only_buttons_that_right_and_state_allow(support, senior, auditor, user):
    asks = ["Ask to deactivate …", "Ask to erase …"]
    call = ["Verify the caller", "Add a note"]
    assert buttons(support, user) == ["Lock", *call, "Register a phone"]
    assert buttons(senior, user) == ["Lock", *call, "Register a phone", *asks]
    assert buttons(auditor, user) == []
    users.lock(user, actor=SYSTEM, reason="COMPLIANCE")
    assert buttons(senior, user) == ["Unlock", *call, *asks]
    users.deactivate(user, actor=SYSTEM, reason="DECEASED")
    assert buttons(senior, user) == ["Add a note", "Ask to erase …"]


@pytest.mark.parametrize(
    ("act", "right"),
    [
        ("lock", "Can lock a user"),
        ("unlock", "Can unlock a user"),
        ("deactivate", "Can ask to deactivate a user for good"),
        ("erase", "Can ask to erase a user's personal data"),
    ],
)
def test_the_auditor_changes_nothing_and_is_told_why(auditor, user, act, right):
    for response in (auditor.get(page(user, act)), auditor.post(page(user, act), REASON)):
        assert response.status_code == 403
        assert f"right “{right}”" in html.unescape(response.content.decode())
    assert state_of(user) == "ACTIVE"


@pytest.mark.parametrize("act", ["deactivate", "erase"])
def test_support_does_not_ask_for_what_cannot_be_undone(support, user, act):
    response = support.post(page(user, act), REASON)
    assert response.status_code == 403
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("act", ["change", "lock", "history"])
def test_a_stranger_gets_the_same_answer_for_a_person_and_for_nobody(stranger, user, act):
    ghost = User(account=user.account)
    there, nowhere = stranger.get(page(user, act)), stranger.get(page(ghost, act))
    assert (there.status_code, there.headers.get("Location")) == (nowhere.status_code, nowhere.headers.get("Location"))
    assert there.status_code in {302, 403}


def test_a_stranger_neither_acts_nor_finds_nor_lists(stranger, user):
    assert stranger.post(page(user, "lock"), REASON).status_code == 403
    assert state_of(user) == "ACTIVE"
    for query in ({}, {"q": str(user.pk)}, {"q": "customer-1"}, {"q": "email:anna@example.com"}):
        assert page(user) not in stranger.get(rows_of(User, **query)).content.decode()


def test_a_form_from_elsewhere_is_refused(support, user):
    browser = browser_of(support.staff, enforce_csrf_checks=True)
    assert browser.post(page(user, "lock"), REASON).status_code == 403
    assert state_of(user) == "ACTIVE"


def test_the_page_itself_takes_no_post_and_nothing_is_deleted(root, user):
    assert root.post(page(user), {"status": "LOCKED"}).status_code == 405
    assert root.post(page(user, "delete"), {"post": "yes"}).status_code == 403
    assert root.post(rows_of(User), {"action": "delete_selected", "_selected_action": user.pk}).status_code == 405
    assert root.get("/admin/reuseid/user/add/").status_code == 403
    assert state_of(user) == "ACTIVE"


def test_the_header_says_since_when_by_whom_and_why_and_escapes_it(senior, user):
    senior.post(page(user, "lock"), {**REASON, "note": "<script>alert(1)</script>"})
    shown = senior.get(page(user)).content.decode()
    assert "Somebody else may be acting for the customer." in shown
    assert "kim" in shown
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


@pytest.mark.parametrize(
    "tab", ["overview", "attributes", "proofings", "timeline", "callbacks", "requests", "nonsense"]
)
def test_no_tab_shows_a_personal_value(senior, user, tab):
    response = senior.get(page(user, tab=tab))
    shown = response.content.decode().lower()
    assert response.status_code == 200
    for value in ("anna@example.com", "401234567", "40 123 4567"):
        assert value not in shown


def test_what_the_catalogue_calls_not_sensitive_is_shown(senior, account):
    AttributeKey.objects.create(account=account, name="tier", sensitive=False)
    user = factories.make_user(account, attributes={"tier": "gold <b>", "secretName": "hush"})
    shown = senior.get(page(user, tab="attributes")).content.decode()
    assert "gold &lt;b&gt;" in shown
    assert "hush" not in shown


def test_tabs_without_the_right_are_not_there(integrator, support, user):
    assert integrator.get(page(user)).status_code == 403
    assert [tab.slug for tab in support.get(page(user)).context["tabs"]] == [
        "overview",
        "attributes",
        "proofings",
        "devices",
        "operations",
        "notes",
        "timeline",
        "callbacks",
        "requests",
    ]


def test_the_timeline_has_colleagues_clients_and_the_service_in_one(support, user, api):
    support.post(page(user, "lock"), REASON)
    api.post(f"/reuseid/core/users/{user.pk}/unlock", {"reason": "RESOLVED"})
    shown = support.get(page(user, tab="timeline")).content.decode()
    for words in ("sam, through the back office", "Back end, through an API client", "The service, through"):
        assert words in shown


def test_a_lock_may_end_by_itself(support, user):
    before = timezone.now()
    support.post(page(user, "lock"), {**REASON, "until": "8"})
    row = User.objects.get()
    assert timedelta(hours=7, minutes=59) < row.locked_until - before < timedelta(hours=8, minutes=1)
    assert "Locked until" in support.get(page(user)).content.decode()
    assert "until: <time" in support.get(page(user, tab="timeline")).content.decode()
