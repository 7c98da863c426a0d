"""The second factor of colleagues: an authenticator app, ten recovery codes, and what checks them.

A try is counted before it is looked at, so parallel guesses get no more looks than guesses in a row; a code that was
right is taken once, by one conditional UPDATE. Every refusal reads the same.
"""

import secrets

from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.oath import TOTP

from reuseid.actors import Actor
from reuseid.errors import Conflict, ServiceError
from reuseid.limits import spend
from reuseid.models import RecoveryCode, SecondFactor, Staff, StaffSignIn
from reuseid.models.sealed import seal_field
from reuseid.models.sign_ins import MOST_FAILURES
from reuseid.services import trail
from reuseid.services.staff import ALPHABET, check_mine

Method = StaffSignIn.Method
CODES = 10
# 15 characters of 31: 74 bits, so the short hash of client secrets is enough and ten of them cost no seconds.
GROUPS, GROUP = 3, 5
HASHER = "pbkdf2_sha256_client"
# Of one colleague in so many seconds, where there is no app to count at.
PASSWORD_TRIES, PASSWORD_WINDOW = 10, 15 * 60


class Refused(ServiceError):
    """The code or the password is wrong, was used before, or comes too soon after a wrong one."""

    status = 403
    code = "second_factor_refused"
    title = _("This was not right, was used already, or was tried too often. Wait a moment, then use the newest code.")


class NoFactor(Conflict):
    """The colleague has no second factor, or has one already."""

    code = "second_factor_state"
    title = "There is another second factor by now."


def of(staff: Staff) -> SecondFactor | None:
    """The colleague's second factor."""
    return SecondFactor.objects.filter(user=staff.pk).first()


def codes_left(staff: Staff) -> int:
    """How many recovery codes are unused."""
    return RecoveryCode.objects.filter(staff=staff.pk, used_at=None).count()


def new_secret() -> bytes:
    """What an app is given: RFC 4226 recommends 160 bits."""
    return secrets.token_bytes(20)


# Enrolling


@transaction.atomic
def enrol(staff: Staff, secret: bytes, code: str, *, by: Staff, replace: bool = False) -> list[str]:
    """Take ``secret`` into use with the first ``code`` of it; returns ten recovery codes, shown this once.

    ``replace`` an app that is in use: the caller has checked it. Raises Refused, and NoFactor when there is an app
    already, or none to replace.
    """
    clock = TOTP(secret)
    if not _digits(code) or not clock.verify(int(_bare(code)), tolerance=1):
        raise Refused
    gone = SecondFactor.objects.filter(user=staff.pk).delete()[0] if replace else 0
    if bool(gone) != replace:
        raise NoFactor
    factor = SecondFactor(user_id=staff.pk, name="TOTP", last_t=clock.t(), drift=clock.drift)
    seal_field(factor, "key", secret)
    try:
        with transaction.atomic():
            factor.save(force_insert=True)
    except IntegrityError:
        raise NoFactor from None
    trail.record(staff, "staff.factor_replaced" if replace else "staff.factor_enrolled", actor=Actor.staff(by))
    return _make_codes(staff)


@transaction.atomic
def new_codes(staff: Staff, *, by: Staff) -> list[str]:
    """Ten fresh recovery codes, shown this once; the former ones stop. Raises NoFactor."""
    if of(staff) is None:
        raise NoFactor("Set up an authenticator app first.")
    codes = _make_codes(staff)
    trail.record(staff, "staff.recovery_codes_made", actor=Actor.staff(by))
    return codes


def _make_codes(staff):
    codes = ["-".join(_group() for _ in range(GROUPS)) for _ in range(CODES)]
    RecoveryCode.objects.filter(staff=staff.pk).delete()
    hashed = [make_password(_bare(code), hasher=HASHER) for code in codes]
    RecoveryCode.objects.bulk_create(RecoveryCode(staff_id=staff.pk, hash=value) for value in hashed)
    return codes


def _group():
    return "".join(secrets.choice(ALPHABET) for _ in range(GROUP))


# Checking


def check(staff: Staff, code: str) -> Method:
    """Take a code of the app, or a recovery code; says which it was. Raises Refused.

    Not in a transaction of the caller's: a wrong try must stay counted.
    """
    factor = of(staff)
    if factor is None or not _claim_try(factor):
        raise Refused
    if _digits(code):
        _take_step(factor, factor.step_of(_bare(code)))
        return Method.APP
    _take_recovery_code(staff, _bare(code).lower())
    _forgive(factor)
    return Method.RECOVERY_CODE


def _claim_try(factor) -> bool:
    """Count a failure in advance; False when it is too soon or a rival try was first."""
    allowed, _why = factor.verify_is_allowed()
    same = {"pk": factor.pk, "throttling_failure_count": factor.throttling_failure_count}
    same["throttling_failure_timestamp"] = factor.throttling_failure_timestamp
    count = min(factor.throttling_failure_count + 1, MOST_FAILURES)
    rows = SecondFactor.objects.filter(**same)
    return allowed and bool(rows.update(throttling_failure_count=count, throttling_failure_timestamp=timezone.now()))


def _take_step(factor, clock):
    if clock is None:
        raise Refused
    taken = SecondFactor.objects.filter(pk=factor.pk, last_t__lt=clock.t()).update(
        last_t=clock.t(),
        drift=clock.drift,
        last_used_at=timezone.now(),
        throttling_failure_count=0,
        throttling_failure_timestamp=None,
    )
    if not taken:
        raise Refused


def _forgive(factor):
    SecondFactor.objects.filter(pk=factor.pk).update(throttling_failure_count=0, throttling_failure_timestamp=None)


@transaction.atomic
def _take_recovery_code(staff, code):
    unused = RecoveryCode.objects.filter(staff=staff.pk, used_at=None)
    found = next((row for row in unused if matches(code, row.hash)), None)
    if found is None or not unused.filter(pk=found.pk).update(used_at=Now()):
        raise Refused
    changes = {"left": codes_left(staff)}
    trail.record(staff, "staff.recovery_code_used", actor=Actor.staff(staff), changes=changes)


def check_password(staff: Staff, password: str):
    """The colleague's own password, for one who has no app. Raises Refused."""
    spent = spend("staff-password", str(staff.pk), quota=PASSWORD_TRIES, window=PASSWORD_WINDOW)
    if spent.left < 0 or not staff.check_password(password):
        raise Refused


def _bare(code):
    return "".join(code.split()).replace("-", "")


def _digits(code):
    bare = _bare(code)
    return len(bare) == 6 and bare.isascii() and bare.isdecimal()


# Losing it


@transaction.atomic
def reset(staff: Staff, *, by: Staff, reason: str, note: str = ""):
    """Take a colleague's app and recovery codes away and end their sessions. Raises NotYours and NoFactor."""
    check_mine(staff, by)
    _remove(staff, actor=Actor.staff(by), reason=reason, note=note)


@transaction.atomic
def reset_by_operator(staff: Staff, *, actor: Actor):
    """The same from the command line, for whom no colleague may change. Raises NoFactor."""
    _remove(staff, actor=actor)


def _remove(staff, *, actor, reason="", note=""):
    if not SecondFactor.objects.filter(user=staff.pk).delete()[0]:
        raise NoFactor("There is no second factor to reset.")
    RecoveryCode.objects.filter(staff=staff.pk).delete()
    Staff.objects.filter(pk=staff.pk).update(sign_in_round=F("sign_in_round") + 1)
    trail.record(staff, "staff.factor_reset", actor=actor, reason=reason, note=note)
