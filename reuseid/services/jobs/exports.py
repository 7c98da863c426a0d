"""Exports: asked for with a reason, made by workers part by part, downloaded by the asker alone, deleted after a day.

The parts lie in the database, sealed: every web server and every worker reaches them, and nothing is left in a folder.
A part is written in the transaction that moves the cursor on, so a worker that dies leaves neither a gap nor a repeat.
"""

import contextlib
import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Conflict, Unknown, WrongState
from reuseid.models import Account, Export, ExportPart, User, move
from reuseid.models.deadlines import IN_TIME, OVERDUE
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services import leases, reasons, sweeping
from reuseid.services.audit import trail
from reuseid.services.jobs import csv_text
from reuseid.services.jobs.export_kinds import KINDS, attribute_names, rights_of
from reuseid.services.staff import rights
from reuseid.services.wake import wake

log = logging.getLogger(__name__)

MAKE = "reuseid.tasks.make_exports"
QUEUE = "bulk"
LEASE = timedelta(seconds=60)
OPEN = 5  # of one colleague that are not deleted yet
KEPT = timedelta(days=90)  # what an export was, without its rows


@transaction.atomic
def ask(
    account: Account,
    *,
    actor: Actor,
    kind: str,
    reason: str,
    note: str = "",
    filters: dict | None = None,
    attributes: bool = False,
    sensitive: bool = False,
    bom: bool = False,
) -> Export:
    """Owe an export. Raises Invalid, NotAllowed, or Conflict for a colleague who has too many."""
    rights.check(actor.staff_id, account.pk, *rights_of(kind, sensitive))
    reasons.check(reason, note)
    KINDS[kind].rows(account.pk, filters or {})
    alive = Export.objects.filter(asked_by=actor.staff_id, status__in=["OWED", "RUNNING", "READY"])
    if len(alive.values_list("pk")[:OPEN]) >= OPEN:
        raise Conflict(
            f"You have {OPEN} exports already. Each is deleted {settings.EXPORT_HOURS} hours after it is made."
        )
    export = Export(
        account=account,
        asked_by_id=actor.staff_id,
        kind=kind,
        filters=filters or {},
        attributes=attribute_names(account.pk) if attributes and kind == "users" else [],
        sensitive=sensitive,
        bom=bom,
        reason=reason,
        note=note,
    )
    export.save(force_insert=True)
    changes = {"kind": kind, "filters": export.filters, "attributes": export.attributes, "sensitive": sensitive}
    trail.record(export, "export.asked", actor=actor, reason=reason, note=note, changes=changes)
    wake(MAKE, queue=QUEUE)
    return export


def owed() -> QuerySet:
    """The exports that are to be made."""
    return Export.objects.filter(status__in=["OWED", "RUNNING"])


def make_owed(seconds: float = leases.SECONDS) -> bool:
    """Make the exports that are owed and nobody's; True when none is left, False when the time was over."""
    return leases.work_off(owed(), _step, lease=LEASE, trace="export", seconds=seconds)


def _step(export_id: UUID) -> bool:
    """Make the next part; False when there is none. A failure is the export's own alone."""
    try:
        return _make_part(export_id)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        log.exception("Export %s can't be made.", export_id)
        with transaction.atomic(), contextlib.suppress(WrongState):
            _fail(Export.objects.select_for_update(no_key=True).get(pk=export_id), "Unexpected: it is in the log.")
        return False


@transaction.atomic
def _make_part(export_id: UUID) -> bool:
    """In the export's row lock, which keeps rivals apart whatever they believe of the lease."""
    export = owed().select_for_update(no_key=True).filter(pk=export_id).first()
    if export is None:
        return False
    if rights.colleague(export.asked_by_id, export.account_id, *rights_of(export.kind, export.sensitive)) is None:
        return _fail(export, "The colleague who asked for it may not any more.")
    kind = KINDS[export.kind]
    rows = kind.rows(export.account_id, export.filters)
    if export.status == Export.Status.OWED:
        return _begin(export, rows)
    lines, cursor = kind.batch(export, rows, export.cursor)
    if export.row_count + len(lines) > settings.EXPORT_LIMIT:
        return _fail(export, _too_many())
    if not lines:
        move(export, Export.Status.READY, ready_at=Now(), expires_at=Now() + timedelta(hours=settings.EXPORT_HOURS))
        trail.record(export, "export.made", actor=SYSTEM, changes={"rows": export.row_count})
        return False
    _write(export, csv_text.lines(lines), cursor=cursor, row_count=export.row_count + len(lines))
    return True


def _begin(export, rows):
    expected = rows.order_by()[: settings.EXPORT_LIMIT + 1].count()
    if expected > settings.EXPORT_LIMIT:
        return _fail(export, _too_many())
    move(export, Export.Status.RUNNING, expected=expected)
    header = csv_text.lines([KINDS[export.kind].columns(export)])
    _write(export, (csv_text.BOM if export.bom else "") + header)
    return True


def _write(export, text, **changes):
    part = ExportPart(export=export, account_id=export.account_id, number=export.part_count)
    seal_field(part, "content", text.encode())
    part.save(force_insert=True)
    Export.objects.filter(pk=export.pk).update(part_count=part.number + 1, lease_until=Now() + LEASE, **changes)


def _fail(export, why):
    move(export, Export.Status.FAILED, failure=why)
    export.parts.all().delete()
    trail.record(export, "export.failed", actor=SYSTEM, changes={"why": why})
    return False


def _too_many():
    return f"More than {settings.EXPORT_LIMIT} rows: choose fewer by filters."


@transaction.atomic
def download(export: Export, *, actor: Actor) -> int:
    """Record a download and return how many parts there are; for the asker alone, who still has the rights.

    Raises NotAllowed, or WrongState when it is not ready or its time is over.
    """
    rights.check(actor.staff_id, export.account_id, *rights_of(export.kind, export.sensitive))
    if actor.staff_id != export.asked_by_id:
        raise rights.NotAllowed("Only the colleague who asked for it downloads it.")
    # A sweep that deletes it waits for the line of the trail.
    ready = Export.objects.select_for_update(no_key=True).filter(pk=export.pk, status="READY", **IN_TIME)
    if ready.first() is None:
        export.refresh_from_db(fields=["status"])
        raise WrongState(export, Export.Status.READY)
    trail.record(export, "export.downloaded", actor=actor, changes={"rows": export.row_count})
    return export.part_count


def part(export: Export, number: int) -> bytes:
    """One part's bytes; raises Unknown when it was deleted meanwhile."""
    found = ExportPart.objects.filter(export=export, number=number).first()
    if found is None:
        raise Unknown
    return unseal_field(found, "content")


def expire(limit: int = 50) -> int:
    """Delete the rows of exports whose time is over; what they were stays. Returns how many."""
    over = Export.objects.filter(status="READY", **OVERDUE).order_by("expires_at")
    return sweeping.sweep(over, _expire, limit=limit)


def _expire(export):
    move(export, Export.Status.EXPIRED, guard=OVERDUE)
    export.parts.all().delete()
    trail.record(export, "export.deleted", actor=SYSTEM)


def forget(user: User) -> None:
    """Take a person's row out of the exports that there are, in the transaction of the person's erasure.

    Waits for a part that is being made: the next one reads what the erasure leaves.
    """
    alive = Export.objects.filter(account=user.account_id, kind=Export.Kind.USERS, status__in=["RUNNING", "READY"])
    for export in alive.order_by("pk").select_for_update(no_key=True):
        for part in export.parts.order_by("number").iterator(chunk_size=20):
            content = unseal_field(part, "content").decode()
            if str(user.pk) in content:
                seal_field(part, "content", csv_text.without(content, str(user.pk)).encode())
                ExportPart.objects.filter(pk=part.pk).update(content=part.content)


def purge(limit: int) -> int:
    """Exports of long ago, of which nothing but the entry is left."""
    old = Export.objects.filter(status__in=["EXPIRED", "FAILED"], created_at__lt=Now() - KEPT).order_by("created_at")
    return sweeping.delete(old, limit)
