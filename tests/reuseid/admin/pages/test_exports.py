"""Exports: with a reason, masked, in the background, for the asker alone, deleted after a day."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reuseid import tasks
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Conflict, Invalid, Unknown, WrongState
from reuseid.models import AttributeKey, Export, ExportPart, TrailEntry, User
from reuseid.services import leases
from reuseid.services.jobs import export_kinds, exported_people, exports
from reuseid.services.people import users
from reuseid.services.staff import rights
from tests import factories
from tests.staff_factories import REASON, browser_of, make_colleague, page, rows_of, said

pytestmark = pytest.mark.django_db
SECRET = "hush-7391-unique"
PEOPLE, ALL, TRAIL = (
    "/admin/reuseid/user/export/",
    "/admin/reuseid/user/export-all/",
    "/admin/reuseid/trailentry/export/",
)


@pytest.fixture
def people(account):
    AttributeKey.objects.create(account=account, name="tier", sensitive=False)
    AttributeKey.objects.create(account=account, name="ssn")
    return [
        factories.make_user(
            account, external_ref=f"c-{number}", attributes={"tier": "gold", "ssn": f"{SECRET}-{number}"}
        )
        for number in range(3)
    ]


@pytest.fixture
def asked(senior, account):
    """`asked(**values)`: senior's export, made."""

    def call(asker=None, **values):
        export = exports.ask(
            account,
            actor=Actor.staff(asker or senior.staff),
            **{"kind": "users", "reason": "COMPLIANCE", **values},
        )
        assert exports.make_owed()
        export.refresh_from_db()
        return export

    return call


def text_of(export):
    return b"".join(exports.part(export, number) for number in range(export.part_count)).decode()


def table(export):
    return list(csv.DictReader(io.StringIO(text_of(export).removeprefix("\ufeff"))))


# What is in it


def test_sensitive_values_are_masked_unless_asked_for(asked, people):
    masked = asked(attributes=True)
    assert SECRET not in text_of(masked)
    rows = table(masked)
    assert [row["externalRef"] for row in rows] == ["c-0", "c-1", "c-2"]
    assert {(row["attributes.tier"], row["attributes.ssn"]) for row in rows} == {("gold", exported_people.MASKED)}
    assert "attributes.ssn" not in table(asked())[0]
    whole = asked(attributes=True, sensitive=True)
    assert [row["attributes.ssn"] for row in table(whole)] == [f"{SECRET}-{number}" for number in range(3)]


def test_a_name_that_became_sensitive_meanwhile_is_masked(senior, account, people):
    export = exports.ask(account, actor=Actor.staff(senior.staff), kind="users", reason="COMPLIANCE", attributes=True)
    AttributeKey.objects.filter(name="tier").update(sensitive=True)
    exports.make_owed()
    export.refresh_from_db()
    assert {row["attributes.tier"] for row in table(export)} == {exported_people.MASKED}


def test_masked_values_are_not_even_opened(asked, people, monkeypatch):
    from reuseid.services.people import attributes

    opened = []
    real = attributes.value_of
    monkeypatch.setattr(attributes, "value_of", lambda attribute: opened.append(attribute.name) or real(attribute))
    asked(attributes=True)
    assert set(opened) == {"tier"}


def test_the_columns_are_those_of_the_guide(asked, people):
    from tests.config.test_settings import ROOT

    guide = (ROOT / "docs" / "back-office.md").read_text()
    for name in (*export_kinds.USER_COLUMNS, *export_kinds.TRAIL_COLUMNS):
        assert f"`{name}`" in guide, name


def test_nothing_lies_open_in_the_database(asked, people):
    asked(attributes=True, sensitive=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM reuseid_exportpart")
        assert SECRET.encode() not in b"".join(bytes(row[0]) for row in cursor.fetchall())


def test_a_part_moved_to_another_place_does_not_open(asked, people):
    from reuseid.crypto import Unreadable

    export = asked()
    ExportPart.objects.filter(number=0).delete()
    ExportPart.objects.filter(number=1).update(number=0)
    with pytest.raises(Unreadable):
        exports.part(export, 0)


def test_formulas_are_escaped_and_excel_gets_its_mark(asked, account):
    factories.make_user(account, external_ref="=HYPERLINK(evil)", segment="@sum")
    export = asked(bom=True)
    assert text_of(export).startswith("\ufeff")
    assert (table(export)[0]["externalRef"], table(export)[0]["segment"]) == ("'=HYPERLINK(evil)", "'@sum")
    assert not text_of(asked()).startswith("\ufeff")


def test_filters_choose(asked, people, other_account):
    factories.make_user(other_account, external_ref="theirs")
    users.lock(people[1], actor=SYSTEM, reason="COMPLIANCE")
    assert [row["externalRef"] for row in table(asked(filters={"status": "LOCKED"}))] == ["c-1"]
    today = timezone.now().date().isoformat()
    assert len(table(asked(filters={"created_at_from": today, "created_at_to": today}))) == 3
    assert table(asked(filters={"created_at_to": "2020-01-01"})) == []


@pytest.mark.parametrize(
    "filters",
    [
        {"status": "nonsense"},
        {"created_at_from": "yesterday"},
        {"created_at_to": "20260101"},
        {"attributes__blind_index": "00"},
        {"q": "x"},
    ],
)
def test_other_filters_are_refused(senior, account, filters):
    with pytest.raises(Invalid):
        exports.ask(account, actor=Actor.staff(senior.staff), kind="users", reason="COMPLIANCE", filters=filters)


def test_many_batches_miss_nobody_and_repeat_nobody(asked, account, monkeypatch):
    monkeypatch.setattr(exported_people, "BATCH", 4)
    User.objects.bulk_create(User(account=account, external_ref=f"m-{number}") for number in range(18))
    export = asked()
    assert sorted(row["externalRef"] for row in table(export)) == sorted(f"m-{number}" for number in range(18))
    assert (export.row_count, export.expected, export.part_count) == (18, 18, 6)


def test_too_many_rows_make_no_file(asked, people, settings):
    settings.EXPORT_LIMIT = 2
    export = asked()
    assert (export.status, export.failure) == ("FAILED", "More than 2 rows: choose fewer by filters.")
    assert not ExportPart.objects.exists()


def test_the_auditor_exports_the_timeline_of_the_account(asked, auditor, people, other_account):
    factories.make_user(other_account, external_ref="theirs")
    export = asked(asker=auditor.staff, kind="trail", filters={"at_from": "2020-01-01"})
    rows = table(export)
    assert {row["userId"] for row in rows if row["action"] == "user.created"} == {str(user.pk) for user in people}
    assert [row["action"] for row in rows][-1] == "export.asked"


# Making it


def test_a_worker_that_died_leaves_neither_gap_nor_repeat(senior, account, people, monkeypatch):
    monkeypatch.setattr(exported_people, "BATCH", 1)
    export = exports.ask(account, actor=Actor.staff(senior.staff), kind="users", reason="COMPLIANCE")
    claimed = leases.claim(exports.owed(), exports.LEASE)
    exports._step(claimed)
    exports._step(claimed)
    assert leases.claim(exports.owed(), exports.LEASE) is None
    Export.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.make_exports()
    export.refresh_from_db()
    assert [row["externalRef"] for row in table(export)] == ["c-0", "c-1", "c-2"]


def test_a_colleague_who_may_not_any_more_gets_no_file(senior, account, people):
    export = exports.ask(account, actor=Actor.staff(senior.staff), kind="users", reason="COMPLIANCE")
    claimed = leases.claim(exports.owed(), exports.LEASE)
    exports._step(claimed)
    senior.staff.groups.clear()
    assert not exports._step(claimed)
    export.refresh_from_db()
    assert export.status == "FAILED"
    assert not ExportPart.objects.exists()


def test_a_colleague_has_five_at_most(asked, people):
    for _ in range(5):
        asked()
    with pytest.raises(Conflict, match="5 exports already"):
        asked()


def test_it_is_deleted_after_its_hours(asked, senior, people):
    export = asked()
    assert exports.expire() == 0
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(WrongState):
        exports.download(export, actor=Actor.staff(senior.staff))
    tasks.expire_exports()
    export.refresh_from_db()
    assert export.status == "EXPIRED"
    assert not ExportPart.objects.exists()
    assert TrailEntry.objects.filter(action="export.deleted").count() == 1
    with pytest.raises(Unknown):
        exports.part(export, 0)
    Export.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert exports.purge(10) == 1


def test_a_step_costs_as_many_queries_for_one_person_as_for_many(senior, account, people):
    def step():
        export = exports.ask(
            account, actor=Actor.staff(senior.staff), kind="users", reason="COMPLIANCE", attributes=True
        )
        exports._step(export.pk)
        with CaptureQueriesContext(connection) as seen:
            exports._step(export.pk)
        return len(seen)

    few = step()
    for number in range(30):
        factories.make_user(account, attributes={"tier": "x", "ssn": str(number)})
    assert step() == few


# In the back office


def asking(account, **values):
    return {**REASON, "account": str(account.pk), "filters": "{}", **values}


def body_of(response):
    return b"".join(response.streaming_content).decode()


def test_senior_support_asks_on_the_list_and_downloads(senior, account, people):
    users.lock(people[1], actor=SYSTEM, reason="COMPLIANCE")
    seen = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{rows_of(User, status='LOCKED', p=2)}"}
    dialog = senior.get(PEOPLE, headers=seen)
    assert "status: LOCKED" in dialog.content.decode()
    carried = dialog.context["form"]["filters"].value()
    response = senior.post(PEOPLE, asking(account, filters=carried, attributes="on"), headers=seen)
    export = Export.objects.get()
    assert response["HX-Redirect"] == page(export)
    assert "hx-get" in senior.get(page(export)).content.decode()
    assert "look=1" in senior.get(page(export, "progress")).content.decode()
    exports.make_owed()
    assert senior.get(page(export, "progress"))["HX-Refresh"] == "true"
    assert "1 of 1 rows." in senior.get(page(export)).content.decode()
    answer = senior.post(page(export, "download"))
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"].startswith('attachment; filename="users-')
    shown = body_of(answer)
    assert '"c-1"' in shown
    assert '"c-0"' not in shown
    assert SECRET not in shown
    lines = TrailEntry.objects.filter(object_id=str(export.pk)).order_by("pk")
    assert [line.action for line in lines] == ["export.asked", "export.made", "export.downloaded"]
    assert (lines[0].reason, lines[0].note, lines[0].changes["filters"]) == (
        REASON["reason"],
        REASON["note"],
        {"status": "LOCKED"},
    )


def test_it_streams_part_by_part(senior, asked, people, django_assert_num_queries):
    export = asked()
    response = senior.post(page(export, "download"))
    # Drawn in a thread that has a connection (reuseid.ingress.handler): an asynchronous one would be drawn on the loop.
    assert response.streaming
    assert not response.is_async
    stream, parts = iter(response), []
    for _ in range(2):
        with django_assert_num_queries(1):
            parts.append(next(stream))
    assert len([*parts, *stream]) == export.part_count == 2
    assert b"".join(parts).decode() == text_of(export)


def test_a_link_downloads_nothing(senior, asked, people):
    export = asked()
    assert senior.get(page(export, "download")).status_code == 405
    assert not TrailEntry.objects.filter(action="export.downloaded").exists()


def test_a_search_is_not_mistaken_for_a_filter(senior, account, people):
    seen = {"HX-Current-URL": f"http://testserver{rows_of(User, q='email:a@example.com')}"}
    carried = senior.get(PEOPLE, headers=seen)
    assert "a@example.com" not in carried.context["form"].render_before_template()
    response = senior.post(PEOPLE, asking(account, filters=carried.context["form"]["filters"].value()))
    assert "clear the search first" in response.content.decode()
    assert not Export.objects.exists()


MADE_UP = ["[", "[" * 20_000, "[1]", '{"status": 1}', '{"status": "x"}', '{"attributes__value": "x"}']


@pytest.mark.parametrize("text", MADE_UP)
def test_made_up_filters_lead_to_no_wider_export(senior, account, people, text):
    senior.post(PEOPLE, asking(account, filters=text))
    assert all(export.filters == {} for export in Export.objects.all())
    assert Export.objects.count() == (1 if text in {"[", "[1]", '{"status": 1}'} else 0)


def test_only_the_asker_downloads(senior, asked, people, account, auditor, stranger, root):
    export = asked()
    other = browser_of(make_colleague("noor", "Senior support", account))
    for browser in (other, auditor, root):
        assert "Only kim" in browser.get(page(export)).content.decode()
        response = browser.post(page(export, "download"), follow=True)
        assert said(response) == ["Nothing was downloaded. Only the colleague who asked for it downloads it."]
    assert stranger.post(page(export, "download")).status_code == 404
    assert stranger.get(page(export)).status_code == 302
    assert page(export) not in stranger.get(rows_of(Export)).content.decode()
    assert not TrailEntry.objects.filter(action="export.downloaded").exists()


def test_a_colleague_who_lost_the_right_downloads_nothing_any_more(senior, asked, people):
    export = asked(sensitive=True)
    senior.staff.groups.clear()
    with pytest.raises(rights.NotAllowed):
        exports.download(export, actor=Actor.staff(type(senior.staff).objects.get(pk=senior.staff.pk)))


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("support", ()),
        ("senior", (PEOPLE, ALL)),
        ("auditor", (PEOPLE, TRAIL)),
        ("integrator", ()),
        ("administrator", ()),
    ],
)
def test_who_may_export_what(request, who, may, account, people):
    browser = request.getfixturevalue(who)
    for address in (PEOPLE, ALL, TRAIL):
        status = browser.post(address, asking(account)).status_code
        assert status == (302 if address in may else 403), address
    assert Export.objects.count() == len(may)


def test_a_stranger_exports_no_account_but_their_own(stranger, account, people):
    assert stranger.post(PEOPLE, asking(account)).status_code == 200
    assert not Export.objects.exists()
