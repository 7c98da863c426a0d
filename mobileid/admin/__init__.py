from mobileid.admin import applications, dashboard, devices, exchanges, keys, operations, people  # noqa: F401
