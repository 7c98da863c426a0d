"""Starting operations over the REST API."""

import base64
import json
import re
import uuid

import pytest
from django.db import connection
from django.db.models.functions import Now

from mobileid.models import Operation
from mobileid.protocol import wire
from mobileid.services import codes, completion
from reuseid.actors import Actor
from reuseid.models import TrailEntry
from reuseid.models.sealed import unseal_field
from reuseid.services.people import users
from tests import factories
from tests.device_factories import CONTENT, SERVER, events_of, make_application, make_device

pytestmark = pytest.mark.django_db
CORE = "/mobileid/core/"
PAYMENT = {
    "amount": "1234.5",
    "currency": "EUR",
    "creditorName": "Jane Doe",
    "creditorAccount": "nl91abna0417164300",
    "reference": "Invoice 7",
}


def start(api, *, what="authentications", **body):
    """With something to show, unless the caller says what."""
    if what == "authentications":
        asked = body.get("operationProperties", {})
        shown = {} if {"transaction", "preOperationContext"} & asked.keys() else {"preOperationContext": CONTENT}
        body["operationProperties"] = {**asked, **shown}
    return api.post(CORE + what, body)


def reasons(answer):
    return {param["name"]: param["reason"] for param in answer.json()["invalidParams"]}


def properties(**members):
    return {"operationProperties": members}


def test_an_authentication_starts_and_its_status_shows_what_was_asked(api, user, device):
    context = {"title": "Sign in", "mimeType": "text/plain", "content": "Grüße von Nordbank"}
    answer = start(
        api,
        externalRef="anna",
        clientReference="ref-1",
        **properties(preOperationContext=context, requestedUserAttributes=["email"]),
    )
    assert answer.status_code == 201, answer.json()
    assert answer.json().keys() == {"operationId", "type", "state", "expiresAt"}
    shown = api.get(f"{CORE}authentications/{answer.json()['operationId']}").json()
    assert shown["state"] == "PENDING"
    assert shown["user"] == {"userId": str(user.pk), "externalRef": "anna", "state": "ACTIVE"}
    assert shown["device"]["deviceId"] == str(device.pk)
    assert (shown["result"], shown["completed"], shown["clientReference"]) == (None, None, "ref-1")
    asked = shown["operationProperties"]
    assert asked["authLevel"] == "TWO_FACTOR"
    assert asked["authMethods"] == ["DEVICE_PIN", "DEVICE_BIOMETRIC"]
    assert asked["preOperationContext"]["content"] == "Grüße von Nordbank"
    expected = wire.content_hash("Sign in", "text/plain", "Grüße von Nordbank".encode())
    assert asked["preOperationContext"]["hash"] == wire.b64u(expected)
    assert TrailEntry.objects.get(action="operation.started").actor_id == api.client_row.client_id


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "operationProperties"),
        (properties(), "operationProperties.preOperationContext"),
        (properties(binding="NUMBER"), "operationProperties.preOperationContext"),
        (properties(postOperationContext=CONTENT), "operationProperties.preOperationContext"),
    ],
)
def test_an_authentication_with_nothing_to_show_is_refused(api, user, device, body, named):
    answer = api.post(CORE + "authentications", {"externalRef": "anna", **body})
    assert answer.status_code == 422
    assert set(reasons(answer)) == {named}
    assert not Operation.objects.exists()


def test_the_deadline_is_three_minutes_unless_said_and_counted_by_the_database(api, user, device):
    for body, seconds in ({}, 180), ({"expiresIn": 600}, 600):
        answer = start(api, userId=str(user.pk), **body)
        operation = Operation.objects.get(pk=answer.json()["operationId"])
        assert abs((operation.expires_at - operation.created_at).total_seconds() - seconds) < 0.01
    for wrong in (9, 601, "180", 1.5, True):
        assert "expiresIn" in reasons(start(api, userId=str(user.pk), expiresIn=wrong))


def test_a_transaction_is_rendered_canonically_and_is_what_the_phone_signs(api, user, device):
    answer = start(api, userId=str(user.pk), **properties(transaction=PAYMENT))
    operation = Operation.objects.get(pk=answer.json()["operationId"])
    text = "Amount: 1234.50 EUR\nTo: Jane Doe\nAccount: NL91 ABNA 0417 1643 00\nReference: Invoice 7\n"
    assert unseal_field(operation, "content").decode() == text
    assert operation.content_hash == wire.b64u(wire.content_hash("Payment", "text/plain", text.encode()))
    shown = api.get(f"{CORE}authentications/{operation.pk}").json()["operationProperties"]
    assert shown["transaction"] == PAYMENT
    assert shown["preOperationContext"]["content"] == text


def test_wrong_transactions_name_the_member(api, user, device):
    for change in (
        {"amount": "0"},
        {"amount": "1.234"},
        {"currency": "EURO"},
        {"creditorAccount": "NL92ABNA0417164300"},
    ):
        answer = start(api, userId=str(user.pk), **properties(transaction=PAYMENT | change))
        assert answer.status_code == 422
        assert reasons(answer).keys() == {f"operationProperties.transaction.{next(iter(change))}"}
    answer = start(api, userId=str(user.pk), **properties(transaction=PAYMENT | {"amount": 12.5}))
    assert "operationProperties.transaction.amount" in reasons(answer)
    both = properties(transaction=PAYMENT, preOperationContext={"mimeType": "text/plain", "content": "x"})
    assert "operationProperties.preOperationContext" in reasons(start(api, userId=str(user.pk), **both))


@pytest.mark.parametrize(
    ("context", "member"),
    [
        ({"mimeType": "text/plain", "content": "pay\u202eme"}, "content"),
        ({"mimeType": "text/plain", "content": "zero\u200bwidth"}, "content"),
        ({"mimeType": "text/plain", "content": "bell\x07"}, "content"),
        ({"title": "two\nlines", "mimeType": "text/plain", "content": "x"}, "title"),
        ({"mimeType": "text/markdown", "content": "&#8238;x"}, "content"),
        ({"mimeType": "application/json", "content": "{not json"}, "content"),
        ({"mimeType": "application/pdf", "contentBase64": base64.b64encode(b"GIF89a").decode()}, "contentBase64"),
        ({"mimeType": "application/pdf", "contentBase64": "not base64!"}, "contentBase64"),
        ({"mimeType": "application/pdf", "content": "%PDF-1.7"}, "contentBase64"),
        ({"mimeType": "text/plain", "contentBase64": "eA=="}, "content"),
        ({"mimeType": "text/html", "content": "<b>x</b>"}, "mimeType"),
        ({"mimeType": "text/plain", "content": "x", "more": 1}, "more"),
    ],
)
def test_a_context_that_could_deceive_is_refused_by_name(api, user, device, context, member):
    answer = start(api, userId=str(user.pk), **properties(preOperationContext=context))
    assert answer.status_code == 422
    assert reasons(answer).keys() == {f"operationProperties.preOperationContext.{member}"}
    assert not Operation.objects.exists()


@pytest.mark.parametrize(("what", "limit"), [("authentications", 8 * 1024), ("signatures", 2 * 1024 * 1024)])
def test_contents_have_a_limit_in_bytes(api, user, device, what, limit):
    def send(size):
        text = "é" * (size // 2) + "x" * (size % 2)
        context = {"mimeType": "text/plain", "content": text}
        return start(api, what=what, userId=str(user.pk), **properties(preOperationContext=context))

    assert send(limit).status_code == 201
    answer = send(limit + 1)
    assert answer.status_code == 422
    assert reasons(answer).keys() == {"operationProperties.preOperationContext.content"}


def test_a_pdf_is_signed_as_its_bytes_and_a_large_one_is_shown_by_its_hash(api, user, device):
    data = b"%PDF-1.7\n" + bytes(50_000)
    context = {"title": "Consent", "mimeType": "application/pdf", "contentBase64": base64.b64encode(data).decode()}
    answer = start(api, what="signatures", userId=str(user.pk), **properties(preOperationContext=context))
    operation = Operation.objects.get(pk=answer.json()["operationId"])
    assert unseal_field(operation, "content") == data
    shown = api.get(f"{CORE}signatures/{operation.pk}").json()["operationProperties"]["preOperationContext"]
    assert shown == {
        "title": "Consent",
        "mimeType": "application/pdf",
        "size": len(data),
        "hash": wire.b64u(wire.content_hash("Consent", "application/pdf", data)),
    }


def test_a_signature_needs_its_document(api, user, device):
    answer = start(api, what="signatures", userId=str(user.pk), **properties(authLevel="TWO_FACTOR"))
    assert "operationProperties.preOperationContext" in reasons(answer)


def test_number_matching_shows_two_digits_once(api, user, device):
    answer = start(api, userId=str(user.pk), **properties(binding="NUMBER")).json()
    assert re.fullmatch(r"\d\d", answer["matchingNumber"])
    operation = Operation.objects.get(pk=answer["operationId"])
    assert unseal_field(operation, "binding_secret").decode() == answer["matchingNumber"]
    assert f'"{answer["matchingNumber"]}"' not in api.get(f"{CORE}authentications/{operation.pk}").content.decode()


def test_a_qr_operation_needs_no_user_and_its_frames_verify(api, application):
    answer = start(api, **properties(binding="QR")).json()
    operation = Operation.objects.get(pk=answer["operationId"])
    assert operation.user is None
    assert operation.code_index == codes.claim_indexes(answer["claim"])[0]
    assert unseal_field(operation, "binding_secret") == wire.unb64u(answer["qrSecret"])
    frame = api.get(f"{CORE}authentications/{operation.pk}/qr").json()
    mac = wire.b64u(wire.qr_mac(wire.unb64u(answer["qrSecret"]), answer["claim"], frame["t"]))
    assert frame["qrUri"].endswith(f"/mobileid/app#operation?claim={answer['claim']}&t={frame['t']}&m={mac}")
    assert frame["qr"].startswith("data:image/svg+xml")
    assert answer["qrUri"].split("&t=")[0] == frame["qrUri"].split("&t=")[0]


def test_same_device_gives_a_link_and_needs_a_return_url(api, user, device):
    answer = start(api, **properties(binding="SAME_DEVICE", returnUrl="mybank://back")).json()
    assert answer["appLink"].endswith(f"/mobileid/app#operation?claim={answer['claim']}")
    assert "qrSecret" not in answer
    for members in (
        {"binding": "SAME_DEVICE"},
        {"binding": "QR", "returnUrl": "https://bank.example/"},
        {"binding": "SAME_DEVICE", "returnUrl": "javascript:alert(1)"},
        {"binding": "SAME_DEVICE", "returnUrl": "https://bank.example/#a"},
        {"binding": "SAME_DEVICE", "returnUrl": "https://u:p@bank.example/"},
        {"binding": "SAME_DEVICE", "returnUrl": "http://bank.example/"},
        {"binding": "SAME_DEVICE", "returnUrl": "//bank.example/"},
    ):
        assert "operationProperties.returnUrl" in reasons(start(api, userId=str(user.pk), **properties(**members)))


def test_without_a_claim_somebody_must_be_asked(api, application):
    assert reasons(start(api)).keys() == {"userId"}
    assert reasons(start(api, **properties(binding="NUMBER"))).keys() == {"userId"}


def test_another_accounts_user_device_and_application_do_not_exist(api, user, device, other_account):
    other_application = make_application(other_account)
    stranger = factories.make_user(other_account, external_ref="stranger")
    phone = make_device(stranger, other_application)
    assert start(api, userId=str(stranger.pk)).status_code == 404
    assert start(api, externalRef="stranger").status_code == 404
    assert start(api, deviceId=str(phone.pk)).status_code == 404
    assert start(api, deviceId=str(phone.pk), userId=str(user.pk)).status_code == 404
    assert start(api, deviceId=str(uuid.uuid4())).json()["detail"] == "The account has no such device."
    answer = start(api, what="registrations", userId=str(user.pk), applicationId=str(other_application.pk))
    assert answer.status_code == 422
    assert start(api, userId=str(uuid.uuid4())).status_code == 404


def test_the_phone_must_be_the_users_and_usable(api, user, device, account, application):
    berta = factories.make_user(account)
    assert start(api, userId=str(berta.pk)).json()["code"] == "no_usable_device"
    assert "deviceId" in reasons(start(api, userId=str(berta.pk), deviceId=str(device.pk)))
    locked = make_device(berta, application, status="LOCKED", lock_reason="DEVICE_LOST")
    answer = start(api, deviceId=str(locked.pk)).json()
    assert (answer["status"], answer["code"], answer["state"]) == (409, "device_unusable", "LOCKED")
    make_device(berta, application, pin=False)
    assert start(api, userId=str(berta.pk)).json()["code"] == "no_usable_device"
    assert start(api, userId=str(berta.pk), **properties(authLevel="ONE_FACTOR")).status_code == 201


def test_the_phone_last_used_is_asked_and_a_broadcast_asks_all(api, user, device, application):
    newer = make_device(user, application)
    asked = start(api, userId=str(user.pk)).json()["operationId"]
    assert Operation.objects.get(pk=asked).target_device == newer
    asked = start(api, userId=str(user.pk), broadcast=True).json()["operationId"]
    assert Operation.objects.get(pk=asked).target_device is None
    assert "broadcast" in reasons(start(api, deviceId=str(device.pk), broadcast=True))


def test_a_person_who_is_not_active_is_not_asked(api, user, device):
    users.lock(user, actor=Actor.client(api.client_row), reason="SUSPECTED_FRAUD")
    answer = start(api, userId=str(user.pk)).json()
    assert (answer["status"], answer["code"], answer["state"]) == (409, "user_not_active", "LOCKED")
    assert start(api, what="registrations", userId=str(user.pk)).json()["code"] == "user_not_active"


def test_levels_and_methods_must_fit(api, user, device):
    answer = start(api, userId=str(user.pk), **properties(authMethods=["DEVICE"]))
    assert reasons(answer).keys() == {"operationProperties.authMethods"}
    answer = start(api, userId=str(user.pk), **properties(authMethods=["DEVICE_PIN", "DEVICE_PIN"]))
    assert reasons(answer).keys() == {"operationProperties.authMethods"}
    assert start(api, userId=str(user.pk), **properties(authMethods=["DEVICE_BIOMETRIC"])).status_code == 409


def test_a_newer_operation_supersedes_the_older_of_the_same_client_and_type(api, user, device, account, api_for):
    old = Operation.objects.get(pk=start(api, userId=str(user.pk)).json()["operationId"])
    other_type = start(
        api,
        what="signatures",
        userId=str(user.pk),
        **properties(preOperationContext={"mimeType": "text/plain", "content": "x"}),
    ).json()["operationId"]
    other_client = start(api_for(factories.make_client(account)), userId=str(user.pk)).json()["operationId"]
    parallel = start(api, userId=str(user.pk), allowParallel=True).json()["operationId"]
    old.refresh_from_db()
    assert old.status == "PENDING"
    start(api, userId=str(user.pk))
    old.refresh_from_db()
    assert (old.status, old.failure_reason) == ("CANCELED", "SUPERSEDED")
    told = events_of(old)
    assert [kind for kind, _ in told] == ["authentication.canceled"]
    assert told[0][1] == api.get(f"{CORE}authentications/{old.pk}").json()
    assert Operation.objects.get(pk=parallel).status == "CANCELED"
    assert {Operation.objects.get(pk=pk).status for pk in (other_type, other_client)} == {"PENDING"}


def test_after_too_many_unanswered_requests_the_person_is_left_alone(api, user, device):
    def reject():
        answer = start(api, userId=str(user.pk))
        if answer.status_code == 201:
            operation = Operation.objects.get(pk=answer.json()["operationId"])
            completion.end(operation, "REJECTED", actor=Actor.device(device), failure_reason="USER")
        return answer

    assert [reject().status_code for _ in range(6)] == [201] * 6
    answer = reject()
    assert (answer.status_code, answer.json()["code"]) == (429, "user_cooldown")
    assert 0 < int(answer["Retry-After"]) <= 900
    assert start(api, userId=str(user.pk), **properties(binding="NUMBER")).status_code == 201
    numbered = Operation.objects.get(status="PENDING")
    completion.end(numbered, "COMPLETED", actor=Actor.device(device))
    assert reject().status_code == 201


def test_cancelled_requests_do_not_count_and_superseded_ones_do(api, user, device):
    for _ in range(8):
        answer = start(api, userId=str(user.pk)).json()
        assert api.post(f"{CORE}authentications/{answer['operationId']}/cancel").status_code == 200
    statuses = [start(api, userId=str(user.pk)).status_code for _ in range(8)]
    assert statuses == [201] * 7 + [429]
    assert Operation.objects.filter(status="PENDING").count() == 1


def test_a_registration_answers_with_a_code_that_is_kept_only_as_a_hash(api, user, application):
    answer = start(api, what="registrations", userId=str(user.pk), qr=True).json()
    code = answer["activationCode"]
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", code)
    assert answer["activationUri"] == f"{SERVER}/mobileid/app#register?code={code}&app={application.pk}"
    assert answer["qr"].startswith("data:image/svg+xml")
    operation = Operation.objects.get(pk=answer["operationId"])
    assert operation.code_index in codes.activation_indexes(code.replace("-", "").lower())
    assert code not in api.get(f"{CORE}registrations/{operation.pk}").content.decode()
    again = start(api, what="registrations", userId=str(user.pk)).json()
    assert "qr" not in again
    operation.refresh_from_db()
    assert (operation.status, operation.failure_reason) == ("CANCELED", "SUPERSEDED")


def test_with_several_applications_the_registration_says_which(api, user, account, application):
    second = make_application(account)
    assert "applicationId" in reasons(start(api, what="registrations", userId=str(user.pk)))
    answer = start(api, what="registrations", userId=str(user.pk), applicationId=str(second.pk))
    assert answer.status_code == 201


def test_unknown_members_are_refused_wherever_they_stand(api, user, device):
    assert reasons(start(api, userId=str(user.pk), surprise=1)).keys() == {"surprise"}
    answer = start(api, userId=str(user.pk), **properties(surprise=1))
    assert reasons(answer).keys() == {"operationProperties.surprise"}
    assert reasons(start(api, userId=str(user.pk), externalRef="anna")).keys() == {"externalRef"}


def test_the_same_key_starts_once(api, user, device):
    body = {"userId": str(user.pk), **properties(binding="NUMBER", preOperationContext=CONTENT)}
    first = api.post(CORE + "authentications", body, headers={"Idempotency-Key": "k-1"})
    again = api.post(CORE + "authentications", body, headers={"Idempotency-Key": "k-1"})
    assert first.content == again.content
    assert Operation.objects.count() == 1


def test_scopes_are_asked_for(api_for, api_client, user, device):
    reader = api_for(api_client, ["operations:read"])
    assert start(reader, userId=str(user.pk)).json()["code"] == "insufficient_scope"
    writer = api_for(api_client, ["operations:write"])
    assert start(writer, userId=str(user.pk)).status_code == 201
    assert writer.get(CORE + "operations").status_code == 403


def test_a_start_costs_a_fixed_number_of_queries(api, user, device, django_assert_num_queries):
    # Token, user by reference, user locked, devices, cool-down (nothing was completed before), operation and trail (one
    # by one on SQLite); savepoints around.
    start(api, externalRef="anna")
    Operation.objects.update(status="CANCELED", ended_at=Now())
    with django_assert_num_queries(8 if connection.vendor == "postgresql" else 9):
        assert start(api, externalRef="anna").status_code == 201


@pytest.mark.parametrize("text", ["ä" * 2**20, "\n" * 2**21, "\U0001f600" * 2**19], ids=["ä", "line feeds", "emoji"])
def test_a_text_of_two_mebibytes_is_taken_however_json_escapes_it(api, user, device, text):
    context = {"mimeType": "text/plain", "content": text}
    body = json.dumps({"userId": str(user.pk), **properties(preOperationContext=context)})
    answer = api.generic("POST", CORE + "signatures", body, content_type="application/json")
    assert answer.status_code == 201, answer.content[:300]
    context["content"] += "x"
    answer = start(api, what="signatures", userId=str(user.pk), **properties(preOperationContext=context))
    assert answer.status_code == 422
