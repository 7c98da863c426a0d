"""Devices over the REST API, and what a person's state does to them."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from mobileid.models import Device
from mobileid.services import erasure
from mobileid.tasks import expire_operations
from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry
from reuseid.services.people import users
from tests import factories
from tests.device_factories import events_of, make_device, make_operation

pytestmark = pytest.mark.django_db
DEVICES = "/mobileid/core/devices"


def change(api, device, what, **body):
    return api.post(f"{DEVICES}/{device.pk}/{what}", body)


def test_a_device_shows_what_support_asks_for_and_no_key(api, device, user, application):
    shown = api.get(f"{DEVICES}/{device.pk}").json()
    assert shown["deviceId"] == str(device.pk)
    assert (shown["userId"], shown["applicationId"]) == (str(user.pk), str(application.pk))
    assert (shown["state"], shown["lockReason"], shown["failedAttempts"]) == ("ACTIVE", None, 0)
    assert shown["authMethods"] == ["DEVICE", "DEVICE_PIN"]
    assert shown["keyThumbprint"] == device.possession_thumbprint
    assert not {"knowledgeKey", "possessionJwk", "pushToken"} & shown.keys()


def test_locking_and_unlocking_have_a_reason_an_actor_and_an_event(api, device, user):
    answer = change(api, device, "lock", reason="DEVICE_LOST", note="Left on a train")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["lockReason"]) == ("LOCKED", "DEVICE_LOST")
    assert change(api, device, "lock", reason="DEVICE_LOST").json()["state"] == "LOCKED"
    Device.objects.update(failed_attempts=4, lock_count=2)
    answer = change(api, device, "unlock", reason="RESOLVED")
    assert (answer.json()["state"], answer.json()["lockReason"], answer.json()["failedAttempts"]) == ("ACTIVE", None, 0)
    assert Device.objects.get().lock_count == 0
    (locked, data), (unlocked, _) = events_of(device)
    assert (locked, unlocked) == ("device.locked", "device.unlocked")
    assert data["reason"] == "DEVICE_LOST"
    assert data["actor"] == {"type": "CLIENT", "id": api.client_row.client_id}
    entry = TrailEntry.objects.get(action="device.locked")
    assert (entry.reason, entry.note, entry.user_id) == ("DEVICE_LOST", "Left on a train", user.pk)


def test_a_wrong_transition_is_a_conflict_with_the_state(api, device):
    answer = change(api, device, "unlock", reason="RESOLVED").json()
    assert (answer["status"], answer["code"], answer["state"]) == (409, "wrong_state", "ACTIVE")
    change(api, device, "deactivate", reason="CUSTOMER_REQUEST")
    for what in ("lock", "unlock", "deactivate"):
        answer = change(api, device, what, reason="RESOLVED").json()
        assert (answer["status"], answer["state"]) == (409, "DEACTIVATED")


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": "NOSE"}, {"reason": "OTHER"}, {"reason": "OTHER", "note": " "}, {"reason": "RESOLVED", "x": 1}],
)
def test_a_change_needs_a_reason_of_the_list(api, device, body):
    assert change(api, device, "lock", **body).status_code == 422
    assert Device.objects.get().status == "ACTIVE"


def test_deactivating_erases_secrets_and_cancels_what_waits_for_the_phone_alone(api, device, user, application):
    alone = make_operation(user, device_id=device.pk)
    make_device(user, application)
    other = make_operation(user, broadcast=True)
    answer = change(api, device, "deactivate", reason="CUSTOMER_REQUEST")
    assert answer.json()["state"] == "DEACTIVATED"
    device.refresh_from_db()
    assert device.knowledge_key is None
    assert device.possession_jwk
    alone.refresh_from_db()
    other.refresh_from_db()
    assert (alone.status, alone.failure_reason, other.status) == ("CANCELED", "DEVICE_DEACTIVATED", "PENDING")


def test_a_lock_for_a_time_may_become_a_lasting_one_but_not_the_reverse(api, device):
    Device.objects.update(status="LOCKED", lock_reason="TOO_MANY_FAILURES", locked_until=Now() + timedelta(minutes=5))
    answer = change(api, device, "lock", reason="DEVICE_STOLEN")
    assert (answer.status_code, answer.json()["lockedUntil"]) == (200, None)
    answer = change(api, device, "lock", reason="CUSTOMER_REQUEST", until="2099-01-01T00:00:00Z")
    assert answer.status_code == 409


def test_a_lock_for_a_time_is_over_at_its_time_and_the_sweep_says_so_once(api, device):
    Device.objects.update(
        status="LOCKED", lock_reason="TOO_MANY_FAILURES", lock_count=1, locked_until=Now() - timedelta(seconds=1)
    )
    shown = api.get(f"{DEVICES}/{device.pk}").json()
    assert (shown["state"], shown["lockReason"], shown["lockedUntil"]) == ("ACTIVE", None, None)
    assert len(api.get(f"{DEVICES}?state=ACTIVE").json()["results"]) == 1
    assert api.get(f"{DEVICES}?state=LOCKED").json()["results"] == []
    expire_operations()
    expire_operations()
    device.refresh_from_db()
    assert (device.status, device.lock_count) == ("ACTIVE", 1)
    assert [kind for kind, _ in events_of(device)] == ["device.unlocked"]


def test_a_device_is_renamed_and_a_deceiving_name_is_refused(api, device):
    answer = api.patch(f"{DEVICES}/{device.pk}", {"name": "Tablet"})
    assert (answer.status_code, answer.json()["name"]) == (200, "Tablet")
    for name in ("", " ", "x" * 65, "a\u202eb", 7, None):
        assert api.patch(f"{DEVICES}/{device.pk}", {"name": name}).status_code == 422
    assert api.patch(f"{DEVICES}/{device.pk}", {"state": "LOCKED"}).status_code == 422


def test_devices_of_other_accounts_do_not_exist(other_api, device, user):
    assert other_api.get(f"{DEVICES}/{device.pk}").status_code == 404
    assert change(other_api, device, "lock", reason="RESOLVED").status_code == 404
    assert other_api.get(DEVICES).json()["results"] == []
    assert other_api.get(f"/reuseid/core/users/{user.pk}/devices").status_code == 404


def test_devices_are_listed_by_person_and_state_at_one_cost(
    api, device, user, application, account, django_assert_num_queries
):
    berta = factories.make_user(account)
    make_device(berta, application)
    shown = api.get(f"/reuseid/core/users/{user.pk}/devices").json()["results"]
    assert [row["deviceId"] for row in shown] == [str(device.pk)]
    assert len(api.get(f"{DEVICES}?userId={berta.pk}&state=ACTIVE").json()["results"]) == 1
    with django_assert_num_queries(2):
        api.get(DEVICES)
    for _ in range(20):
        make_device(berta, application)
    with django_assert_num_queries(2):
        assert len(api.get(f"{DEVICES}?limit=100").json()["results"]) == 22


def test_locking_a_person_ends_what_is_open_and_leaves_the_phones_own_state(api, user, device):
    operation = make_operation(user)
    users.lock(user, actor=SYSTEM, reason="SUSPECTED_FRAUD")
    operation.refresh_from_db()
    device.refresh_from_db()
    assert (operation.status, operation.failure_reason, device.status) == ("CANCELED", "USER_LOCKED", "ACTIVE")
    kind, data = events_of(operation)[-1]
    assert (kind, data["user"]["state"]) == ("authentication.canceled", "LOCKED")
    users.unlock(user, actor=SYSTEM, reason="RESOLVED")
    assert make_operation(user).status == "PENDING"


def test_deactivating_a_person_deactivates_the_phones(api, user, device, application):
    locked = make_device(user, application, status="LOCKED", lock_reason="DEVICE_LOST")
    operation = make_operation(user)
    users.deactivate(user, actor=SYSTEM, reason="CONTRACT_ENDED")
    operation.refresh_from_db()
    assert (operation.status, operation.failure_reason) == ("CANCELED", "USER_DEACTIVATED")
    assert set(Device.objects.values_list("status", flat=True)) == {"DEACTIVATED"}
    for phone in (device, locked):
        assert events_of(phone)[-1][0] == "device.deactivated"
        assert events_of(phone)[-1][1]["reason"] == "CONTRACT_ENDED"


def test_a_reaction_that_fails_undoes_the_lock(api, user, device, monkeypatch):
    from mobileid.services import completion

    make_operation(user)

    def fail(*args, **kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr(completion, "describe_operation", fail)
    with pytest.raises(RuntimeError):
        users.lock(user, actor=SYSTEM, reason="SUSPECTED_FRAUD")
    user.refresh_from_db()
    assert user.status == "ACTIVE"


def test_nothing_personal_stays_of_an_erased_persons_phones_and_open_requests(user, device):
    operation = make_operation(user, content={"mimeType": "text/plain", "content": "private"}, client_reference="r")
    erasure.erase(user)
    device.refresh_from_db()
    operation.refresh_from_db()
    assert (device.name, device.push_token) == ("", None)
    assert (operation.content, operation.client_reference) == (None, "")


def test_a_lock_that_is_over_before_it_begins_is_refused(api, device):
    answer = api.post(f"{DEVICES}/{device.pk}/lock", {"reason": "DEVICE_LOST", "until": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 422
    assert answer.json()["invalidParams"][0]["name"] == "until"
    device.refresh_from_db()
    assert device.status == "ACTIVE"
    assert events_of(device) == []
