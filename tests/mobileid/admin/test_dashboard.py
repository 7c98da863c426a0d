"""The first page: figures over three periods, of the colleague's accounts; refreshing keeps nobody signed in."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mobileid.services import completion
from reuseid.actors import SYSTEM
from reuseid.models import EventCount
from reuseid.services import counting
from reuseid.services.people import users
from tests import device_factories as mobile

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def operation(ada, application):
    mobile.make_device(ada, application)
    return mobile.make_operation(ada)


def chart(browser, title, **query):
    shown = browser.get("/admin/live/", query).context["charts"]
    return next(found for found in shown if found.title.startswith(title))


def test_an_operation_that_ends_is_in_the_running_hour(auditor, operation, ada):
    overdue = mobile.make_operation(ada)
    completion.cancel(operation, actor=SYSTEM)
    mobile.overdue(overdue)
    completion.expire(overdue)
    found = chart(auditor, "Operations by outcome")
    assert found.summary == "2 ended"
    assert found.rows[-1][1:] == [0, 0, 0, 1, 1]
    assert [bar.title.partition(" ")[2] for bar in found.bars] == [
        f"{timezone.now():%H}:00 Expired: 1",
        f"{timezone.now():%H}:00 Cancelled: 1",
    ]
    assert chart(auditor, "Expired, of those").summary == "50.0 % altogether"


@pytest.mark.parametrize(("period", "columns"), [("24h", 24), ("7d", 28), ("30d", 30), ("nonsense", 24)])
def test_the_period_is_part_of_the_address(auditor, account, period, columns):
    moment = counting.hour_of(timezone.now()) - 3 * timedelta(days=1)
    EventCount.objects.create(account=account, hour=moment, type="authentication.completed", count=7)
    found = chart(auditor, "Operations by outcome", period=period)
    assert len(found.rows) == columns
    assert sum(row[1] for row in found.rows) == (7 if period in {"7d", "30d"} else 0)


def test_locks_are_drawn_per_day(auditor, ada):
    users.lock(ada, actor=SYSTEM, reason="COMPLIANCE")
    found = chart(auditor, "Locks per day")
    assert (len(found.rows), found.rows[-1][1:]) == (7, [1, 0])


def test_figures_of_other_accounts_are_not_among_them(stranger, auditor, operation):
    completion.cancel(operation, actor=SYSTEM)
    assert chart(auditor, "Operations by outcome").summary == "1 ended"
    assert chart(stranger, "Operations by outcome").summary == "0 ended"


def test_who_sees_no_people_sees_figures_without_links_to_them(integrator, operation):
    found = chart(integrator, "Operations by outcome")
    assert {address for _name, _colour, _count, address in found.legend} == {""}


def test_every_chart_has_its_figures_as_a_table_and_a_name(auditor, operation):
    completion.cancel(operation, actor=SYSTEM)
    shown = auditor.get("/admin/").content.decode()
    assert shown.count("Figures as a table") == shown.count('role="img"') == 4
    assert 'aria-label="Operations by outcome, 24 hours: 1 ended"' in shown
    assert "<script>" not in shown


def test_the_page_costs_as_many_queries_for_much_as_for_nothing(auditor, account):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            auditor.get("/admin/live/", {"period": "30d"})
        return len(seen)

    queries()
    nothing = queries()
    hour = counting.hour_of(timezone.now())
    for back in range(30):
        EventCount.objects.create(
            account=account, hour=hour - back * HOUR, type="authentication.completed", count=back + 1
        )
    assert queries() == nothing <= 26


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(auditor, settings):
    auditor.get("/admin/")
    session = auditor.session
    session["seen_at"] -= 120
    session.save()
    before = auditor.session["seen_at"]
    assert auditor.get("/admin/live/", headers={"X-Poll": "1"}).status_code == 200
    assert auditor.session["seen_at"] == before
    auditor.get("/admin/")
    assert auditor.session["seen_at"] > before


def test_the_live_part_is_for_colleagues(client, db):
    assert client.get("/admin/live/").status_code == 302


@pytest.mark.parametrize(
    ("production", "name", "word"),
    [
        (True, "", ["Production", "danger"]),
        (True, "Staging", ["Staging", "warning"]),
        (False, "", ["Development", "info"]),
        (False, "Demo", ["Demo", "info"]),
    ],
)
def test_the_corner_says_where_one_is(settings, production, name, word, rf):
    from config.backoffice import environment

    settings.PRODUCTION, settings.ENVIRONMENT_NAME = production, name
    assert environment(rf.get("/")) == word
