"""Phones of a person of the acting account."""

import pytest

from mobileid.sdk import pin
from mobileid.services import keys, signing_keys
from tests import factories_devices as phones


@pytest.fixture(autouse=True)
def _fresh_keys():
    keys.forget()
    signing_keys.forget()


@pytest.fixture
def cheap_pins(monkeypatch):
    """PINs cost nothing to stretch: for tests that try many."""
    monkeypatch.setattr(pin, "STRETCHES", phones.make_cheap_stretch())


@pytest.fixture
def application(account):
    """The account's app."""
    return phones.make_application(account)


@pytest.fixture
def ada(account):
    """A person of the account."""
    return phones.make_user(account, external_ref="ada")


@pytest.fixture
def phone(ada, application, cheap_pins):
    """Ada's phone, with a PIN and biometry that recognises her."""
    return phones.make_phone(ada, application, biometric=True)
