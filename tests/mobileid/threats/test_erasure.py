"""After an erasure nothing of the person is left: not in a table, the cache, a file or the log; opened with our keys.

What stays: ids, keys and hashes; what the person approved or signed, as evidence; the trail without its values.
"""

import json
import logging
from pathlib import Path

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.db.models.functions import Now

from mobileid.models import Evidence, Operation, StoredResponse
from reuseid import limits, outbound
from reuseid.actors import Actor
from reuseid.crypto import Unreadable
from reuseid.models import (
    ApprovalRequest,
    Attribute,
    AttributeVersion,
    BulkRow,
    Delivery,
    DeliveryAttempt,
    Event,
    Export,
    ExportPart,
    IdempotencyKey,
    Proofing,
    SavedView,
    User,
    UserNote,
    WebhookEndpoint,
)
from reuseid.models.sealed import SealedField, unseal_field
from reuseid.services.jobs import bulk, erasures, exports
from reuseid.services.people import approvals, attribute_keys, erasure, notes
from reuseid.services.staff import saved_views
from reuseid.services.webhooks import endpoints, sender
from tests import phone_factories as phones
from tests.receiver import Receiver
from tests.staff_factories import browser_of, make_colleague, page, rows_of

pytestmark = pytest.mark.django_db
USERS = "/reuseid/core/users"

# Everything that is Anna's, each findable by itself.
VALUES = {
    "external reference": "kunde-annagerda-4711",
    "segment": "segment-zzgoldmuster",
    "e-mail": "annagerda.muster@beispiel.example",
    "former e-mail": "gerda.frueher@beispiel.example",
    "birth date": "1971-03-29",
    "object value": "Musterstrasse zweiundvierzig",
    "proofing reference": "PROOF-annagerda-99",
    "evidence hash": "sha256:a77a6e4daff0",
    "device name": "Annagerdas Telefon",
    "push token": "push-token-annagerda",
    "title": "Titel fuer Annagerda",
    "text": "Ueberweisung an Onkel Gerdamann",
    "text afterwards": "Danke, liebe Gerdafrau",
    "creditor": "Kreditor Gerdason",
    "notification": "Hallo Annagerda Push",
    "return address": "https://bank.example/back?who=annagerda",
    "client reference": "ref-annagerda-1",
    "note": "Annagerda rief an und weinte",
    "request's note": "Ihre Tochter Gerdalotte fragt",
    "idempotency key": "create-annagerda.muster",
}
EVIDENCE = [(Operation, name) for name in ("title", "content", "transaction", "signature")]


def opened(row, field):
    value = getattr(row, field.attname)
    if isinstance(field, SealedField) and value is not None:
        if isinstance(row, Operation) and (Operation, field.name) in EVIDENCE and row.status == "COMPLETED":
            return b""
        try:
            return unseal_field(row, field.name)
        except Unreadable:
            return b""
    return (
        bytes(value)
        if isinstance(value, memoryview | bytes)
        else json.dumps(value, default=str, ensure_ascii=False).encode()
    )


def tables():
    """``{table: everything in it, its sealed columns opened}``."""
    return {
        model._meta.label: b"\n".join(
            opened(row, field) for row in model._base_manager.iterator() for field in model._meta.concrete_fields
        )
        for model in apps.get_models()
    }


def counted():
    """All that the limits count by, in the process and in Redis: nothing else is kept outside of the tables."""
    found = repr(limits._shared.process._callers).encode()
    if not settings.LIMITS_REDIS_URL:
        return found
    client = redis.Redis.from_url(settings.LIMITS_REDIS_URL)
    return found + b"\n".join(b"%b %r" % (key, client.dump(key)) for key in client.scan_iter("*"))


def files():
    """All files of STATE_DIR but the database's own."""
    found = [path for path in Path(settings.STATE_DIR).rglob("*") if path.is_file() and "sqlite" not in path.name]
    return b"\n".join(path.read_bytes() for path in found if "static" not in path.parts)


def left(places):
    """``{(place, which value)}``."""
    forms = {what: {value, json.dumps(value)[1:-1], value.casefold(), value.upper()} for what, value in VALUES.items()}
    return {
        (place, what)
        for place, hay in places.items()
        for what, values in forms.items()
        if any(value.encode() in hay for value in values)
    }


@pytest.fixture
def receiver():
    with Receiver() as started:
        started.answers(lambda got, number: (500, {}, b"can't take " + got.body))
        yield started
    outbound.close()


@pytest.fixture
def anna(api, account, application, cheap_pins, receiver):
    """Anna's life with the bank."""
    account_keys(account)
    assert api.post("/mobileid/core/webhooks", {"url": receiver.url}).status_code == 201
    body = {
        "externalRef": VALUES["external reference"],
        "segment": VALUES["segment"],
        "attributes": {
            "email": VALUES["former e-mail"],
            "birthDate": VALUES["birth date"],
            "address": {"street": VALUES["object value"]},
        },
        "proofing": {
            "method": "eid",
            "provider": "eID",
            "reference": VALUES["proofing reference"],
            "evidenceHash": VALUES["evidence hash"],
            "assuranceLevel": "high",
            "performedAt": "2026-01-01T00:00:00Z",
        },
    }
    made = api.post(USERS, body, headers={"Idempotency-Key": VALUES["idempotency key"]})
    assert made.status_code == 201, made.json()
    user = User.objects.select_related("account").get(pk=made.json()["userId"])
    assert api.patch(f"{USERS}/{user.pk}", {"attributes": {"email": VALUES["e-mail"]}}).status_code == 200
    live(user, api, application)
    return user


def account_keys(account):
    for name in ("email", "birthDate"):
        attribute_keys.create(account, name=name, actor=Actor.client(account.clients.first()), searchable=True)


def live(user, api, application):
    phone = phones.make_phone(
        user,
        application,
        name=VALUES["device name"],
        post_context={"mimeType": "text/plain", "content": VALUES["text afterwards"]},
    )
    phone.device.push_token("fcm", VALUES["push token"])
    client = api.client_row
    common = {"client": client, "requested_attributes": ["email", "birthDate", "address"]}
    common["client_reference"] = VALUES["client reference"]
    operation, _ = phones.ask(user, title="Login", content="Sign in?", **common)
    phone.device.start_operation(str(operation.pk)).approve(pin=phones.PIN)
    phones.ask(
        user,
        title=VALUES["title"],
        content=VALUES["text"],
        post_context={"mimeType": "text/plain", "content": VALUES["text afterwards"]},
        push_notification={"title": VALUES["notification"], "message": "x"},
        **common,
    )
    payment = {"amount": "1.00", "currency": "EUR", "creditorName": VALUES["creditor"], "creditorAccount": "12345"}
    open_one, _ = phones.ask(user, transaction=payment, allow_parallel=True, **common)
    phone.device.start_operation(str(open_one.pk)).reject()
    phones.ask(user, binding="SAME_DEVICE", return_url=VALUES["return address"], allow_parallel=True, **common)
    assert Operation.objects.get(pk=operation.pk).status == "COMPLETED"


def work_on(user, account):
    """What colleagues do around her."""
    kim = make_colleague("kim", "Senior support", account)
    notes.add(user, VALUES["note"], actor=Actor.staff(kim))
    asked = approvals.ask(user, actor=Actor.staff(kim), action="user.erase", reason="OTHER", note="By telephone.")
    ApprovalRequest.objects.filter(pk=asked.pk).update(note=VALUES["request's note"])
    approvals.withdraw(asked, actor=Actor.staff(kim))
    exports.ask(
        account, actor=Actor.staff(kim), kind="users", reason="OTHER", note="x", attributes=True, sensitive=True
    )
    assert exports.make_owed()
    lines = [f"  {VALUES['e-mail'].upper()} ", VALUES["external reference"]]
    bulk.draft(account, lines, actor=Actor.staff(kim), kind="user", act="lock", reason="OTHER", note="x")
    browser = browser_of(kim)
    browser.get(page(user))
    browser.get(rows_of(User, q=VALUES["e-mail"]))
    saved_views.keep(
        actor=Actor.staff(kim), model="reuseid.user", name="Mine", query=f"q={VALUES['e-mail']}&status=LOCKED"
    )


def test_nothing_of_an_erased_person_is_left(anna, account, api, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    work_on(anna, account)
    sender.Sender().run(20)
    before = {table for table, _ in left(tables())}
    # The search finds what is there, so that finding nothing later says something.
    rows = [Attribute, AttributeVersion, BulkRow, DeliveryAttempt, Event, ExportPart, IdempotencyKey]
    rows += [StoredResponse, Operation, Proofing, ApprovalRequest, User, UserNote]
    assert before >= {model._meta.label for model in rows if model is not DeliveryAttempt}
    assert "reuseid.DeliveryAttempt" in before
    assert not left({"saved views": tables()["reuseid.SavedView"]})

    asked = api.post(f"{USERS}/{anna.pk}/erase", {"reason": "CUSTOMER_REQUEST"}, headers={"Idempotency-Key": "erase"})
    assert asked.status_code == 202
    assert erasures.carry_out() == 0
    assert left(tables()) == {("reuseid.User", "external reference"), ("reuseid.Event", "external reference")}
    owed = Delivery.objects.filter(status="PENDING")
    assert owed.exists()

    receiver.answers(200)
    WebhookEndpoint.objects.update(open_until=None)
    owed.update(next_attempt_at=Now())
    while owed.exists():
        sender.Sender().run(20)
    assert erasures.carry_out() == 1
    assert left(tables() | {"limits": counted(), "files": files(), "log": caplog.text.encode()}) == set()
    assert Export.objects.get().row_count == 1
    assert Evidence.objects.exists()
    assert SavedView.objects.get().query == "status=LOCKED"


def test_an_endpoint_that_stays_away_keeps_only_the_reference(anna, account, receiver, caplog):
    """What is owed goes on without what was shown, read or typed."""
    endpoints.pause(WebhookEndpoint.objects.get(), actor=Actor.client(account.clients.first()))
    erasure.request(anna, actor=Actor.client(account.clients.first()), reason="CUSTOMER_REQUEST")
    erasures.carry_out()
    found = {what for place, what in left({"events": tables()["reuseid.Event"]})}
    assert found == {"external reference"}
    assert not Attribute.objects.exists()


def test_a_repeated_call_tells_that_its_answer_was_erased(api, user):
    user = user.pk
    first = api.post(f"{USERS}/{user}/lock", {"reason": "DEVICE_LOST"}, headers={"Idempotency-Key": "k"})
    assert first.json()["attributes"]["email"] == "Anna@Example.com"
    again = {"path": f"{USERS}/{user}/lock", "data": {"reason": "DEVICE_LOST"}, "headers": {"Idempotency-Key": "k"}}
    assert api.post(**again).content == first.content
    api.post(f"{USERS}/{user}/erase", {"reason": "CUSTOMER_REQUEST"})
    erasures.carry_out()
    answer = api.post(**again)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_answer_erased")


def test_a_repeated_call_shows_no_more_than_the_caller_may_read_by_now(api, user):
    from reuseid.actors import SYSTEM
    from reuseid.services import clients
    from tests import factories

    again = {"path": f"{USERS}/{user.pk}/lock", "data": {"reason": "DEVICE_LOST"}, "headers": {"Idempotency-Key": "k"}}
    first = api.post(**again).json()
    scopes = [scope for scope in factories.ALL_SCOPES if scope != "attributes:read"]
    clients.set_scopes(api.client_row, scopes, actor=SYSTEM)
    told = api.post(**again)
    assert told["Idempotent-Replayed"] == "true"
    assert told.json() == {name: value for name, value in first.items() if name != "attributes"}


def test_a_key_is_known_again_under_an_older_hash_key(api, settings):
    from reuseid import crypto

    first = api.post(USERS, {"externalRef": "a"}, headers={"Idempotency-Key": "k"})
    settings.BLIND_INDEX_KEYS = (
        "new:" + "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldzE=" + "," + settings.BLIND_INDEX_KEYS
    )
    crypto.blind_index_keys.cache_clear()
    try:
        assert api.post(USERS, {"externalRef": "a"}, headers={"Idempotency-Key": "k"}).content == first.content
    finally:
        crypto.blind_index_keys.cache_clear()


def test_what_was_typed_and_named_nobody_goes_after_a_day(account):
    kim = make_colleague("kim", "Senior support", account)
    run = bulk.draft(
        account, ["somebody@example.com"], actor=Actor.staff(kim), kind="user", act="lock", reason="OTHER", note="x"
    )
    assert bulk.forget_typed(10) == 0
    type(run).objects.update(created_at=Now() - 2 * bulk.TYPED_KEPT)
    assert bulk.forget_typed(10) == 1
    assert BulkRow.objects.get().typed is None
