from reuseid.admin import (  # noqa: F401
    accounts,
    callbacks,
    catalogue,
    clients,
    dashboard,
    endpoints,
    people,
    roles,
    staff,
    trail,
    upkeep,
    users,
)
