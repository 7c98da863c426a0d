"""Rivals over one operation or one person: exactly one end, exactly one event."""

from functools import partial

import pytest

from mobileid.models import Device, Operation
from mobileid.services import completion, devices, operations
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM
from reuseid.errors import WrongState
from reuseid.models import Event
from reuseid.models.sealed import seal_field
from reuseid.services.people import users
from tests import factories
from tests.device_factories import CONTENT, events_of, make_application, make_device, make_operation, overdue
from tests.rivals import race

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
RIVALS = 8


@pytest.fixture
def person(account):
    """A user with a phone."""
    user = factories.make_user(account)
    make_device(user, make_application(account))
    return user


def fresh(operation):
    """As another process has it."""
    return Operation.objects.select_related("user", "client", "device__application", "target_device").get(
        pk=operation.pk
    )


def losers(results):
    return [result for result in results if isinstance(result, WrongState)]


def test_of_many_who_cancel_one_does(person):
    for _ in range(10):
        operation = make_operation(person)
        rivals = [fresh(operation) for _ in range(RIVALS)]
        results = race(*(lambda one=one: completion.cancel(one, actor=SYSTEM) for one in rivals))
        assert len(losers(results)) == RIVALS - 1
        assert {error.members["state"] for error in losers(results)} == {"CANCELED"}
        assert [kind for kind, _ in events_of(operation)] == ["authentication.canceled"]


def test_cancelling_and_completing_leave_one_end(person):
    for _ in range(10):
        # Bound by a number: of others no more are started once six in a row were rejected, as chance may have it here.
        operation = make_operation(person, binding="NUMBER")
        results = race(
            partial(completion.cancel, fresh(operation), actor=SYSTEM),
            partial(completion.end, fresh(operation), "COMPLETED", actor=SYSTEM),
            partial(completion.end, fresh(operation), "REJECTED", actor=SYSTEM),
        )
        assert len(losers(results)) == 2
        operation.refresh_from_db()
        assert [kind for kind, _ in events_of(operation)] == [f"authentication.{operation.status.lower()}"]


def test_at_the_deadline_only_expiry_wins_whoever_comes_first(person):
    for _ in range(10):
        operation = make_operation(person, binding="NUMBER")
        overdue(operation)
        results = race(
            partial(completion.cancel, fresh(operation), actor=SYSTEM),
            partial(completion.end, fresh(operation), "COMPLETED", actor=SYSTEM),
            partial(completion.expire, fresh(operation)),
            partial(completion.cancel, fresh(operation), actor=SYSTEM),
        )
        assert len(losers(results)) >= 3
        operation.refresh_from_db()
        assert operation.status == "EXPIRED"
        assert operation.ended_at == operation.expires_at
        assert [kind for kind, _ in events_of(operation)] == ["authentication.expired"]


def test_two_sweeps_share_the_work_and_tell_once(person):
    swept = [make_operation(person) for _ in range(60)]
    overdue(*swept)
    counts = race(*[lambda: sum(iter(lambda: completion.expire_overdue(limit=7), 0))] * 3)
    assert sum(counts) == 60
    assert Event.objects.filter(type="authentication.expired").count() == 60
    assert set(Operation.objects.values_list("status", flat=True)) == {"EXPIRED"}


def test_of_many_starts_at_once_one_operation_stays_open(person):
    def start():
        return operations.start_authentication(person.account, user=person, actor=SYSTEM, content=CONTENT)[0]

    # Five that are superseded are tolerated, so six rivals.
    results = race(*[start] * 6)
    assert all(isinstance(result, Operation) for result in results)
    assert Operation.objects.open().count() == 1
    assert Operation.objects.filter(status="CANCELED", failure_reason="SUPERSEDED").count() == 5
    assert Event.objects.filter(type="authentication.canceled").count() == 5


def test_nothing_stays_open_for_a_person_who_is_locked_meanwhile(account):
    application = make_application(account)
    for _ in range(10):
        user = factories.make_user(account)
        make_device(user, application)
        race(
            *[lambda user=user: make_operation(user)] * 3,
            lambda user=user: users.lock(user, actor=SYSTEM, reason="SUSPECTED_FRAUD"),
        )
        assert not Operation.objects.open().filter(user=user).exists()


def test_a_phone_is_locked_once_and_deactivated_once(person):
    phones = [Device.objects.select_related("application").get() for _ in range(RIVALS)]
    results = race(*(lambda one=one: devices.lock(one, actor=SYSTEM, reason="DEVICE_LOST") for one in phones))
    assert len(losers(results)) == RIVALS - 1
    results = race(*(lambda one=one: devices.deactivate(one, actor=SYSTEM, reason="DEVICE_LOST") for one in phones))
    assert len(losers(results)) == RIVALS - 1
    assert [kind for kind, _ in events_of(phones[0])] == ["device.locked", "device.deactivated"]


def test_parallel_guesses_of_a_confirmation_code_get_three_looks(person):
    application = Device.objects.get().application
    operation, _ = by_integrator.start_registration(
        person.account, user=person, application=application, confirmation="INTEGRATOR", actor=SYSTEM
    )
    phone = make_device(person, application, status="PENDING")
    seal_field(operation, "confirmation_code", b"123456")
    Operation.objects.filter(pk=operation.pk).update(
        status="IN_PROGRESS", device=phone, confirmation_code=operation.confirmation_code
    )
    rivals = [fresh(operation) for _ in range(RIVALS)]
    race(*(lambda one=one: by_integrator.confirm(one, code="000000", actor=SYSTEM) for one in rivals))
    operation.refresh_from_db()
    assert operation.confirmation_attempts == 3
    assert (operation.status, operation.failure_reason) == ("FAILED", "CONFIRMATION_FAILED")
    assert [kind for kind, _ in events_of(operation)] == ["registration.failed"]
    assert Device.objects.get(pk=phone.pk).status == "DEACTIVATED"


def test_confirming_and_cancelling_leave_one_end_and_the_phone_to_match(person):
    application = Device.objects.get().application
    for _ in range(10):
        operation, _ = by_integrator.start_registration(
            person.account, user=person, application=application, confirmation="INTEGRATOR", actor=SYSTEM
        )
        phone = make_device(person, application, status="PENDING")
        seal_field(operation, "confirmation_code", b"123456")
        Operation.objects.filter(pk=operation.pk).update(
            status="IN_PROGRESS", device=phone, confirmation_code=operation.confirmation_code
        )
        race(
            partial(by_integrator.confirm, fresh(operation), code="123456", actor=SYSTEM),
            partial(completion.cancel, fresh(operation), actor=SYSTEM),
        )
        operation.refresh_from_db()
        phone.refresh_from_db()
        expected = {"COMPLETED": "ACTIVE", "CANCELED": "DEACTIVATED"}
        assert phone.status == expected[operation.status]
        assert len(events_of(operation)) == 1


def test_a_phone_that_comes_while_its_registration_is_cancelled_does_not_stay(person):
    application = Device.objects.get().application
    operation, _ = by_integrator.start_registration(
        person.account, user=person, application=application, confirmation="INTEGRATOR", actor=SYSTEM
    )
    seen_before = fresh(operation)
    phone = make_device(person, application, status="PENDING")
    Operation.objects.filter(pk=operation.pk).update(status="IN_PROGRESS", device=phone)
    completion.cancel(seen_before, actor=SYSTEM)
    assert Device.objects.get(pk=phone.pk).status == "DEACTIVATED"
    assert events_of(operation)[0][1]["device"]["deviceId"] == str(phone.pk)
