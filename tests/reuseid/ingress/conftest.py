import pytest

from reuseid.ingress.threads import Threads


@pytest.fixture
def threads():
    """As the web server has them; their connections are closed afterwards."""
    threads = Threads()
    yield threads
    threads.close()
