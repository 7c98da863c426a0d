"""Two people for what can't be undone: every transition, every refusal, the deadline to the tick."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from reuseid import tasks
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Invalid, WrongState
from reuseid.models import ApprovalRequest, Event, TrailEntry, User
from reuseid.services import purging
from reuseid.services.jobs import erasures
from reuseid.services.people import approvals, erasure, users
from tests import database_clock, factories
from tests.device_factories import make_application, make_device, make_operation
from tests.staff_factories import make_colleague

pytestmark = pytest.mark.django_db
WHY = {"reason": "DECEASED", "note": "The daughter sent the certificate."}
WAYS = [
    (approvals.approve, "APPROVED"),
    (approvals.reject, "REJECTED"),
    (approvals.withdraw, "WITHDRAWN"),
]


@pytest.fixture
def kim(account):
    """Senior support, who asks."""
    return make_colleague("kim", "Senior support", account)


@pytest.fixture
def lee(account):
    """Senior support, who decides."""
    return make_colleague("lee", "Senior support", account)


@pytest.fixture
def asked(user, kim):
    """Kim asks to deactivate the user."""
    return ask(user, kim)


def ask(user, staff, action="user.deactivate", **values):
    return approvals.ask(user, actor=Actor.staff(staff), action=action, **{**WHY, **values})


def settle(asked, way, kim, lee):
    """In one of the WAYS, by whom it takes."""
    by = kim if way is approvals.withdraw else lee
    return way(asked, actor=Actor.staff(by), note="I called back.")


def late(asked):
    ApprovalRequest.objects.filter(pk=asked.pk).update(expires_at=Now() - timedelta(seconds=1))


def status_of(row):
    return type(row).objects.get(pk=row.pk).status


def lines(asked):
    """The trail of a request: what, by whom, with which note."""
    found = TrailEntry.objects.filter(object_type="request", object_id=str(asked.pk)).order_by("id")
    return [(line.action, line.actor_label, line.note) for line in found]


# Asking


def test_asking_changes_nothing_but_leaves_a_request_and_a_line(user, kim, account):
    make_device(user, make_application(account))
    make_operation(user)
    asked = ask(user, kim)
    assert status_of(user) == "ACTIVE"
    assert not Event.objects.filter(type="user.deactivated").exists()
    assert (asked.status, asked.account, asked.asked_by, asked.decided_by) == ("PENDING", account, kim, None)
    assert asked.expires_at - asked.asked_at == timedelta(hours=24)
    assert asked.before == {"state": "ACTIVE", "devices": 1, "open_operations": 1}
    assert lines(asked) == [("request.asked", "kim", WHY["note"])]
    assert TrailEntry.objects.get(action="request.asked").user_id == user.pk


def test_how_long_it_waits_is_a_setting(user, kim, settings):
    settings.REQUEST_HOURS = 2
    asked = ask(user, kim)
    assert asked.expires_at - asked.asked_at == timedelta(hours=2)


def test_the_same_is_asked_for_once_and_another_thing_beside_it(asked, user, kim, lee):
    for staff in (kim, lee):
        with pytest.raises(approvals.AlreadyWaiting):
            ask(user, staff)
    ask(user, lee, action="user.erase")
    assert ApprovalRequest.objects.count() == 2


def test_what_is_settled_or_late_does_not_keep_others_from_asking(asked, user, kim, lee):
    settle(asked, approvals.reject, kim, lee)
    second = ask(user, lee)
    late(second)
    third = ask(user, kim)
    assert [status_of(row) for row in (asked, second, third)] == ["REJECTED", "EXPIRED", "PENDING"]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"reason": "BOREDOM"}, "reason"),
        ({"reason": "OTHER", "note": " "}, "note"),
        ({"action": "user.lock"}, "action"),
    ],
)
def test_a_reason_and_an_action_of_the_list_are_needed(user, kim, values, name):
    with pytest.raises(Invalid) as refusal:
        ask(user, kim, **values)
    assert refusal.value.invalid_params[0]["name"] == name
    assert not ApprovalRequest.objects.exists()


def test_who_may_not_ask_does_not(user, account, other_account, kim, api_client):
    somebody = [
        make_colleague("sam", "Support", account),
        make_colleague("stran", "Senior support", other_account),
        make_colleague("left", "Senior support", account, is_active=False),
    ]
    actors = [*(Actor.staff(staff) for staff in somebody), Actor.client(api_client), SYSTEM]
    for actor in actors:
        with pytest.raises(approvals.NotEntitled):
            approvals.ask(user, actor=actor, action="user.deactivate", **WHY)
    assert not ApprovalRequest.objects.exists()


def test_nobody_asks_for_what_is_done(user, kim):
    users.deactivate(user, actor=SYSTEM, reason="DECEASED")
    with pytest.raises(WrongState):
        ask(user, kim)
    ask(user, kim, action="user.erase")
    erasure.request(user, actor=SYSTEM, reason="DECEASED")
    ApprovalRequest.objects.all().delete()
    with pytest.raises(erasure.AlreadyAsked):
        ask(user, kim, action="user.erase")


# Deciding


def test_an_approval_does_it_in_the_name_of_the_second_and_names_the_first(asked, user, kim, lee):
    approvals.approve(asked, actor=Actor.staff(lee), note="I called back.")
    assert status_of(user) == "DEACTIVATED"
    row = ApprovalRequest.objects.get()
    assert (row.status, row.decided_by, row.decision_note) == ("APPROVED", lee, "I called back.")
    assert row.decided_at >= row.asked_at
    line = TrailEntry.objects.get(action="user.deactivated")
    assert (line.actor_label, line.reason, line.note) == ("lee", "DECEASED", WHY["note"])
    assert line.changes == {"asked_by": str(kim.pk)}
    assert lines(asked)[1:] == [("request.approved", "lee", "I called back.")]
    approved = TrailEntry.objects.get(action="request.approved")
    assert approved.changes == {"action": "user.deactivate", "asked_by": str(kim.pk)}
    assert Event.objects.filter(type="user.deactivated", user_id=user.pk).count() == 1


def test_an_approved_erasure_is_carried_out(user, kim, lee):
    asked = ask(user, kim, action="user.erase")
    settle(asked, approvals.approve, kim, lee)
    assert User.objects.get().erasure_requested_at
    assert TrailEntry.objects.get(action="user.erasure_requested").changes == {"asked_by": str(kim.pk)}
    erasures.carry_out()
    assert User.objects.get().erased_at


def test_a_deactivated_person_may_still_be_erased(asked, user, kim, lee):
    erase = ask(user, lee, action="user.erase")
    settle(asked, approvals.approve, kim, lee)
    approvals.approve(erase, actor=Actor.staff(kim))
    assert User.objects.get().erasure_requested_at
    assert TrailEntry.objects.filter(action="user.deactivated").count() == 1


def test_a_rejection_needs_a_word_and_changes_nothing(asked, user, lee):
    with pytest.raises(Invalid):
        approvals.reject(asked, actor=Actor.staff(lee), note=" ")
    approvals.reject(asked, actor=Actor.staff(lee), note="Wrong person.")
    row = ApprovalRequest.objects.get()
    assert (row.status, row.decided_by, row.decision_note) == ("REJECTED", lee, "Wrong person.")
    assert status_of(user) == "ACTIVE"
    assert lines(asked)[1:] == [("request.rejected", "lee", "Wrong person.")]


def test_who_asked_takes_it_back_and_nobody_else(asked, user, kim, lee):
    with pytest.raises(approvals.NotTheAsker):
        approvals.withdraw(asked, actor=Actor.staff(lee))
    with pytest.raises(approvals.NotEntitled):
        approvals.withdraw(asked, actor=SYSTEM)
    approvals.withdraw(asked, actor=Actor.staff(kim))
    row = ApprovalRequest.objects.get()
    assert (row.status, row.decided_by, status_of(user)) == ("WITHDRAWN", None, "ACTIVE")
    assert row.decided_at
    assert lines(asked)[1:] == [("request.withdrawn", "kim", "")]


@pytest.mark.parametrize("again", [way for way, _ in WAYS])
@pytest.mark.parametrize(("way", "end"), WAYS)
def test_what_is_settled_stays_settled(asked, user, kim, lee, way, end, again):
    settle(asked, way, kim, lee)
    before = list(TrailEntry.objects.values_list("pk", flat=True))
    with pytest.raises(WrongState) as refusal:
        settle(ApprovalRequest.objects.get(), again, kim, lee)
    assert refusal.value.members["state"] == end
    with pytest.raises(WrongState):
        approvals.expire(ApprovalRequest.objects.get())
    assert list(TrailEntry.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("way", [approvals.approve, approvals.reject])
def test_nobody_decides_their_own(asked, user, kim, way):
    with pytest.raises(approvals.OwnRequest):
        way(asked, actor=Actor.staff(kim), note="It is fine.")
    assert (status_of(asked), status_of(user)) == ("PENDING", "ACTIVE")


def test_not_even_a_superuser(user):
    boss = make_colleague("boss", None, is_superuser=True)
    asked = ask(user, boss)
    with pytest.raises(approvals.OwnRequest):
        approvals.approve(asked, actor=Actor.staff(boss))


@pytest.mark.parametrize("status", ["APPROVED", "REJECTED"])
def test_the_database_lets_nobody_decide_their_own(asked, kim, status):
    with pytest.raises(IntegrityError, match="request_four_eyes"), transaction.atomic():
        ApprovalRequest.objects.update(status=status, decided_by=kim, decided_at=Now())


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"status": "APPROVED", "decided_at": Now()}, "request_decided"),
        ({"status": "WITHDRAWN"}, "request_decided"),
        ({"decided_at": Now()}, "request_decided"),
        ({"status": "DONE", "decided_at": Now()}, "request_"),
        ({"action": "user.lock"}, "request_action"),
    ],
)
def test_the_database_holds_what_a_request_can_be(asked, values, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ApprovalRequest.objects.update(**values)


@pytest.mark.parametrize("way", [approvals.approve, approvals.reject])
def test_who_may_not_decide_does_not(asked, user, account, other_account, api_client, way):
    somebody = [
        make_colleague("sam", "Support", account),
        make_colleague("audrey", "Auditor", account),
        make_colleague("stran", "Senior support", other_account),
        make_colleague("left", "Senior support", account, is_active=False),
    ]
    for actor in [*(Actor.staff(staff) for staff in somebody), Actor.client(api_client), SYSTEM]:
        with pytest.raises(approvals.NotEntitled):
            way(asked, actor=actor, note="Fine.")
    assert (status_of(asked), status_of(user)) == ("PENDING", "ACTIVE")


def test_it_takes_two_who_may_when_it_is_approved(asked, user, account, kim, lee):
    """The asker left, lost the role or the account: the approval would be one person's."""

    def refused():
        with pytest.raises(approvals.AskerGone):
            approvals.approve(ApprovalRequest.objects.get(), actor=Actor.staff(lee))
        assert (status_of(asked), status_of(user)) == ("PENDING", "ACTIVE")

    type(kim).objects.filter(pk=kim.pk).update(is_active=False)
    refused()
    type(kim).objects.filter(pk=kim.pk).update(is_active=True)
    kim.accounts.clear()
    refused()
    kim.accounts.add(account)
    kim.groups.clear()
    refused()
    approvals.reject(ApprovalRequest.objects.get(), actor=Actor.staff(lee), note="Kim has left.")
    assert status_of(asked) == "REJECTED"


@pytest.mark.parametrize("way", [approvals.approve, approvals.reject, approvals.withdraw])
def test_a_note_has_a_limit(asked, kim, lee, way):
    with pytest.raises(Invalid):
        way(asked, actor=Actor.staff(kim if way is approvals.withdraw else lee), note="n" * 2001)


# Done otherwise in the meantime


def test_what_was_done_otherwise_ends_the_request_and_is_not_done_twice(asked, user, api, lee):
    api.post(f"/reuseid/core/users/{user.pk}/deactivate", {"reason": "CONTRACT_ENDED"})
    with pytest.raises(approvals.Overtaken):
        approvals.approve(ApprovalRequest.objects.get(), actor=Actor.staff(lee), note="Fine.")
    row = ApprovalRequest.objects.get()
    assert (row.status, row.decided_by, row.decision_note) == ("WITHDRAWN", None, "")
    assert lines(asked)[1:] == [("request.overtaken", "", "")]
    assert TrailEntry.objects.get(action="user.deactivated").reason == "CONTRACT_ENDED"
    assert Event.objects.filter(type="user.deactivated").count() == 1


def test_so_does_an_erasure_that_was_asked_for_otherwise(user, kim, lee):
    asked = ask(user, kim, action="user.erase")
    erasure.request(User.objects.select_related("account").get(), actor=SYSTEM, reason="CUSTOMER_REQUEST")
    with pytest.raises(approvals.Overtaken):
        settle(asked, approvals.approve, kim, lee)
    assert status_of(asked) == "WITHDRAWN"


def test_another_state_that_still_fits_is_no_hindrance(asked, user, kim, lee):
    users.lock(user, actor=SYSTEM, reason="SUSPECTED_FRAUD")
    settle(ApprovalRequest.objects.get(), approvals.approve, kim, lee)
    assert status_of(user) == "DEACTIVATED"


def test_an_approval_that_fails_leaves_nothing(asked, user, lee, settings):
    settings.REASONS = {"OTHER": "The list has changed in the meantime."}
    with pytest.raises(Invalid):
        approvals.approve(asked, actor=Actor.staff(lee))
    assert (status_of(asked), status_of(user)) == ("PENDING", "ACTIVE")
    assert len(lines(asked)) == 1


# Time


@pytest.mark.parametrize("way", [way for way, _ in WAYS])
def test_after_its_time_nobody_decides_and_it_is_expired_at_its_deadline(asked, user, kim, lee, way):
    late(asked)
    with pytest.raises(WrongState) as refusal:
        settle(ApprovalRequest.objects.get(), way, kim, lee)
    assert refusal.value.members["state"] == "EXPIRED"
    row = ApprovalRequest.objects.get()
    assert (row.status, row.decided_at, row.decided_by) == ("EXPIRED", row.expires_at, None)
    assert lines(asked)[1:] == [("request.expired", "", "")]
    assert status_of(user) == "ACTIVE"


@pytest.mark.parametrize(("way", "end"), WAYS)
@pytest.mark.parametrize("tick", [-1, 0, 1])
def test_one_clock_decides_at_the_border(asked, kim, lee, way, end, tick):
    """A tick before the deadline it can be decided and not swept; on it and after it, the other way round."""
    ApprovalRequest.objects.update(expires_at=asked.asked_at + timedelta(hours=1))
    row = ApprovalRequest.objects.get()
    with database_clock.stopped(row.expires_at + timedelta(milliseconds=tick)):
        in_time = tick < 0
        assert ApprovalRequest.objects.waiting().exists() is in_time
        assert ApprovalRequest.objects.overdue().exists() is not in_time
        if in_time:
            with pytest.raises(WrongState):
                approvals.expire(ApprovalRequest.objects.get())
            settle(row, way, kim, lee)
        else:
            with pytest.raises(WrongState):
                settle(row, way, kim, lee)
    assert status_of(asked) == (end if in_time else "EXPIRED")


def test_the_sweep_ends_what_is_late_in_bounded_batches(account, kim):
    asked = [ask(factories.make_user(account), kim) for _ in range(4)]
    for row in asked[:3]:
        late(row)
    assert approvals.expire_due(limit=2) == 2
    assert approvals.expire_due(limit=2) == 1
    assert approvals.expire_due(limit=2) == 0
    assert [status_of(row) for row in asked] == ["EXPIRED", "EXPIRED", "EXPIRED", "PENDING"]
    assert TrailEntry.objects.filter(action="request.expired", actor_type="SYSTEM").count() == 3


def test_the_clock_sweeps_and_purges(asked, user, kim, lee, settings):
    late(asked)
    tasks.expire_requests()
    assert status_of(asked) == "EXPIRED"
    second = ask(user, kim)
    old = Now() - timedelta(days=settings.REQUEST_RETENTION_DAYS, seconds=1)
    ApprovalRequest.objects.filter(pk=asked.pk).update(decided_at=old)
    ApprovalRequest.objects.filter(pk=second.pk).update(asked_at=old)
    tasks.purge()
    assert list(ApprovalRequest.objects.all()) == [second]
    assert len(lines(asked)) == 2
    settle(second, approvals.reject, kim, lee)
    assert purging.purge()["requests"] == 0


def test_an_api_client_acts_at_once(api, user):
    assert api.post(f"/reuseid/core/users/{user.pk}/deactivate", {"reason": "DECEASED"}).status_code == 200
    assert not ApprovalRequest.objects.exists()
