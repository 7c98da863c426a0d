from mobileid.admin import (  # noqa: F401
    all_devices,
    applications,
    dashboard,
    devices,
    exchanges,
    keys,
    operations,
    people,
    registrations,
)
