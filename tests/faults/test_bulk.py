"""Bulk acts in real workers: carried out, killed in the middle, taken up again."""

import psycopg
import pytest

from reuseid.models import BulkRun, Event, TrailEntry, User
from reuseid.services import bulk
from tests import factories
from tests.faults.stage import database_url, until
from tests.reuseid.admin.cast import make_colleague

pytestmark = [
    pytest.mark.faults,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]
NAMES = [f"c-{number}" for number in range(5)]


@pytest.fixture
def run(account):
    senior = make_colleague("kim", "Senior support", account)
    for name in NAMES:
        factories.make_user(account, external_ref=name)
    run = bulk.draft(account, NAMES, by=senior, kind="user", act="lock", reason="SUSPECTED_FRAUD")
    return bulk.start(run, by=senior)


def finished():
    return BulkRun.objects.get().status == "FINISHED"


def each_once():
    lines = TrailEntry.objects.filter(action="user.locked").values_list("user_id", flat=True)
    people = sorted(User.objects.filter(status="LOCKED").values_list("pk", flat=True))
    events = sorted(Event.objects.filter(type="user.locked").values_list("user_id", flat=True))
    return sorted(lines) == people == events and len(people) == len(NAMES)


def test_a_worker_of_the_queue_carries_it_out(run, stage):
    stage.beat()
    stage.worker(queues="bulk")
    until(finished, 60, "the end of the run")
    assert each_once()


def test_killed_in_the_middle_of_a_row_the_next_worker_goes_on_there(run, stage):
    third = User.objects.get(external_ref="c-2")
    with psycopg.connect(database_url()) as rival:
        rival.execute("SELECT 1 FROM reuseid_user WHERE id = %s FOR UPDATE", [third.pk])
        stage.beat()
        stage.worker(queues="bulk")
        until(lambda: run.rows.filter(status="DONE").count() == 2, 60, "two rows")
        stage.kill("worker")
        rival.rollback()
    assert not finished()
    # Which would be over by itself in half a minute.
    BulkRun.objects.update(lease_until=None)
    stage.worker(queues="bulk")
    until(finished, 60, "the end of the run")
    assert each_once()
