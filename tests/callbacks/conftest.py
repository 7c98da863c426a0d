"""Receivers, endpoints and events of real objects."""

import pytest
from django.db import connection

from reuseid import outbound
from reuseid.actors import SYSTEM
from reuseid.event_scopes import READING
from reuseid.models import User
from reuseid.services.webhooks import endpoints, outbox, sender
from tests.callbacks.receiver import Receiver


@pytest.fixture(autouse=True)
def _close_connections():
    yield
    outbound.close()


@pytest.fixture
def _postgres(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there are no rivals to race with.")


@pytest.fixture
def receiver():
    with Receiver() as started:
        yield started


@pytest.fixture
def endpoint(account, receiver):
    return endpoints.create(account, url=receiver.url, actor=SYSTEM, scopes=READING)


@pytest.fixture
def user(account):
    return User.objects.create(account=account)


@pytest.fixture
def owe(user):
    """`owe(type="user.updated", obj=user, **data)`."""

    def owe(event_type="user.updated", obj=user, **data):
        return outbox.owe(obj, event_type, data)

    return owe


@pytest.fixture
def send():
    """Send all that is due now."""

    def send(seconds=20):
        return sender.Sender().run(seconds)

    return send
