"""The envelope against an attacker on the line: weak keys, wrong lengths, downgrades, old keys."""

import json

import pytest
from django.test import Client

from mobileid.models import ChannelKey
from mobileid.protocol import wire
from mobileid.sdk import errors
from mobileid.sdk.keydocument import KeyDocuments
from mobileid.services import applications
from mobileid.services.keys import channel as keys
from reuseid.actors import SYSTEM
from tests import phone_factories as phones

pytestmark = pytest.mark.django_db


def sealed_with(phone, suite):
    """A status message in the given suite, as its outer members."""
    document = phone.device.channel.documents.current()
    key = next(one for one in document.keys if one.suite == suite)
    channel = phone.device.channel
    return json.loads(channel._seal(channel.compose("status", {}), key).body)


def post(outer):
    return Client().post(wire.PREFIX + "status", json.dumps(outer), content_type="application/json")


@pytest.mark.parametrize("suite", [1, 2])
def test_an_all_zero_x25519_share_and_wrong_lengths_do_not_open(phone, suite):
    outer = sealed_with(phone, suite)
    enc, ct = wire.unb64u(outer["enc"]), wire.unb64u(outer["ct"])
    assert post(outer).status_code == 200
    for changed in (
        {"enc": enc[:-32] + bytes(32)},
        {"enc": bytes(len(enc))},
        {"enc": enc[:-1]},
        {"enc": enc + b"\0"},
        {"ct": ct[:15]},
        {"ct": ct[:-1]},
        {"ct": ct + b"\0"},
    ):
        answer = post(outer | {name: wire.b64u(value) for name, value in changed.items()})
        assert (answer.status_code, answer.json()["code"]) == (400, "envelope-invalid")


def test_an_envelope_of_one_suite_under_the_other_s_key_does_not_open(phone, application):
    outer = sealed_with(phone, 1)
    other = ChannelKey.objects.get(account=application.account, suite=2)
    assert post(outer | {"kid": str(other.pk)}).status_code == 400


def test_a_phone_is_not_talked_down_to_a_weaker_suite(phone, application):
    """The signed document names the minimum; a man in the middle can't sign, the service does not answer below."""
    applications.change_application(application, actor=SYSTEM, min_suite=2)
    keys.forget()
    phone.device.channel.documents.fetch()
    assert phone.device.status().state == "ACTIVE"
    assert len(json.loads(phone.line.sent[-1][1])["enc"]) > 1000
    assert post(sealed_with(phone, 1)).status_code == 409


def test_an_older_key_document_and_one_of_another_account_are_refused(phone, other_account, monkeypatch):
    channel = phone.device.channel
    stranger = phones.make_application(other_account)
    real = phone.line.get

    def instead(target):
        return real(target.replace(channel.config.application_id, str(stranger.pk)))

    with pytest.raises(errors.KeyDocumentInvalid):
        KeyDocuments(channel.config, phone.store, instead, channel.now).fetch()
    newer = keys.time.time() + 3600
    with monkeypatch.context() as patched:
        patched.setattr(keys.time, "time", lambda: newer)
        keys.forget()
        channel.documents.fetch()
    keys.forget()
    with pytest.raises(errors.KeyDocumentOld):
        channel.documents.fetch()


def test_every_channel_key_dies_after_48_hours_and_then_nothing_opens(phone, application):
    lives = ChannelKey.objects.filter(account=application.account)
    assert {(key.not_after - key.not_before).total_seconds() for key in lives} == {48 * 3600}
