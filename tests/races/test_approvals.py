"""Rivals over one request or one person: it is settled once, and what was asked for is done at most once."""

from datetime import timedelta
from functools import partial

import pytest
from django.db.models.functions import Now

from reuseid.actors import Actor
from reuseid.errors import WrongState
from reuseid.models import ApprovalRequest, Event, TrailEntry, User
from reuseid.services.people import approvals
from tests import factories
from tests.device_factories import make_application, make_device
from tests.rivals import race
from tests.staff_factories import make_colleague

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 8


@pytest.fixture(autouse=True)
def roles(db):
    """A test with real commits before this one has emptied the tables."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@pytest.fixture
def colleagues(account):
    """Five of senior support; the first one asks."""
    return [make_colleague(name, "Senior support", account) for name in ("kim", "lee", "max", "noa", "ola")]


@pytest.fixture
def application(account):
    return make_application(account)


@pytest.fixture
def person(account, application):
    """Makes users with a phone."""

    def person():
        user = factories.make_user(account)
        make_device(user, application)
        return user

    return person


def ask(user, staff, action="user.deactivate"):
    return approvals.ask(user, actor=Actor.staff(staff), action=action, reason="DECEASED")


def fresh(asked):
    """As another process has it."""
    return ApprovalRequest.objects.select_related("account", "user__account", "asked_by").get(pk=asked.pk)


def call(way, asked, staff):
    return partial(way, fresh(asked), actor=Actor.staff(staff), note="Called back.")


def won(results):
    return [result for result in results if isinstance(result, ApprovalRequest)]


def endings(asked):
    """What the trail says came of it."""
    found = TrailEntry.objects.filter(object_type="request", object_id=str(asked.pk)).exclude(action="request.asked")
    return [action.partition(".")[2].upper() for action in found.values_list("action", flat=True)]


def times_deactivated(user):
    lines = TrailEntry.objects.filter(user_id=user.pk, action="user.deactivated").count()
    assert Event.objects.filter(user_id=user.pk, type="user.deactivated").count() == lines
    return lines


def test_of_many_who_ask_one_does(person, colleagues):
    for _ in range(ROUNDS):
        user = person()
        rivals = [User.objects.select_related("account").get(pk=user.pk) for _ in colleagues]
        results = race(*(partial(ask, row, staff) for row, staff in zip(rivals, colleagues, strict=True)))
        assert len(won(results)) == 1
        assert sum(isinstance(result, approvals.AlreadyWaiting) for result in results) == len(colleagues) - 1
        assert TrailEntry.objects.filter(user_id=user.pk, action="request.asked").count() == 1


def test_of_many_who_approve_one_does_and_it_is_done_once(person, colleagues):
    kim, *others = colleagues
    for _ in range(ROUNDS):
        user = person()
        asked = ask(user, kim)
        results = race(*(call(approvals.approve, asked, staff) for staff in others))
        (winner,) = won(results)
        assert sum(isinstance(result, WrongState) for result in results) == len(others) - 1
        row = fresh(asked)
        assert (row.status, row.decided_by) == ("APPROVED", winner.decided_by)
        assert endings(asked) == ["APPROVED"]
        assert times_deactivated(user) == 1


def test_approving_rejecting_and_withdrawing_leave_one_end(person, colleagues):
    kim, lee, noa, *_ = colleagues
    for _ in range(ROUNDS):
        user = person()
        asked = ask(user, kim)
        results = race(
            call(approvals.approve, asked, lee),
            call(approvals.reject, asked, noa),
            call(approvals.withdraw, asked, kim),
        )
        (winner,) = won(results)
        assert endings(asked) == [winner.status] == [fresh(asked).status]
        assert times_deactivated(user) == (winner.status == "APPROVED")


def test_at_the_deadline_it_is_decided_or_expired_and_never_both(person, colleagues):
    kim, lee, *_ = colleagues
    for number in range(3 * ROUNDS):
        user = person()
        asked = ask(user, kim)
        rivals = [
            call(approvals.approve, asked, lee),
            call(approvals.withdraw, asked, kim),
            approvals.expire_due,
            approvals.expire_due,
        ]
        ApprovalRequest.objects.filter(pk=asked.pk).update(expires_at=Now() + timedelta(milliseconds=2 * number - 10))
        race(*rivals)
        (end,) = endings(asked) or [None]
        assert fresh(asked).status == (end or "PENDING")
        assert times_deactivated(user) == (end == "APPROVED")


def test_an_approval_and_an_api_client_deactivate_once(api, person, colleagues):
    kim, lee, *_ = colleagues
    seen = set()
    for _ in range(2 * ROUNDS):
        user = person()
        asked = ask(user, kim)
        address = f"/reuseid/core/users/{user.pk}/deactivate"
        approval, answer = race(
            call(approvals.approve, asked, lee), partial(api.post, address, {"reason": "CONTRACT_ENDED"})
        )
        assert times_deactivated(user) == 1
        if answer.status_code == 200:
            assert isinstance(approval, approvals.Overtaken)
            assert (fresh(asked).status, endings(asked)) == ("WITHDRAWN", ["OVERTAKEN"])
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
            assert (approval.status, endings(asked)) == ("APPROVED", ["APPROVED"])
        seen.add(answer.status_code)
    assert seen <= {200, 409}


def test_two_requests_about_one_person_are_approved_at_once(person, colleagues):
    kim, lee, noa, *_ = colleagues
    for _ in range(ROUNDS):
        user = person()
        deactivate, erase = ask(user, kim), ask(user, kim, "user.erase")
        first, second = race(call(approvals.approve, deactivate, lee), call(approvals.approve, erase, noa))
        assert isinstance(second, ApprovalRequest)
        assert isinstance(first, (ApprovalRequest, approvals.Overtaken))
        assert fresh(erase).status == "APPROVED"
        assert fresh(deactivate).status == ("APPROVED" if isinstance(first, ApprovalRequest) else "WITHDRAWN")
        assert times_deactivated(user) == 1
        assert User.objects.get(pk=user.pk).erasure_requested_at
