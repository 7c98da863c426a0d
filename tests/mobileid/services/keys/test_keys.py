"""The life of the service's keys."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.models import F
from django.db.models.functions import Now

from mobileid.models import ChannelKey, SigningKey, TrustAnchor
from mobileid.protocol import channel_keys, consent, wire
from mobileid.sdk import keydocument
from mobileid.services import applications
from mobileid.services.keys import channel, signing
from mobileid.tasks import rotate_keys
from reuseid.actors import SYSTEM
from reuseid.errors import Conflict, Invalid
from reuseid.models import TrailEntry
from tests.device_factories import make_application

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _no_caches():
    channel.forget()
    signing.forget()
    yield
    channel.forget()
    signing.forget()


def age(model, by):
    """Let time pass for rows of the keys."""
    if model is ChannelKey:
        model.objects.update(not_before=F("not_before") - by, not_after=F("not_after") - by)
    else:
        model.objects.update(created_at=F("created_at") - by)
    channel.forget()
    signing.forget()


def document(application):
    anchor = TrustAnchor.objects.get(account=application.account, status="CURRENT")
    token = channel.key_document(application)
    return keydocument.verify(token, anchor.public_jwk, str(application.pk))


def seal_and_open(application, key):
    """What a phone seals to the published key opens with the stored one."""
    loaded = channel.channel_key(application.pk, key.kid)
    suite = wire.SUITES[key.suite]
    enc, ct = suite.seal(b"hello", key.public, b"info")
    return suite.hpke.decrypt(enc + ct, loaded.private_key, b"info")


def test_the_first_application_makes_all_keys_and_the_second_none(account):
    make_application(account)
    assert sorted(ChannelKey.objects.values_list("suite", flat=True)) == [1, 2]
    make_application(account)
    assert (ChannelKey.objects.count(), TrustAnchor.objects.count(), SigningKey.objects.count()) == (2, 1, 1)


def test_the_document_names_keys_that_open_what_is_sealed_to_them(account):
    application = make_application(account, min_suite=2, pin_min_length=6)
    shown = document(application)
    assert (shown.min_suite, shown.pin.min_length) == (2, 6)
    assert {key.suite for key in shown.keys} == {1, 2}
    for key in shown.keys:
        assert seal_and_open(application, key) == b"hello"
    best = shown.best_key(datetime.now(UTC).timestamp())
    assert best.suite == 2


def test_documents_of_two_processes_in_one_minute_have_the_same_time(account, monkeypatch):
    application = make_application(account)
    monkeypatch.setattr(channel.time, "time", lambda: 2_000_000_059.0 // 60 * 60 + 59)
    monkeypatch.setattr(channel, "_published", lambda account_id: PUBLISHED)
    first = document(application)
    channel.forget()
    assert document(application).issued_at == first.issued_at
    monkeypatch.setattr(channel.time, "time", lambda: 2_000_000_059.0 // 60 * 60 + 61)
    assert document(application).issued_at == first.issued_at + 60


PUBLISHED = [
    {
        "kid": "k",
        "suite": 1,
        "pub": channel_keys.generate(1)[1],
        "nbf": 1_999_990_000,
        "exp": 2_000_100_000,
    }
]


def test_a_key_belongs_to_its_account(account, other_account):
    mine, theirs = make_application(account), make_application(other_account)
    kid = document(mine).keys[0].kid
    assert channel.channel_key(mine.pk, kid).kid == kid
    assert channel.channel_key(theirs.pk, kid) is None
    assert channel.channel_key(mine.pk, "no-such-key") is None
    assert channel.channel_key("no-such-app", kid) is None


def test_a_loaded_key_needs_no_query_and_is_dropped_at_its_end(account, django_assert_num_queries, monkeypatch):
    application = make_application(account)
    kid = document(application).keys[0].kid
    loaded = channel.channel_key(application.pk, kid)
    with django_assert_num_queries(0):
        assert channel.channel_key(application.pk, kid) is loaded
        channel.key_document(application)
    ChannelKey.objects.all().delete()

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + 49 * HOUR

    monkeypatch.setattr(channel, "datetime", Later)
    assert channel.channel_key(application.pk, kid) is None
    assert not channel._keys


def test_each_day_brings_a_new_key_announced_an_hour_before(account):
    application = make_application(account)
    first = {key.kid for key in document(application).keys}
    rotate_keys()
    assert ChannelKey.objects.count() == 2
    age(ChannelKey, 23 * HOUR)
    rotate_keys()
    rotate_keys()
    shown = document(application)
    assert len(shown.keys) == 4
    now = datetime.now(UTC).timestamp()
    assert shown.best_key(now).kid in first
    assert shown.best_key(now + 3600).kid not in first


def test_a_key_is_usable_for_48_hours_and_then_gone_from_the_database(account):
    application = make_application(account)
    old = document(application).keys[0]
    age(ChannelKey, 47 * HOUR)
    rotate_keys()
    assert seal_and_open(application, old) == b"hello"
    age(ChannelKey, HOUR)
    assert channel.channel_key(application.pk, old.kid) is None
    rotate_keys()
    assert not ChannelKey.objects.filter(pk=old.kid).exists()
    assert old.kid not in {key.kid for key in document(application).keys}


def test_a_service_that_slept_for_days_has_keys_for_the_first_phone(account):
    application = make_application(account)
    age(ChannelKey, 100 * HOUR)
    shown = document(application)
    assert seal_and_open(application, shown.best_key(datetime.now(UTC).timestamp())) == b"hello"


def test_private_keys_are_sealed_at_rest(account):
    application = make_application(account)
    for key in document(application).keys:
        row = ChannelKey.objects.get(pk=key.kid)
        private = channel.channel_key(application.pk, key.kid).private_key
        raw = private.private_bytes_raw() if key.suite == 1 else None
        assert row.private_key[:1] == b"\x01"
        assert raw is None or raw not in bytes(row.private_key)


def consent_jwt(account):
    kid, key = signing.current_signing_key(account.pk)
    return consent.consent_jwt(key, kid, {"iss": "x", "aud": "client", "sub": "user"})


def verify(client, token):
    """As an integrator does, offline, with a JOSE library and the JWKS."""
    published = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").json())
    key = published[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key.key, algorithms=["ES256"], audience="client")


def test_consents_verify_after_the_key_was_rotated_twice(account, client):
    make_application(account)
    tokens = [consent_jwt(account)]
    for _ in range(2):
        signing.rotate_signing_key(account, actor=SYSTEM, reason="COMPLIANCE")
        signing.forget()
        tokens.append(consent_jwt(account))
    assert len({jwt.get_unverified_header(token)["kid"] for token in tokens}) == 3
    assert all(verify(client, token)["sub"] == "user" for token in tokens)
    retired = SigningKey.objects.filter(status="RETIRED")
    assert retired.count() == 2
    assert all(row.private_key is None for row in retired)
    assert TrailEntry.objects.filter(action="signing_key.rotated", reason="COMPLIANCE").count() == 2


def test_the_schedule_announces_a_signing_key_before_it_signs(account, client):
    make_application(account)
    first = SigningKey.objects.get()
    rotate_keys()
    assert SigningKey.objects.count() == 1
    age(SigningKey, signing.LIFE - signing.NOTICE)
    rotate_keys()
    upcoming = SigningKey.objects.get(status="NEXT")
    assert str(upcoming.pk) in {key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]}
    assert signing.current_signing_key(account.pk)[0] == str(first.pk)
    age(SigningKey, signing.NOTICE)
    rotate_keys()
    assert signing.current_signing_key(account.pk)[0] == str(upcoming.pk)


def test_the_jwks_has_public_halves_only_and_may_be_cached(account, client):
    make_application(account)
    answer = client.get("/.well-known/jwks.json")
    (key,) = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert "max-age=300" in answer["Cache-Control"]
    assert client.post("/.well-known/jwks.json").status_code == 405


def test_a_policy_change_reaches_the_next_document(account):
    application = make_application(account)
    channel.key_document(application)
    applications.change_application(application, actor=SYSTEM, min_suite=2, auth_methods=["DEVICE_PIN"])
    channel.forget()
    assert document(application).min_suite == 2
    assert document(application).auth_methods == ("DEVICE_PIN",)


@pytest.mark.parametrize(
    "policy",
    [
        {"min_suite": 3},
        {"auth_methods": []},
        {"auth_methods": ["DEVICE", "DEVICE"]},
        {"auth_methods": ["FACE"]},
        {"pin_min_length": 3},
        {"pin_min_length": 8, "pin_max_length": 6},
        {"pin_max_length": 65},
        {"pin_type": "emoji"},
        {"min_sdk_version": "one"},
        {"name": ""},
        {"account": None},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(account, policy):
    application = make_application(account)
    with pytest.raises(Invalid):
        applications.change_application(application, actor=SYSTEM, **policy)


@pytest.mark.parametrize(
    "server",
    [
        "http://id.example.com",
        "https://id.example.com/path",
        "id.example.com",
        "https://u@id.example.com",
        "https://x:y",
    ],
)
def test_a_server_is_an_https_origin(account, server):
    with pytest.raises(Invalid):
        applications.create_application(account, name="x", server=server, actor=SYSTEM)


def test_names_of_applications_are_unique_in_an_account(account, other_account):
    make_application(account, "App")
    make_application(other_account, "App")
    with pytest.raises(Conflict):
        make_application(account, "App")


def test_keys_made_are_of_the_curve_and_their_published_half(account):
    make_application(account)
    kid, key = signing.current_signing_key(account.pk)
    assert isinstance(key.curve, ec.SECP256R1)
    (published,) = signing.published_keys()
    assert published["kid"] == kid
    assert SigningKey.objects.filter(created_at__lte=Now()).exists()
