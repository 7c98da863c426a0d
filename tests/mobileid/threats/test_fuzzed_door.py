"""Anything at all sent to the phones' door: sealed or not, it is refused or answered, never a failure of ours."""

import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobileid.device_api.messages import MESSAGES
from mobileid.protocol import wire
from mobileid.sdk import proof
from mobileid.sdk.channel import _open
from tests import phone_factories as phones

pytestmark = pytest.mark.django_db
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NAMES = st.sampled_from(sorted(MESSAGES))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = """
    activationCode operationId claim t m name platform osVersion model sdkVersion appVersion knowledge publicKey r
    postWanted purpose provider token typ applicationId deviceId nonce decision reason contentHash authMethod number
    returnHash iat path mid possession inherence keyVersion payload signatures
"""
PLAUSIBLE = st.one_of(
    JSON,
    st.uuids().map(str),
    st.binary(max_size=64).map(wire.b64u),
    st.sampled_from(["0000-0000-0000", "pin-change", "approve", "DEVICE_PIN", "\x00", "\ud800", "\u202e", "a" * 5000]),
)
BODIES = st.dictionaries(st.sampled_from(MEMBERS.split()), PLAUSIBLE, max_size=8)
JUDGED = st.sampled_from(["operations/finish", "pin/change", "biometric/enable", "registration/finish"])


@pytest.fixture(autouse=True)
def _unlimited(settings, monkeypatch):
    settings.DEVICE_RATE_LIMIT = 10**9
    monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 10**9)
    monkeypatch.setattr("mobileid.device_api.messages.CODE_QUOTA", 10**9)
    monkeypatch.setattr("mobileid.device_api.door.QUANTUM", 0.0001)


def post(name, raw):
    answer = Client().post(wire.PREFIX + name, raw, content_type="application/json")
    assert answer.status_code < 500, (answer.status_code, answer.content)
    return answer


def seal(phone, message, plaintext):
    """An envelope around any bytes at all."""
    channel = phone.device.channel
    message.plaintext = wire.pad(plaintext)
    return channel._seal(message, channel.documents.current().best_key(channel.now()))


def told(phone, name, message, **members):
    """The inner answer to a message whose plaintext has these members instead."""
    inner = {"mid": wire.b64u(message.mid), "iat": int(phone.device.channel.now() * 1000)}
    inner |= {"rk": wire.b64u(message.rk), **members}
    sealed = seal(phone, message, json.dumps(inner).encode())
    answer = post(name, sealed.body)
    if answer.status_code != 200:
        assert answer.status_code == 400
        return None
    opened = _open(phone.line._told(answer), message, sealed)
    assert opened["status"] < 500
    return opened


@FUZZ
@given(name=NAMES, raw=st.binary(max_size=400))
def test_any_bytes(db, name, raw):
    assert post(name, raw).status_code == 400


@FUZZ
@given(name=NAMES, outer=st.dictionaries(st.sampled_from(["v", "app", "kid", "enc", "ct", "x"]), PLAUSIBLE))
def test_any_outer_json(db, name, outer):
    assert post(name, json.dumps(outer)).status_code in (400, 409)


@FUZZ
@given(name=NAMES, plaintext=st.binary(max_size=600) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_plaintext(phone, name, plaintext):
    message = phone.device.channel.compose(name, {})
    assert post(name, seal(phone, message, plaintext).body).status_code == 400


@FUZZ
@given(name=NAMES, body=BODIES | JSON, proved=st.none() | BODIES | JSON)
def test_any_body_and_any_proof(phone, name, body, proved):
    proof_too = {} if proved is None else {"proof": proved}
    told(phone, name, phone.device.channel.compose(name, {}), body=body, **proof_too)


@FUZZ
@given(name=NAMES, body=BODIES, typ=st.sampled_from(["message", "authentication", "registration", "pin-change"]))
def test_any_body_under_a_good_signature(phone, name, body, typ):
    """The phone itself gone wrong: a valid proof around nonsense."""

    def prove(mid, iat):
        said = proof.message(phone.device.application_id, phone.device.device_id, wire.PREFIX + name, mid, iat)
        return proof.sign(wire.dumps(said | {"typ": typ}), {"possession": phone.store.sign_possession})

    message = phone.device.channel.compose(name, {}, prove)
    inner = json.loads(message.plaintext)
    # A phone that ended itself would end the test.
    members = {"body": body | {"extra": 1} if name == "deactivate" else body, "proof": inner["proof"]}
    opened = told(phone, name, message, iat=inner["iat"], **members)
    assert bool(opened) == _is_strict(body)


def _is_strict(body):
    """Whether every parser reads it alike; an envelope around anything else does not open."""
    try:
        wire.loads_strict(json.dumps(body).encode())
    except wire.WireError:
        return False
    return True


@FUZZ
@given(
    name=st.sampled_from(["operations/finish", "pin/change", "biometric/enable", "registration/finish"]), said=BODIES
)
def test_any_statement_under_a_good_signature(phone, name, said):
    statement = {
        "typ": {"operations/finish": "signature", "pin/change": "pin-change"}.get(name, name.replace("/", "-")),
        "applicationId": phone.device.application_id,
        "deviceId": phone.device.device_id,
    } | said
    try:
        payload = wire.dumps(statement)
    except (wire.WireError, UnicodeEncodeError):
        return
    signed = proof.sign(payload, {"possession": phone.store.sign_possession})
    message = phone.device.channel.compose(name, {})
    told(phone, name, message, body={"operationId": phone.device.device_id}, proof=signed)


@FUZZ
@given(query=st.text(max_size=60))
def test_any_query_for_the_key_document(db, query):
    assert Client().get(wire.PREFIX + "keys", {"applicationId": query}).status_code == 404


def test_the_fuzzed_phone_still_works(phone, ada):
    operation, _ = phones.ask(ada)
    assert phone.device.start_operation(str(operation.pk)).approve(pin=phones.PIN).state == "COMPLETED"
