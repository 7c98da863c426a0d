from mobileid.admin import (  # noqa: F401
    applications,
    devices,
    extensions,
    keys,
    message_replay,
    operations,
)
