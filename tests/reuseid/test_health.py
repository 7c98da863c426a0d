from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models.functions import Now

from reuseid import health
from reuseid.models import Delivery, Heartbeat, WebhookEndpoint
from reuseid.services import heartbeats

pytestmark = pytest.mark.django_db


@pytest.fixture
def alive():
    for name in ("beat", *(f"worker:{queue}" for queue in settings.WATCHED_QUEUES)):
        heartbeats.beat(name, "here")


def test_liveness_asks_nothing_of_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}


def test_readiness_shows_database_broker_heartbeats_and_lag(client, alive):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok"), answer.json()
    assert set(answer.json()["checks"]) == {
        "database",
        "broker",
        "beat",
        "worker:callbacks",
        "worker:sweeps",
        "worker:bulk",
        "callbacks",
    }


def test_a_silent_beat_degrades_and_fails_only_the_strict_monitor(client, alive):
    Heartbeat.objects.filter(name="beat").update(at=Now() - timedelta(seconds=61))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["beat"]["age"] >= 61
    assert client.get("/readyz?strict=1").status_code == 503


def test_every_queue_is_watched_and_one_without_a_worker_degrades(client, alive):
    assert set(settings.WATCHED_QUEUES) == {queue.name for queue in settings.CELERY_TASK_QUEUES}
    Heartbeat.objects.filter(name="worker:bulk").delete()
    answer = client.get("/readyz").json()
    assert answer["status"] == "degraded"
    assert [name for name, check in answer["checks"].items() if not check["ok"]] == ["worker:bulk"]
    heartbeats.beat("worker:bulk", "here")
    assert 'reuseid_heartbeat_age_seconds{name="worker:bulk"}' in client.get("/metrics").content.decode()


def test_lag_counts_what_waits_for_a_sender_and_not_what_waits_for_a_receiver(endpoint, owe):
    assert health.callback_lag() == 0
    owe(n=1)
    owe(n=2)
    Delivery.objects.update(next_attempt_at=Now() - timedelta(seconds=90))
    assert health.callback_lag() == pytest.approx(90, abs=3)
    WebhookEndpoint.objects.update(status="PAUSED")
    assert health.callback_lag() == 0
    WebhookEndpoint.objects.update(status="ACTIVE", open_until=Now() + timedelta(minutes=1))
    assert health.callback_lag() == 0


def test_of_two_beats_one_holds_and_the_other_takes_over_after_a_silence():
    assert heartbeats.hold("beat", "first")
    assert not heartbeats.hold("beat", "second")
    assert heartbeats.hold("beat", "first")
    Heartbeat.objects.update(at=Now() - timedelta(seconds=31))
    assert heartbeats.hold("beat", "second")
    assert not heartbeats.hold("beat", "first")
    heartbeats.let_go("beat", "second")
    assert heartbeats.hold("beat", "first")
