"""``manage.py bench_back_office``: what it prints is what the pages cost."""

import re
from io import StringIO

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reuseid.actors import Actor
from reuseid.models import Staff, User
from reuseid.services.people import users
from tests.staff_factories import browser_of, make_colleague, rows_of

pytestmark = pytest.mark.django_db
LINE = re.compile(r" *\d+ ms  p95 +\d+ ms  CPU +\d+ ms +(\d+) SQL  (.+)")


@pytest.fixture
def bench(settings):
    """`bench(only)`: SQL statements by page."""
    settings.SECOND_FACTOR = "offered"
    make_colleague("bench", None, is_superuser=True)

    def run(only):
        out = StringIO()
        call_command("bench_back_office", "bench", rounds=2, only=only, stdout=out)
        return {
            label: int(count)
            for count, label in (LINE.fullmatch(line).groups() for line in out.getvalue().splitlines())
        }

    return run


def test_statements_are_counted_as_they_are(bench, account, api_client):
    users.create(account, actor=Actor.client(api_client))
    browser = Client()
    browser.force_login(Staff.objects.get(username="bench"))
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(rows_of(User)).status_code == 200
    cost = len(seen)
    counted = bench("users")
    assert counted["users"] == cost
    assert {"users: of a client", "users: of a client, locked", "users: by reference"} <= set(counted)
    assert all(counted.values())


def test_every_page_of_a_person_is_timed(bench, user):
    tabs = bench("a person")
    assert set(tabs) == {f"a person: {tab.slug}" for tab in admin.site._registry[User].get_tabs()}
    assert all(tabs.values())


def test_a_page_that_does_not_open_is_no_figure(settings, user):
    settings.SECOND_FACTOR = "required"
    browser_of(make_colleague("bench", None, is_superuser=True))
    with pytest.raises(CommandError, match="answers 302"):
        call_command("bench_back_office", "bench", rounds=2, stdout=StringIO())
