"""The cast: two accounts, their back ends, a person, colleagues in their roles, and a receiver of callbacks."""

import importlib
from contextlib import contextmanager

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.db.models.signals import pre_delete
from django.test import TransactionTestCase

from reuseid import limits, outbound
from reuseid.actors import SYSTEM
from reuseid.event_scopes import READING
from reuseid.services import references
from reuseid.services.webhooks import endpoints, outbox, sender
from tests import factories
from tests.receiver import Receiver
from tests.staff_factories import browser_of, make_colleague

GUARD = importlib.import_module("reuseid.migrations._trail_guard")
_teardown = TransactionTestCase._fixture_teardown
UNCHECKED = list(references.unchecked())


def _refuse(instance, **signal):
    raise AssertionError(f"{instance!r} is deleted, though the database does not check who names it (decision 0038).")


for _field in UNCHECKED:
    pre_delete.connect(_refuse, sender=_field.related_model)


@contextmanager
def unguarded():
    """While the block runs, lines of the trail can be moved in time or emptied."""
    editor = connection.SchemaEditorClass(connection)
    GUARD.remove(None, editor)
    try:
        yield
    finally:
        GUARD.install(None, editor)


def _unguarded_teardown(self):
    """Tests with real commits empty every table afterwards, which the guard of the trail would refuse.

    Whatever rivals did before, no reference leads nowhere, though the database no longer looks (decision 0038).
    """
    lost = {str(field): keys for field in UNCHECKED if (keys := list(references.dangling(field)))}
    with unguarded():
        _teardown(self)
    assert not lost


TransactionTestCase._fixture_teardown = _unguarded_teardown


class LimitClock:
    """The clock of the limits: it stands still unless a test puts it forward, so no test crosses an edge by chance."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now

    def forward(self, seconds):
        """So many seconds later."""
        self.now += seconds


@pytest.fixture(autouse=True)
def limit_clock(monkeypatch):
    """Nothing is spent yet; `limit_clock.forward(seconds)`."""
    clock = LimitClock()
    monkeypatch.setattr(limits, "clock", clock)
    monkeypatch.setattr(limits, "_shared", limits.Shared())
    if settings.LIMITS_REDIS_URL:
        redis.Redis.from_url(settings.LIMITS_REDIS_URL).flushdb()
    return clock


@pytest.fixture
def account(db):
    """The account that acts."""
    return factories.make_account("Nordbank")


@pytest.fixture
def other_account(db):
    """The stranger's."""
    return factories.make_account("Südversicherung")


@pytest.fixture
def api_client(account):
    """The account's API client (the row)."""
    return factories.make_client(account)


@pytest.fixture
def api(api_client):
    """Calls the REST API for `account` with all scopes; `api.client_row` is the client."""
    return factories.rest_client(api_client)


@pytest.fixture
def api_for():
    """`api_for(client, scopes=None)`: calls the REST API as another client or with fewer scopes."""
    return factories.rest_client


@pytest.fixture
def other_api(other_account):
    """Calls the REST API for the stranger's account."""
    return factories.rest_client(factories.make_client(other_account))


@pytest.fixture
def user(account):
    """A customer of `account` with an e-mail address and a phone number."""
    return factories.make_user(
        account, external_ref="customer-1", attributes={"email": "Anna@Example.com", "phone": "+358 40 123 4567"}
    )


@pytest.fixture
def support(account):
    return browser_of(make_colleague("sam", "Support", account))


@pytest.fixture
def senior(account):
    return browser_of(make_colleague("kim", "Senior support", account))


@pytest.fixture
def other_senior(account):
    """The second colleague, where it takes two."""
    return browser_of(make_colleague("lee", "Senior support", account))


@pytest.fixture
def auditor(account):
    return browser_of(make_colleague("audrey", "Auditor", account))


@pytest.fixture
def integrator(account):
    return browser_of(make_colleague("ines", "Integration", account))


@pytest.fixture
def administrator(account):
    return browser_of(make_colleague("adam", "Administrator", account))


@pytest.fixture
def stranger(other_account):
    """Senior support of another account."""
    return browser_of(make_colleague("stran", "Senior support", other_account))


@pytest.fixture
def root(db):
    return browser_of(make_colleague("root", None, is_superuser=True))


@pytest.fixture
def receiver():
    """A real receiver of callbacks."""
    with Receiver() as started:
        yield started
    outbound.close()


@pytest.fixture
def endpoint(account, receiver):
    """`account`'s endpoint at `receiver`, for all events with all that they show."""
    return endpoints.create(account, url=receiver.url, actor=SYSTEM, scopes=READING)


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
