"""Every address that the service answers, and who may reach it: addresses.txt, line by line.

A library that mounts more, or a view that is mounted in passing, turns this red: whoever adds the line says who may
reach it, and the tests below try the others.
"""

import re
from collections import defaultdict

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.config.test_settings import ROOT
from tests.staff_factories import browser_of, make_colleague

pytestmark = pytest.mark.django_db
# What the admin mounts for each model; a line that ends with `*` stands for all six.
OF_A_MODEL = ["", "add/", *(f"<path:object_id>/{act}" for act in ("", "change/", "delete/", "history/"))]
WHO = {
    "anyone": "answered without a credential",
    "half": "a colleague after the first step of signing in",
    "colleague": "a colleague after both steps",
    "secret": "an API client with its secret",
    "token": "an API client with a token",
    "phone": "a sealed message",
    "operator": "the bearer of METRICS_TOKEN, or this machine",
}


def mounted(patterns=None, prefix=""):
    """The route of every pattern, as it is written."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from mounted(pattern.url_patterns, route)
        else:
            yield route


def listed():
    """``{who: routes}``."""
    found = defaultdict(list)
    for line in (ROOT / "tests" / "rules" / "addresses.txt").read_text().splitlines():
        who, _, route = line.partition(" ")
        base = route.removesuffix("*")
        found[who] += [base + rest for rest in OF_A_MODEL] if base != route else [route]
    return found


LISTED = listed()


def test_each_address_is_listed_once_with_who_may_reach_it():
    assert set(LISTED) <= set(WHO)
    routes = [route for routes in LISTED.values() for route in routes]
    assert len(routes) == len(set(routes))
    there = set(mounted())
    assert {"mounted, and not in the list": there - set(routes), "listed, and not mounted": set(routes) - there} == {
        "mounted, and not in the list": set(),
        "listed, and not mounted": set(),
    }


def addresses(who):
    """Of these routes, with ids that nobody has."""
    for route in sorted(LISTED[who]):
        route = re.sub(r"\(\?P<app_label>[^)]*\)", "reuseid", route.replace("^", "").replace("$", ""))
        route = re.sub(r"\(\?P<url>[^)]*\)", "nowhere", route)
        route = re.sub(r"<int:[^>]+>", "1", route)
        yield "/" + re.sub(r"<[^>]+>", "1b671a64-40d5-491e-99b0-da01ff1f3341", route)


@pytest.fixture
def callers(api_client, api_for):
    """``{name: caller}``: a stranger, a superuser's browser, an API client's token with every scope."""
    token = api_for(api_client)
    return {
        "stranger": Client(),
        "colleague": browser_of(make_colleague("root", None, is_superuser=True)),
        "token": token,
    }


def statuses(who, callers):
    """Of GET and POST of each address: (caller, address, status, where it leads)."""
    return [
        (name, address, answer.status_code, answer.get("Location", ""))
        for address in addresses(who)
        for name, caller in callers.items()
        for answer in (caller.get(address), caller.post(address))
    ]


def without(callers, *names):
    return {name: caller for name, caller in callers.items() if name not in names}


def test_the_api_takes_a_token_and_nothing_else(callers):
    assert {answer[2] for answer in statuses("token", without(callers, "token"))} == {401}


def test_the_token_endpoints_take_a_clients_secret_and_nothing_else(callers):
    assert {answer[2] for answer in statuses("secret", callers)} <= {400, 401, 405}


def test_the_back_office_takes_a_colleague_and_nothing_else(callers):
    """A password alone, or one that somebody else gave: tests/reuseid/admin/test_doors.py."""
    others = without(callers, "colleague")
    for *answer, status, place in statuses("colleague", others):
        assert (status, place.startswith("/admin/login/")) == (302, True), answer
    for *answer, status, place in statuses("half", others):
        assert status in (403, 405) or place.startswith("/admin/login/"), answer


def test_the_phones_door_opens_nothing_that_is_not_sealed(callers):
    assert {answer[2] for answer in statuses("phone", callers)} <= {400, 404, 405, 411}


def test_the_numbers_are_the_operators(callers, settings):
    settings.METRICS_TOKEN = "x" * 32
    assert {answer[2] for answer in statuses("operator", callers)} <= {401, 403, 404, 405}


def test_what_anyone_reaches_is_short_and_fails_on_nothing(callers):
    assert len(LISTED["anyone"]) < 15
    assert [answer for answer in statuses("anyone", callers) if answer[2] == 500] == []
