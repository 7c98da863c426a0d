"""Signing in: passwords, codes, and the clock of sessions."""

import time

import pytest

from tests.reuseid.admin.signing_in import PASSWORD
from tests.staff_factories import make_colleague


@pytest.fixture
def quick_hashes(settings):
    """Passwords that cost no seconds."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    settings.PASSWORD_HASHERS = hashers


@pytest.fixture
def pia(quick_hashes, account):
    """A colleague who has a password and no second factor."""
    staff = make_colleague("pia", "Support", account)
    staff.set_password(PASSWORD)
    staff.save()
    return staff


@pytest.fixture(autouse=True)
def _codes_stand_still(monkeypatch):
    """The middle of a step of 30 seconds: no code grows old between its making and its use."""
    monkeypatch.setattr("django_otp.oath.time", lambda: 1_800_000_015)


@pytest.fixture
def clock(monkeypatch, limit_clock):
    """`clock(seconds)` puts the clock of sessions and limits forward."""
    ahead, real = [0], time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])

    def forward(seconds):
        ahead[0] += seconds
        limit_clock.forward(seconds)

    return forward


@pytest.fixture
def late(settings, clock):
    """`late(browser)`: some minutes later the last check is too old for strong acts."""

    def later(browser):
        clock(60 * settings.STEP_UP_MINUTES + 1)
        return browser

    return later
