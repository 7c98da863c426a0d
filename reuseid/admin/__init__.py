from reuseid.admin import (  # noqa: F401
    accounts,
    callbacks,
    catalogue,
    clients,
    dashboard,
    people,
    roles,
    sign_ins,
    staff,
    trail,
    upkeep,
    users,
)
