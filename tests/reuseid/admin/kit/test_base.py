"""Lists stay quick: no count of a table, the same queries for one row or fifty, no guessing by filters."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reuseid.models import Attribute, Client, Delivery, Event, Heartbeat, TrailEntry, User, WebhookEndpoint
from reuseid.services import heartbeats
from tests import factories
from tests.staff_factories import rows_of

pytestmark = pytest.mark.django_db


def queries(browser, address):
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(address).status_code == 200
    return [query["sql"] for query in seen]


@pytest.mark.parametrize("model", [User, Attribute, TrailEntry, Event])
def test_as_many_queries_for_one_row_as_for_fifty(root, account, model):
    factories.make_user(account, external_ref="first", attributes={"email": "a@example.com"})
    one = queries(root, rows_of(model))
    for number in range(30):
        factories.make_user(account, external_ref=f"more-{number}", attributes={"email": f"{number}@example.com"})
    many = queries(root, rows_of(model))
    # Of people one more: the API clients that the filter offers.
    assert len(one) == len(many) <= (8 if model is User else 7)


def test_no_list_counts_its_table(root, user):
    for model in admin.site._registry:
        for sql in queries(root, rows_of(model)):
            assert "COUNT(" not in sql.upper(), (model, sql)


def test_a_tab_costs_as_many_queries_for_one_as_for_many(senior, user):
    from tests.staff_factories import page

    address = page(user, tab="timeline")
    queries(senior, address)  # The first look of ten minutes leaves a line.
    one = queries(senior, address)
    for number in range(20):
        factories.make_user(user.account, external_ref=f"x{number}")
    assert len(queries(senior, address)) == len(one)


def test_pages_end_where_an_offset_gets_slow(root, user):
    assert root.get(rows_of(User, p=100)).status_code in {200, 302}
    assert root.get(rows_of(User, p=101)).status_code == 302


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Attribute, {"blind_index": "00"}),
        (Attribute, {"value__gt": "a"}),
        (User, {"attributes__blind_index": "00"}),
        (User, {"account__name__startswith": "N"}),
        (Client, {"client_secret__startswith": "pbkdf2"}),
        (WebhookEndpoint, {"secret__gt": "a"}),
    ],
)
def test_a_secret_column_is_no_oracle(root, model, query):
    assert root.get(rows_of(model, **query)).status_code == 400


def test_filters_make_addresses_that_can_be_shared(support, user, account):
    from reuseid.actors import SYSTEM
    from reuseid.services.people import users

    other = factories.make_user(account)
    users.lock(other, actor=SYSTEM, reason="COMPLIANCE")
    response = support.get(rows_of(User, status="LOCKED", status_since_from="2020-01-01", status_since_to="2099-01-01"))
    assert [row.pk for row in response.context["cl"].result_list] == [other.pk]
    response = support.get(rows_of(User, status_since_from="not a date", status="nonsense"))
    assert {row.pk for row in response.context["cl"].result_list} == {user.pk, other.pk}
    response = support.get(rows_of(User, created_at_to="2020-01-01"))
    assert not response.context["cl"].result_list


def test_the_first_page_counts_no_further_than_it_must(root, user, support):
    sql = [line for line in queries(root, "/admin/") if "COUNT(" in line.upper()]
    assert sql
    assert all("LIMIT" in line for line in sql)
    assert support.get("/admin/").status_code == 200


def test_lists_hold_nothing_of_other_accounts(stranger, user, api_client):
    Delivery.objects.all()
    for model in admin.site._registry:
        response = stranger.get(rows_of(model))
        if response.status_code == 200 and hasattr(model, "account"):
            accounts = {getattr(row, "account_id", None) for row in response.context["cl"].result_list}
            assert user.account_id not in accounts, model


def test_a_silent_worker_is_on_the_first_page(auditor):
    def alive():
        cards = auditor.get("/admin/").context["cards"]
        return next(card for card in cards if card.title == "Workers silent")

    assert (alive().number, alive().colour) == ("4", "bad")
    for name in ("beat", "worker:callbacks", "worker:sweeps", "worker:bulk"):
        heartbeats.beat(name, "host-1")
    assert (alive().number, alive().colour) == ("0", "quiet")
    Heartbeat.objects.filter(name="worker:bulk").update(at=timezone.now() - timedelta(minutes=5))
    assert (alive().number, alive().hint) == ("1", "the worker of bulk acts and exports")


@pytest.mark.parametrize("model", list(admin.site._registry))
def test_an_address_with_nul_leads_to_no_row(root, model):
    assert root.get(f"{rows_of(model)}a%00b/change/").status_code == 302
