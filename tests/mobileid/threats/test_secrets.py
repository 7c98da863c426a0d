"""What a stolen database, its logs and its events give away of a PIN: nothing, with or without the phone."""

import base64
import json
import logging
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.apps import apps

from mobileid.models import Device, Evidence, Operation, StoredResponse
from mobileid.protocol import wire
from mobileid.sdk import errors, pin, proof
from mobileid.sdk.channel import Channel
from mobileid.services import factors, operation_links
from reuseid import crypto
from reuseid.models import Event, TrailEntry
from reuseid.models.sealed import unseal_field
from tests import phone_factories as phones

pytestmark = pytest.mark.django_db
PIN, NEW_PIN = "849302715604", "750284619375"


def dump() -> list:
    """Every value of every column of every table, as a thief has it."""
    found = []
    for model in apps.get_models():
        columns = [field.attname for field in model._meta.concrete_fields]
        for row in model._base_manager.values_list(*columns):
            found += [bytes(v) if isinstance(v, memoryview | bytes) else str(v).encode() for v in row if v is not None]
    return found


def forms(secret: bytes):
    """A secret as it is, and as people write it down."""
    yield secret
    yield secret.hex().encode()
    yield wire.b64u(secret).encode()
    yield base64.b64encode(secret)


class Watch:
    """Collects, on the phone's side, everything that must never be seen anywhere else."""

    def __init__(self, monkeypatch):
        self.secrets = {}
        sign, compose, derive = proof.sign, Channel.compose, pin.knowledge_key

        def watched_sign(statement, signers):
            made = sign(statement, signers)
            for factor, one in zip(signers, made["signatures"], strict=True):
                if factor == "knowledge":
                    self.add("knowledge signature", wire.unb64u(one["signature"]))
            return made

        def watched_compose(channel, *args, **how):
            message = compose(channel, *args, **how)
            self.add("answer key", message.rk)
            inner = json.loads(message.plaintext)
            knowledge = inner["body"].get("knowledge") or {}
            if knowledge:
                self.add("knowledge key", wire.unb64u(knowledge["publicKey"]))
                self.add("commitment's r", wire.unb64u(knowledge["r"]))
            return message

        def watched_derive(*args, **kwargs):
            key = derive(*args, **kwargs)
            self.add("seed", key.private_bytes_raw())
            self.add("knowledge key", key.public_key().public_bytes_raw())
            return key

        monkeypatch.setattr(proof, "sign", watched_sign)
        monkeypatch.setattr(Channel, "compose", watched_compose)
        for module in ("factors", "registration"):
            monkeypatch.setattr(f"mobileid.sdk.{module}.knowledge_key", watched_derive)

    def add(self, what, secret):
        self.secrets.setdefault(what, set()).add(secret)

    def found_in(self, texts) -> set:
        """Which kinds of secrets stand in any of these."""
        hay = b"\n".join(texts)
        return {what for what, secrets in self.secrets.items() for one in secrets for form in forms(one) if form in hay}


def live_through(ada, application, api_client, watch):
    """A phone's life: registered, right and wrong PINs, a signature, a new PIN, biometry."""
    _operation, code = phones.start_registration(ada, application)
    watch.add("activation code", code.encode())
    watch.add("activation code", code.replace("-", "").encode())
    for one in (PIN, NEW_PIN, "102938475610"):
        watch.add("PIN", one.encode())
    store, line = phones.MemoryStore(gate=lambda: True), phones.Line()
    registered = phones.offer(application, code, store=store, line=line).finish(pin=PIN, name="Phone", biometric=True)
    phone = phones.Phone(registered.device, store, line, registered)
    for asked in (phones.ask(ada)[0], phones.ask_to_sign(ada, client=api_client)[0]):
        challenge = phone.device.start_operation(str(asked.pk))
        with pytest.raises(errors.AuthenticationFailed):
            challenge.approve(pin="102938475610")
        assert challenge.restart().approve(pin=PIN).state == "COMPLETED"
    phone.device.change_pin(PIN, NEW_PIN)
    phone.device.enable_biometric(NEW_PIN)
    watch.add("device secret", wire.unb64u(store._keys["secret"]))
    return phone


def opened() -> list:
    """What integrators, staff and a finder of the key-encryption key read of events, evidence and answers."""
    texts = [unseal(event) for event in Event.objects.all()]
    texts += [json.dumps(row, default=str).encode() for row in Evidence.objects.values()]
    for row in Evidence.objects.all():
        header, payload, _signature = row.proof.split(".")
        texts += [wire.unb64u(header), wire.unb64u(payload)]
    texts += [json.dumps(row, default=str).encode() for row in TrailEntry.objects.values()]
    texts += [unseal_field(row, "answer") for row in StoredResponse.objects.exclude(answer=None)]
    texts += [unseal_field(row, "signature") for row in Operation.objects.exclude(signature=None)]
    return texts


def unseal(event):
    return crypto.unseal(
        event.payload, account=event.account_id, table=event._meta.db_table, row=event.id, column="payload"
    )


def test_no_secret_stands_in_the_dump_the_logs_the_events_or_the_evidence(
    ada, application, api_client, cheap_pins, monkeypatch, caplog
):
    caplog.set_level(logging.DEBUG)
    watch = Watch(monkeypatch)
    live_through(ada, application, api_client, watch)
    assert set(watch.secrets) == {
        "PIN",
        "activation code",
        "answer key",
        "commitment's r",
        "device secret",
        "knowledge key",
        "knowledge signature",
        "seed",
    }
    assert watch.found_in(dump()) == set()
    assert watch.found_in([caplog.text.encode()]) == set()
    texts = opened()
    assert len(texts) > 10
    assert watch.found_in(texts) == set()


def test_the_search_finds_what_is_there(ada, application, api_client, cheap_pins, monkeypatch):
    """The same search, over the one column that holds a secret, opened: it must see it."""
    watch = Watch(monkeypatch)
    phone = live_through(ada, application, api_client, watch)
    assert watch.found_in([unseal_field(phone.row, "knowledge_key")]) == {"knowledge key"}


def candidates_left(tests, derive, pins):
    """The PINs whose key passes any of the tests that a thief can make."""
    return {one for one in pins if any(test(derive(one).public_key()) for test in tests)}


def oracles(values):
    """Everything in a dump against which a candidate's key could be tried: as itself, as a signer, by commitment."""
    hay = b"\n".join(values)
    tokens = set(re.findall(rb"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{80,}", hay))
    signed = [(t.rpartition(b".")[0], wire.unb64u(t.rpartition(b".")[2].decode())) for t in tokens]
    halves = {value for value in re.findall(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])", hay)}
    payloads = {wire.unb64u(t.split(b".")[1].decode()) for t in tokens}
    halves |= set(re.findall(rb'"([A-Za-z0-9_-]{43})"', b"\n".join(payloads)))
    halves = [wire.unb64u(half.decode()) for half in halves if _canonical(half)]
    known = set(halves)

    def stands_there(key: Ed25519PublicKey):
        raw = key.public_bytes_raw()
        return any(form in hay for form in forms(raw))

    def has_signed(key):
        for message, signature in signed:
            try:
                key.verify(signature, message)
            except Exception:
                continue
            return True
        return False

    def is_committed_to(key):
        raw = key.public_bytes_raw()
        return any(wire.commitment(raw, r) in known for r in halves)

    return [stands_there, has_signed, is_committed_to]


def _canonical(text):
    try:
        wire.unb64u(text.decode())
    except wire.WireError:
        return False
    return True


def test_a_dump_and_the_phone_together_leave_every_pin_possible(ada, application, cheap_pins):
    """The thief has the phone's secrets, its store and the whole database, but not the key-encryption key."""
    phone = phones.make_phone(ada, application, pin="4938")
    for _ in range(3):
        operation, _ = phones.ask(ada)
        assert phone.device.start_operation(str(operation.pk)).approve(pin="4938").state == "COMPLETED"
    state = phone.device._state

    def derive(one):
        return phone.device._factors.derive(one, state.knowledge)

    pins = [f"{number:04d}" for number in range(4900, 5000)]
    tests = oracles(dump())
    assert candidates_left(tests, derive, pins) == set()
    # The same tests do find the PIN once the sealed column is open, so they are no straw men.
    with_kek = oracles([*dump(), wire.b64u(unseal_field(phone.row, "knowledge_key")).encode()])
    assert candidates_left(with_kek, derive, pins) == {"4938"}


def test_a_sealed_knowledge_key_moved_to_another_phone_does_not_open(ada, application, cheap_pins):
    """Whoever can write to the database can't give one's own PIN to another's phone."""
    mine = phones.make_phone(ada, application, pin="1357")
    victim = phones.make_phone(ada, application, pin="2468", name="Victim's")
    Device.objects.filter(pk=victim.row.pk).update(knowledge_key=mine.row.knowledge_key)
    with pytest.raises(crypto.Unreadable):
        unseal_field(victim.row, "knowledge_key")


def test_what_a_message_brings_shows_no_secret_where_somebody_prints_it():
    key = factors.KnowledgeKey(b"key-" * 8, b"rnd-" * 8)
    frame = operation_links.Frame("the-claim", 1, b"the-mac")
    shown = repr((key, frame))
    assert not [secret for secret in ("key-", "rnd-", "the-claim", "the-mac") if secret in shown]
