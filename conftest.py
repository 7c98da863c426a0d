"""What a test needs is said by its mark; what is not there is skipped with the reason, or fails with NO_SKIPS=1."""

import os
import shutil

import hypothesis
import pytest
from django.conf import settings

# For a night: pytest --hypothesis-profile=thorough
hypothesis.settings.register_profile("thorough", max_examples=10_000)
NO_SKIPS = os.environ.get("NO_SKIPS") == "1"


def pytest_configure():
    """Static files are looked up when they are asked for: each test client would list all of them anew."""
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_collection_modifyitems(items):
    """Skip what this run's stores can't do."""
    on_postgresql = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    for item in items:
        if item.get_closest_marker("postgres") and not on_postgresql:
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: set DATABASE_URL=postgresql://…"))
        if item.get_closest_marker("nginx") and not shutil.which("nginx"):
            item.add_marker(pytest.mark.skip(reason="needs nginx: apt-get install nginx-light"))
        if item.get_closest_marker("redis") and not settings.REDIS_URL:
            item.add_marker(pytest.mark.skip(reason="needs Redis: set REDIS_URL=redis://…"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Under NO_SKIPS=1, where everything is installed, a skip hides something."""
    report = yield
    if NO_SKIPS and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"Skipped although NO_SKIPS=1: {report.longrepr}"
    return report
