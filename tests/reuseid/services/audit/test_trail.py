"""The trail can't be rewritten, by us or by who holds the database."""

import contextlib
import importlib
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry, TrailKey, TrailSeal
from reuseid.services.audit import seals, trail
from tests import database_clock, factories

pytestmark = pytest.mark.django_db
GUARD = importlib.import_module("reuseid.migrations._trail_guard")


@contextlib.contextmanager
def who_holds_the_database():
    """The triggers are no obstacle to the owner of the tables."""
    editor = connection.SchemaEditorClass(connection)
    GUARD.remove(None, editor)
    yield
    GUARD.install(None, editor)


@pytest.fixture
def lines(user):
    for number in range(5):
        trail.record(user, "user.viewed", actor=SYSTEM, changes={"number": number})
    return list(TrailEntry.objects.order_by("pk"))


@pytest.mark.parametrize("what", ["update", "delete"])
def test_the_database_refuses_to_change_or_remove_a_line(lines, what):
    rows = TrailEntry.objects.filter(pk=lines[0].pk)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(actor_id="nobody") if what == "update" else rows.delete()


@pytest.mark.parametrize("what", ["update", "delete"])
def test_the_database_refuses_to_change_or_remove_a_seal(lines, what):
    seals.seal()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        TrailSeal.objects.update(count=1) if what == "update" else TrailSeal.objects.all().delete()


def test_an_untouched_trail_verifies(lines, capsys):
    assert seals.seal().count == len(lines)
    assert seals.seal() is None
    trail.record(lines[0].account, "account.viewed", actor=SYSTEM)
    assert seals.seal().count == 1
    call_command("verify_trail")
    assert "2 seals fit" in capsys.readouterr().out


def test_a_changed_line_is_named(lines):
    seals.seal()
    with who_holds_the_database():
        TrailEntry.objects.filter(pk=lines[3].pk).update(actor_id="somebody else")
    with pytest.raises(CommandError, match=f"Line {lines[3].pk} was changed"):
        call_command("verify_trail")


def test_a_removed_line_is_named(lines):
    seals.seal()
    with who_holds_the_database():
        TrailEntry.objects.filter(pk=lines[2].pk).delete()
    assert seals.verify() == f"Line {lines[2].pk} was removed (seal 1)."


def test_a_line_that_was_put_in_later_is_named(lines):
    with who_holds_the_database():
        TrailEntry.objects.filter(pk=lines[2].pk).delete()
        with database_clock.stopped(timezone.now() - timedelta(hours=1)):
            seals.seal()
        lines[2].save(force_insert=True)
    assert seals.verify() == f"Line {lines[2].pk} was put in after its time."


def test_a_forged_seal_is_noticed(lines):
    seals.seal()
    with who_holds_the_database():
        TrailEntry.objects.filter(pk=lines[0].pk).update(reason="FORGED")
        one = TrailSeal.objects.get()
        secret, leaves = seals.unpack(one)
        leaves[lines[0].pk] = seals.leaf(TrailEntry.objects.get(pk=lines[0].pk), secret)
        one.leaves = seals.pack(secret, leaves)
        one.root = seals.root(list(leaves.values())).hex()
        one.hash = seals.seal_hash(one)
        one.save()
    assert seals.verify().startswith("Seal 1 (lines")


def test_a_key_of_the_forgers_own_is_not_believed(lines):
    seals.seal()
    with who_holds_the_database():
        TrailKey.objects.update(private_key=b"\x01\x03dev" + bytes(60))
    assert "a key that is not ours" in seals.verify()


def test_a_missing_seal_is_noticed(lines):
    seals.seal()
    trail.record(lines[0].account, "account.viewed", actor=SYSTEM)
    seals.seal()
    with who_holds_the_database():
        TrailSeal.objects.filter(number=1).delete()
    assert seals.verify() == "Seal 1 is missing."


def seal_in_the_past(days):
    """The lines that no seal covers are that old, and were sealed then."""
    past = timezone.now() - timedelta(days=days)
    with who_holds_the_database():
        TrailEntry.objects.filter(at__gt=past).update(at=past)
    with database_clock.stopped(past):
        return seals.seal()


def test_lines_go_after_the_retention_time_in_whole_seals(lines, settings):
    seal_in_the_past(366)
    assert seals.purge() == 0
    settings.TRAIL_RETENTION_DAYS = 367
    assert seals.purge() == 0
    settings.TRAIL_RETENTION_DAYS = 365
    assert seals.purge() == len(lines)
    assert list(TrailEntry.objects.values_list("action", flat=True)) == ["trail.purged"]
    assert seals.verify() == ""
    # What went by an earlier retention went rightly.
    settings.TRAIL_RETENTION_DAYS = 0
    assert seals.verify() == ""


def mark(when, **values):
    """What somebody at the database's console writes, who has no key."""
    key = TrailKey.objects.get()
    forged = {"purge_days": 30, "purge_key": key, "purge_signature": "ab" * 64}
    return TrailSeal.objects.update(purged_at=when, **forged | values)


@pytest.mark.parametrize(
    ("days", "when", "values"),
    [
        (1, timedelta(), {}),
        (29, timedelta(), {}),
        (400, timedelta(days=4000), {}),
        (400, timedelta(days=-200), {}),
        (400, timedelta(minutes=-2), {}),
        (400, timedelta(), {"purge_signature": ""}),
        (400, timedelta(), {"purge_key": None}),
        (400, timedelta(), {"at": timezone.now()}),
        (400, timedelta(), {"version": 1}),
    ],
    ids=["young", "29 days", "future", "past", "minutes ago", "unsigned", "keyless", "time too", "version too"],
)
def test_the_database_refuses_a_mark_that_is_not_of_this_moment_on_an_old_seal(lines, settings, days, when, values):
    settings.TRAIL_RETENTION_DAYS = 365
    seal_in_the_past(days)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        mark(timezone.now() + when, **values)
    assert TrailEntry.objects.count() == len(lines)


def test_lines_that_went_by_a_mark_of_somebody_elses_are_noticed(lines, settings):
    """With the triggers in place: they can't judge a signature, `verify` can."""
    settings.TRAIL_RETENTION_DAYS = 365
    seal_in_the_past(400)
    mark(timezone.now() - timedelta(seconds=1))
    TrailEntry.objects.filter(pk__in=[line.pk for line in lines]).delete()
    assert "purged before its time" in seals.verify()


def test_young_lines_stay_whatever_seal_is_marked(lines, settings, user):
    settings.TRAIL_RETENTION_DAYS = 365
    seal_in_the_past(400)
    trail.record(user, "user.viewed", actor=SYSTEM)
    young = TrailEntry.objects.latest("pk")
    with who_holds_the_database():
        TrailSeal.objects.update(last_id=young.pk)
    mark(timezone.now() - timedelta(seconds=1))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        young.delete()


def test_a_mark_whose_times_were_changed_is_noticed(lines, settings):
    settings.TRAIL_RETENTION_DAYS = 365
    seal_in_the_past(400)
    seals.purge()
    assert seals.verify() == ""
    with who_holds_the_database():
        TrailSeal.objects.update(purge_days=1)
    assert "purged before its time" in seals.verify()


def test_a_seal_whose_time_was_changed_is_noticed(lines):
    seals.seal()
    with who_holds_the_database():
        TrailSeal.objects.update(at=timezone.now() - timedelta(days=4000))
    assert "was changed" in seals.verify()


def sealed_as_version(version, made):
    """The seal, made anew over the same lines as a former version did."""
    with who_holds_the_database():
        TrailSeal.objects.filter(pk=made.pk).delete()
        ids = list(seals.unpack(made)[1])
        leaves = {number: seals.leaf(TrailEntry.objects.get(pk=number)) for number in ids}
        made.version, made.leaves = version, seals.pack(b"", leaves)
        made.root = seals.root(list(leaves.values())).hex()
        assert seals._sign(made) is made
    return made


@pytest.mark.parametrize("version", [1, 2])
def test_a_seal_of_a_former_version_still_verifies(lines, settings, user, version):
    made = sealed_as_version(version, seal_in_the_past(400))
    assert TrailSeal.objects.get().version == version
    trail.record(user, "user.viewed", actor=SYSTEM)
    assert seals.seal().previous == made.hash
    assert seals.verify() == ""
    settings.TRAIL_RETENTION_DAYS = 365
    assert seals.purge() == len(lines)
    assert seals.verify() == ""


def test_a_line_that_a_former_version_sealed_is_named_when_it_was_changed(lines):
    sealed_as_version(2, seals.seal())
    with who_holds_the_database():
        TrailEntry.objects.filter(pk=lines[3].pk).update(note="it was not me")
    assert seals.verify() == f"Line {lines[3].pk} was changed (seal 1)."


# Computed on its own, by the code of the release that made them.
LINE = {
    "id": 4711,
    "account_id": UUID("7a54eae1-0e0c-4a2b-a9f1-29fbd0e3c111"),
    "at": datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC),
    "action": "user.locked",
    "object_type": "user",
    "object_id": "0f9d3b52-5d0e-4a6e-9d0c-3d8a1c7b2e11",
    "user_id": UUID("0f9d3b52-5d0e-4a6e-9d0c-3d8a1c7b2e11"),
    "actor_type": "STAFF",
    "actor_id": "12",
    "actor_label": "søren",
    "reason": "OTHER",
    "note": "Case 7",
    "trace_id": "5b1d2c8f9a3e4d7b",
    "changes": {"asked_by": "12", "until": None, "ä": 1.5},
}


def test_what_a_leaf_hashes_stays_as_it_was_sealed():
    """A change of it makes a new version: else every seal that there is would say that its lines were changed."""
    entry, secret = TrailEntry(**LINE), bytes(range(32))
    assert seals.leaf(entry).hex() == "ea3b3b848393a4f517e205e4bcb1ab1c3dfd63fa111fde1f41206d185d1dfffd"
    assert json.loads(seals.leaf_input(entry, secret))["line"] == {
        "id": "4711",
        "time": "2026-01-31T12:00:00.123Z",
        "action": "user.locked",
        "objectType": "user",
        "objectId": "0f9d3b52-5d0e-4a6e-9d0c-3d8a1c7b2e11",
        "actor": {"type": "STAFF"},
        "reason": "OTHER",
        "traceId": "5b1d2c8f9a3e4d7b",
        "changes": {"until": None, "ä": 1.5},
    }
    assert seals.leaf(entry, secret).hex() == "700bb740073b72d84f2fdb1d03eac5c19563bf2f7ba5e533e43c79b6fb86f907"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (1, "bc45adceab7d036b8db3ff030ddc2f44ce679ff68dc8f4391e1aa798b5d9d6e3"),
        (2, "be247e24a1c6b59f47782ba29f4bead4ee2ce7b269223dad053b9486b76c3145"),
        (3, "7292e14305495c91aed513bca13c671f87802293adc45c11a23c29b24c34ac4d"),
    ],
)
def test_what_a_seal_signs_stays_as_it_was_signed(version, expected):
    made = TrailSeal(
        version=version,
        number=2,
        at=LINE["at"],
        first_id=7,
        last_id=11,
        count=4,
        root="ab" * 32,
        previous="cd" * 32,
        key_id=UUID("3c9e7a10-8d52-4f0b-9a6e-5b1d2f4c8e70"),
    )
    assert seals.seal_hash(made) == expected


def test_a_seal_that_only_says_it_is_old_is_not_purged(lines, settings):
    """Its time was not signed: that of its lines is."""
    settings.TRAIL_RETENTION_DAYS = 365
    made = seals.seal()
    made.at = timezone.now() - timedelta(days=4000)
    sealed_as_version(1, made)
    assert seals.purge() == 0
    assert TrailEntry.objects.count() == len(lines)


def test_what_does_not_verify_stays_as_evidence_and_keeps_back_no_other(lines, settings, user):
    settings.TRAIL_RETENTION_DAYS = 365
    seal_in_the_past(500)
    trail.record(user, "user.viewed", actor=SYSTEM)
    seal_in_the_past(400)
    with who_holds_the_database():
        TrailEntry.objects.filter(pk=lines[0].pk).update(reason="FORGED")
    assert seals.purge(limit=1) == 1
    assert TrailEntry.objects.filter(pk__in=[line.pk for line in lines]).count() == len(lines)


def test_a_line_that_commits_late_is_sealed_by_the_next_seal(lines):
    with who_holds_the_database():
        TrailEntry.objects.filter(pk=lines[1].pk).delete()
        seals.seal()
        lines[1].save(force_insert=True)
    assert seals.seal().first_id == lines[1].pk
    assert seals.verify() == ""


def test_every_change_of_a_person_leaves_a_line(account):
    user = factories.make_user(account)
    assert TrailEntry.objects.filter(user_id=user.pk, action="user.created", actor_type="SYSTEM").count() == 1
