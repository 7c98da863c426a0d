"""The cast: support, senior support, auditor, integration, administrator of one account; a stranger of another."""

import pytest

from tests.reuseid.admin.cast import browser_of, make_colleague


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
