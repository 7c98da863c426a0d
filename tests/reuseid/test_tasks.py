"""What runs by the clock."""

from datetime import timedelta

import pytest
from django.utils import timezone
from oauth2_provider.models import AccessToken

from config.celery import app
from reuseid import tasks, tracing
from reuseid.models import IdempotencyKey, TrailSeal, User
from tests import factories

pytestmark = pytest.mark.django_db


def test_every_task_of_the_schedule_is_there(settings):
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_the_clock_unlocks_erases_seals_and_purges(api, account, user):
    api.post(f"/reuseid/core/users/{user.pk}/lock", {"reason": "DEVICE_LOST"}, headers={"Idempotency-Key": "k"})
    User.objects.filter(pk=user.pk).update(locked_until=timezone.now() - timedelta(seconds=1))
    gone = factories.make_user(account, external_ref="gone")
    api.post(f"/reuseid/core/users/{gone.pk}/erase", {"reason": "CUSTOMER_REQUEST"})
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    for task in (tasks.end_locks, tasks.erase_users, tasks.seal_trail, tasks.purge):
        task()
    assert User.objects.get(pk=user.pk).status == "ACTIVE"
    assert User.objects.get(pk=gone.pk).erased_at
    assert TrailSeal.objects.count() == 1
    assert not IdempotencyKey.objects.exists()
    assert not AccessToken.objects.exists()


def test_protocol_rows_that_have_served_go(account):
    from mobileid.models import Nonce
    from mobileid.tasks import purge

    now = timezone.now()
    for number, minutes in enumerate((-1, 1)):
        Nonce.objects.create(value=str(number), purpose="operation", expires_at=now + timedelta(minutes=minutes))
    purge()
    assert list(Nonce.objects.values_list("value", flat=True)) == ["1"]


def test_each_task_has_a_trace_id_of_its_own():
    with tracing.within("before"):
        seen = []
        for _ in range(2):
            tasks.end_locks.apply()
            seen.append(tracing.current())
    assert len({"before", "", *seen}) == 4


def test_a_sweep_that_nobody_began_in_time_is_dropped(settings):
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        seconds = entry["schedule"].run_every.total_seconds()
        assert 10 <= entry["options"]["expires"] <= max(seconds, 30), name
