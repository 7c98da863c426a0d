"""Status, cancel, confirm, release and lists over the REST API."""

import hashlib
import secrets
import uuid

import pytest

from mobileid.models import Device, Evidence, Operation
from mobileid.protocol import wire
from mobileid.services import completion, operations
from mobileid.services.registration import by_integrator
from mobileid.tasks import expire_operations
from reuseid.actors import SYSTEM, Actor
from reuseid.models import TrailEntry
from reuseid.models.sealed import seal_field
from tests import factories
from tests.device_factories import events_of, make_device, make_operation, overdue

pytestmark = pytest.mark.django_db
CORE = "/mobileid/core/"
AUTHENTICATIONS = CORE + "authentications/"


def status(api, operation, kind="authentications"):
    return api.get(f"{CORE}{kind}/{operation.pk}")


def complete(operation, device, **changes):
    Evidence.objects.create(
        operation=operation,
        proof="header.payload.signature",
        device_jwk=device.possession_jwk,
        device_thumbprint=device.possession_thumbprint,
        auth_method="DEVICE_PIN",
    )
    return completion.end(
        operation,
        Operation.Status.COMPLETED,
        actor=Actor.device(device),
        device=device,
        auth_method="DEVICE_PIN",
        **changes,
    )


def test_a_completed_operation_shows_result_and_evidence_and_its_event_says_the_same(api, api_client, user, device):
    operation = make_operation(user, client=api_client, requested_attributes=["email", "unknown"])
    complete(operation, device)
    shown = status(api, operation).json()
    assert shown["state"] == "COMPLETED"
    assert shown["result"] == {
        "authMethod": "DEVICE_PIN",
        "requestedUserAttributes": {"email": "anna@example.com"},
    }
    assert shown["evidence"]["proof"] == "header.payload.signature"
    assert shown["completed"] >= shown["created"]
    assert events_of(operation) == [("authentication.completed", shown)]


def test_requested_attributes_are_shown_for_completed_operations_only(api, api_client, user, device):
    operation = make_operation(user, client=api_client, requested_attributes=["email"])
    assert "anna@example.com" not in status(api, operation).content.decode()
    api.post(f"{AUTHENTICATIONS}{operation.pk}/cancel")
    assert "anna@example.com" not in status(api, operation).content.decode()
    assert "anna@example.com" not in str(events_of(operation))


def test_a_consent_is_in_the_result_of_a_signature(api, api_client, user, device):
    operation = operations.start_signature(
        user.account,
        user=user,
        actor=Actor.client(api_client),
        content={"mimeType": "text/plain", "content": "I agree."},
    )[0]
    seal_field(operation, "signature", b"a.b.c")
    complete(operation, device, signature=operation.signature)
    assert status(api, operation, "signatures").json()["result"]["signature"] == "a.b.c"
    assert events_of(operation)[0][1]["result"]["signature"] == "a.b.c"


def test_an_operation_is_found_under_its_own_account_and_type_only(api, other_api, user, device):
    operation = make_operation(user)
    assert status(api, operation).status_code == 200
    assert status(other_api, operation).status_code == 404
    assert status(api, operation, "signatures").status_code == 404
    assert other_api.post(f"{AUTHENTICATIONS}{operation.pk}/cancel").status_code == 404
    assert api.get(f"{AUTHENTICATIONS}{uuid.uuid4()}").status_code == 404
    operation.refresh_from_db()
    assert operation.status == "PENDING"


def test_an_overdue_operation_reads_expired_before_the_sweep_and_the_same_after(api, user, device):
    operation = make_operation(user)
    overdue(operation)
    before = status(api, operation).json()
    assert (before["state"], before["completed"]) == ("EXPIRED", before["expiresAt"])
    assert Operation.objects.get(pk=operation.pk).status == "PENDING"
    expire_operations()
    after = status(api, operation).json()
    assert after == before
    assert events_of(operation) == [("authentication.expired", after)]


def test_cancelling_ends_an_open_operation_and_tells(api, user, device):
    operation = make_operation(user)
    answer = api.post(f"{AUTHENTICATIONS}{operation.pk}/cancel")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["failureReason"]) == ("CANCELED", "CANCELED")
    assert events_of(operation) == [("authentication.canceled", answer.json())]
    entry = TrailEntry.objects.get(action="operation.canceled")
    assert (entry.actor_type, entry.user_id) == ("CLIENT", user.pk)


def test_cancelling_what_is_over_is_a_conflict_that_says_the_state(api, user, device):
    operation = make_operation(user)
    complete(operation, device)
    answer = api.post(f"{AUTHENTICATIONS}{operation.pk}/cancel").json()
    assert (answer["status"], answer["code"], answer["state"]) == (409, "wrong_state", "COMPLETED")
    late = make_operation(user)
    overdue(late)
    answer = api.post(f"{AUTHENTICATIONS}{late.pk}/cancel").json()
    assert (answer["status"], answer["state"]) == (409, "EXPIRED")
    late.refresh_from_db()
    assert late.status == "EXPIRED"
    assert [kind for kind, _ in events_of(late)] == ["authentication.expired"]


def approved_on_the_same_device(user, device):
    operation = make_operation(user, binding="SAME_DEVICE", return_url="https://bank.example/back")
    code = secrets.token_bytes(32)
    completion.await_return(
        operation,
        device=device,
        auth_method="DEVICE_PIN",
        return_hash=wire.b64u(hashlib.sha256(code).digest()),
    )
    return operation, code


def test_a_same_device_operation_completes_only_with_the_code_that_came_back(api, user, device):
    operation, code = approved_on_the_same_device(user, device)
    shown = status(api, operation).json()
    assert (shown["state"], shown["awaitingReturnCode"], shown["result"]) == ("IN_PROGRESS", True, None)
    assert events_of(operation) == []

    def release(code):
        return api.post(f"{AUTHENTICATIONS}{operation.pk}/release", {"returnCode": code})

    assert release(wire.b64u(secrets.token_bytes(32))).json()["code"] == "code_wrong"
    assert release("***").json()["code"] == "code_wrong"
    assert status(api, operation).json()["state"] == "IN_PROGRESS"
    answer = release(wire.b64u(code))
    assert (answer.status_code, answer.json()["state"]) == (200, "COMPLETED")
    assert "awaitingReturnCode" not in answer.json()
    assert [kind for kind, _ in events_of(operation)] == ["authentication.completed"]
    assert release(wire.b64u(code)).status_code == 409


def test_an_approval_that_is_never_released_expires(api, user, device):
    operation, code = approved_on_the_same_device(user, device)
    overdue(operation)
    assert status(api, operation).json()["state"] == "EXPIRED"
    answer = api.post(f"{AUTHENTICATIONS}{operation.pk}/release", {"returnCode": wire.b64u(code)})
    assert answer.status_code == 409
    expire_operations()
    assert [kind for kind, _ in events_of(operation)] == ["authentication.expired"]


def test_only_same_device_operations_are_released(api, user, device):
    operation = make_operation(user)
    answer = api.post(f"{AUTHENTICATIONS}{operation.pk}/release", {"returnCode": "x" * 43})
    assert answer.status_code == 404
    waiting = make_operation(user, binding="SAME_DEVICE", return_url="https://bank.example/back")
    answer = api.post(f"{AUTHENTICATIONS}{waiting.pk}/release", {"returnCode": "x" * 43})
    assert (answer.status_code, answer.json()["state"]) == (409, "PENDING")


@pytest.fixture
def registration(user, application):
    """A phone has registered and shows 123456."""
    operation, _ = by_integrator.start_registration(
        user.account, user=user, application=application, confirmation="INTEGRATOR", actor=SYSTEM
    )
    device = make_device(user, application, status="PENDING")
    seal_field(operation, "confirmation_code", b"123456")
    Operation.objects.filter(pk=operation.pk).update(
        status="IN_PROGRESS", device=device, confirmation_code=operation.confirmation_code
    )
    operation.refresh_from_db()
    return operation


def confirm(api, operation, code):
    return api.post(f"{CORE}registrations/{operation.pk}/confirm", {"confirmationCode": code})


def test_the_right_code_activates_the_phone_and_completes_the_registration(api, registration):
    answer = confirm(api, registration, "123456")
    assert (answer.status_code, answer.json()["state"]) == (200, "COMPLETED")
    registration.device.refresh_from_db()
    assert registration.device.status == "ACTIVE"
    assert [kind for kind, _ in events_of(registration.device)] == ["device.activated"]
    assert [kind for kind, _ in events_of(registration)] == ["registration.completed"]
    assert confirm(api, registration, "123456").status_code == 409


def test_the_third_wrong_code_fails_the_registration_and_its_phone(api, registration):
    for _ in range(2):
        answer = confirm(api, registration, "000000")
        assert (answer.status_code, answer.json()["code"]) == (422, "code_wrong")
        assert status(api, registration, "registrations").json()["state"] == "IN_PROGRESS"
    assert confirm(api, registration, "000000").status_code == 422
    shown = status(api, registration, "registrations").json()
    assert (shown["state"], shown["failureReason"]) == ("FAILED", "CONFIRMATION_FAILED")
    assert confirm(api, registration, "123456").status_code == 409
    assert Device.objects.get().status == "DEACTIVATED"


@pytest.mark.parametrize("end", ["cancel", "expire"])
def test_a_registration_that_does_not_complete_takes_its_waiting_phone_with_it(api, registration, end):
    if end == "cancel":
        assert api.post(f"{CORE}registrations/{registration.pk}/cancel").status_code == 200
    else:
        overdue(registration)
        assert confirm(api, registration, "123456").status_code == 409
        expire_operations()
    registration.device.refresh_from_db()
    assert registration.device.status == "DEACTIVATED"


def test_a_registration_without_a_phone_has_nothing_to_confirm(api, user, application):
    operation, _ = by_integrator.start_registration(user.account, user=user, application=application, actor=SYSTEM)
    assert confirm(api, operation, "123456").status_code == 409


def test_the_qr_code_is_there_while_it_can_be_scanned(api, user, device):
    operation = make_operation(user, binding="QR")
    address = f"{AUTHENTICATIONS}{operation.pk}/qr"
    assert api.get(address).status_code == 200
    overdue(operation)
    answer = api.get(address)
    assert (answer.status_code, answer.json()["state"]) == (409, "EXPIRED")
    assert api.get(f"{AUTHENTICATIONS}{make_operation(user).pk}/qr").status_code == 404


def test_wait_is_a_number_of_seconds(api, user, device):
    operation = make_operation(user)
    assert api.get(f"{AUTHENTICATIONS}{operation.pk}?wait=0").status_code == 200
    for wrong in ("31", "-1", "x", "1.5", ""):
        assert api.get(f"{AUTHENTICATIONS}{operation.pk}?wait={wrong}").status_code == 400
    assert api.get(f"{AUTHENTICATIONS}{operation.pk}?color=red").status_code == 400


def test_lists_filter_by_what_the_rows_show(api, user, device, account, application):
    late, canceled, fresh = (make_operation(user) for _ in range(3))
    overdue(late)
    completion.cancel(canceled, actor=SYSTEM)
    berta = factories.make_user(account)
    phone = make_device(berta, application)
    hers = make_operation(berta, client_reference="b-1")

    def ids(query, path="operations"):
        answer = api.get(f"{CORE}{path}?{query}")
        assert answer.status_code == 200, answer.json()
        return {row["operationId"] for row in answer.json()["results"]}

    assert ids("state=EXPIRED") == {str(late.pk)}
    assert ids("state=PENDING") == {str(fresh.pk), str(hers.pk)}
    assert ids("state=CANCELED") == {str(canceled.pk)}
    assert ids("clientReference=b-1") == {str(hers.pk)}
    assert ids(f"userId={berta.pk}") == {str(hers.pk)}
    assert ids(f"deviceId={phone.pk}") == {str(hers.pk)}
    assert ids("type=signature") == set()
    assert len(ids("", "authentications")) == 4
    assert ids("", "signatures") == set()
    answer = api.get(f"/reuseid/core/users/{berta.pk}/operations").json()
    assert [row["operationId"] for row in answer["results"]] == [str(hers.pk)]
    assert api.get(f"{CORE}operations?state=WRONG").status_code == 400
    assert api.get(f"{CORE}operations?colour=red").status_code == 400


def test_lists_show_no_content_and_nothing_of_others(api, other_api, user, device):
    make_operation(user, content={"mimeType": "text/plain", "content": "very private"})
    assert "very private" not in api.get(CORE + "operations").content.decode()
    assert other_api.get(CORE + "operations").json() == {"results": [], "next": None}
    assert other_api.get(f"/reuseid/core/users/{user.pk}/operations").status_code == 404


def test_a_list_of_a_hundred_costs_what_a_list_of_one_does(api, user, device, django_assert_num_queries):
    make_operation(user)
    with django_assert_num_queries(2):
        assert len(api.get(CORE + "operations?limit=100").json()["results"]) == 1
    for _ in range(99):
        make_operation(user)
    with django_assert_num_queries(2):
        assert len(api.get(CORE + "operations?limit=100").json()["results"]) == 100


def test_a_status_costs_the_token_and_one_query_and_attributes_one_more(
    api, api_client, user, device, django_assert_num_queries
):
    operation = make_operation(user, client=api_client, requested_attributes=["email"])
    with django_assert_num_queries(2):
        status(api, operation)
    complete(operation, device)
    with django_assert_num_queries(3):
        assert status(api, operation).json()["result"]["requestedUserAttributes"]


def test_values_are_shown_to_who_may_read_attributes_alone(api, api_client, api_for, user, device):
    operation = make_operation(user, client=api_client, requested_attributes=["email"])
    complete(operation, device)
    narrow = api_for(api_client, ["operations:read"])
    another = api_for(factories.make_client(api_client.account, ["operations:read"]))
    for caller in (narrow, another):
        shown = status(caller, operation).json()
        assert shown["state"] == "COMPLETED"
        assert shown["result"]["requestedUserAttributes"] == {}
    assert status(api, operation).json()["result"]["requestedUserAttributes"] == {"email": "anna@example.com"}
