"""Rivals over the key that phones pin: one of them wins, and there is always exactly one in use."""

from functools import partial

import pytest
from django.utils import timezone

from mobileid.models import TrustAnchor
from mobileid.services.keys import trust_anchors
from reuseid.actors import SYSTEM
from reuseid.errors import Conflict, WrongState
from reuseid.models import TrailEntry
from tests import factories
from tests.device_factories import make_application
from tests.rivals import race

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 10
WHY = {"actor": SYSTEM, "reason": "OTHER", "note": "It is three years old."}


@pytest.fixture
def account():
    account = factories.make_account("Nordbank")
    make_application(account)
    return account


def announced(account):
    anchor = trust_anchors.announce(account, **WHY)
    TrustAnchor.objects.filter(pk=anchor.pk).update(created_at=timezone.now() - trust_anchors.NOTICE)
    return anchor


def by(act, anchor):
    """On what this rival read before."""
    return partial(act, TrustAnchor.objects.get(pk=anchor.pk), **WHY)


def statuses(account):
    rows = TrustAnchor.objects.filter(account=account)
    assert all(bool(row.private_key) == (row.status != "RETIRED") for row in rows)
    return sorted(rows.exclude(status="RETIRED").values_list("status", flat=True))


def test_of_two_who_promote_one_does(account):
    for number in range(ROUNDS):
        anchor = announced(account)
        results = race(by(trust_anchors.promote, anchor), by(trust_anchors.promote, anchor))
        assert [type(result) for result in results if isinstance(result, Exception)] == [WrongState]
        assert TrustAnchor.objects.get(account=account, status="CURRENT") == anchor
        assert statuses(account) == ["CURRENT"]
        assert TrailEntry.objects.filter(action="trust_anchor.promoted").count() == number + 1


def test_who_promotes_and_who_takes_back_do_not_both(account):
    for _number in range(ROUNDS):
        anchor = announced(account)
        results = race(by(trust_anchors.promote, anchor), by(trust_anchors.take_back, anchor))
        assert [type(result) for result in results if isinstance(result, Exception)] == [WrongState]
        assert statuses(account) == ["CURRENT"]


def test_of_two_who_announce_one_does(account):
    for _number in range(ROUNDS):
        announce = partial(trust_anchors.announce, account, **WHY)
        results = race(announce, announce)
        assert [type(result) for result in results if isinstance(result, Exception)] == [Conflict]
        assert statuses(account) == ["CURRENT", "NEXT"]
        trust_anchors.take_back(trust_anchors.upcoming(account), **WHY)
