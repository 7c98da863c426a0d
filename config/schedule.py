"""What beat starts, and how often. Every task is safe to run twice and finds little to do."""

from datetime import timedelta

from celery.schedules import schedule

MINUTE = 60
CLOCKS = 10
"""Seconds by which the clocks of beat and a worker may differ: no message expires sooner."""


def beat_schedule(callback_sweep: int, bulk_sweep: int, watched_queues: list[str]) -> dict:
    """The entries by name. The sweeps are seconds between two looks for what is owed and nobody was woken for."""
    return {
        "expire-operations": _every(5, "mobileid.tasks.expire_operations"),
        "make-keys": _every(10 * MINUTE, "mobileid.tasks.rotate_keys"),
        "purge-protocol-rows": _every(5 * MINUTE, "mobileid.tasks.purge"),
        "seal-trail": _every(MINUTE, "reuseid.tasks.seal_trail"),
        "end-locks-of-users": _every(15, "reuseid.tasks.end_locks"),
        "expire-requests": _every(15, "reuseid.tasks.expire_requests"),
        "erase-users": _every(MINUTE, "reuseid.tasks.erase_users"),
        "send-owed-callbacks": _every(callback_sweep, "reuseid.tasks.send_owed_callbacks", expires=30),
        "carry-out-bulk-runs": _every(bulk_sweep, "reuseid.tasks.carry_out_bulk_runs", expires=bulk_sweep),
        "make-exports": _every(bulk_sweep, "reuseid.tasks.make_exports", expires=bulk_sweep),
        "expire-exports": _every(MINUTE, "reuseid.tasks.expire_exports"),
        "purge": _every(10 * MINUTE, "reuseid.tasks.purge", expires=10 * MINUTE),
        "count-hours": _every(5 * MINUTE, "reuseid.tasks.count_hours", expires=5 * MINUTE),
    } | {
        f"heartbeat-{queue}": _every(10, "reuseid.tasks.heartbeat", args=[queue], queue=queue, expires=10)
        for queue in watched_queues
    }


def _every(seconds, task, args=(), **options):
    # While a sweep lasts longer than its interval, those that follow it must not fill the queue that others need.
    options = {"expires": max(seconds, CLOCKS), **options}
    return {"task": task, "schedule": schedule(timedelta(seconds=seconds)), "args": args, "options": options}
