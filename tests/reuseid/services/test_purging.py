from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from reuseid.actors import SYSTEM
from reuseid.models import Delivery, DeliveryAttempt, Event, IdempotencyKey
from reuseid.services import purging, sweeping
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


@pytest.fixture
def five_of_old(endpoint, owe, old, monkeypatch):
    """Of which one run of `purge` takes four."""
    monkeypatch.setattr(purging, "BATCH", 2)
    monkeypatch.setattr(purging, "BATCHES", 2)
    endpoints.delete(endpoint, actor=SYSTEM)
    for _ in range(5):
        owe()
    old()


def test_a_batch_is_bounded_and_the_next_goes_on(five_of_old):
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


@pytest.mark.parametrize(("seconds", "left"), [(0, 1), (60, 0)])
def test_a_run_goes_on_while_it_is_behind_until_its_time_is_over(five_of_old, seconds, left):
    purging.catch_up(seconds)
    assert Event.objects.count() == left


def test_the_oldest_go_first_and_only_so_many(account, django_assert_num_queries):
    client = factories.make_client(account)
    keys = [IdempotencyKey(account=account, client=client, key=str(days), fingerprint="f") for days in range(5)]
    IdempotencyKey.objects.bulk_create(keys)
    for days, key in enumerate(keys):
        IdempotencyKey.objects.filter(pk=key.pk).update(created_at=Now() - timedelta(days=days))
    with django_assert_num_queries(1):
        assert sweeping.delete(IdempotencyKey.objects.order_by("created_at"), 2) == 2
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"0", "1", "2"}


def test_what_goes_with_a_row_is_not_counted_as_one(endpoint, owe):
    owe()
    assert sweeping.delete(Event.objects.order_by("sequence"), 5) == 1
    assert not Delivery.objects.exists()
