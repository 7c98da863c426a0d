"""What beat starts, and how often. Every task is safe to run twice and finds little to do."""

from datetime import timedelta

from celery.schedules import schedule

SCHEDULE = {
    "expire-operations": {
        "task": "mobileid.tasks.expire_operations",
        "schedule": schedule(timedelta(seconds=5)),
    },
    "make-keys": {"task": "mobileid.tasks.turn_keys", "schedule": schedule(timedelta(minutes=10))},
    "purge-protocol-rows": {"task": "mobileid.tasks.purge", "schedule": schedule(timedelta(minutes=5))},
    "seal-trail": {"task": "reuseid.tasks.seal_trail", "schedule": schedule(timedelta(minutes=1))},
    "end-locks-of-users": {"task": "reuseid.tasks.end_locks", "schedule": schedule(timedelta(seconds=15))},
    "expire-requests": {"task": "reuseid.tasks.expire_requests", "schedule": schedule(timedelta(seconds=15))},
    "erase-users": {"task": "reuseid.tasks.erase_users", "schedule": schedule(timedelta(minutes=1))},
    "expire-exports": {"task": "reuseid.tasks.expire_exports", "schedule": schedule(timedelta(minutes=1))},
    "purge": {"task": "reuseid.tasks.purge", "schedule": schedule(timedelta(minutes=10)), "options": {"expires": 600}},
    "count-hours": {
        "task": "reuseid.tasks.count_hours",
        "schedule": schedule(timedelta(minutes=5)),
        "options": {"expires": 300},
    },
}
