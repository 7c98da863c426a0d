"""Every address of the back office, by GET and POST: closed until somebody opened it."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.staff_factories import browser_of, half_browser_of, make_colleague

pytestmark = pytest.mark.django_db
# What a colleague without any right opens: the first page, their own sign-in, and what shows no data.
OWN = re.compile(
    r"/admin/($|login/|logout/|language/|jsi18n/|live/|search/|sign-in/|me/|password_change/|autocomplete/)"
)
# What everybody opens, to sign in.
SIGN_IN = re.compile(r"/admin/(login/|logout/|language/|jsi18n/|sign-in/)")
NOBODY = "1b671a64-40d5-491e-99b0-da01ff1f3341"


def addresses(patterns=None, prefix="/"):
    """All addresses below /admin/, with an id that nobody has where one is asked for."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            if (prefix + route).startswith("/admin/"):
                yield from addresses(pattern.url_patterns, prefix + route)
        elif (prefix + route).startswith("/admin/"):
            yield _filled(prefix + route)


def _filled(route):
    route = re.sub(r"\(\?P<app_label>[^)]*\)", "reuseid", route.replace("^", "").replace("$", ""))
    route = re.sub(r"\(\?P<url>[^)]*\)", "nowhere", route)
    route = re.sub(r"<int:[^>]+>", "1", route)
    return re.sub(r"<[^>]+>", NOBODY, route)


ALL = sorted(set(addresses()))


def test_the_walk_goes_everywhere():
    assert len(ALL) > 150
    assert not [address for address in ALL if re.search(r"[\\?<>()\[\]]", address)]


def test_a_stranger_and_a_password_alone_open_nothing(db):
    browsers = {"stranger": Client(), "half": half_browser_of(make_colleague("half", None, is_superuser=True))}
    opened = [
        (name, address, answer.status_code)
        for name, browser in browsers.items()
        for address in ALL
        if not SIGN_IN.match(address)
        for answer in (browser.get(address), browser.post(address))
        if answer.status_code != 302 or not answer["Location"].startswith(("/admin/login/", "/admin/sign-in/"))
    ]
    assert opened == []


def test_a_password_that_somebody_else_gave_opens_nothing_but_the_choice_of_an_own_one(db):
    giver = make_colleague("giver", None)
    browser = browser_of(make_colleague("given", None, is_superuser=True, password_set_by=giver))
    opened = [
        (address, answer.status_code)
        for address in ALL
        if not SIGN_IN.match(address)
        for answer in (browser.get(address), browser.post(address))
        if answer.status_code != 302 or not answer["Location"].startswith("/admin/login/")
    ]
    assert opened == []
    assert browser.get("/admin/login/").url == "/admin/sign-in/password/"


def test_a_colleague_who_holds_nothing_opens_nothing(user):
    """Of a person who is there, and of things that are not: refused, or sent to the first page."""
    browser = browser_of(make_colleague("empty", None, user.account))
    opened = [
        (address, answer.status_code, answer.redirect_chain)
        for address in ALL
        if not OWN.match(address)
        for call in (browser.get, browser.post)
        for answer in [call(address.replace(NOBODY, str(user.pk)), follow=True)]
        if answer.status_code not in {403, 404, 405} and answer.redirect_chain[-1:] != [("/admin/", 302)]
    ]
    assert opened == []
