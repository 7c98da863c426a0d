"""A real browser on a live server.

A console error, a broken rule of the content policy or a failed request fails a test.
Nothing waits for a time: every step waits for what it needs to be there.
"""

import contextlib
import os
import shutil
import signal

import pytest
from django.conf import settings
from playwright.sync_api import expect, sync_playwright

from config.demo.supervisor import Supervisor
from reuseid.middleware.zone import COOKIE
from tests.browser import dataset as scenes
from tests.browser.watch import Watched
from tests.faults.processes import CELERY, database_url
from tests.reuseid.admin.conftest import quick_hashes  # noqa: F401
from tests.staff_factories import browser_of

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ZONE = "Europe/Helsinki"
expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="needs Chromium: install it, or name it in CHROMIUM"))


@pytest.fixture(scope="module")
def chromium():
    """One browser for a file. Its driver runs an event loop in this thread; the tests read rows all the same."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    with sync_playwright() as driver:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        root = hasattr(os, "getuid") and os.getuid() == 0
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])]
        )
        try:
            yield browser
        finally:
            browser.close()
            os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
            if before is not None:
                os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def scene(live_server):
    """Nordbank on a working day: people, phones, operations, callbacks, colleagues."""
    return scenes.nordbank()


class Worker:
    """A real worker of the queue ``bulk``, on the tests' own database and broker."""

    def __init__(self, processes, log):
        options = ["-Q", "bulk", "--concurrency", "1", "--without-mingle", "--without-gossip", "--loglevel", "INFO"]
        self.process = processes.start("worker", [*CELERY, "worker", *options], log).process
        assert processes.wait(90, lambda: " ready." in log.read_text()), log.read_text()

    @contextlib.contextmanager
    def held(self):
        """It takes up nothing inside the block, as one that has other work has not yet."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def worker(django_db_setup, tmp_path_factory):
    """Ready when the tests of a file begin, gone after them."""
    with Supervisor({"DATABASE_URL": database_url()}) as processes:
        yield Worker(processes, tmp_path_factory.mktemp("worker") / "log")


@pytest.fixture
def open_as(chromium, live_server):
    """``open_as(colleague, dark=False, language="en")``: a page of their browser; None is not signed in."""
    with contextlib.ExitStack() as closing:

        def open_as(staff=None, *, dark=False, language="en", **options):
            context = chromium.new_context(
                base_url=live_server.url,
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                locale={"en": "en-GB", "de": "de-DE"}[language],
                timezone_id=ZONE,
                viewport={"width": 1440, "height": 900},
                **options,
            )
            closing.callback(context.close)
            context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
            if staff is not None:
                value = browser_of(staff).cookies[settings.SESSION_COOKIE_NAME].value
                context.add_cookies(
                    [
                        {
                            "name": settings.SESSION_COOKIE_NAME,
                            "value": value,
                            "url": live_server.url,
                            "httpOnly": True,
                        },
                        # The sign-in page has told it.
                        {"name": COOKIE, "value": ZONE, "url": live_server.url},
                    ]
                )
            page = context.new_page()
            page.set_default_timeout(10_000)
            watched = Watched(page)
            closing.callback(watched.judge)
            return page

        yield open_as
