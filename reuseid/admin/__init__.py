from reuseid.admin import (  # noqa: F401
    accounts,
    callbacks,
    catalogue,
    clients,
    dashboard,
    people,
    requests,
    roles,
    staff,
    trail,
    upkeep,
    users,
)
