"""Rivals over one bulk act: each row once, nothing after it was stopped."""

import pytest

from reuseid.actors import Actor
from reuseid.errors import WrongState
from reuseid.models import BulkRow, BulkRun, Event, TrailEntry, User
from reuseid.services import leases
from reuseid.services.jobs import bulk, exported_people, exports
from tests import factories
from tests.rivals import race
from tests.staff_factories import make_colleague

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def senior(account):
    return make_colleague("kim", "Senior support", account)


@pytest.fixture
def run(account, senior):
    references = [f"c-{number}" for number in range(40)]
    for reference in references:
        factories.make_user(account, external_ref=reference)
    return bulk.draft(account, references, actor=Actor.staff(senior), kind="user", act="lock", reason="SUSPECTED_FRAUD")


def work(run):
    """A worker that believes the run to be its own, whatever the lease says."""
    while bulk._step(run.pk):
        pass


def test_workers_who_all_believe_the_run_to_be_theirs_do_each_row_once(run, senior):
    bulk.start(run, actor=Actor.staff(senior))
    assert race(*[lambda: work(run)] * 4) == [None] * 4
    assert BulkRun.objects.get().status == "FINISHED"
    assert set(run.rows.values_list("status", flat=True)) == {"DONE"}
    assert TrailEntry.objects.filter(action="user.locked").count() == 40
    assert Event.objects.filter(type="user.locked").count() == 40
    assert TrailEntry.objects.filter(action="bulk_run.finished").count() == 1


def test_a_run_is_one_workers(run, senior):
    def claim():
        return leases.claim(bulk.owed(), bulk.LEASE)

    bulk.start(run, actor=Actor.staff(senior))
    assert sorted(str(answer) for answer in race(*[claim] * 4)) == sorted([str(run.pk), *["None"] * 3])


def test_two_clicks_start_it_once(run, senior):
    def click():
        return bulk.start(BulkRun.objects.get(), actor=Actor.staff(senior))

    answers = race(*[click] * 4)
    assert sum(isinstance(answer, WrongState) for answer in answers) == 3
    assert TrailEntry.objects.filter(action="bulk_run.started").count() == 1


def test_once_it_is_said_to_be_stopped_nothing_more_changes(run, senior):
    bulk.start(run, actor=Actor.staff(senior))
    locked = []

    def stop():
        while not BulkRow.objects.filter(status="DONE").exists():
            pass
        bulk.stop(BulkRun.objects.get(), actor=Actor.staff(senior))
        locked.append(User.objects.filter(status="LOCKED").count())

    race(lambda: work(run), lambda: work(run), stop)
    assert User.objects.filter(status="LOCKED").count() == locked[0]
    done = BulkRow.objects.filter(status="DONE").count()
    assert done == locked[0] == TrailEntry.objects.filter(action="user.locked").count()
    assert BulkRow.objects.filter(status="SKIPPED").count() == 40 - done
    assert BulkRun.objects.get().status == "STOPPED"


def test_workers_who_all_believe_an_export_to_be_theirs_make_each_part_once(account, senior, monkeypatch):
    monkeypatch.setattr(exported_people, "BATCH", 5)
    User.objects.bulk_create(User(account=account, external_ref=f"m-{number}") for number in range(60))
    export = exports.ask(account, actor=Actor.staff(senior), kind="users", reason="COMPLIANCE")

    def make():
        while exports._step(export.pk):
            pass

    assert race(*[make] * 4) == [None] * 4
    export.refresh_from_db()
    assert (export.status, export.row_count, export.part_count) == ("READY", 60, 13)
    text = b"".join(exports.part(export, number) for number in range(13)).decode()
    references = [line.split(",")[1].strip('"') for line in text.splitlines()[1:]]
    assert sorted(references) == sorted(f"m-{number}" for number in range(60))
