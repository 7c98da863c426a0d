"""The key that phones pin rolls over: what real phones make of it, awake, asleep and updated."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from mobileid.models import TrustAnchor
from mobileid.sdk.device import Device
from mobileid.sdk.errors import KeyDocumentInvalid
from mobileid.services import applications
from mobileid.services.keys import channel, trust_anchors
from reuseid.actors import SYSTEM
from reuseid.errors import Conflict, Invalid, WrongState
from reuseid.models import TrailEntry
from tests.mobileid.services.keys.test_keys import HOUR, age
from tests.phone_factories import config_of, make_phone

pytestmark = pytest.mark.django_db
WHY = {"actor": SYSTEM, "reason": "OTHER", "note": "It is three years old."}


@pytest.fixture(autouse=True)
def _no_documents():
    channel.forget()
    yield
    channel.forget()


@pytest.fixture
def phone(user, application):
    return make_phone(user, application)


@pytest.fixture
def announced(account, phone):
    """The next anchor, announced after the phone was registered; the documents of that minute are over."""
    anchor = trust_anchors.announce(account, **WHY)
    channel.forget()
    return anchor


def next_day(phone, config=None):
    """The document that the phone keeps is over: it works again once it took the one of that day."""
    channel.forget()
    record = phone.store.read("trust")
    record["document"] = None
    phone.store.write("trust", record)
    phone.device = Device.load(phone.store, config=config, transport=phone.line, sleep=lambda _seconds: None)
    return phone.device.status()


def promote(anchor, **values):
    """After its 48 hours."""
    age(TrustAnchor, trust_anchors.NOTICE)
    return trust_anchors.promote(anchor, **WHY, **values)


def test_a_phone_in_use_follows_and_trusts_the_old_anchor_no_more(account, application, phone, announced):
    old = applications.configuration(application)["trustAnchor"]
    next_day(phone)
    assert phone.store.read("trust")["anchors"] == [old, announced.public_jwk]
    promote(announced)
    next_day(phone)
    assert phone.store.read("trust")["anchors"] == [announced.public_jwk]
    assert applications.configuration(application)["trustAnchor"] == announced.public_jwk
    former = TrustAnchor.objects.get(status="RETIRED")
    assert (former.public_jwk, former.private_key) == (old, None)


def test_a_phone_that_slept_through_works_again_with_an_updated_app(application, phone, announced):
    """As it was registered: its own keys are untouched."""
    promote(announced)
    with pytest.raises(KeyDocumentInvalid):
        next_day(phone)
    update = config_of(application)
    next_day(phone, update)
    next_day(phone, update)


def test_an_app_that_is_updated_before_the_promotion_finds_no_document(application, phone, announced):
    """Why operating.md says when to ship it."""
    with pytest.raises(KeyDocumentInvalid):
        next_day(phone, type(config_of(application))(application.server, str(application.pk), announced.public_jwk))


def test_who_registers_meanwhile_follows_too(user, application, announced):
    late = make_phone(user, application, name="The new one")
    promote(announced)
    next_day(late)


def test_a_phone_forgets_what_was_taken_back(account, phone, announced):
    next_day(phone)
    trust_anchors.take_back(announced, **WHY)
    assert announced.private_key is None
    next_day(phone)
    (present,) = phone.store.read("trust")["anchors"]
    assert present == TrustAnchor.objects.get(account=account, status="CURRENT").public_jwk
    again = trust_anchors.announce(account, **WHY)
    next_day(phone)
    promote(again)
    next_day(phone)


def test_a_promotion_waits_48_hours_for_phones(announced):
    age(TrustAnchor, trust_anchors.NOTICE - HOUR)
    with pytest.raises(Conflict, match="48 hours"):
        trust_anchors.promote(announced, **WHY)
    assert sorted(TrustAnchor.objects.values_list("status", flat=True)) == ["CURRENT", "NEXT"]
    assert not TrailEntry.objects.filter(action="trust_anchor.promoted").exists()
    age(TrustAnchor, HOUR)
    assert trust_anchors.promote(announced, **WHY).status == "CURRENT"


def test_an_early_promotion_says_why(announced):
    with pytest.raises(Invalid):
        trust_anchors.promote(announced, actor=SYSTEM, reason="COMPLIANCE", early=True)
    trust_anchors.promote(announced, actor=SYSTEM, reason="COMPLIANCE", note="A backup was stolen.", early=True)
    line = TrailEntry.objects.get(action="trust_anchor.promoted")
    assert (line.object_id, line.reason, line.note) == (str(announced.pk), "COMPLIANCE", "A backup was stolen.")
    assert line.changes == {"early": True}


def test_each_act_has_its_time(account, announced):
    with pytest.raises(Conflict):
        trust_anchors.announce(account, **WHY)
    stale = TrustAnchor.objects.get(pk=announced.pk)
    promote(announced)
    for act in (trust_anchors.promote, trust_anchors.take_back):
        with pytest.raises(WrongState):
            act(stale, **WHY)
        stale.status = "NEXT"
    assert TrustAnchor.objects.get(pk=announced.pk).private_key
    other = trust_anchors.announce(account, **WHY)
    trust_anchors.take_back(other, **WHY)
    with pytest.raises(WrongState):
        promote(other)
    assert TrustAnchor.objects.get(status="CURRENT") == announced
    actions = TrailEntry.objects.filter(object_type="trustanchor").order_by("pk").values_list("action", flat=True)
    assert [action.split(".")[1] for action in actions] == ["announced", "promoted", "announced", "taken_back"]


@pytest.mark.parametrize("act", ["announce", "promote", "take_back"])
def test_no_act_without_a_reason(account, announced, act):
    with pytest.raises(Invalid):
        getattr(trust_anchors, act)(account if act == "announce" else announced, actor=SYSTEM, reason="")


def test_phones_that_were_not_used_since_may_not_know_it(user, application, phone, announced):
    other = make_phone(user, application, name="Old one").row
    age(TrustAnchor, trust_anchors.NOTICE)
    type(other).objects.update(created_at=timezone.now() - 90 * 24 * HOUR)
    type(other).objects.filter(pk=phone.row.pk).update(last_used_at=timezone.now() - HOUR)
    announced.refresh_from_db()
    assert trust_anchors.uncertain(announced).get() == other
    type(other).objects.filter(pk=other.pk).update(status="DEACTIVATED")
    assert not trust_anchors.uncertain(announced).exists()


# The command


def roll(capsys, account, *arguments):
    call_command("roll_trust_anchor", account, *arguments)
    return capsys.readouterr().out


def test_the_command_announces_promotes_and_shows(account, application, phone, capsys):
    assert "CURRENT" in roll(capsys, account.name)
    shown = roll(capsys, account.name, "--announce", "--note", "It is three years old.")
    assert "NEXT" in shown
    assert "1 phones may not know it yet" in shown
    with pytest.raises(CommandError, match="48 hours"):
        roll(capsys, account.name, "--promote", "--note", "Now.")
    age(TrustAnchor, trust_anchors.NOTICE)
    assert "It can be promoted now." in roll(capsys, str(account.pk))
    shown = roll(capsys, account.name, "--promote", "--note", "Two days are over.")
    assert [line.split()[1] for line in shown.splitlines()] == ["RETIRED", "CURRENT"]
    line = TrailEntry.objects.get(action="trust_anchor.promoted")
    assert (line.actor_id, line.note) == ("manage.py roll_trust_anchor", "Two days are over.")


def test_the_command_takes_back_and_hurries(account, application, capsys):
    roll(capsys, account.name, "--announce", "--reason", "COMPLIANCE")
    assert "NEXT" not in roll(capsys, account.name, "--take-back", "--note", "The wrong account.")
    roll(capsys, account.name, "--announce", "--reason", "COMPLIANCE")
    with pytest.raises(CommandError, match="note"):
        roll(capsys, account.name, "--promote", "--early", "--reason", "COMPLIANCE")
    assert "NEXT" not in roll(capsys, account.name, "--promote", "--early", "--note", "The old one leaked.")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["Nobody"], "no account"),
        (["Nordbank", "--announce"], "note"),
        (["Nordbank", "--announce", "--reason", "BECAUSE"], "reason"),
        (["Nordbank", "--promote", "--note", "x"], "No next trust anchor"),
        (["Nordbank", "--take-back", "--note", "x"], "No next trust anchor"),
        (["Nordbank", "--early"], "--promote"),
        (["Nordbank", "--promote", "--take-back"], "not allowed"),
    ],
)
def test_the_command_says_what_is_wrong(account, application, arguments, why):
    with pytest.raises(CommandError, match=why):
        call_command("roll_trust_anchor", *arguments)
