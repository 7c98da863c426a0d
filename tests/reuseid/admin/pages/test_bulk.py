"""Bulk acts: a dry run by the same code, carried out row by row, once, by who may, until it is stopped."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reuseid import tasks
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Invalid, WrongState
from reuseid.models import BulkRow, BulkRun, Event, TrailEntry, User
from reuseid.services import leases, purging
from reuseid.services.jobs import bulk
from reuseid.services.people import users
from reuseid.services.staff import rights
from tests import factories
from tests.staff_factories import REASON, page, rows_of, said

pytestmark = pytest.mark.django_db
WHY = {"reason": "SUSPECTED_FRAUD", "note": "A leaked list."}
ADD = "/admin/reuseid/bulkrun/add/"


@pytest.fixture
def people(account):
    return [factories.make_user(account, external_ref=f"c-{number}") for number in range(4)]


@pytest.fixture
def dry(senior, account):
    """`dry(*lines, act="lock")`: senior's dry run."""

    def call(*lines, act="lock", **values):
        lines = [str(line) for line in lines]
        return bulk.draft(account, lines, actor=Actor.staff(senior.staff), kind="user", act=act, **{**WHY, **values})

    return call


def states(people):
    return [User.objects.get(pk=user.pk).status for user in people]


def rows(run):
    return [(row.line, row.foreseen, row.status) for row in run.rows.order_by("line")]


def carry_out(run, senior):
    bulk.start(run, actor=Actor.staff(senior.staff))
    assert bulk.carry_out_owed()
    run.refresh_from_db()


# The dry run


def test_a_dry_run_says_for_each_line_what_would_happen_and_changes_nothing(dry, people, other_account):
    theirs = factories.make_user(other_account, external_ref="theirs")
    users.lock(people[1], actor=SYSTEM, reason="COMPLIANCE")
    users.deactivate(people[2], actor=SYSTEM, reason="DECEASED")
    lines, events = TrailEntry.objects.count(), Event.objects.count()
    run = dry("c-0", people[1].pk, "c-2", theirs.pk, "theirs", "nobody@example.com", people[0].pk)
    assert [row.foreseen for row in run.rows.order_by("line")] == [
        *("DONE", "ALREADY", "REFUSED", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND", "TWICE")
    ]
    assert states(people) == ["ACTIVE", "LOCKED", "DEACTIVATED", "ACTIVE"]
    assert (TrailEntry.objects.count(), Event.objects.count()) == (lines, events)
    assert run.rows.get(line=3).message == "It is DEACTIVATED, so it can't become LOCKED."
    assert run.rows.get(line=7).message == "Line 1 names it already."


def test_what_was_typed_is_kept_only_where_it_named_nobody_and_sealed(dry, people):
    run = dry("c-0", "nobody@example.com")
    first, second = run.rows.order_by("line")
    assert first.typed is None
    assert b"nobody" not in bytes(second.typed)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM reuseid_bulkrow")
        assert "nobody@example" not in str(cursor.fetchall())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\n\n  b \r\nc", ["a", "b", "c"]),
        ("Doe, Jane\nb", ["Doe, Jane", "b"]),
        ("userId,state\n1,ACTIVE\n2,LOCKED", ["1", "2"]),
        ('segment;"externalRef"\nx;"a;b"\ny;c', ["a;b", "c"]),
        ("name\tdeviceId\nx\t7", ["7"]),
    ],
)
def test_lines_and_columns_of_a_csv_are_read(text, lines):
    assert bulk.lines_of(text) == lines


@pytest.mark.parametrize("text", ["", " \n ", "userId\n", "x" * 201, "\n".join(str(n) for n in range(101))])
def test_too_little_and_too_much_is_refused(text):
    with pytest.raises(Invalid):
        bulk.lines_of(text)


def test_only_what_is_offered_is_done_to_many(dry, people):
    with pytest.raises(Invalid):
        dry("c-0", act="deactivate")
    with pytest.raises(Invalid):
        dry("c-0", reason="BOREDOM")


def test_an_end_that_is_over_is_refused_row_by_row(dry, people):
    run = dry("c-0", until=timezone.now() - timedelta(minutes=1))
    assert rows(run) == [(1, "REFUSED", "WAITING")]


# Carrying out


def test_each_row_is_carried_out_with_its_own_line_and_event(dry, senior, people):
    users.lock(people[3], actor=SYSTEM, reason="COMPLIANCE")
    run = dry("c-0", "c-1", "c-3", "nobody")
    users.deactivate(people[1], actor=SYSTEM, reason="DECEASED")
    carry_out(run, senior)
    assert run.status == "FINISHED"
    assert rows(run) == [
        (1, "DONE", "DONE"),
        (2, "DONE", "REFUSED"),
        (3, "ALREADY", "ALREADY"),
        (4, "NOT_FOUND", "NOT_FOUND"),
    ]
    assert states(people) == ["LOCKED", "DEACTIVATED", "ACTIVE", "LOCKED"]
    line = TrailEntry.objects.get(action="user.locked", user_id=people[0].pk)
    assert (line.actor_label, line.reason, line.note) == ("kim", WHY["reason"], WHY["note"])
    assert line.trace_id == f"bulk-{run.pk}"
    assert Event.objects.filter(type="user.locked", user_id=people[0].pk).count() == 1
    end = TrailEntry.objects.get(action="bulk_run.finished")
    assert end.changes == {"rows": {"DONE": 1, "REFUSED": 1, "ALREADY": 1, "NOT_FOUND": 1}}


def test_locks_may_end_and_unlocking_takes_no_end(dry, senior, people):
    until = timezone.now() + timedelta(hours=1)
    carry_out(dry("c-0", "c-1", until=until), senior)
    assert abs(User.objects.get(pk=people[0].pk).locked_until - until) < timedelta(seconds=1)
    carry_out(dry("c-0", "c-1", act="unlock", until=until), senior)
    assert states(people) == ["ACTIVE"] * 4


def test_the_task_carries_it_out(dry, senior, people):
    bulk.start(dry("c-0"), actor=Actor.staff(senior.staff))
    tasks.carry_out_bulk_runs()
    assert states(people)[0] == "LOCKED"


def test_a_run_is_started_once_by_its_asker_within_the_hour(dry, senior, administrator, people, account):
    run = dry("c-0")
    with pytest.raises(rights.NotAllowed):
        bulk.start(run, actor=Actor.staff(administrator.staff))
    BulkRun.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    with pytest.raises(bulk.Conflict, match="older than an hour"):
        bulk.start(run, actor=Actor.staff(senior.staff))
    BulkRun.objects.update(created_at=timezone.now())
    bulk.start(run, actor=Actor.staff(senior.staff))
    with pytest.raises(WrongState):
        bulk.start(BulkRun.objects.get(pk=run.pk), actor=Actor.staff(senior.staff))
    assert TrailEntry.objects.filter(action="bulk_run.started").count() == 1


@pytest.mark.parametrize("how", ["shut out", "role", "account", "right"])
def test_a_colleague_who_may_not_any_more_changes_nothing_more(dry, senior, people, how):
    run = dry("c-0", "c-1", "c-2")
    bulk.start(run, actor=Actor.staff(senior.staff))
    run_id = leases.claim(bulk.owed(), bulk.LEASE)
    assert bulk._step(run_id)
    if how == "shut out":
        senior.staff.is_active = False
        senior.staff.save()
    elif how == "account":
        senior.staff.accounts.clear()
    else:
        senior.staff.groups.clear()
    assert not bulk._step(run_id)
    run.refresh_from_db()
    assert (run.status, states(people)) == ("STOPPED", ["LOCKED", "ACTIVE", "ACTIVE", "ACTIVE"])
    assert [status for _line, _foreseen, status in rows(run)] == ["DONE", "SKIPPED", "SKIPPED"]
    assert TrailEntry.objects.get(action="bulk_run.stopped").actor_type == "SYSTEM"


def test_a_run_whose_worker_died_goes_on_when_the_lease_is_over(dry, senior, people):
    run = dry("c-0", "c-1")
    bulk.start(run, actor=Actor.staff(senior.staff))
    bulk._step(leases.claim(bulk.owed(), bulk.LEASE))
    assert leases.claim(bulk.owed(), bulk.LEASE) is None
    assert bulk.carry_out_owed()
    assert states(people)[:2] == ["LOCKED", "ACTIVE"]
    BulkRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert bulk.carry_out_owed()
    assert states(people)[:2] == ["LOCKED", "LOCKED"]
    assert TrailEntry.objects.filter(action="user.locked").count() == 2


def test_a_task_whose_time_is_over_leaves_the_rest_to_the_next(dry, senior, people):
    run = dry("c-0", "c-1", "c-2")
    bulk.start(run, actor=Actor.staff(senior.staff))
    assert not bulk.carry_out_owed(seconds=0)
    assert states(people) == ["LOCKED", "ACTIVE", "ACTIVE", "ACTIVE"]
    assert bulk.carry_out_owed()
    assert states(people) == ["LOCKED", "LOCKED", "LOCKED", "ACTIVE"]


def test_an_error_of_one_row_that_nobody_foresaw_does_not_hold_the_others(dry, senior, people, monkeypatch, caplog):
    from reuseid import signals

    def fail(sender, *, user, **kwargs):
        if user.pk == people[0].pk:
            raise RuntimeError("bug")

    run = dry("c-0", "c-1")
    signals.user_locked.connect(fail)
    try:
        carry_out(run, senior)
    finally:
        signals.user_locked.disconnect(fail)
    assert rows(run) == [(1, "DONE", "REFUSED"), (2, "DONE", "DONE")]
    assert states(people)[:2] == ["ACTIVE", "LOCKED"]


def test_what_is_old_goes(dry, senior, people):
    run, forgotten, running = dry("c-0"), dry("c-1"), dry("c-2")
    carry_out(run, senior)
    bulk.start(running, actor=Actor.staff(senior.staff))
    assert bulk.purge(10) == 0
    BulkRun.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert bulk.purge(10) == 1
    assert not BulkRun.objects.filter(pk=forgotten.pk).exists()
    BulkRun.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert purging.purge()["bulk acts"] == 1
    assert list(BulkRow.objects.values_list("run_id", flat=True)) == [running.pk]


# In the back office


def sent(account, lines, what="user.lock", **values):
    return {**REASON, "what": what, "account": str(account.pk), "lines": lines, **values}


def test_senior_support_pastes_sees_carries_out_and_downloads(senior, account, people):
    response = senior.post(ADD, sent(account, "c-0\nc-1\n=nobody()"))
    run = BulkRun.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(run))
    shown = senior.get(page(run)).content.decode()
    assert shown.count("would be locked") == 2
    assert "not found" in shown
    assert "=nobody()" in shown
    assert states(people)[0] == "ACTIVE"
    response = senior.post(page(run, "carry-out"), {"_form_submitted": "on"}, follow=True)
    assert said(response) == ["It is being carried out."]
    assert "hx-get" in response.content.decode()
    bulk.carry_out_owed()
    assert states(people)[:3] == ["LOCKED", "LOCKED", "ACTIVE"]
    shown = senior.get(page(run)).content.decode()
    assert 'hx-get="/admin/reuseid/bulkrun' not in shown
    assert page(people[0]) in shown
    answer = senior.get(page(run, "results.csv").rstrip("/"))
    assert "no-store" in answer["Cache-Control"]
    table = list(csv.reader(io.StringIO(answer.content.decode())))
    assert table[1] == ["1", str(people[0].pk), "", "DONE", "DONE", ""]
    assert table[3][2:5] == ["'=nobody()", "NOT_FOUND", "NOT_FOUND"]


def test_a_link_carries_nothing_out(senior, account, people):
    senior.post(ADD, sent(account, "c-0"))
    run = BulkRun.objects.get()
    assert senior.get(page(run, "carry-out")).status_code == 200
    assert BulkRun.objects.get().status == "DRAFT"


def test_the_list_leads_to_the_form_with_what_was_chosen(senior, people):
    chosen = {"action": "bulk_lock", "_selected_action": [str(user.pk) for user in people[:2]]}
    response = senior.post(rows_of(User), chosen)
    assert response.status_code == 200
    form = response.context["form"]
    assert set(form["lines"].value().split()) == {str(user.pk) for user in people[:2]}
    assert form["what"].value() == "user.lock"
    assert not BulkRun.objects.exists()


def test_choosing_all_pages_is_held_by_the_ceiling(senior, people, settings):
    settings.BULK_LIMIT = 3
    chosen = {"action": "bulk_lock", "select_across": "1", "_selected_action": str(people[0].pk)}
    response = senior.post(rows_of(User), chosen, follow=True)
    assert said(response) == ["At most 3 at once."]


def test_people_of_two_accounts_are_not_mixed(root, people, other_account):
    theirs = factories.make_user(other_account)
    chosen = {"action": "bulk_lock", "_selected_action": [str(people[0].pk), str(theirs.pk)]}
    response = root.post(rows_of(User), chosen, follow=True)
    assert said(response) == ["They belong to different accounts: filter by one account first."]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"lines": ""}, "This field is required"),
        ({"lines": "\n".join(str(n) for n in range(101))}, "At most 100 lines at once; these are 101."),
        ({"reason": ""}, "This field is required"),
        ({"reason": "OTHER", "note": ""}, "OTHER needs a note."),
        ({"what": "user.deactivate"}, "is not one of the available choices"),
    ],
)
def test_a_form_that_is_wrong_is_shown_again(senior, account, people, change, complaint):
    response = senior.post(ADD, {**sent(account, "c-0"), **change})
    assert complaint in response.content.decode()
    assert not BulkRun.objects.exists()


def test_the_form_offers_no_account_of_others(senior, other_account, people):
    response = senior.post(ADD, sent(other_account, "c-0"))
    assert response.status_code == 200
    assert not BulkRun.objects.exists()


def test_support_and_auditor_act_on_nobody_in_bulk(support, auditor, senior, account, people):
    senior.post(ADD, sent(account, "c-0"))
    run = BulkRun.objects.get()
    chosen = {"action": "bulk_lock", "_selected_action": str(people[0].pk)}
    for browser in (support, auditor):
        assert browser.get(ADD).status_code == 403
        assert browser.post(ADD, sent(account, "c-0")).status_code == 403
        assert browser.post(page(run, "carry-out"), {"_form_submitted": "on"}).status_code == 403
        assert browser.post(rows_of(User), chosen).status_code == 405
        assert "bulk_lock" not in browser.get(rows_of(User)).content.decode()
    assert auditor.get(page(run)).status_code == 200
    assert support.get(page(run)).status_code == 403
    assert BulkRun.objects.get().status == "DRAFT"


def test_a_stranger_sees_no_run_and_stops_none(senior, stranger, account, people):
    senior.post(ADD, sent(account, "c-0"))
    run = BulkRun.objects.get()
    bulk.start(run, actor=Actor.staff(senior.staff))
    assert page(run) not in stranger.get(rows_of(BulkRun)).content.decode()
    assert stranger.get(page(run)).status_code == 302
    assert stranger.get(page(run, "progress")).status_code == 404
    assert stranger.get(page(run, "results.csv").rstrip("/")).status_code == 404
    assert stranger.post(page(run, "stop"), {"_form_submitted": "on"}).status_code == 403
    assert BulkRun.objects.get().status == "RUNNING"


def test_another_senior_may_stop_it(senior, dry, people, account):
    from tests.staff_factories import browser_of, make_colleague

    run = dry("c-0", "c-1")
    bulk.start(run, actor=Actor.staff(senior.staff))
    other = browser_of(make_colleague("noor", "Senior support", account))
    response = other.post(page(run, "stop"), {"_form_submitted": "on"}, follow=True)
    assert said(response) == ["It is stopped."]
    assert "Stopped by noor." in response.content.decode()
    bulk.carry_out_owed()
    assert states(people)[:2] == ["ACTIVE", "ACTIVE"]


def test_the_bar_asks_again_while_it_runs_and_at_last_no_more(senior, dry, people):
    run = dry("c-0", "c-1")
    bulk.start(run, actor=Actor.staff(senior.staff))
    answer = senior.get(page(run, "progress"))
    assert "0 of 2 rows." in answer.content.decode()
    assert "look=1" in answer.content.decode()
    assert "hx-get" not in senior.get(page(run, "progress", look=90)).content.decode()
    bulk.carry_out_owed()
    answer = senior.get(page(run, "progress"))
    assert "2 of 2 rows." in answer.content.decode()
    assert answer["HX-Refresh"] == "true"


def test_the_page_costs_as_many_queries_for_one_row_as_for_many(senior, dry, people, account):
    def queries(run):
        with CaptureQueriesContext(connection) as seen:
            assert senior.get(page(run)).status_code == 200
        return len(seen)

    one = dry("c-0")
    for number in range(30):
        factories.make_user(account, external_ref=f"m-{number}")
    many = dry(*[f"m-{number}" for number in range(30)], "c-0")
    assert queries(one) == queries(many) <= 9
    carry_out(one, senior)
    carry_out(many, senior)
    assert queries(one) == queries(many) <= 12
