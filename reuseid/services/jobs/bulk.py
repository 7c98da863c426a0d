"""One act on many rows: a dry run by the same code, then carried out by workers, each row in its own transaction.

There is one path: `_decide` calls the service that a single click calls. The dry run undoes that transaction, the
worker commits it together with the row's outcome. A run that is stopped, or whose colleague may not any more, changes
nothing from that moment; a run whose worker died is taken up by the next when the lease is over.
"""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from reuseid import strict_csv
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Conflict, Invalid, ServiceError, WrongState
from reuseid.models import Account, BulkRow, BulkRun, User, move
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.normalisation import as_uuid, compose, folded_ref, without_ignorable
from reuseid.services import leases, reasons, sweeping
from reuseid.services.audit import trail
from reuseid.services.people import users
from reuseid.services.staff import rights
from reuseid.services.wake import wake

log = logging.getLogger(__name__)

CARRY_OUT = "reuseid.tasks.carry_out_bulk_runs"
QUEUE = "bulk"
DRAFT_LIFE = timedelta(hours=1)
LEASE = timedelta(seconds=30)
TYPED_KEPT = timedelta(days=1)
MAX_TEXT = 200
COLUMNS = {"id", "userid", "user id", "deviceid", "device id", "externalref", "external reference", "reference"}


class _Undo(Exception):
    """Takes a dry run back."""


@dataclass(frozen=True)
class Act:
    """What is done to each row: ``service(row, *, actor, reason, note)`` brings it to ``goal``."""

    service: Callable
    right: str
    goal: str
    ends: bool = False  # takes `until`


@dataclass(frozen=True)
class Kind:
    """What can be acted on in bulk. ``find(account_id, texts)`` maps what was typed to ids of the account."""

    model: Any
    right: str
    find: Callable
    acts: dict[str, Act]


def find_users(account_id: UUID, texts: list[str]) -> dict:
    """By id, else by external reference: as it is, or where nobody has it the one that is like it but for case and
    spaces. Two that are like it are none."""
    ids = {text: value for text in texts if (value := as_uuid(text))}
    rows = User.objects.filter(account=account_id)
    known = set(rows.filter(pk__in=set(ids.values())).values_list("pk", flat=True))
    exact = dict(rows.filter(external_ref__in=[compose(text) for text in texts]).values_list("external_ref", "pk"))
    alike = {}
    folded = rows.filter(folded_ref__in=[folded_ref(text) for text in texts])
    for form, pk in folded.values_list("folded_ref", "pk"):
        alike[form] = None if form in alike else pk
    found = {text: exact.get(compose(text)) or alike.get(folded_ref(text)) for text in texts}
    return {text: pk for text, pk in found.items() if pk} | {
        text: value for text, value in ids.items() if value in known
    }


# mobileid adds its own.
KINDS: dict[str, Kind] = {
    "user": Kind(
        User,
        "reuseid.bulk_user",
        find_users,
        {
            "lock": Act(users.lock, "reuseid.lock_user", User.Status.LOCKED, ends=True),
            "unlock": Act(users.unlock, "reuseid.unlock_user", User.Status.ACTIVE),
        },
    )
}


def rights_of(kind: str, act: str) -> tuple[str, str]:
    """Those that a colleague needs for it. Raises Invalid for what is not offered."""
    if kind not in KINDS or act not in KINDS[kind].acts:
        raise Invalid.field("act", "It is not offered for many at once.")
    return KINDS[kind].right, KINDS[kind].acts[act].right


def lines_of(text: str) -> list[str]:
    """One id or reference a line; under a header of a CSV, the column that holds them. Empty lines count for nothing.

    Characters that show as nothing are left out. Raises Invalid for a row that is no row of that CSV or has nothing in
    the column, and as `_check_lines` does.
    """
    text = without_ignorable(text.replace("\x00", "")).replace("\r\n", "\n").replace("\r", "\n")
    begun = text.lstrip("\n")
    table = strict_csv.with_header(io.StringIO(begun, newline="\n"), _holds_them)
    if table is None:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        header, rows = table
        offset = len(text) - len(begun)
        lines = [_cell_of(header, row, row.line + offset) for row in rows if not row.blank]
    return _check_lines(lines)


def _holds_them(name):
    return name.lower() in COLUMNS


def _cell_of(header, row, number):
    why = row.refused
    if not why and len(row.cells) != len(header):
        why = "It has more or fewer columns than the header."
    text = "" if why else row.cells[next(index for index, name in enumerate(header) if _holds_them(name))].strip()
    if not text:
        raise Invalid.field("lines", f"Line {number}: {why or 'it names nobody.'}")
    return text


def _check_lines(lines):
    """Raises Invalid for more than BULK_LIMIT lines, none, or one of more than 200 characters."""
    if not lines:
        raise Invalid.field("lines", "At least one line.")
    if len(lines) > settings.BULK_LIMIT:
        raise Invalid.field("lines", f"At most {settings.BULK_LIMIT} lines at once; these are {len(lines)}.")
    if any(len(line) > MAX_TEXT for line in lines):
        raise Invalid.field("lines", f"At most {MAX_TEXT} characters in a line.")
    return lines


def draft(
    account: Account,
    lines: list[str],
    *,
    actor: Actor,
    kind: str,
    act: str,
    reason: str,
    note: str = "",
    until: datetime | None = None,
) -> BulkRun:
    """The dry run: what would come of each line, kept as a run that can be carried out within the hour.

    Changes nothing else. Raises Invalid or NotAllowed.
    """
    rights.check(actor.staff_id, account.pk, *rights_of(kind, act))
    reasons.check(reason, note)
    _check_lines(lines)
    run = BulkRun(
        account=account,
        asked_by_id=actor.staff_id,
        kind=kind,
        act=act,
        reason=reason,
        note=note,
        until=until if KINDS[kind].acts[act].ends else None,
        row_count=len(lines),
    )
    rows = _rows(run, lines)
    for row in rows:
        if row.target_id:
            row.foreseen, row.message = _decide(run, row.target_id, actor=actor, dry=True)
    with transaction.atomic():
        run.save(force_insert=True)
        BulkRow.objects.bulk_create(rows)
    return run


def _rows(run, lines):
    found, rows = KINDS[run.kind].find(run.account_id, lines), []
    seen: dict[UUID, int] = {}
    for number, text in enumerate(lines, 1):
        row = BulkRow(run=run, account_id=run.account_id, line=number, target_id=found.get(text))
        if row.target_id is None:
            row.foreseen = row.status = BulkRow.Status.NOT_FOUND
            seal_field(row, "typed", text.encode())
        elif row.target_id in seen:
            row.foreseen = row.status = BulkRow.Status.TWICE
            row.message = f"Line {seen[row.target_id]} names it already."
            row.target_id = None
        else:
            seen[row.target_id] = number
        rows.append(row)
    return rows


def _decide(run: BulkRun, target_id: UUID, *, actor: Actor, dry: bool) -> tuple[str, str]:
    """What comes of one row, and why: the act itself, in a transaction that a dry run undoes."""
    kind = KINDS[run.kind]
    act = kind.acts[run.act]
    target = kind.model._default_manager.filter(account=run.account_id, pk=target_id).first()
    if target is None:
        return BulkRow.Status.NOT_FOUND, ""
    ends = {"until": run.until} if act.ends else {}
    try:
        with transaction.atomic():
            act.service(target, actor=actor, reason=run.reason, note=run.note, **ends)
            if dry:
                raise _Undo
    except _Undo:
        pass
    except WrongState as error:
        already = target.status == act.goal
        return (BulkRow.Status.ALREADY, "") if already else (BulkRow.Status.REFUSED, error.detail)
    except ServiceError as error:
        why = " ".join(item["reason"] for item in error.invalid_params) or error.detail or error.title
        return BulkRow.Status.REFUSED, why[:200]
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("A row of the bulk act %s failed.", run.pk)
        return BulkRow.Status.REFUSED, "Unexpected: it is in the log."
    return BulkRow.Status.DONE, ""


@transaction.atomic
def start(run: BulkRun, *, actor: Actor) -> BulkRun:
    """Carry the dry run out: owed from now on. Only for the colleague who made it, within the hour.

    Raises NotAllowed, WrongState (it was started before) or Conflict (too old).
    """
    rights.check(actor.staff_id, run.account_id, *rights_of(run.kind, run.act))
    if actor.staff_id != run.asked_by_id:
        raise rights.NotAllowed("Only the colleague who made the dry run carries it out.")
    fresh = BulkRun.objects.filter(pk=run.pk).filter(~Q(status="DRAFT") | Q(created_at__gt=Now() - DRAFT_LIFE))
    if not fresh.exists():
        raise Conflict("The dry run is older than an hour: make a new one.")
    move(run, BulkRun.Status.RUNNING, started_at=Now())
    changes = {"act": f"{run.act} {run.kind}", "rows": run.row_count}
    trail.record(run, "bulk_run.started", actor=actor, reason=run.reason, note=run.note, changes=changes)
    wake(CARRY_OUT, queue=QUEUE)
    return run


@transaction.atomic
def stop(run: BulkRun, *, actor: Actor) -> BulkRun:
    """Nothing more is changed once this returns; what was done stays done. Raises NotAllowed or WrongState."""
    rights.check(actor.staff_id, run.account_id, *rights_of(run.kind, run.act))
    return _stop(run, actor, f"Stopped by {actor.label}.")


def _stop(run, actor, why):
    move(run, BulkRun.Status.STOPPED, ended_at=Now(), stopped_because=why[:200])
    run.rows.filter(status=BulkRow.Status.WAITING).update(status=BulkRow.Status.SKIPPED, settled_at=Now())
    trail.record(run, "bulk_run.stopped", actor=actor, changes={"rows": counts_of(run)})
    return run


def counts_of(run: BulkRun) -> dict[str, int]:
    """How many rows have which status."""
    counted = run.rows.order_by().values_list("status").annotate(count=Count("pk"))
    return {status: count for status, count in counted if count}


def owed() -> QuerySet:
    """The runs that are to be carried out."""
    return BulkRun.objects.filter(status=BulkRun.Status.RUNNING)


def carry_out_owed(seconds: float = leases.SECONDS) -> bool:
    """Work through the runs that are owed and nobody's; True when none is left, False when the time was over."""
    return leases.work_off(owed(), _step, lease=LEASE, trace="bulk", seconds=seconds)


def _step(run_id: UUID) -> bool:
    """Carry out the next row; False when there is none. The lease grows with every row."""
    try:
        with transaction.atomic():
            return _next_row(run_id)
    except WrongState:
        # A rival had the row; what was done here is undone.
        return True
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        sweeping.pass_over(BulkRun(pk=run_id))
        return False


def _next_row(run_id):
    # The run's row first, as stopping does: neither waits for the other in a circle, and no rival works in vain.
    # That each row is done once, and none after the stop, is `move`'s conditional UPDATE of the row below.
    run = owed().select_for_update(no_key=True).filter(pk=run_id).first()
    if run is None:
        return False
    staff = rights.colleague(run.asked_by_id, run.account_id, *rights_of(run.kind, run.act))
    if staff is None:
        _stop(run, SYSTEM, "The colleague who asked for it may not any more.")
        return False
    row = run.rows.filter(status=BulkRow.Status.WAITING).order_by("line").first()
    if row is None:
        move(run, BulkRun.Status.FINISHED, ended_at=Now())
        trail.record(run, "bulk_run.finished", actor=SYSTEM, changes={"rows": counts_of(run)})
        return False
    outcome, message = _decide(run, row.target_id, actor=Actor.staff(staff), dry=False)
    move(row, outcome, message=message, settled_at=Now())
    BulkRun.objects.filter(pk=run.pk).update(lease_until=Now() + LEASE)
    return True


def purge(limit: int) -> int:
    """Dry runs of yesterday and runs past BULK_RETENTION_DAYS, with their rows; the lines of the trail stay."""
    draft_over = Q(status=BulkRun.Status.DRAFT, created_at__lt=Now() - timedelta(days=1))
    over = Q(created_at__lt=Now() - timedelta(days=settings.BULK_RETENTION_DAYS))
    old = BulkRun.objects.filter(draft_over | over & ~Q(status=BulkRun.Status.RUNNING)).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    BulkRow.objects.filter(run__in=ids).delete()
    BulkRun.objects.filter(pk__in=ids).delete()
    return len(ids)


def forget_typed(limit: int) -> int:
    """What was typed and named nobody goes after a day: it may name a person all the same."""
    old = BulkRow.objects.filter(typed__isnull=False, run__created_at__lt=Now() - TYPED_KEPT)
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:limit])
    return BulkRow.objects.filter(pk__in=ids).update(typed=None)


def forget(user: User, values: set[str]) -> None:
    """Take out what was typed of a person who is erased: ``values`` without regard to case and blanks at the ends."""
    wanted = {value.strip().casefold() for value in values} | {str(user.pk)}
    for row in BulkRow.objects.filter(account=user.account_id, typed__isnull=False).iterator():
        if unseal_field(row, "typed").decode().strip().casefold() in wanted:
            BulkRow.objects.filter(pk=row.pk).update(typed=None)
