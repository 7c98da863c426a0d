"""The same colleagues as in tests/reuseid/admin."""

from tests.reuseid.admin.conftest import (  # noqa: F401
    administrator,
    auditor,
    integrator,
    other_senior,
    root,
    senior,
    stranger,
    support,
)
