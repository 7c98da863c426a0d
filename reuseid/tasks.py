"""Celery's door: tasks take ids only, and each calls one service. Who wakes them names them as text."""

from celery import shared_task

from reuseid.services import counting, heartbeats, purging
from reuseid.services.audit import seals
from reuseid.services.jobs import bulk, erasures, exports
from reuseid.services.people import approvals, users
from reuseid.services.webhooks import sender

BATCHES = 25


@shared_task(name="reuseid.tasks.send_owed_callbacks")
def send_owed_callbacks():
    """Send the callbacks that are due. Woken after each commit that owes some, and by beat: a lost wake costs seconds.

    Acknowledged early: a worker that dies leaves rows whose leases end, which the next run finds.
    """
    if not sender.send_owed():
        send_owed_callbacks.apply_async()


@shared_task(bind=True, name="reuseid.tasks.heartbeat")
def heartbeat(self, queue):
    """Say that a worker consumes this queue: sent to each by beat, so it proves beat, broker and worker at once."""
    heartbeats.beat(f"worker:{queue}", self.request.hostname or "")


@shared_task(name="reuseid.tasks.end_locks")
def end_locks():
    """Unlock users whose lock had an end and reached it."""
    _repeat(users.end_locks)


@shared_task(name="reuseid.tasks.expire_requests")
def expire_requests():
    """End what colleagues asked for and no second one decided in time."""
    _repeat(approvals.expire_due)


@shared_task(name="reuseid.tasks.erase_users")
def erase_users():
    """Take the next bounded step of every erasure that was asked for; beat comes back for the rest."""
    _repeat(erasures.carry_out)


@shared_task(name="reuseid.tasks.carry_out_bulk_runs")
def carry_out_bulk_runs():
    """Carry out the bulk acts that are owed, row by row; what is left after some time is the next task's."""
    if not bulk.carry_out_owed():
        carry_out_bulk_runs.apply_async()


@shared_task(name="reuseid.tasks.make_exports")
def make_exports():
    """Make the exports that are owed, part by part; what is left after some time is the next task's."""
    if not exports.make_owed():
        make_exports.apply_async()


@shared_task(name="reuseid.tasks.expire_exports")
def expire_exports():
    """Delete the rows of exports whose time is over."""
    _repeat(exports.expire)


@shared_task(name="reuseid.tasks.seal_trail")
def seal_trail():
    """Sign the lines of the trail that no seal covers. Twice at once: the second finds its number taken."""
    _repeat(seals.seal)


@shared_task(name="reuseid.tasks.count_hours")
def count_hours():
    """Count the hours that are over and not counted yet. Twice at once: both count the same, one writes it."""
    _repeat(counting.count_next_hours)


@shared_task(name="reuseid.tasks.purge")
def purge():
    """Delete what is past its retention; what a minute leaves is the next task's."""
    try:
        purging.catch_up()
    finally:
        _repeat(seals.purge)


def _repeat(step):
    """Until there is nothing left, within the task's time limit; the rest is for the next run."""
    for _ in range(BATCHES):
        if not step():
            break
