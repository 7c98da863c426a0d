"""Phones of a person of the acting account."""

import jsonschema
import pytest
from django.core.cache import cache
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from mobileid.sdk import pin
from mobileid.services.keys import channel, signing
from tests import factories
from tests import phone_factories as phones


@pytest.fixture(autouse=True)
def _fresh_keys():
    channel.forget()
    signing.forget()


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
    return factories.make_untold_user(account, external_ref="ada")


@pytest.fixture
def phone(ada, application, cheap_pins):
    """Ada's phone, with a PIN and biometry that recognises her."""
    return phones.make_phone(ada, application, biometric=True)


@pytest.fixture
def validator(client):
    """`validator(pointer)`: of the OpenAPI document's schema there; of a component, if it is a bare name."""
    cache.clear()
    document = client.get("/api/openapi.json").json()
    registry = Registry().with_resource("urn:document", Resource.from_contents(document, DRAFT202012))

    def of(pointer):
        pointer = pointer if "/" in pointer else f"/components/schemas/{pointer}"
        checker = jsonschema.FormatChecker()
        return jsonschema.Draft202012Validator(
            {"$ref": f"urn:document#{pointer}"}, registry=registry, format_checker=checker
        )

    return of
