"""What browsers are told, how long colleagues stay signed in, and how often a password may be guessed."""

import time

import pytest
from django.test import Client

from reuseid.admin.auth import password as login
from reuseid.middleware import browsers
from reuseid.models import Staff
from tests.staff_factories import browser_of

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"
LOGIN = "/admin/login/"


@pytest.fixture
def staff(settings):
    # Hundreds of guesses, each hashed as in production, would take minutes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return Staff.objects.create_user("sam", password=PASSWORD, is_staff=True)


@pytest.fixture
def browser(staff, clock):
    return browser_of(staff)


@pytest.fixture
def clock(monkeypatch, limit_clock):
    """`clock(seconds)` puts the clock of sessions and counts forward."""
    monkeypatch.setattr(time, "time", limit_clock)
    return limit_clock.forward


def sign_in(name, password, address="203.0.113.7"):
    return Client(REMOTE_ADDR=address).post(LOGIN, {"username": name, "password": password})


def errors(answer):
    return answer.context["form"].non_field_errors()


def test_a_colleague_signs_in(staff):
    assert sign_in("sam", PASSWORD).status_code == 302


def test_guesses_end_and_the_right_password_is_then_refused_in_the_same_words(staff, clock):
    refusals = [errors(sign_in("sam", "wrong")) for _ in range(login.NAME_AND_ADDRESS_TRIES)]
    assert sign_in("SAM ", PASSWORD).status_code == 200
    refusals.append(errors(sign_in("sam", PASSWORD)))
    refusals.append(errors(sign_in("nobody", "wrong")))
    assert all(refusal == refusals[0] for refusal in refusals)
    assert sign_in("sam", PASSWORD, address="198.51.100.1").status_code == 302
    clock(login.WINDOW)
    assert sign_in("sam", PASSWORD).status_code == 302


def test_guesses_of_many_names_from_one_address_end(staff):
    for number in range(login.ADDRESS_TRIES):
        sign_in(f"name-{number}", "wrong")
    assert sign_in("sam", PASSWORD).status_code == 200
    assert sign_in("sam", PASSWORD, address="198.51.100.1").status_code == 302


def test_guesses_of_one_name_from_many_addresses_end(staff):
    for number in range(login.NAME_TRIES):
        sign_in("sam", "wrong", address=f"198.51.100.{number}")
    assert sign_in("sam", PASSWORD).status_code == 200


def test_a_redis_that_is_away_shuts_nobody_out_and_lets_nobody_guess(staff, settings):
    settings.LIMITS_REDIS_URL = "redis://127.0.0.1:1"
    assert sign_in("sam", PASSWORD).status_code == 302
    for _ in range(login.NAME_AND_ADDRESS_TRIES):
        sign_in("sam", "wrong")
    assert sign_in("sam", PASSWORD).status_code == 200


def test_a_quarter_of_an_hour_that_turns_frees_no_tries(staff, clock, limit_clock):
    """At the end of a fixed window all tries were free again."""
    clock(-limit_clock.now % login.WINDOW - 1)
    for _ in range(login.NAME_AND_ADDRESS_TRIES):
        sign_in("sam", "wrong")
    clock(2)
    assert sign_in("sam", PASSWORD).status_code == 200
    clock(login.WINDOW)
    assert sign_in("sam", PASSWORD).status_code == 302


def test_a_session_ends_without_calls(browser, clock, settings):
    clock(settings.SESSION_IDLE - 60)
    assert browser.get("/admin/").status_code == 200
    clock(settings.SESSION_IDLE - 60)
    assert browser.get("/admin/").status_code == 200
    clock(settings.SESSION_IDLE + 1)
    assert browser.get("/admin/").status_code == 302


def test_a_session_in_use_ends_all_the_same(browser, clock, settings):
    for _ in range(settings.SESSION_COOKIE_AGE // 1200):
        assert browser.get("/admin/").status_code == 200
        clock(1200)
    clock(1)
    assert browser.get("/admin/").status_code == 302


def test_pages_run_no_script_that_stands_in_them(browser):
    for address in ("/admin/", LOGIN, "/api/docs/", "/api/docs/problems"):
        policy = browser.get(address)["Content-Security-Policy"]
        assert policy == browsers.PAGES
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
        assert "frame-ancestors 'none'" in policy


def test_pages_hold_no_inline_script(browser):
    for address in ("/admin/", LOGIN, "/api/docs/"):
        page = browser.get(address).content.decode()
        assert "<script>" not in page
        assert " onclick=" not in page


@pytest.mark.parametrize("address", ["/reuseid/core/users", "/healthz", "/.well-known/jwks.json", "/oauth/nothing"])
def test_answers_that_are_no_pages_may_load_nothing(client, address):
    answer = client.get(address)
    assert answer["Content-Security-Policy"] == browsers.DATA
    assert answer["X-Content-Type-Options"] == "nosniff"
