import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from reuseid.ingress.threads import Threads


@pytest.fixture
def threads():
    """As the web server has them; their connections are closed afterwards."""
    threads = Threads()
    yield threads
    threads.close()


@pytest.fixture
def all_taken(settings, threads, monkeypatch):
    """`async with all_taken() as call`: the one thread there is has a call that ends with the block; nobody waits."""
    settings.REQUESTS_AT_ONCE = 1
    monkeypatch.setattr("reuseid.ingress.threads.PATIENCE", 0.01)

    @asynccontextmanager
    async def taken():
        end = threading.Event()
        call = asyncio.ensure_future(threads.run(end.wait, 30))
        await asyncio.sleep(0)
        yield call
        end.set()
        if not call.cancelled():
            await call

    return taken
