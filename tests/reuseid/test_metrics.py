from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from mobileid.models import Operation
from reuseid.services import heartbeats
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(account):
    """A person of whom nothing was told."""
    return factories.make_untold_user(account)


def samples(answer):
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_callbacks_are_told_by_outcome_and_lag(client, endpoint, receiver, owe, send):
    owe()
    send()
    receiver.answers(500)
    owe()
    send()
    heartbeats.beat("beat", "here")
    found = samples(client.get("/metrics"))
    assert found["reuseid_callback_attempts_5m", "2xx"] == 1
    assert found["reuseid_callback_attempts_5m", "5xx"] == 1
    assert found[("reuseid_callbacks_owed",)] == 1
    assert found[("reuseid_callback_lag_seconds",)] < 5
    assert found["reuseid_webhooks", "ACTIVE"] == 1
    assert found["reuseid_heartbeat_age_seconds", "beat"] < 5


def test_operations_are_told_by_type_and_outcome_with_their_durations(client, account):
    def operation(**values):
        now = timezone.now()
        return Operation.objects.create(account=account, **{"expires_at": now + timedelta(minutes=3), **values})

    operation(type="authentication")
    done = operation(type="signature", status="COMPLETED", ended_at=timezone.now())
    Operation.objects.filter(pk=done.pk).update(created_at=Now() - timedelta(seconds=7), ended_at=Now())
    operation(type="authentication", expires_at=timezone.now() - timedelta(seconds=40))
    found = samples(client.get("/metrics"))
    assert found["mobileid_operations_open", "PENDING", "authentication"] == 2
    assert found["mobileid_operations_ended_5m", "COMPLETED", "signature"] == 1
    assert found["mobileid_operation_seconds_5m_bucket", "5", "signature"] == 0
    assert found["mobileid_operation_seconds_5m_bucket", "10", "signature"] == 1
    assert found[("mobileid_sweep_lag_seconds",)] == pytest.approx(40, abs=5)


def test_http_answers_are_counted_by_route_and_never_by_path(client):
    client.get("/mobileid/core/events/00000000-0000-4000-8000-000000000000")
    found = samples(client.get("/metrics"))
    assert found["http_requests_total", "GET", "mobileid/core/events/<uuid:event_id>", "401"] >= 1


def test_only_who_has_the_token_or_is_on_this_host_reads_them(client, settings):
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    settings.METRICS_TOKEN = "m" * 32
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer " + "m" * 32}).status_code == 200


def test_a_scrape_takes_the_same_number_of_queries_whatever_there_is(client, endpoint, owe, django_assert_num_queries):
    client.get("/metrics")
    with CaptureQueriesContext(connection) as first:
        client.get("/metrics")
    for _ in range(20):
        owe()
    with django_assert_num_queries(len(first)):
        client.get("/metrics")
