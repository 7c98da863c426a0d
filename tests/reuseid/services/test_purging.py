from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from reuseid.actors import SYSTEM
from reuseid.models import Delivery, DeliveryAttempt, Event
from reuseid.services import purging
from reuseid.services.webhooks import endpoints
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(account):
    """A person of whom nothing was told."""
    return factories.make_untold_user(account)


@pytest.fixture
def old():
    """Make everything older than the retention."""

    def old():
        past = Now() - timedelta(days=31)
        Event.objects.update(created_at=past)
        Delivery.objects.update(created_at=past)

    return old


def test_events_past_their_retention_go_with_their_deliveries_and_attempts(endpoint, owe, send, old):
    owe()
    send()
    old()
    kept = owe()
    purging.purge()
    assert list(Event.objects.all()) == [kept]
    assert Delivery.objects.get().event == kept
    assert not DeliveryAttempt.objects.exists()


def test_what_is_being_sent_stays_and_what_waited_too_long_is_cancelled_and_goes(endpoint, owe, old):
    owe()
    endpoints.pause(endpoint, actor=SYSTEM)
    old()
    Delivery.objects.update(attempts=2, next_attempt_at=Now() + timedelta(minutes=1))
    DeliveryAttempt.objects.create(delivery=Delivery.objects.get(), number=1)
    purging.purge()
    assert Delivery.objects.get().status == "PENDING"
    assert DeliveryAttempt.objects.exists()
    Delivery.objects.update(next_attempt_at=Now() - timedelta(minutes=1))
    purging.purge()
    assert not Event.objects.exists()


def test_a_batch_is_bounded_and_the_next_goes_on(endpoint, owe, old, monkeypatch):
    monkeypatch.setattr(purging, "BATCH", 2)
    monkeypatch.setattr(purging, "BATCHES", 2)
    endpoints.delete(endpoint, actor=SYSTEM)
    for _ in range(5):
        owe()
    old()
    assert purging.purge()["events"] == 4
    assert purging.purge()["events"] == 1


def test_expired_tokens_and_sessions_go(api):
    tokens = get_access_token_model().objects
    tokens.update(expires=timezone.now() - timedelta(seconds=1))
    live = tokens.create(expires=timezone.now() + timedelta(hours=1), scope="", token="live")
    for key, hours in (("over", -1), ("live", 1)):
        Session.objects.create(session_key=key, expire_date=timezone.now() + timedelta(hours=hours))
    purging.purge()
    assert list(tokens.all()) == [live]
    assert [session.session_key for session in Session.objects.all()] == ["live"]
