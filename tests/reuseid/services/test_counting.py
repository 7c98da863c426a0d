"""Hours that are over are counted once and exactly; the running hour is read as it is."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reuseid.actors import SYSTEM
from reuseid.models import Delivery, DeliveryCount, Event, EventCount
from reuseid.services import counting, purging
from reuseid.services.webhooks import endpoints, outbox
from tests import factories

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def this_hour():
    return counting.hour_of(timezone.now())


def tell(endpoint, kind, at, times=1):
    """Events of a moment."""
    for _ in range(times):
        event = outbox.write_event(endpoint, kind, {})
        Event.objects.filter(pk=event.pk).update(created_at=at)


@pytest.fixture
def endpoint(account):
    return endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM)


def count_all():
    rounds = 0
    while counting.count_next_hours():
        rounds += 1
    return rounds


def test_each_ended_hour_is_counted_by_account_and_type(endpoint, other_account):
    other = endpoints.create(other_account, url="https://93.184.216.34/hook", actor=SYSTEM)
    first = this_hour() - 5 * HOUR
    tell(endpoint, "user.locked", first, 2)
    tell(endpoint, "user.locked", first + HOUR - timedelta(microseconds=1))
    tell(endpoint, "user.locked", first + HOUR)
    tell(other, "user.locked", first)
    tell(endpoint, "user.updated", first + 3 * HOUR)
    count_all()
    mine = EventCount.objects.filter(account=endpoint.account).order_by("hour").values_list("hour", "type", "count")
    assert list(mine) == [
        (first, "user.locked", 3),
        (first + HOUR, "user.locked", 1),
        (first + 3 * HOUR, "user.updated", 1),
    ]
    assert EventCount.objects.get(account=other_account).count == 1


def test_counting_again_changes_nothing(endpoint):
    tell(endpoint, "user.locked", this_hour() - 3 * HOUR, 2)
    assert count_all() == 1
    assert count_all() == 0
    assert EventCount.objects.get().count == 2


def test_an_hour_is_left_alone_while_transactions_of_it_may_be_open(endpoint, monkeypatch):
    tell(endpoint, "user.locked", this_hour() - HOUR)
    monkeypatch.setattr(counting, "SETTLED", timedelta(minutes=61))
    assert count_all() == 0
    monkeypatch.setattr(counting, "SETTLED", timedelta(0))
    assert count_all() == 1


def test_figures_are_counted_hours_and_the_running_one(endpoint, other_account):
    tell(endpoint, "user.locked", this_hour() - 2 * HOUR, 3)
    count_all()
    Event.objects.all().delete()
    tell(endpoint, "user.locked", timezone.now(), 2)
    tell(endpoint, "user.updated", timezone.now())
    since = this_hour() - 23 * HOUR
    figures, complete = counting.events_by_hour([endpoint.account_id], ["user.locked"], since)
    assert figures == {(this_hour() - 2 * HOUR, "user.locked"): 3, (this_hour(), "user.locked"): 2}
    assert complete
    assert counting.events_by_hour([other_account.pk], ["user.locked"], since)[0] == {}


def test_a_busy_hour_is_read_no_further_than_the_limit(endpoint, monkeypatch):
    monkeypatch.setattr(counting, "LIVE", 3)
    since, last = this_hour() - HOUR, timezone.now()
    for before in (1, 2, 3, 4):
        tell(endpoint, "user.locked", last - before * timedelta(minutes=1))
        tell(endpoint, "user.updated", last)
    figures, complete = counting.events_by_hour([endpoint.account_id], ["user.locked"], since)
    assert sum(figures.values()) == 3
    assert not complete
    assert sum(counting.events_by_hour([endpoint.account_id], ["user.updated"], since)[0].values()) >= 3
    monkeypatch.setattr(counting, "LIVE", 5)
    figures, complete = counting.events_by_hour([endpoint.account_id], ["user.locked"], since)
    assert sum(figures.values()) == 4
    assert complete


def test_with_a_step_of_days_the_hours_of_a_day_are_one(endpoint):
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    before, now = today - timedelta(days=2), timezone.now()
    for hours in (0, 5, 23):
        tell(endpoint, "user.locked", before + hours * HOUR)
    count_all()
    tell(endpoint, "user.locked", now)
    figures, _complete = counting.events_by_hour([endpoint.account_id], ["user.locked"], before, timedelta(days=1))
    assert figures == {(before, "user.locked"): 3, (today, "user.locked"): 1}


def test_reading_the_running_hour_costs_one_statement_that_fetches_no_rows(endpoint):
    tell(endpoint, "user.locked", timezone.now() - timedelta(seconds=1), 3)
    with CaptureQueriesContext(connection) as seen:
        counting.events_by_hour([endpoint.account_id], ["user.locked"], this_hour() - HOUR)
    *_counted, live = [query["sql"] for query in seen]
    assert len(seen) == 3
    assert "GROUP BY" in live


@pytest.mark.parametrize(("took", "within"), [(0.5, 1), (1, 1), (1.5, 2), (4000, 7200), (10**7, 2_592_000)])
def test_deliveries_are_counted_by_the_time_that_they_took(endpoint, took, within):
    factories.make_user(endpoint.account)
    settled = this_hour() - 2 * HOUR
    Delivery.objects.update(status="SENT", settled_at=settled, created_at=settled - timedelta(seconds=took))
    count_all()
    row = DeliveryCount.objects.get()
    assert (row.account, row.hour, row.status, row.within, row.count) == (endpoint.account, settled, "SENT", within, 1)


def test_what_a_person_sent_again_does_not_count_as_late(endpoint):
    factories.make_user(endpoint.account)
    settled = this_hour() - 2 * HOUR
    Delivery.objects.update(status="SENT", settled_at=settled, attempts=2, attempts_before=1)
    count_all()
    assert not DeliveryCount.objects.exists()


def test_numbers_past_their_retention_go(account, settings):
    settings.COUNT_RETENTION_DAYS = 31
    old = datetime.now(UTC) - timedelta(days=32)
    EventCount.objects.create(account=account, hour=old, type="user.locked", count=1)
    DeliveryCount.objects.create(account=account, hour=old, status="SENT", within=1, count=1)
    kept = EventCount.objects.create(account=account, hour=old + timedelta(days=2), type="user.locked", count=1)
    assert purging.purge()["hourly numbers"]
    assert list(EventCount.objects.all()) == [kept]
    assert not DeliveryCount.objects.exists()
