"""A phone is counted by itself, whatever comes from its address; what proves nothing by the address."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mobileid.device_api import door
from mobileid.device_api.strangers import OPENED
from mobileid.protocol import wire
from mobileid.sdk import errors, proof
from reuseid import limits
from tests import phone_factories as phones
from tests.mobileid.threats.forging import random_signer
from tests.redis_trips import sent_to_redis

pytestmark = pytest.mark.django_db
STATUS, START, KEYS = (wire.PREFIX + name for name in ("status", "registration/start", "keys"))
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def quota(phone, settings, limit_clock):
    """A quota for strangers of which nothing is spent; the phone is registered already."""
    settings.DEVICE_RATE_LIMIT = 3
    limit_clock.forward(60)
    return 3


def post(body, path=STATUS, **extra):
    return Client().post(path, body, content_type="application/json", **extra)


def fetch(application_id):
    return Client().get(KEYS, {"applicationId": str(application_id)})


def changed(raw, **members):
    return json.dumps(json.loads(raw) | members)


def sealed(phone, name="status", *, signed=True, sign=None, device_id=None):
    """A message as it goes out: of the phone, of a forger, of another device or of nobody."""
    channel, device = phone.device.channel, phone.device

    def prove(mid, iat):
        said = proof.message(device.application_id, device_id or device.device_id, wire.PREFIX + name, mid, iat)
        return proof.sign(wire.dumps(said), {"possession": sign or phone.store.sign_possession})

    message = channel.compose(name, {}, prove if signed else None)
    return channel._seal(message, channel.documents.current().keys[-1]).body


def flood(count):
    """The statuses of so many messages that don't open."""
    return [post(b"{}").status_code for _ in range(count)]


@pytest.fixture
def costs_nothing():
    """A block that asks neither the database nor Redis."""

    class Block:
        def __enter__(self):
            self.queries, self.trips = CaptureQueriesContext(connection), sent_to_redis()
            self.queries.__enter__()
            self.sent = self.trips.__enter__()

        def __exit__(self, *error):
            self.trips.__exit__(*error)
            self.queries.__exit__(*error)
            assert (len(self.queries), self.sent) == (0, [])

    return Block()


def test_a_flood_from_its_address_does_not_stop_a_phone(phone, ada, quota):
    assert flood(3 * quota) == [400] * quota + [429] * 2 * quota
    operation, _ = phones.ask(ada)
    assert phone.device.start_operation(str(operation.pk)).approve(pin=phones.PIN).state == "COMPLETED"


def test_a_phone_s_messages_are_not_its_address_s(phone, quota):
    for _ in range(3 * quota):
        phone.device.status()
    assert flood(1) == [400]


@pytest.mark.parametrize(
    "attempt",
    [
        lambda phone: post(b"{}"),
        lambda phone: post(b" " * (wire.REQUEST_LIMIT + 1)),
        lambda phone: post(changed(sealed(phone), app=UNKNOWN)),
        lambda phone: post(changed(sealed(phone), kid=UNKNOWN)),
        lambda phone: post(sealed(phone, "rename")),
        lambda phone: post(sealed(phone, signed=False)),
        lambda phone: post(sealed(phone, sign=random_signer)),
        lambda phone: post(sealed(phone, device_id=UNKNOWN)),
        lambda phone: post(sealed(phone, "registration/start", signed=False), START),
        lambda phone: fetch(phone.row.application_id),
        lambda phone: fetch(UNKNOWN),
    ],
    ids=[
        "not an envelope",
        "too large",
        "another application",
        "another key",
        "another path",
        "no proof",
        "a forged proof",
        "an unknown device",
        "a registration's start",
        "a key document",
        "no key document",
    ],
)
def test_what_proves_nothing_is_its_address_s(phone, quota, monkeypatch, attempt):
    """However far it comes; and over the quota it is told nothing else."""
    monkeypatch.setattr(door, "hold", lambda _request, _until: None)
    assert all(attempt(phone).status_code != 429 for _ in range(quota))
    assert flood(1) == [429]
    assert attempt(phone).status_code == 429


def test_strangers_are_stopped_before_their_messages_are_opened(phone, quota, costs_nothing):
    """So is, at last, the phone: more can't be known of a message that is not opened."""
    assert flood(OPENED * quota) == [400] * quota + [429] * (OPENED - 1) * quota
    phone.device.status()
    assert flood(1) == [429]
    raw = sealed(phone)
    with costs_nothing:
        refused = post(raw)
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate-limited"
    assert 0 < int(refused["Retry-After"]) <= 60


def test_they_are_let_in_again_when_they_were_told(phone, quota, limit_clock):
    flood(OPENED * quota + 1)
    seconds = int(post(sealed(phone))["Retry-After"])
    limit_clock.forward(seconds - 1)
    assert post(sealed(phone)).status_code == 429
    limit_clock.forward(1)
    assert post(sealed(phone)).status_code == 200


@pytest.mark.redis
def test_another_process_learns_of_it_by_its_own_next_stranger(phone, quota, monkeypatch, costs_nothing):
    flood(OPENED * quota + 1)
    monkeypatch.setattr(limits, "_shared", limits.Shared())
    phone.device.status()
    assert flood(1) == [429]
    with costs_nothing:
        assert flood(1) == [429]


def test_another_address_is_another_matter(phone, quota):
    flood(OPENED * quota + 1)
    assert post(sealed(phone)).status_code == 429
    assert post(sealed(phone), REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_registration_is_a_stranger_s_until_it_has_bound_a_phone(ada, application, cheap_pins, settings):
    """The key document, the start; not the finish. Finished again it is the phone's."""
    settings.DEVICE_RATE_LIMIT = 3
    _operation, code = phones.start_registration(ada, application)
    offer = phones.offer(application, code)
    offer.finish(pin=phones.PIN, name="Ada")
    assert flood(2) == [400, 429]


def test_a_start_is_refused_before_it_is_opened(phone, quota, costs_nothing):
    flood(quota + 1)
    raw = sealed(phone, "registration/start", signed=False)
    with costs_nothing:
        assert post(raw, START).status_code == 429


def test_key_documents_shut_no_phone_out(phone, application, quota):
    """They are refused before any work, so they are not what an address is shut for."""
    answers = [fetch(application.pk).status_code for _ in range(OPENED * quota * 2)]
    assert answers == [200] * quota + [429] * (len(answers) - quota)
    phone.device.status()


def test_a_phone_that_talks_too_much_is_told_inside_until_its_address_is_shut(phone, quota, monkeypatch):
    monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 2)
    for _ in range(2):
        phone.device.status()
    for _ in range(OPENED * quota):
        with pytest.raises(errors.RateLimited) as limited:
            phone.device.status()
        assert limited.value.problem is not None
    assert post(sealed(phone)).status_code == 200
    assert post(sealed(phone)).status_code == 429


def test_over_the_quota_too_a_failed_proof_is_held_back(phone, quota, monkeypatch):
    """An answer that came at once would tell an unknown phone from a known one."""
    held = []
    monkeypatch.setattr(door, "hold", lambda _request, until: held.append(until))
    flood(quota + 1)
    assert post(sealed(phone, sign=random_signer)).status_code == 429
    assert post(sealed(phone, device_id=UNKNOWN)).status_code == 429
    assert len(held) == 2


@pytest.mark.redis
def test_each_message_of_a_phone_asks_redis_once(phone, ada, application, monkeypatch):
    monkeypatch.setattr(door, "hold", lambda _request, _until: None)
    phone.device.status()

    def trips_of(call):
        phone.line.sent.clear()
        with sent_to_redis() as trips:
            call()
        assert phone.line.sent
        return len(trips) / len(phone.line.sent)

    def refused(challenge, pin):
        with pytest.raises(errors.AuthenticationFailed):
            challenge.approve(pin=pin)

    operation, _ = phones.ask(ada)
    id_ = str(operation.pk)
    begun = []
    calls = {
        "pending": phone.device.pending,
        "start": lambda: begun.append(phone.device.start_operation(id_)),
        "a wrong PIN": lambda: refused(begun.pop(), "000000"),
        "start again": lambda: begun.append(phone.device.start_operation(id_)),
        "finish": lambda: begun.pop().approve(pin=phones.PIN),
        "the PIN": lambda: phone.device.change_pin(phones.PIN, "827364"),
        "rename": lambda: phone.device.rename("Tablet"),
        "status": phone.device.status,
        "deactivate": phone.device.deactivate,
    }
    assert {what: trips_of(call) for what, call in calls.items()} == dict.fromkeys(calls, 1)


@pytest.mark.redis
def test_a_stranger_asks_redis_once(phone, ada, application, monkeypatch):
    _operation, code = phones.start_registration(ada, application)
    flood(1)
    with sent_to_redis() as trips:
        fetch(application.pk)
        post(b"{}")
        post(sealed(phone, sign=random_signer))
        post(sealed(phone, "registration/start", signed=False), START)
        assert trips == [1] * 4
        # The document and the start; what binds is paid for by its code.
        phones.offer(application, code).finish(pin=phones.PIN, name="Ada")
        assert trips == [1] * 6


def test_a_registration_that_is_finished_again_is_the_phone_s(ada, application, cheap_pins, monkeypatch):
    line = phones.Line()
    _operation, code = phones.start_registration(ada, application)
    offer = phones.offer(application, code, line=line)
    line.lose = lambda: True
    with pytest.raises(errors.TransportError):
        offer.finish(pin=phones.PIN, name="Ada")
    line.lose = None
    monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 0)
    with pytest.raises(errors.RateLimited):
        offer.finish(pin=phones.PIN, name="Ada")
