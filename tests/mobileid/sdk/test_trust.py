"""Whom the phone believes: key documents, suites, answers."""

import contextlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.api_jws import PyJWS

from mobileid.protocol import proofs, wire
from mobileid.sdk import errors, keydocument
from mobileid.sdk.channel import Channel
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.device import Device
from mobileid.sdk.keystore import MemoryStore
from mobileid.sdk.transport import Answer

from .conftest import PIN
from .service import NOW, Service

pytestmark = pytest.mark.usefixtures("cheap_pins")


@pytest.fixture
def documents(service, store, line):
    return Channel(service.config, store, **line).documents


def test_a_document_is_fetched_once_and_remembered_across_starts(service, store, line):
    for _ in range(2):
        documents = Channel(service.config, store, **line).documents
        documents.current()
        documents.current()
    assert service.key_documents == 1


def test_an_expired_document_is_fetched_anew(service, documents, clock):
    documents.current()
    clock.time = service.now = NOW + 86400
    documents.current()
    assert service.key_documents == 2


def test_a_document_by_another_anchor_is_refused(service, documents):
    service.signing_anchor = generate_private_key(SECP256R1())
    with pytest.raises(errors.KeyDocumentInvalid):
        documents.current()


def test_a_document_for_another_application_is_refused(service, documents):
    service.document = lambda: Service.document(service, application_id="00000000-0000-0000-0000-000000000002")
    with pytest.raises(errors.KeyDocumentInvalid):
        documents.current()


def test_an_expired_document_is_refused(service, documents, clock):
    clock.time = NOW + 86400
    with pytest.raises(errors.KeyDocumentExpired):
        documents.current()


def test_a_document_older_than_one_accepted_is_refused_even_after_a_restart(service, store, line, documents):
    old = service.document()
    service.now += 60
    documents.fetch()
    service.document = lambda: old
    with pytest.raises(errors.KeyDocumentOld):
        documents.fetch()
    with pytest.raises(errors.KeyDocumentOld):
        Channel(service.config, store, **line).documents.fetch()


@pytest.mark.parametrize("typ", ["JWT", "mobileid-proof+jws"])
def test_a_signature_made_for_something_else_is_no_document(service, documents, typ):
    payload = wire.unb64u(service.document().split(".")[1])
    moved = PyJWS().encode(payload, service.anchor, algorithm="ES256", headers={"typ": typ})
    service.document = lambda: moved
    with pytest.raises(errors.KeyDocumentInvalid):
        documents.current()


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_document_under_a_weaker_algorithm_is_refused(service, documents, algorithm):
    payload = wire.unb64u(service.document().split(".")[1])
    key = None if algorithm == "none" else b"k" * 32
    token = PyJWS().encode(payload, key, algorithm=algorithm, headers={"typ": keydocument.TYP})
    service.document = lambda: token
    with pytest.raises(errors.KeyDocumentInvalid):
        documents.current()


def test_the_announced_anchor_takes_over_and_the_old_one_is_refused_from_then_on(service, store, line, documents):
    config, old = service.config, service.anchor
    new = generate_private_key(SECP256R1())
    service.signing_anchor = new
    with pytest.raises(errors.KeyDocumentInvalid):
        documents.fetch()
    service.signing_anchor, service.next_anchor = old, proofs.public_jwk(new.public_key())
    documents.fetch()
    service.signing_anchor, service.next_anchor = new, None
    documents.fetch()
    service.signing_anchor = old
    with pytest.raises(errors.KeyDocumentInvalid):
        Channel(config, store, **line).documents.fetch()


def test_an_announcement_taken_back_is_forgotten(service, documents):
    new = generate_private_key(SECP256R1())
    service.next_anchor = proofs.public_jwk(new.public_key())
    documents.fetch()
    service.next_anchor = None
    documents.fetch()
    service.signing_anchor = new
    with pytest.raises(errors.KeyDocumentInvalid):
        documents.fetch()


def test_an_app_that_ships_with_a_new_anchor_starts_over_from_it(service, store, line, documents):
    documents.fetch()
    service.anchor = service.signing_anchor = generate_private_key(SECP256R1())
    Channel(service.config, store, **line).documents.fetch()


def test_the_highest_suite_is_taken(service, documents):
    service.add_key("k0", 1)
    assert documents.current().best_key(NOW).suite == 2


def test_a_document_without_a_key_of_its_minimum_suite_is_a_downgrade_and_refused(service, documents):
    document = wire.loads_strict(wire.unb64u(service.document().split(".")[1]))
    document["minSuite"] = 2
    document["keys"] = [key | {"suite": 1, "pub": wire.b64u(bytes([9]) + bytes(31))} for key in document["keys"]]
    token = PyJWS().encode(wire.dumps(document), service.anchor, algorithm="ES256", headers={"typ": keydocument.TYP})
    service.document = lambda: token
    with pytest.raises(errors.SuiteUnusable):
        documents.current()


def test_a_suite_of_the_future_is_passed_over(service, documents):
    document = wire.loads_strict(wire.unb64u(service.document().split(".")[1]))
    document["keys"].append({"kid": "k9", "suite": 9, "pub": "AAAA", "nbf": 0, "exp": NOW * 2})
    token = PyJWS().encode(wire.dumps(document), service.anchor, algorithm="ES256", headers={"typ": keydocument.TYP})
    service.document = lambda: token
    assert documents.current().best_key(NOW).kid == "k1"


@pytest.mark.parametrize("point", [bytes(32), bytes([1]) + bytes(31)])
def test_a_channel_key_of_small_order_seals_nothing(point):
    with pytest.raises(ValueError, match="unusable"):
        wire.SUITES[1].seal(b"x", wire.SUITES[1].load_public(point), b"")


@given(st.binary(max_size=400) | st.from_regex(rb"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){1,3}"))
def test_any_other_bytes_are_an_invalid_document(data):
    with pytest.raises(errors.KeyDocumentInvalid):
        keydocument.verify(data, _CONFIG["trustAnchor"], _CONFIG["applicationId"])


_CONFIG = {
    "server": "https://id.example.com",
    "applicationId": "00000000-0000-0000-0000-000000000001",
    "trustAnchor": proofs.public_jwk(proofs.DUMMY_POSSESSION_KEY),
}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    member=st.sampled_from(["aud", "iat", "exp", "minSuite", "keys", "pin", "authMethods", "nextTrustAnchor"]),
    value=json_values,
)
def test_a_signed_document_with_any_member_odd_is_accepted_or_refused_by_name(service, member, value):
    document = wire.loads_strict(wire.unb64u(service.document().split(".")[1])) | {member: value}
    key = service.anchor
    token = PyJWS().encode(wire.dumps(document), key, algorithm="ES256", headers={"typ": keydocument.TYP})
    service.document = lambda: token
    try:
        Channel(service.config, MemoryStore(), service, clock=lambda: service.now).documents.current()
    except errors.TrustError:
        pass
    finally:
        del service.document


@pytest.mark.parametrize(
    "alter",
    [
        lambda body: body[:-6] + b'AAA"}',
        lambda body: body.replace(b'"v":1', b'"v":2'),
        lambda body: b"[]",
        lambda body: b"\xff",
        lambda body: b'{"v":1,"n":"AA","ct":"AA"}',
    ],
)
def test_an_altered_answer_is_refused(service, device, alter):
    honest = service.post
    service.post = lambda path, body: Answer(200, {}, alter(honest(path, body).body))
    with pytest.raises((errors.AnswerInvalid, errors.UnexpectedAnswer)):
        device.status()


def test_the_answer_to_another_message_is_refused(service, device):
    honest = service.post
    earlier = []

    def replay(path, body):
        earlier.append(honest(path, body))
        return earlier[0]

    service.post = replay
    device.status()
    with pytest.raises(errors.AnswerInvalid):
        device.status()


@pytest.mark.parametrize("inner", [[], {}, {"status": "200", "body": {}}, {"status": 200, "body": []}, {"status": 200}])
def test_a_sealed_answer_of_another_form_is_refused(service, device, inner):
    service._once = lambda request: wire.dumps(inner)
    with pytest.raises(errors.AnswerInvalid):
        device.status()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(st.sampled_from(["operationId", "content", "operations", "state", "deviceId"]), json_values)
)
def test_an_answer_with_odd_members_is_taken_or_refused_by_name(service, device, body):
    service._once = lambda request: wire.dumps({"status": 200, "body": body})
    try:
        for call in (device.pending, device.status, lambda: device.start_operation("x")):
            with contextlib.suppress(errors.AnswerInvalid):
                call()
    finally:
        del service._once


def test_a_service_that_shows_another_confirmation_code_is_not_believed(service, store, line):
    offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
    honest = service._judge
    service._judge = lambda request: honest(request) | {"confirmationCode": "000000"}
    with pytest.raises(errors.AnswerInvalid):
        offer.finish(pin=PIN, name="Ann's phone")


def test_a_restarted_operation_that_shows_something_else_must_be_looked_at_again(service, device):
    operation = service.add()
    challenge = device.start_operation(operation)
    service.operations[operation].data = b"to the robber"
    with pytest.raises(errors.ContentChanged):
        challenge.restart()


@pytest.mark.parametrize(
    "changes",
    [
        {"server": "http://id.example.com"},
        {"server": "https://id.example.com/path"},
        {"server": "https://user@id.example.com"},
        {"server": "https://[::1"},
        {"server": 5},
        {"applicationId": "A"},
        {"trustAnchor": {}},
        {"trustAnchor": "x"},
        {"trustAnchor": _CONFIG["trustAnchor"] | {"d": "AA"}},
        {"trustAnchor": _CONFIG["trustAnchor"] | {"x": wire.b64u(bytes(32))}},
    ],
)
def test_a_configuration_that_cannot_be_trusted_is_refused(changes):
    with pytest.raises(errors.ConfigurationInvalid):
        ApplicationConfig.from_dict(_CONFIG | changes)


def test_a_configuration_survives_its_own_json():
    config = ApplicationConfig.from_json(wire.dumps(_CONFIG | {"server": "https://id.example.com/", "other": 1}))
    assert ApplicationConfig.from_dict(config.to_dict()) == config
    assert config.server == "https://id.example.com"


def test_an_offset_that_was_learned_before_the_clock_was_put_right_is_dropped(service, device, clock):
    two_days = 2 * 86400
    device.status()
    clock.time = NOW - two_days
    device.status()
    assert device.channel.now() == pytest.approx(service.now, abs=1)
    clock.time = NOW
    assert device.status().state == "ACTIVE"
    assert device.channel.now() == pytest.approx(NOW, abs=1)


def test_a_document_that_has_expired_by_the_phones_own_clock_too_is_refused(service, device, clock):
    device.channel.learn_clock(errors.ClockSkew(problem={"serverTime": (NOW + 10 * 86400) * 1000}))
    clock.time = NOW + 3 * 86400
    with pytest.raises(errors.KeyDocumentExpired):
        device.status()
