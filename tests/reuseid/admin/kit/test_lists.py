"""Lists are drawn by the column: the same to the letter as the theme draws them, and what a row costs is little."""

from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.template.loader import render_to_string
from django.test.html import parse_html
from django.test.utils import CaptureQueriesContext
from django.urls.resolvers import URLResolver
from django.utils.functional import empty
from django.utils.translation import override
from unfold.templatetags import unfold_list

from mobileid.models import Device, Operation
from reuseid.actors import SYSTEM
from reuseid.models import Account, Delivery, Event, Heartbeat, Staff, TrailEntry, User
from reuseid.services import heartbeats
from reuseid.services.people import users
from reuseid.services.webhooks import endpoints
from tests import factories
from tests.device_factories import make_application, make_device, make_operation
from tests.staff_factories import rows_of

pytestmark = pytest.mark.django_db
# SQL statements of each list, those of the session, the colleague and the second factor among them.
STATEMENTS = {User: 8, Device: 8, Operation: 9, Event: 7, Delivery: 7, TrailEntry: 7}


@pytest.fixture
def more(account, api_client):
    """`more(number)`: as many people, each with a phone, an operation, and what they leave behind; one is locked."""
    application = make_application(account)
    endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM)

    def make(number):
        for index in range(number):
            user = factories.make_user(account, attributes={"email": "anna@example.com"}, segment="<b>")
            make_device(user, application, name=f"<i>{index}</i> & Co")
            make_operation(user, client=api_client)
        users.lock(user, actor=SYSTEM, reason="COMPLIANCE")

    return make


def drawn_by_the_theme(changes):
    """The cells of each row."""
    return ["".join(cells) for cells in unfold_list.results(changes)]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model.__name__)
def test_each_row_is_what_the_theme_draws(root, more, model, language):
    more(2)
    changes = root.get(rows_of(model)).context["cl"]
    with override(language):
        assert list(changes.rows) == drawn_by_the_theme(changes)


@pytest.mark.parametrize("query", [{"status": "LOCKED"}, {"lock": "lasting", "created_at_from": "2020-01-01"}])
def test_a_link_leads_back_to_the_list_as_it_is_filtered(root, more, query):
    more(2)
    changes = root.get(rows_of(User, **query)).context["cl"]
    (row,) = changes.rows
    assert "_changelist_filters=" in row
    assert [row] == drawn_by_the_theme(changes)


@pytest.mark.parametrize(
    ("model", "query"), [(User, {}), (Delivery, {}), (Account, {"o": "-1"}), (Staff, {"o": "1.-2"}), (Account, {})]
)
def test_the_table_is_the_theme_s(root, more, model, query):
    more(3)
    response = root.get(rows_of(model, **query))
    context = unfold_list.result_list({"request": response.wsgi_request}, response.context["cl"])
    theirs = parse_html(render_to_string("admin/change_list_results.html", context))
    assert parse_html(response.text).count(theirs) == 1


def test_the_list_of_all_apps_is_made_for_who_reads_it(root):
    apps = root.get(rows_of(User)).context["available_apps"]
    assert apps._wrapped is empty
    assert {app["app_label"] for app in apps} == {"auth", "mobileid", "reuseid"}


def test_a_key_of_any_kind_leads_to_its_page(root):
    heartbeats.beat("worker:a/ü 'b'?", "host-1")
    changes = root.get(rows_of(Heartbeat)).context["cl"]
    assert list(changes.rows) == drawn_by_the_theme(changes)


def test_a_row_whose_other_row_is_gone_is_drawn(root, more):
    more(1)
    changes = root.get(rows_of(Event)).context["cl"]
    changes.result_list[0].account_id = uuid4()
    assert 'data-label="account"><span class="bo-none">none</span></td>' in next(changes.rows)
    assert len(list(changes.rows)) == len(drawn_by_the_theme(changes))


@pytest.mark.parametrize("model", STATEMENTS, ids=lambda model: model.__name__)
def test_a_row_costs_no_statement_no_template_and_no_address(root, more, model, monkeypatch):
    looked_up = []
    reverse = URLResolver._reverse_with_prefix
    monkeypatch.setattr(
        URLResolver,
        "_reverse_with_prefix",
        lambda *args, **kwargs: looked_up.append(args) or reverse(*args, **kwargs),
    )

    def cost():
        looked_up.clear()
        with CaptureQueriesContext(connection) as statements:
            response = root.get(rows_of(model))
        return len(statements), len(response.templates), len(looked_up), len(response.context["cl"].result_list)

    more(2)
    cost()  # What only a first look does.
    statements, templates, addresses, few = cost()
    more(20)
    assert cost()[:3] == (statements, templates, addresses)
    assert cost()[3] >= few + 20
    assert statements == STATEMENTS[model]
    # The frame with the side bar, and the filters.
    assert templates <= 150
    assert addresses <= 70
