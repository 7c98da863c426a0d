"""A person of whom nothing is owed yet."""

import pytest

from tests import factories


@pytest.fixture
def user(account):
    """A person of whom nothing was told."""
    return factories.make_untold_user(account)
