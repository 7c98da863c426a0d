from mobileid.admin import (  # noqa: F401
    all_devices,
    applications,
    dashboard,
    devices,
    keys,
    message_replay,
    operations,
    people,
    registrations,
)
