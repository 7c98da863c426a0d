from reuseid.admin import (  # noqa: F401
    accounts,
    bulk,
    callbacks,
    catalogue,
    clients,
    dashboard,
    people,
    roles,
    staff,
    trail,
    upkeep,
    users,
)
