"""Bulk acts and exports in real workers: carried out, killed in the middle, taken up again."""

import psycopg
import pytest

from reuseid.actors import Actor
from reuseid.models import BulkRun, Event, Export, TrailEntry, User
from reuseid.services.jobs import bulk, exports
from tests import factories
from tests.faults.processes import database_url, until
from tests.staff_factories import make_colleague

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
    run = bulk.draft(account, NAMES, actor=Actor.staff(senior), kind="user", act="lock", reason="SUSPECTED_FRAUD")
    return bulk.start(run, actor=Actor.staff(senior))


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


def test_a_worker_killed_while_it_makes_an_export_leaves_neither_gap_nor_repeat(account, stage):
    senior = make_colleague("kim", "Senior support", account)
    User.objects.bulk_create(User(account=account, external_ref=f"m-{number}") for number in range(1500))
    export = exports.ask(account, actor=Actor.staff(senior), kind="users", reason="COMPLIANCE")
    with psycopg.connect(database_url()) as rival:
        # Its first part has to wait for this.
        rival.execute("LOCK TABLE reuseid_exportpart IN SHARE MODE")
        stage.beat()
        stage.worker(queues="bulk")
        until(lambda: Export.objects.get().lease_until, 60, "a claim")
        stage.kill("worker")
        rival.rollback()
    Export.objects.update(lease_until=None)
    stage.worker(queues="bulk")
    until(lambda: Export.objects.get().status == "READY", 60, "the file")
    export.refresh_from_db()
    text = b"".join(exports.part(export, number) for number in range(export.part_count)).decode()
    references = [line.split(",")[1].strip('"') for line in text.splitlines()[1:]]
    assert sorted(references) == sorted(f"m-{number}" for number in range(1500))
    assert export.part_count == 4
