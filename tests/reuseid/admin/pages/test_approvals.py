"""Two people in the back office: one asks, another one decides, and everybody sees where it stands."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from reuseid.actors import SYSTEM, Actor
from reuseid.models import ApprovalRequest, TrailEntry, User
from reuseid.services.people import approvals, users
from tests import factories
from tests.staff_factories import REASON, browser_of, buttons, make_colleague, page, rows_of, said

pytestmark = pytest.mark.django_db
NOTE = {"note": "I called the number in the contract.", "_form_submitted": "on"}
WAITS = "Waiting for a second colleague"


@pytest.fixture
def asked(senior, user):
    """Kim asks to deactivate the user."""
    return ask(user, senior)


def ask(user, browser, action="user.deactivate"):
    return approvals.ask(user, actor=Actor.staff(browser.staff), action=action, reason="DECEASED", note="By letter.")


def status_of(row):
    return type(row).objects.get(pk=row.pk).status


def text_of(response):
    return html.unescape(response.content.decode())


def late(asked):
    ApprovalRequest.objects.filter(pk=asked.pk).update(expires_at=Now() - timedelta(seconds=1))


# Asking


@pytest.mark.parametrize(("act", "action"), [("deactivate", "user.deactivate"), ("erase", "user.erase")])
def test_a_senior_asks_and_nothing_happens_yet(senior, user, act, action):
    response = senior.post(page(user, act), REASON, follow=True)
    assert said(response) == ["It is asked for. Nothing has changed yet: a second colleague has to agree."]
    asked = ApprovalRequest.objects.get()
    assert (asked.action, asked.reason, asked.asked_by) == (action, REASON["reason"], senior.staff)
    assert status_of(user) == "ACTIVE"
    assert TrailEntry.objects.get(action="request.asked").actor_label == "kim"


@pytest.mark.parametrize("act", ["deactivate", "erase"])
def test_the_dialog_says_that_it_takes_two_and_what_will_follow(senior, user, act):
    shown = text_of(senior.get(page(user, act)))
    assert "a second colleague has to agree within 24 hours" in shown
    assert "Once a colleague has agreed:" in shown
    assert "user.deactivated" in shown
    assert "It can't be undone." in shown
    assert ("erased within minutes" in shown) is (act == "erase")


@pytest.mark.parametrize("act", ["deactivate", "erase"])
def test_asking_is_a_strong_act_and_needs_a_reason(senior, user, act):
    from reuseid.admin.pages.users.page import UserAdmin

    assert getattr(UserAdmin, act).effect.strong
    response = senior.post(page(user, act), {**REASON, "reason": ""})
    assert "This field is required" in response.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_while_it_waits_nobody_is_offered_to_ask_again(asked, senior, other_senior, user):
    assert "Ask to deactivate …" not in buttons(senior, user)
    response = other_senior.post(page(user, "deactivate"), REASON, follow=True)
    (message,) = said(response)
    assert message == "Nothing was changed. This has been asked for already and waits for a second colleague."
    late(asked)
    assert {"Ask to deactivate …", "Ask to erase …"} <= set(buttons(senior, user))


def test_who_is_deactivated_already_is_not_asked_for_again(senior, user):
    users.deactivate(user, actor=SYSTEM, reason="DECEASED")
    (message,) = said(senior.post(page(user, "deactivate"), REASON, follow=True))
    assert message.startswith("Nothing was changed: the user is deactivated already.")
    assert not ApprovalRequest.objects.exists()


# The person's page and the first page


def test_the_persons_page_says_that_something_waits_and_keeps_what_came_of_it(asked, support, other_senior, user):
    shown = text_of(support.get(page(user)))
    assert WAITS in shown
    assert page(asked) in shown
    approvals.reject(asked, actor=Actor.staff(other_senior.staff), note="Wrong person.")
    assert WAITS not in text_of(support.get(page(user)))
    tab = text_of(support.get(page(user, tab="requests")))
    assert page(asked) in tab
    assert "Rejected" in tab
    assert "lee" in tab


def test_the_persons_page_names_both_after_it_was_done(asked, support, other_senior, user):
    other_senior.post(page(asked, "approve"), NOTE)
    lines = dict(support.get(page(user)).context["header"].lines)
    assert (lines["By"], lines["Asked for by"]) == ("lee", "kim")


def test_the_first_page_counts_what_waits_and_links_to_the_queue(asked, support, stranger, integrator, user):
    def card(browser):
        found = [card for card in browser.get("/admin/").context["cards"] if card.title == "Waiting for approval"]
        return found[0] if found else None

    assert (card(support).number, card(support).colour) == ("1", "warn")
    assert card(support).hint.startswith("the first expires in 24 h") or "23 h" in card(support).hint
    assert card(support).href == rows_of(ApprovalRequest, status="PENDING")
    assert (card(stranger).number, card(stranger).colour) == ("0", "quiet")
    assert card(integrator) is None
    late(asked)
    assert card(support).number == "0"


# The queue


def test_the_queue_begins_with_what_is_most_urgent_and_ends_with_what_is_settled(account, senior, other_senior):
    asked = [ask(factories.make_user(account), senior) for _ in range(4)]
    for row, hours in zip(asked, (9, 2, 5, 1), strict=True):
        ApprovalRequest.objects.filter(pk=row.pk).update(expires_at=Now() + timedelta(hours=hours))
    approvals.reject(asked[3], actor=Actor.staff(other_senior.staff), note="No.")
    found = other_senior.get(rows_of(ApprovalRequest)).context["cl"].result_list
    assert [row.pk for row in found] == [asked[1].pk, asked[2].pk, asked[0].pk, asked[3].pk]
    found = (
        other_senior.get(rows_of(ApprovalRequest, status="PENDING", action="user.deactivate")).context["cl"].result_list
    )
    assert [row.pk for row in found] == [asked[1].pk, asked[2].pk, asked[0].pk]
    assert not other_senior.get(rows_of(ApprovalRequest, action="user.erase")).context["cl"].result_list
    assert not other_senior.get(rows_of(ApprovalRequest, asked_at_to="2020-01-01")).context["cl"].result_list
    found = other_senior.get(rows_of(ApprovalRequest, q=str(asked[3].user_id))).context["cl"].result_list
    assert [row.pk for row in found] == [asked[3].pk]


def test_the_views_above_the_queue(asked, senior, other_senior, account):
    settled = ask(factories.make_user(account), senior)
    approvals.reject(settled, actor=Actor.staff(other_senior.staff), note="No.")
    shown = other_senior.get(rows_of(ApprovalRequest))
    for title, row in (("Waiting for approval", asked), ("Settled today", settled)):
        (link,) = re.findall(rf'href="(\?[^"]+)"[^>]*>\s*{title}', text_of(shown))
        found = other_senior.get(rows_of(ApprovalRequest) + link).context["cl"].result_list
        assert [request.pk for request in found] == [row.pk]


def test_the_queue_says_who_asked_and_how_long_is_left(asked, support):
    ApprovalRequest.objects.update(expires_at=Now() + timedelta(minutes=90, seconds=30))
    shown = text_of(support.get(rows_of(ApprovalRequest)))
    for words in ("kim", "90 min", "Waiting for approval", "Active → Active", "The customer has died", "customer-1"):
        assert words in shown


def test_the_page_shows_before_and_after_reason_and_consequences(asked, other_senior, user):
    users.lock(user, actor=SYSTEM, reason="SUSPECTED_FRAUD")
    response = other_senior.get(page(asked))
    table = next(panel for panel in response.context["panels"] if "Now" in getattr(panel, "headers", []))
    assert table.rows[0] == ["State", "Active", "Locked", "Deactivated"]
    shown = text_of(response)
    for words in ("The customer has died.", "By letter.", "kim", "What follows an approval", "It can't be undone."):
        assert words in shown
    assert "anna@example.com" not in shown.lower()


# Deciding


def test_another_senior_approves_and_it_is_done(asked, other_senior, user):
    assert buttons(other_senior, asked) == ["Approve", "Reject"]
    assert "another colleague asked, and nothing stands in the way" in text_of(other_senior.get(page(asked)))
    dialog = text_of(other_senior.get(page(asked, "approve")))
    assert "It is done at once, in your name; kim stays named as the one who asked." in dialog
    assert "user.deactivated" in dialog
    assert status_of(user) == "ACTIVE"
    response = other_senior.post(page(asked, "approve"), NOTE, follow=True)
    assert said(response) == ["Approved: it is done."]
    assert (status_of(asked), status_of(user)) == ("APPROVED", "DEACTIVATED")
    assert TrailEntry.objects.get(action="user.deactivated").actor_label == "lee"
    assert buttons(other_senior, asked) == []


def test_approving_is_a_strong_act():
    from reuseid.admin.pages.approvals import ApprovalRequestAdmin, ApproveForm

    assert ApprovalRequestAdmin.approve.effect.strong
    assert ApproveForm.danger
    assert not ApprovalRequestAdmin.reject.effect.strong
    assert not ApprovalRequestAdmin.withdraw.effect.strong


def test_a_rejection_says_why(asked, other_senior, user):
    assert "This field is required" in text_of(other_senior.post(page(asked, "reject"), {**NOTE, "note": ""}))
    assert status_of(asked) == "PENDING"
    other_senior.post(page(asked, "reject"), {**NOTE, "note": "Wrong <b>person</b>."})
    assert (status_of(asked), status_of(user)) == ("REJECTED", "ACTIVE")
    shown = other_senior.get(page(asked)).content.decode()
    assert "Wrong &lt;b&gt;person&lt;/b&gt;." in shown
    assert "Wrong <b>" not in shown


@pytest.mark.parametrize("act", ["approve", "reject"])
def test_the_asker_does_not_decide_and_is_told_why(asked, senior, user, act):
    assert buttons(senior, asked) == ["Withdraw"]
    assert "nobody decides their own request" in text_of(senior.get(page(asked)))
    for response in (senior.get(page(asked, act)), senior.post(page(asked, act), NOTE)):
        assert response.status_code == 403
        assert "You asked for this yourself: a second colleague decides." in text_of(response)
    assert (status_of(asked), status_of(user)) == ("PENDING", "ACTIVE")


def test_the_asker_withdraws_and_the_other_does_not(asked, senior, other_senior, user):
    response = other_senior.post(page(asked, "withdraw"), NOTE)
    assert response.status_code == 403
    assert "Only the colleague who asked can withdraw this." in text_of(response)
    response = senior.post(page(asked, "withdraw"), {**NOTE, "note": ""}, follow=True)
    assert said(response) == ["Withdrawn: nothing was changed for the person."]
    assert (status_of(asked), status_of(user)) == ("WITHDRAWN", "ACTIVE")


@pytest.mark.parametrize("act", ["approve", "reject", "withdraw"])
def test_support_and_auditor_look_and_do_not_decide(asked, support, auditor, user, act):
    for browser in (support, auditor):
        assert buttons(browser, asked) == []
        assert "Your roles don't include the right to decide requests." in text_of(browser.get(page(asked)))
        assert browser.post(page(asked, act), NOTE).status_code == 403
    assert (status_of(asked), status_of(user)) == ("PENDING", "ACTIVE")


@pytest.mark.parametrize("act", ["approve", "reject", "withdraw"])
def test_a_link_decides_nothing(asked, senior, other_senior, act):
    browser = senior if act == "withdraw" else other_senior
    assert browser.get(page(asked, act)).status_code == 200
    assert status_of(asked) == "PENDING"


def test_of_two_who_decide_the_second_is_told_who_was_first(asked, other_senior, account):
    third = browser_of(make_colleague("max", "Senior support", account))
    other_senior.post(page(asked, "reject"), NOTE)
    (message,) = said(third.post(page(asked, "approve"), NOTE, follow=True))
    assert message.startswith("Nothing was changed: the request is rejected already.")
    assert "request.rejected by lee" in message


def test_what_was_done_otherwise_is_said_on_the_page_and_on_the_click(asked, other_senior, user, api):
    api.post(f"/reuseid/core/users/{user.pk}/deactivate", {"reason": "CONTRACT_ENDED"})
    assert "It has been done already in another way." in text_of(other_senior.get(page(asked)))
    (message,) = said(other_senior.post(page(asked, "approve"), NOTE, follow=True))
    expected = "Nothing was changed. It has been done already in another way, so this request is withdrawn."
    assert message == expected
    assert status_of(asked) == "WITHDRAWN"
    assert "it was done already in another way" in text_of(other_senior.get(page(asked)))


def test_after_its_time_nobody_decides(asked, other_senior, user):
    late(asked)
    assert "Its time is over." in text_of(other_senior.get(page(asked)))
    (message,) = said(other_senior.post(page(asked, "approve"), NOTE, follow=True))
    assert message.startswith("Nothing was changed: the request is expired already.")
    assert (status_of(asked), status_of(user)) == ("EXPIRED", "ACTIVE")


def test_an_asker_who_left_can_only_be_rejected(asked, other_senior, user):
    type(asked.asked_by).objects.filter(pk=asked.asked_by_id).update(is_active=False)
    assert "The colleague who asked may not do so any more." in text_of(other_senior.get(page(asked)))
    (message,) = said(other_senior.post(page(asked, "approve"), NOTE, follow=True))
    assert message.startswith("Nothing was changed. The colleague who asked may not do so any more.")
    assert (status_of(asked), status_of(user)) == ("PENDING", "ACTIVE")


# Others' accounts


def test_a_stranger_gets_the_same_answer_for_a_request_and_for_none(asked, stranger, user):
    ghost = ApprovalRequest(user=user)
    for act in ("change", "approve", "withdraw", "history"):
        there, nowhere = stranger.get(page(asked, act)), stranger.get(page(ghost, act))
        assert there.status_code == nowhere.status_code
        assert there.status_code in {302, 403}
    for act in ("approve", "reject", "withdraw"):
        assert stranger.post(page(asked, act), NOTE).status_code == 403
    for act in ("deactivate", "erase"):
        assert stranger.post(page(user, act), REASON).status_code == 403
    assert page(asked) not in text_of(stranger.get(rows_of(ApprovalRequest)))
    assert page(asked) not in text_of(stranger.get(rows_of(ApprovalRequest, q=str(asked.pk))))
    assert (status_of(asked), ApprovalRequest.objects.count()) == ("PENDING", 1)


def test_those_who_see_no_people_see_no_requests(asked, integrator, administrator):
    for browser in (integrator, administrator):
        assert browser.get(rows_of(ApprovalRequest)).status_code == 403
        assert browser.get(page(asked)).status_code == 403


# Queries


def queries(browser, address):
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(address).status_code == 200
    return len(seen)


def test_as_many_queries_for_one_request_as_for_many(account, senior, other_senior, user):
    ask(user, senior)
    one = queries(other_senior, rows_of(ApprovalRequest))
    for number in range(20):
        asked = ask(factories.make_user(account), senior)
        if number % 2:
            approvals.reject(asked, actor=Actor.staff(other_senior.staff), note="No.")
    assert queries(other_senior, rows_of(ApprovalRequest)) == one <= 9


def test_a_persons_page_costs_as_much_for_one_request_as_for_many(senior, other_senior, user):
    queries(other_senior, page(user))  # The first look of ten minutes leaves a line.
    tab = queries(other_senior, page(user, tab="requests"))
    overview = queries(other_senior, page(user))
    for _ in range(5):
        approvals.reject(ask(user, senior), actor=Actor.staff(other_senior.staff), note="No.")
    ask(user, senior)
    ask(user, senior, action="user.erase")
    assert queries(other_senior, page(user, tab="requests")) == tab <= 15
    assert queries(other_senior, page(user)) == overview <= 22


def test_a_requests_page_has_its_price(asked, other_senior):
    assert queries(other_senior, page(asked)) <= 18


def test_no_page_shows_a_personal_value(asked, other_senior, user):
    for address in (page(asked), rows_of(ApprovalRequest), page(user, tab="requests"), page(asked, "approve")):
        shown = other_senior.get(address).content.decode().lower()
        for value in ("anna@example.com", "401234567", "40 123 4567"):
            assert value not in shown
    assert User.objects.count() == 1
