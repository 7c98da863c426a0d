"""The same person, app and phone as in tests/mobileid/api."""

from tests.mobileid.api.conftest import application, device, user  # noqa: F401
