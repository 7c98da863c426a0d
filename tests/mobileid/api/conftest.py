"""The person, the app and the phone."""

import pytest

from tests import factories
from tests.device_factories import make_application, make_device


@pytest.fixture
def application(account):
    """The account's only app."""
    return make_application(account)


@pytest.fixture
def user(account):
    """Anna."""
    return factories.make_user(account, external_ref="anna", attributes={"email": "anna@example.com"})


@pytest.fixture
def device(user, application):
    """Anna's phone."""
    return make_device(user, application)
