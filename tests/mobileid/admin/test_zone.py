"""Charts, "today" and days of filters go by the reader's clock; everything else by UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from reuseid.actors import SYSTEM
from reuseid.middleware.zone import COOKIE, BackOfficeZone
from reuseid.models import Attribute, EventCount, Proofing, TrailEntry, User
from reuseid.services import counting
from reuseid.services.people import users
from tests import factories
from tests.staff_factories import page, rows_of

pytestmark = pytest.mark.django_db
# Far enough from UTC, east and west, to have another day for half of the time; one is no whole hour away.
ZONES = ["Pacific/Kiritimati", "Asia/Kolkata", "Pacific/Pago_Pago", "Europe/Helsinki"]


def chart(browser, title, **query):
    shown = browser.get("/admin/live/", query).context["charts"]
    return next(found for found in shown if found.title.startswith(title))


@pytest.mark.parametrize("zone", ZONES)
def test_the_last_column_is_the_readers_hour_and_day(auditor, account, zone):
    auditor.cookies[COOKIE] = zone
    here = timezone.now().astimezone(ZoneInfo(zone))
    for period, name in (("24h", f"{here:%Y-%m-%d %H}:00"), ("30d", f"{here:%Y-%m-%d}")):
        assert chart(auditor, "Operations by outcome", period=period).rows[-1][0] == name


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("period", ["24h", "7d", "30d"])
def test_what_was_counted_by_hours_of_utc_stands_in_the_readers_column(auditor, account, zone, period):
    hour = counting.hour_of(timezone.now()) - timedelta(hours=20)
    EventCount.objects.create(account=account, hour=hour, type="authentication.completed", count=7)
    auditor.cookies[COOKIE] = zone
    rows = chart(auditor, "Operations by outcome", period=period).rows
    here = hour + timezone.now().astimezone(ZoneInfo(zone)).utcoffset()
    (found,) = [row for row in rows if row[1]]
    assert found[1] == 7
    last = max(row[0] for row in rows if row[0] <= f"{here:%Y-%m-%d %H:%M}")
    assert found[0] == last


def test_a_lock_counts_for_the_day_that_the_reader_has(support, account):
    user = factories.make_user(account)
    users.lock(user, actor=SYSTEM, reason="COMPLIANCE")
    moment = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
    User.objects.filter(pk=user.pk).update(status_since=moment)

    def found(day):
        rows = rows_of(User, status_since_from=day, status_since_to=day)
        return len(support.get(rows).context["cl"].result_list)

    assert (found("2026-03-10"), found("2026-03-11")) == (1, 0)
    support.cookies[COOKIE] = "Europe/Helsinki"
    assert (found("2026-03-10"), found("2026-03-11")) == (0, 1)
    assert ">2026-03-11 01:30:00</time>" in support.get(page(user)).content.decode()
    assert 'title="2026-03-10 23:30:00.000000 UTC"' in support.get(page(user)).content.decode()


@pytest.mark.parametrize("name", ["", "Etc/Unknown", "../../etc/passwd", "UTC\x00", "x" * 4000])
def test_a_zone_that_is_none_is_utc(support, account, name, settings):
    # Python's own jar takes no control characters; a browser's may.
    session = support.cookies[settings.SESSION_COOKIE_NAME].value
    sent = {"cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {COOKIE}={name}"}
    user = factories.make_user(account)
    shown = support.get(page(user), headers=sent).content.decode()
    assert f">{user.created_at:%Y-%m-%d %H:%M:%S}</time>" in shown


@pytest.mark.parametrize(
    ("address", "zone"), [("/admin/", "Asia/Kolkata"), ("/reuseid/core/users", "UTC"), ("/healthz", "UTC")]
)
def test_the_clock_is_the_back_offices_alone(rf, address, zone):
    rf.cookies[COOKIE] = "Asia/Kolkata"
    assert BackOfficeZone(lambda request: timezone.get_current_timezone_name())(rf.get(address)) == zone
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z"])
def test_the_first_and_the_last_day_of_the_calendar_are_shown_in_every_zone(auditor, api, user, zone, moment):
    """Integrators write them for never and for always."""
    ends = moment if moment.startswith("9999") else "9999-12-31T23:59:59Z"
    value = {"value": "gold", "verifiedAt": "0001-01-01T00:00:00Z", "expiresAt": moment}
    set_ = api.put(f"/reuseid/core/users/{user.pk}/attributes/level", value)
    assert set_.status_code in (200, 201), set_.json()
    locked = api.post(f"/reuseid/core/users/{user.pk}/lock", {"reason": "OTHER", "note": "x", "until": ends})
    assert locked.status_code == 200, locked.json()
    proofing = {"method": "eid", "provider": "x", "assuranceLevel": "low", "performedAt": "0001-01-01T00:00:00Z"}
    assert api.post(f"/reuseid/core/users/{user.pk}/proofings", proofing).status_code == 201
    auditor.cookies[COOKIE] = zone
    for address in [
        page(user),
        *(f"{page(user)}?tab={tab}" for tab in ("attributes", "timeline", "devices", "operations")),
        rows_of(User),
        rows_of(Attribute),
        rows_of(Proofing),
        rows_of(TrailEntry),
        page(Attribute.objects.filter(user=user).last()),
        page(user.proofings.get()),
    ]:
        assert auditor.get(address).status_code == 200, address
