"""The envelope's door: outer errors in the clear, one answer for each message, however often it comes."""

import json
import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client

from mobileid.models import ChannelKey, Operation, StoredResponse
from mobileid.protocol import wire
from mobileid.sdk import errors
from mobileid.services import applications, completion, devices, factors, message_replay
from mobileid.services.keys import channel as keys
from reuseid.actors import SYSTEM
from reuseid.models import Account
from tests import phone_factories as phones
from tests.phone_factories import PIN

pytestmark = pytest.mark.django_db
STATUS = wire.PREFIX + "status"


def post(body, path=STATUS):
    return Client().post(path, body, content_type="application/json")


def sealed(phone, name="status", body=None):
    """One message as it goes out, ready to be sent again or changed."""
    phone.line.sent.clear()
    phone.call(name, body)
    return phone.line.sent[-1][1]


def changed(raw, **members):
    return json.dumps(json.loads(raw) | members)


def test_the_key_document_is_a_bare_jwt_for_its_application(application):
    answer = Client().get(f"{wire.PREFIX}keys?applicationId={application.pk}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/jwt")
    assert answer.content.count(b".") == 2


@pytest.mark.parametrize("query", ["", "?applicationId=", "?applicationId=x", f"?applicationId={'0' * 8}-0000-0000"])
def test_an_unknown_application_has_no_key_document(db, query):
    answer = Client().get(f"{wire.PREFIX}keys{query}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer["Content-Type"] == "application/problem+json"


def bodies(raw):
    outer = json.loads(raw)
    yield b""
    yield b"{}"
    yield b"[]"
    yield b"\xff\xfe"
    yield changed(raw, v=2)
    yield changed(raw, extra=1)
    yield changed(raw, ct=outer["ct"][:-4] + "AAAA")
    yield changed(raw, enc=outer["enc"][:-4] + "AAAA")
    yield changed(raw, enc=wire.b64u(bytes(1216 if len(outer["enc"]) > 100 else 32)))
    yield changed(raw, enc="")
    yield changed(raw, ct="")
    yield changed(raw, ct="not base64!")


def test_every_envelope_that_does_not_open_gets_one_identical_answer(phone):
    answers = [post(body) for body in bodies(sealed(phone))]
    assert {answer.status_code for answer in answers} == {400}
    told = {json.dumps({k: v for k, v in answer.json().items() if k != "traceId"}) for answer in answers}
    assert len(told) == 1
    assert answers[0].json()["code"] == "envelope-invalid"


def test_an_envelope_sent_to_another_path_does_not_open(phone):
    assert post(sealed(phone), wire.PREFIX + "operations/pending").status_code == 400


def test_a_body_over_64_kib_is_too_large(phone):
    answer = post(b" " * (64 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_an_unknown_erased_or_expired_key_and_one_of_another_account_are_key_unknown(phone, other_account):
    raw = sealed(phone)
    stranger = phones.make_application(other_account)
    others = ChannelKey.objects.filter(account=other_account).first()
    assert post(changed(raw, kid=str(others.pk))).json()["code"] == "key-unknown"
    assert post(changed(raw, kid="no-such-key")).status_code == 409
    assert post(changed(raw, app=str(stranger.pk))).status_code == 409
    used = ChannelKey.objects.get(pk=json.loads(raw)["kid"])
    ChannelKey.objects.filter(pk=used.pk).update(not_after=used.not_before + timedelta(seconds=1))
    keys.forget()
    assert post(raw).status_code == 409
    keys.erase_channel_keys()
    keys.forget()
    assert not ChannelKey.objects.filter(pk=used.pk).exists()
    assert post(raw).status_code == 409
    assert phone.device.status().state == "ACTIVE"


def test_a_suite_below_the_application_s_minimum_is_key_unknown(phone, application):
    classic = ChannelKey.objects.get(account=application.account, suite=1)
    document = phone.device.channel.documents.current()
    weak = next(key for key in document.keys if key.kid == str(classic.pk))
    message = phone.device.channel.compose("status", {})
    raw = phone.device.channel._seal(message, weak).body
    assert post(raw).status_code == 200
    applications.change_application(application, actor=SYSTEM, min_suite=2)
    assert post(raw).status_code == 409


def test_too_many_messages_from_one_address_are_429_with_retry_after(phone, settings):
    settings.DEVICE_RATE_LIMIT = 1
    answers = [post(b"{}") for _ in range(2)]
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1].json()["code"] == "rate-limited"


def test_a_phone_that_talks_too_much_is_told_inside(phone, monkeypatch):
    monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 0)
    with pytest.raises(errors.RateLimited) as limited:
        phone.device.status()
    assert limited.value.retry_after > 0


def test_a_database_that_is_down_is_503_with_retry_after(phone, monkeypatch):
    def down(*_):
        raise OperationalError

    raw = sealed(phone)
    monkeypatch.setattr(keys, "channel_key", down)
    answer = post(raw)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer.json()["code"] == "unavailable"


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_other_methods_and_names_are_no_messages(db, method):
    assert getattr(Client(), method)(STATUS).status_code == 405
    assert Client().post(wire.PREFIX + "nothing").status_code == 404


@pytest.mark.parametrize("seconds", [-125, 125])
def test_a_wrong_clock_is_told_and_learned(ada, application, cheap_pins, seconds):
    phone = phones.make_phone(ada, application)
    phone.device.channel._clock = lambda: time.time() + seconds
    assert phone.device.status().state == "ACTIVE"
    message = phone.device.channel.compose("status", {})
    phone.device.channel._offset_ms = 0
    message = phone.device.channel.compose("status", {})
    with pytest.raises(errors.ClockSkew) as skewed:
        phone.device.channel.deliver(message)
    assert abs(skewed.value.problem["serverTime"] - time.time() * 1000) < 5000


def finish_message(phone, ada, pin=PIN):
    """A finish, composed and not sent."""
    operation, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(operation.pk))
    key = phone.device.unlock(pin)
    composed = []
    phone.device.channel.deliver, deliver = composed.append, phone.device.channel.deliver
    try:
        challenge._send(challenge._statement("approve", "DEVICE_PIN"), key, None)
    except AttributeError:
        pass
    finally:
        phone.device.channel.deliver = deliver
    return operation, composed[0]


def test_the_same_message_again_gets_the_same_answer_sealed_anew_and_happens_once(phone, ada):
    operation, message = finish_message(phone, ada)
    channel = phone.device.channel
    assert channel.deliver(message) == channel.deliver(message) == {"state": "COMPLETED"}
    first, second = (json.loads(answer.body) for answer in phone.line.answers[-2:])
    assert first["n"] != second["n"]
    assert first["ct"] != second["ct"]
    operation.refresh_from_db()
    assert operation.status == "COMPLETED"


def test_a_wrong_pin_sent_twice_counts_once(phone, ada):
    _operation, message = finish_message(phone, ada, pin="000000")
    for _ in range(3):
        with pytest.raises(errors.AuthenticationFailed):
            phone.device.channel.deliver(message)
    assert phone.row.failed_attempts == 1


def test_another_plaintext_or_path_under_the_same_id_is_a_conflict(phone):
    channel = phone.device.channel
    say = phone.device._say

    def under(mid, path, body):
        """The message with that id, signed anew."""
        made = channel.compose

        def compose(name, content, prove=None):
            message = made(name, content)
            inner = json.loads(message.plaintext) | {"mid": wire.b64u(mid)}
            inner["proof"] = prove(wire.b64u(mid), inner["iat"])
            return type(message)(message.path, mid, message.rk, wire.pad(wire.dumps(inner)))

        channel.compose = compose
        try:
            return say(path, body)
        finally:
            channel.compose = made

    mid = bytes(range(16))
    under(mid, "rename", {"name": "One"})
    with pytest.raises(errors.MessageConflict):
        under(mid, "rename", {"name": "Two"})
    with pytest.raises(errors.MessageConflict):
        under(mid, "challenge", {"purpose": "pin-change"})
    assert phone.row.name == "One"


def test_the_stored_answer_is_encrypted(phone):
    phone.device.rename("Findable name")
    phone.call("challenge", {"purpose": "pin-change"})
    stored = StoredResponse.objects.order_by("-created_at").first()
    assert b"keyVersion" not in bytes(stored.answer)
    assert stored.account_id == phone.row.account_id


def test_a_message_that_fails_without_effect_leaves_no_trace(phone):
    before = StoredResponse.objects.count()
    with pytest.raises(errors.MessageInvalid):
        phone.call("rename", {"name": "x" * 65})
    with pytest.raises(errors.OperationUnknown):
        phone.device.start_operation("00000000-0000-4000-8000-000000000000")
    assert StoredResponse.objects.count() == before


def test_a_content_too_long_to_store_is_answered_afresh(phone, ada, monkeypatch):
    operation, _ = phones.ask_to_sign(ada, data="Long. " * 60_000)
    message = phone.device.channel.compose
    sent = []
    deliver = phone.device.channel.deliver
    monkeypatch.setattr(phone.device.channel, "deliver", lambda m: sent.append(m) or deliver(m))
    first = phone.device.start_body({"operationId": str(operation.pk)})
    again = deliver(sent[0])
    assert message
    assert first["content"] == again["content"]
    assert first["nonce"] != again["nonce"]
    assert Operation.objects.get(pk=operation.pk).nonces.filter(used_at=None).count() == 2


def test_at_most_three_nonces_of_an_operation_live(phone, ada):
    operation, _ = phones.ask(ada)
    challenges = [phone.device.start_operation(str(operation.pk)) for _ in range(5)]
    assert operation.nonces.filter(used_at=None).count() == 3
    with pytest.raises(errors.AuthenticationFailed):
        challenges[1].approve(pin=PIN)
    assert phone.row.failed_attempts == 0
    assert challenges[2].approve(pin=PIN).state == "COMPLETED"


def test_a_message_whose_judge_died_is_refused_and_was_counted(phone, ada, monkeypatch):
    operation, message = finish_message(phone, ada)

    def die(*_args):
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("mobileid.services.factors.verify", die)
        with pytest.raises(errors.UnexpectedAnswer):
            phone.device.channel.deliver(message)
    assert phone.row.failed_attempts == 1
    monkeypatch.setattr(message_replay, "PATIENCE", 0)
    with pytest.raises(errors.ServiceUnavailable):
        phone.device.channel.deliver(message)
    monkeypatch.setattr(message_replay, "LOST", timedelta(0))
    with pytest.raises(errors.AuthenticationFailed):
        phone.device.channel.deliver(message)
    operation.refresh_from_db()
    assert (operation.status, phone.row.failed_attempts) == ("IN_PROGRESS", 1)


def test_a_judge_that_was_given_up_decides_nothing_any_more(phone, ada, monkeypatch):
    """The phone has heard that it failed; an approval that came true afterwards would make that a lie."""
    operation, message = finish_message(phone, ada)
    verify, heard = factors.verify, []

    def slow(*args):
        with monkeypatch.context() as later:
            later.setattr(message_replay, "LOST", timedelta(0))
            with pytest.raises(errors.AuthenticationFailed) as refused:
                phone.device.channel.deliver(message)
        heard.append(refused.value)
        return verify(*args)

    monkeypatch.setattr(factors, "verify", slow)
    monkeypatch.setattr(message_replay, "PATIENCE", 0)
    with pytest.raises(errors.AuthenticationFailed):
        phone.device.channel.deliver(message)
    operation.refresh_from_db()
    assert (operation.status, len(heard), phone.row.failed_attempts) == ("IN_PROGRESS", 1, 1)
    assert not hasattr(operation, "evidence")


@pytest.mark.parametrize("happens", ["canceled", "locked"])
def test_what_ends_an_approval_while_its_pin_is_looked_at_answers_every_copy(phone, ada, monkeypatch, happens):
    """The look has happened and was counted: its outcome is kept with the refusal, and is not judged anew."""
    operation, message = finish_message(phone, ada)
    verify, looks = factors.verify, []

    def look(*args):
        looks.append(1)
        if happens == "canceled":
            completion.cancel(Operation.objects.get(pk=operation.pk), actor=SYSTEM)
        else:
            devices.lock(phone.row, actor=SYSTEM, reason="DEVICE_STOLEN")
        return verify(*args)

    monkeypatch.setattr(factors, "verify", look)
    refusal, state = {"canceled": (errors.OperationClosed, "CANCELED"), "locked": (errors.DeviceUnusable, "LOCKED")}[
        happens
    ]
    for _ in range(3):
        with pytest.raises(refusal) as refused:
            phone.device.channel.deliver(message)
        assert refused.value.state == state
    assert (len(looks), phone.row.failed_attempts) == (1, 0 if happens == "canceled" else 1)


def test_a_blocked_account_s_keys_open_nothing_even_those_in_memory(phone, account):
    raw = sealed(phone)
    assert post(raw).status_code == 200
    Account.objects.filter(pk=account.pk).update(status=Account.Status.BLOCKED)
    assert (post(raw).status_code, post(raw).json()["code"]) == (409, "key-unknown")


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("rename", {}, "name"),
        ("rename", {"name": 1}, "name"),
        ("rename", {"name": "x", "extra": 1}, "extra"),
        ("rename", {"name": "a\u0000b"}, "name"),
        ("challenge", {"purpose": "registration"}, "purpose"),
        ("operations/start", {}, "operationId"),
        ("operations/start", {"operationId": "X"}, "operationId"),
        ("operations/start", {"claim": "x", "t": -1}, "t"),
        ("operations/start", {"claim": "x", "m": "AA"}, "m"),
        ("status", {"sdkVersion": ""}, "sdkVersion"),
        ("operations/pending", {"all": True}, "all"),
    ],
)
def test_a_wrong_body_is_told_by_its_field(phone, name, body, field):
    with pytest.raises(errors.MessageInvalid) as refused:
        phone.call(name, body)
    assert refused.value.field == field
