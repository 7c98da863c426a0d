"""Days in lists, views and exports: one reading, in the zone of whoever meant them, to the ends of the calendar."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from django.contrib import admin

from reuseid.actors import Actor
from reuseid.admin.kit.filters import DateFilter
from reuseid.middleware.zone import COOKIE
from reuseid.models import Attribute, AttributeKey, Export, SavedView, User
from reuseid.services.jobs import exports
from tests import factories
from tests.staff_factories import REASON, page, rows_of

pytestmark = pytest.mark.django_db
ZONES = {"Pacific/Apia": ("2026-03-11", "2026-03-10"), "Pacific/Pago_Pago": ("2026-03-10", "2026-03-11")}
MOMENT = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
ENDS = ["0001-01-01", "9999-12-31"]
DATED = [
    (model, name[0])
    for model, found in admin.site._registry.items()
    for name in found.list_filter
    if isinstance(name, tuple) and name[1] is DateFilter
]


@pytest.fixture
def made(account):
    """A person who was made on the eleventh in Apia (UTC+13) and on the tenth in Pago Pago (UTC-11)."""
    user = factories.make_user(account, external_ref="dated")
    User.objects.filter(pk=user.pk).update(created_at=MOMENT, status_since=MOMENT)
    return user


def listed(browser, **query):
    return [row.external_ref for row in browser.get(rows_of(User, **query)).context["cl"].result_list]


def exported(browser, account, **query):
    address = "http://testserver" + rows_of(User, **query)
    dialog = browser.get("/admin/reuseid/user/export/", headers={"HX-Current-URL": address}).content.decode()
    kept = dialog.split('name="filters" value="')[1].split('"')[0].replace("&quot;", '"')
    sent = {**REASON, "account": str(account.pk), "filters": kept}
    browser.post("/admin/reuseid/user/export/", sent)
    export = Export.objects.latest("created_at")
    # The worker has no reader.
    exports.make_owed()
    text = b"".join(exports.part(export, number) for number in range(Export.objects.get().part_count)).decode()
    export.delete()
    return [row["externalRef"] for row in csv.DictReader(io.StringIO(text))], json.loads(kept)


@pytest.mark.parametrize("zone", ZONES)
def test_a_list_and_its_export_mean_the_same_day(senior, account, made, zone):
    senior.cookies[COOKIE] = zone
    here, elsewhere = ZONES[zone]
    for day, found in ((here, ["dated"]), (elsewhere, [])):
        query = {"created_at_from": day, "created_at_to": day}
        assert listed(senior, **query) == found
        assert exported(senior, account, **query) == (found, {**query, "zone": zone})


def test_an_export_without_a_zone_is_one_of_before_and_means_utc(senior, account, made):
    query = {"created_at_from": "2026-03-10", "created_at_to": "2026-03-10"}
    exports.ask(account, actor=Actor.staff(senior.staff), kind="users", reason="COMPLIANCE", filters=query)
    exports.make_owed()
    assert Export.objects.get().row_count == 1


@pytest.mark.parametrize("zone", ZONES)
def test_a_saved_view_keeps_the_days_that_its_colleague_meant(senior, made, zone):
    senior.cookies[COOKIE] = zone
    day = ZONES[zone][0]
    shown = senior.get(rows_of(User, created_at_from=day, created_at_to=day))
    senior.post(shown.context["cl"].views.save, {"name": "That day", "_form_submitted": "on"})
    view = SavedView.objects.get()
    for elsewhere in (*ZONES, "UTC"):
        senior.cookies[COOKIE] = elsewhere
        found = senior.get(f"{rows_of(User)}?{view.query}")
        assert [row.external_ref for row in found.context["cl"].result_list] == ["dated"], elsewhere
        assert [link.title for link in found.context["cl"].views.links if link.open] == ["That day"]


def test_an_address_with_a_zone_that_is_none_is_read_as_the_readers(senior, made):
    senior.cookies[COOKIE] = "Pacific/Apia"
    assert listed(senior, created_at_from="2026-03-11", zone="Etc/Nowhere") == ["dated"]


def test_a_day_is_read_as_the_calendar_of_the_readers_language_writes_it(senior, account, made):
    senior.cookies["django_language"] = "de"
    assert listed(senior, created_at_from="10.03.2026", created_at_to="10.03.2026") == ["dated"]
    assert listed(senior, created_at_to="09.03.2026") == []
    assert exported(senior, account, created_at_to="09.03.2026")[0] == []


@pytest.mark.parametrize("zone", ["UTC", *ZONES])
@pytest.mark.parametrize(("model", "column"), DATED)
def test_the_ends_of_the_calendar_are_days(root, model, column, zone):
    root.cookies[COOKIE] = zone
    for first in ENDS:
        for last in ENDS:
            assert root.get(rows_of(model, **{f"{column}_from": first, f"{column}_to": last})).status_code == 200


@pytest.mark.parametrize("zone", ["UTC", *ZONES])
def test_they_are_days_of_a_colleagues_deeds_and_of_exports_too(auditor, senior, account, made, zone):
    for browser in (auditor, senior):
        browser.cookies[COOKIE] = zone
    for day in ENDS:
        shown = auditor.get(page(senior.staff, tab="activity", **{"from": day, "to": day}))
        assert shown.status_code == 200
    query = {"created_at_from": ENDS[0], "created_at_to": ENDS[1]}
    assert listed(senior, **query) == exported(senior, account, **query)[0] == ["dated"]


@pytest.mark.parametrize("zone", ["UTC", *ZONES])
def test_a_row_with_such_a_time_is_shown(senior, account, zone):
    AttributeKey.objects.create(account=account, name="tier", sensitive=False)
    user = factories.make_user(account, attributes={"tier": "gold"})
    for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        Attribute.objects.update(verified_at=moment, expires_at=moment)
        senior.cookies[COOKIE] = zone
        for address in (rows_of(Attribute), page(user, tab="attributes"), page(Attribute.objects.get())):
            assert f"{moment.year:04}" in senior.get(address).content.decode()


@pytest.mark.parametrize("zone", ["UTC", *ZONES])
@pytest.mark.parametrize("typed", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_a_typed_time_at_the_end_of_the_calendar_is_a_time(integrator, account, zone, typed):
    from reuseid.actors import SYSTEM
    from reuseid.services.webhooks import endpoints

    endpoint = endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM)
    integrator.cookies[COOKIE] = zone
    answer = integrator.post(page(endpoint, "resend-since"), {**REASON, "since": typed})
    assert answer.status_code in {200, 302}
