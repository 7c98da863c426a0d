import pytest

from reuseid.actors import SYSTEM
from reuseid.event_scopes import READING
from reuseid.services.webhooks import endpoints
from tests import factories
from tests.faults.processes import Stage


@pytest.fixture
def stage(transactional_db, tmp_path):
    with Stage(tmp_path) as stage:
        yield stage


@pytest.fixture
def account(transactional_db):
    return factories.make_account()


@pytest.fixture
def webhook(account):
    """`webhook(url)`: an endpoint of the account."""
    return lambda url: endpoints.create(account, url=url, actor=SYSTEM, scopes=READING)
