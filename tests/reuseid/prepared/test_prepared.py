"""Prepared statements give what the querysets give that they are made of, on both databases."""

import uuid
from datetime import timedelta

import pytest
from django.db import DataError, connection, models
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext

from mobileid.models import Device, Operation
from mobileid.models.operations import OPEN
from reuseid.models import Account, TrailEntry, User
from reuseid.prepared import Insert, Param, Select, Together, Update
from tests import factories
from tests import phone_factories as phones

pytestmark = pytest.mark.django_db
POSTGRESQL = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL joins what SQLite runs in turn.")


@pytest.fixture
def ada(account):
    return factories.make_untold_user(account, external_ref="ada")


def line(account, action="user.seen", **values):
    """A line of the trail, not written."""
    return TrailEntry(account=account, action=action, object_type="user", object_id="1", actor_type="SYSTEM", **values)


def compiled(monkeypatch):
    """The querysets that become SQL from now on."""
    found, as_sql = [], SQLCompiler.as_sql

    def counted(self, *args, **kwargs):
        found.append(self.query)
        return as_sql(self, *args, **kwargs)

    monkeypatch.setattr(SQLCompiler, "as_sql", counted)
    return found


# --- reading ---


def test_a_select_gives_the_instances_of_its_queryset(account, ada, monkeypatch):
    written = Select(lambda: User.objects.select_related("account").filter(account=Param("account"), pk=Param("pk")))
    found = written.one(account=account.pk, pk=ada.pk)
    plain = User.objects.select_related("account").get(pk=ada.pk)
    assert {f.attname: getattr(found, f.attname) for f in User._meta.concrete_fields} == {
        f.attname: getattr(plain, f.attname) for f in User._meta.concrete_fields
    }
    again = compiled(monkeypatch)
    assert written.one(account=account.pk, pk=ada.pk).account == account
    assert again == []


def test_a_select_gives_none_and_nothing_where_there_is_nothing(account):
    nobody = Select(lambda: User.objects.filter(pk=Param("pk")))
    assert nobody.one(pk=uuid.uuid4()) is None
    assert nobody.all(pk=uuid.uuid4()) == []


def test_annotations_outer_joins_and_every_kind_of_column_are_read(account, ada):
    application = phones.make_application(account)
    operation, _ = phones.start_registration(ada, application, requested_attributes=["email"])
    shown = Select(lambda: Operation.objects.as_read().filter(pk=Param("pk")))
    found = shown.one(pk=operation.pk)
    plain = Operation.objects.as_read().get(pk=operation.pk)
    for name in [field.attname for field in Operation._meta.concrete_fields]:
        assert getattr(found, name) == getattr(plain, name)
    assert found.is_overdue is False
    assert found.device is None
    assert found.requested_attributes == ["email"]


def test_what_is_always_the_same_and_a_percent_sign_stay_in_the_text(account):
    factories.make_untold_user(account, external_ref="100%")
    written = Select(lambda: User.objects.filter(external_ref="100%", account=Param("account")))
    assert written.one(account=account.pk).external_ref == "100%"


def test_a_value_that_is_left_out_is_an_error_of_the_caller(account):
    with pytest.raises(KeyError):
        Select(lambda: User.objects.filter(pk=Param("pk"))).one()


# --- writing ---


def test_an_update_says_whether_its_row_was_as_asked(ada):
    lock = Update(
        lambda: User.objects.filter(pk=Param("pk"), status="ACTIVE"),
        status="LOCKED",
        lock_reason=Param("reason"),
        version=F("version") + 1,
        returning=["version"],
    )
    assert lock(pk=ada.pk, reason="DEVICE_LOST")[1] == 2
    assert lock(pk=ada.pk, reason="DECEASED") is None
    ada.refresh_from_db()
    assert (ada.status, ada.lock_reason, ada.version) == ("LOCKED", "DEVICE_LOST", 2)


def test_an_update_takes_conditions_on_other_tables(account, ada):
    active = Account.objects.filter(pk=OuterRef("account_id"), status="ACTIVE")
    touch = Update(lambda: User.objects.filter(Exists(active), pk=Param("pk")), segment=Param("segment"))
    assert touch(pk=ada.pk, segment="one") is not None
    Account.objects.update(status="BLOCKED")
    assert touch(pk=ada.pk, segment="two") is None


def test_an_insert_writes_what_save_writes_and_gives_back_what_the_database_chose(account):
    row = line(account, changes={"a": [1, "ä"]}, user_id=uuid.uuid4())
    Insert(TrailEntry, returning=["id", "at"])(row)
    kept = TrailEntry.objects.get(pk=row.pk)
    assert (kept.at, kept.changes, kept.user_id) == (row.at, row.changes, row.user_id)
    assert not row._state.adding
    saved = line(account, changes={"a": [1, "ä"]}, user_id=row.user_id)
    saved.save()
    saved.refresh_from_db()
    names = [f.attname for f in TrailEntry._meta.concrete_fields if f.attname not in ("id", "at")]
    assert [getattr(kept, name) for name in names] == [getattr(saved, name) for name in names]


def test_a_given_value_comes_before_the_default_of_the_database(account):
    given = TrailEntry.objects.create(account=account, action="user.seen").at - timedelta(days=1)
    row = line(account, at=given)
    Insert(TrailEntry)(row)
    assert TrailEntry.objects.latest("pk").at == given


@POSTGRESQL
def test_a_text_that_is_too_long_is_refused_and_never_cut(account):
    with pytest.raises(DataError, match="too long"):
        Insert(TrailEntry)(line(account, reason="x" * 65))


def test_an_expression_stands_in_for_a_value(account, ada):
    application = phones.make_application(account)
    operation, _ = phones.start_registration(ada, application)
    operation.pk, operation.code_index, operation.lasts = uuid.uuid4(), None, timedelta(minutes=3)
    ends = ExpressionWrapper(Now() + Param("lasts", models.DurationField()), output_field=DateTimeField())
    Insert(Operation, expires_at=ends, returning=["expires_at"])(operation)
    left = Operation.objects.filter(pk=operation.pk).annotate(now=Now()).get()
    assert timedelta(minutes=2) < left.expires_at - left.now <= timedelta(minutes=3)
    assert operation.expires_at == left.expires_at


def test_or_nothing_leaves_the_first_row(account):
    once = Insert(User, or_nothing=True)
    first = User(account=account, external_ref="one")
    assert once(first) is not None
    assert once(User(account=account, external_ref="one")) is None
    assert User.objects.get(external_ref="one").pk == first.pk


# --- together ---


def moving():
    """Lock a person, and say so in the trail."""
    return Together(
        moved=Update(lambda: User.objects.filter(pk=Param("pk"), status="ACTIVE"), status="LOCKED"),
        line=Insert(TrailEntry, returning=["id"], after="moved"),
        further=Insert(TrailEntry, after="line"),
    )


def test_what_comes_after_is_written_with_what_comes_before(account, ada):
    rows = [line(account, "user.locked"), line(account, "user.told")]
    done = moving()(moved={"pk": ada.pk}, line=rows[0], further=rows[1])
    assert all(done.values())
    assert set(TrailEntry.objects.values_list("action", flat=True)) >= {"user.locked", "user.told"}
    assert TrailEntry.objects.get(action="user.locked").pk == rows[0].pk


def test_what_comes_after_nothing_is_not_written(account, ada):
    User.objects.update(status="LOCKED")
    before = TrailEntry.objects.count()
    done = moving()(moved={"pk": ada.pk}, line=line(account), further=line(account))
    assert done == {"moved": None, "line": None, "further": None}
    assert TrailEntry.objects.count() == before


def test_a_select_stands_beside_what_is_written(account, ada):
    both = Together(
        line=Insert(TrailEntry, returning=["id"]),
        person=Select(lambda: User.objects.select_related("account").filter(pk=Param("pk"))),
    )
    done = both(line=line(account), person={"pk": ada.pk})
    assert done["person"] == ada
    assert done["person"].account == account
    assert both(line=line(account), person={"pk": uuid.uuid4()})["person"] is None


@POSTGRESQL
def test_on_postgresql_together_is_one_statement(account, ada):
    with CaptureQueriesContext(connection) as captured:
        moving()(moved={"pk": ada.pk}, line=line(account), further=line(account))
    assert len(captured.captured_queries) == 1


@POSTGRESQL
def test_a_partial_index_is_found_by_a_prepared_plan(account, ada):
    """What is always the same is in the text; as a parameter it would hide the index from a plan for all values."""
    overdue = Select(lambda: Operation.objects.filter(expires_at__lt=Param("now"), status__in=OPEN))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE overdue(timestamptz) AS {overdue.plan().text.sql.replace('%s', '$1')}")
        cursor.execute("EXPLAIN EXECUTE overdue('2026-01-01')")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("DEALLOCATE overdue")
    assert "operation_overdue" in plan


def test_a_filtered_relation_is_there_or_not(account, ada):
    relation = models.FilteredRelation("devices", condition=models.Q(devices__pk=Param("device")))
    application = phones.make_application(account)
    named = Select(
        lambda: (
            type(application)
            .objects.filter(pk=Param("pk"))
            .annotate(named=relation)
            .select_related("account", "named__user")
        )
    )
    found = named.one(pk=application.pk, device=None)
    assert found == application
    assert not hasattr(found, "named")
    device = Device.objects.create(
        account=account, application=application, user=ada, name="x", possession_jwk={}, possession_thumbprint="x"
    )
    assert named.one(pk=application.pk, device=device.pk).named.user == ada
