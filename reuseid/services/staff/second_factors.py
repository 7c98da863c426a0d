"""The second factors of colleagues: an authenticator app or passkeys, ten recovery codes, and what checks them.

A try is counted before it is looked at, so parallel guesses get no more looks than guesses in a row; a code that was
right is taken once, by one conditional UPDATE. Every refusal reads the same. Passkeys have a module of their own.
"""

import secrets
from typing import NamedTuple

from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet, prefetch_related_objects
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.oath import TOTP

from reuseid.actors import Actor
from reuseid.errors import STAFF, Conflict, ServiceError
from reuseid.limits import hit
from reuseid.models import Passkey, RecoveryCode, SecondFactor, Staff, StaffSignIn
from reuseid.models.sealed import seal_field
from reuseid.models.sign_ins import MOST_FAILURES
from reuseid.services.audit import trail
from reuseid.services.staff.members import ALPHABET, TakesTwo, check_mine, hold

Method = StaffSignIn.Method
CODES = 10
# 15 characters of 31: 74 bits, so the short hash of client secrets is enough and ten of them cost no seconds.
GROUPS, GROUP = 3, 5
HASHER = "pbkdf2_sha256_client"
# Of one colleague in so many seconds, where there is no app to count at.
PASSWORD_TRIES, PASSWORD_WINDOW = 10, 15 * 60


class Refused(ServiceError):
    """The code, passkey or password is wrong, was used before, or comes too soon after a wrong one."""

    status = 403
    code = "second_factor_refused"
    audience = STAFF
    title = _(
        "This was not right, was used already, or was tried too often. Wait a moment, then try again; of an app use "
        "the newest code."
    )


class NoFactor(Conflict):
    """The colleague has no such second factor, or has one already."""

    code = "second_factor_state"
    audience = STAFF
    title = "There is another second factor by now."


class Kinds(NamedTuple):
    """What a colleague has: an app, a passkey of any host, a passkey of the host that was asked about."""

    app: bool
    passkey: bool
    passkey_here: bool


def kinds(staff: Staff, host: str = "") -> Kinds:
    """Which second factors there are, in one query."""
    passkeys = Passkey.objects.filter(user=OuterRef("pk"))
    asked = (
        Exists(SecondFactor.objects.filter(user=OuterRef("pk"))),
        Exists(passkeys),
        Exists(passkeys.filter(host=host)),
    )
    return Kinds(*Staff.objects.filter(pk=staff.pk).values_list(*asked).get())


def app_of(staff: Staff) -> SecondFactor | None:
    """The colleague's authenticator app; None where there is none."""
    return SecondFactor.objects.filter(user=staff.pk).first()


def passkeys_of(staff: Staff) -> QuerySet:
    """The colleague's passkeys, the oldest first."""
    return Passkey.objects.filter(user=staff.pk).order_by("pk")


def listed(staff: Staff) -> tuple[SecondFactor | None, list[Passkey]]:
    """App and passkeys to be shown, read once for this object: never to decide by."""
    prefetch_related_objects([staff], "secondfactor_set", "passkey_set")
    return next(iter(staff.secondfactor_set.all()), None), sorted(staff.passkey_set.all(), key=lambda key: key.pk)


def of(staff: Staff) -> SecondFactor | Passkey | None:
    """A second factor of the colleague: what a session is bound to, and where tries are counted."""
    return app_of(staff) or passkeys_of(staff).first()


def codes_left(staff: Staff) -> int:
    """How many recovery codes are unused."""
    return RecoveryCode.objects.filter(staff=staff.pk, used_at=None).count()


def new_secret() -> bytes:
    """20 random bytes, the secret that an app is given (RFC 4226, section 4, recommends 160 bits)."""
    return secrets.token_bytes(20)


# Enrolling


@transaction.atomic
def enrol(
    staff: Staff, secret: bytes, code: str, *, actor: Actor, replace: bool = False, beside: bool = False
) -> list[str]:
    """Take ``secret`` into use with the first ``code`` of it; returns ten recovery codes, shown this once, or none
    where those of an earlier factor go on.

    ``replace`` an app that is in use, or set one up ``beside`` passkeys: the caller has checked one of them. Raises
    Refused, and NoFactor when there is a factor already, or none to replace.
    """
    clock = TOTP(secret)
    if not _digits(code) or not clock.verify(int(_bare(code)), tolerance=1):
        raise Refused
    had = begin(staff, first=not (replace or beside))
    if bool(replace and SecondFactor.objects.filter(user=staff.pk).delete()[0]) != replace:
        raise NoFactor
    factor = SecondFactor(user_id=staff.pk, name="TOTP", last_t=clock.t(), drift=clock.drift)
    seal_field(factor, "key", secret)
    try:
        with transaction.atomic():
            factor.save(force_insert=True)
    except IntegrityError:
        raise NoFactor from None
    trail.record(staff, "staff.factor_replaced" if replace else "staff.factor_enrolled", actor=actor)
    return [] if had and not replace else make_codes(staff)


def begin(staff: Staff, *, first: bool) -> bool:
    """Lock the colleague's row before a factor is added, so that of two first ones one is refused; says whether there
    was one. Raises NoFactor when there must be none, or when password or factors were reset since ``staff`` was read.
    """
    held = hold(staff)
    had = held.has_second_factor()
    if (held.password, held.sign_in_round) != (staff.password, staff.sign_in_round) or (first and had):
        raise NoFactor
    Staff.objects.filter(pk=staff.pk).exclude(factor_reset_by=None).update(factor_reset_by=None)
    return had


@transaction.atomic
def new_codes(staff: Staff, *, actor: Actor) -> list[str]:
    """Ten fresh recovery codes, shown this once; the former ones stop. Raises NoFactor."""
    if not hold(staff).has_second_factor():
        raise NoFactor(_("Set up a second factor first."))
    codes = make_codes(staff)
    trail.record(staff, "staff.recovery_codes_made", actor=actor)
    return codes


def make_codes(staff: Staff) -> list[str]:
    """Ten codes in place of the former ones, in the caller's transaction."""
    codes = ["-".join(_group() for _ in range(GROUPS)) for _ in range(CODES)]
    RecoveryCode.objects.filter(staff=staff.pk).delete()
    hashed = [make_password(_bare(code), hasher=HASHER) for code in codes]
    RecoveryCode.objects.bulk_create(RecoveryCode(staff_id=staff.pk, hash=value) for value in hashed)
    return codes


def _group():
    return "".join(secrets.choice(ALPHABET) for _ in range(GROUP))


# Checking


def check(staff: Staff, code: str) -> StaffSignIn.Method:
    """Take a code of the app, or a recovery code; says which it was. Raises Refused.

    Not in a transaction of the caller's: a wrong try must stay counted.
    """
    app = app_of(staff)
    counted = claim_try(app or passkeys_of(staff).first())
    if not _digits(code):
        _take_recovery_code(staff, _bare(code).lower())
        forgive(counted)
        return Method.RECOVERY_CODE
    if app is None:
        raise Refused
    _take_step(app, app.step_of(_bare(code)))
    return Method.APP


def claim_try(factor: SecondFactor | Passkey | None) -> SecondFactor | Passkey:
    """Count a failure in advance. Raises Refused when it is too soon, a rival try was first, or nothing is there."""
    if factor is None or not factor.verify_is_allowed()[0]:
        raise Refused
    same = {"pk": factor.pk, "throttling_failure_count": factor.throttling_failure_count}
    same["throttling_failure_timestamp"] = factor.throttling_failure_timestamp
    count = min(factor.throttling_failure_count + 1, MOST_FAILURES)
    rows = type(factor).objects.filter(**same)
    if not rows.update(throttling_failure_count=count, throttling_failure_timestamp=timezone.now()):
        raise Refused
    return factor


def forgive(factor: SecondFactor | Passkey) -> None:
    """Take back the failure that `claim_try` counted in advance: the try was right."""
    rows = type(factor).objects.filter(pk=factor.pk)
    rows.update(throttling_failure_count=0, throttling_failure_timestamp=None)


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


@transaction.atomic
def _take_recovery_code(staff, code):
    unused = RecoveryCode.objects.filter(staff=staff.pk, used_at=None)
    found = next((row for row in unused if matches(code, row.hash)), None)
    if found is None or not unused.filter(pk=found.pk).update(used_at=Now()):
        raise Refused
    changes = {"left": codes_left(staff)}
    trail.record(staff, "staff.recovery_code_used", actor=Actor.staff(staff), changes=changes)


def check_password(staff: Staff, password: str) -> None:
    """The colleague's own password, for one who has no second factor. Raises Refused."""
    spent = hit("staff-password", str(staff.pk), quota=PASSWORD_TRIES, window=PASSWORD_WINDOW)
    if spent.left < 0 or not staff.check_password(password):
        raise Refused


def _bare(code):
    return "".join(code.split()).replace("-", "")


def _digits(code):
    bare = _bare(code)
    return len(bare) == 6 and bare.isascii() and bare.isdecimal()


# Losing it


@transaction.atomic
def reset(staff: Staff, *, actor: Actor, reason: str, note: str = "") -> None:
    """Take a colleague's app, passkeys and recovery codes away and end their sessions.

    Raises NotYours and NoFactor, and TakesTwo for who gave the colleague the present password.
    """
    check_mine(staff, actor=actor)
    check_resets(hold(staff), actor.staff_id)
    _remove(staff, actor, reset_by=actor.staff_id, reason=reason, note=note)


def check_resets(held: Staff, resetter_id: int) -> None:
    """Raise TakesTwo where a reset would let who does it in as the colleague."""
    if held.password_set_by_id == resetter_id:
        raise TakesTwo(
            _("You gave this colleague the present password: another administrator resets the second factor.")
        )


@transaction.atomic
def reset_by_operator(staff: Staff, *, actor: Actor) -> None:
    """Reset as `reset` does, from the command line: also a colleague whom no other may change. Raises NoFactor."""
    hold(staff)
    _remove(staff, actor, reset_by=None)


def _remove(staff, actor, *, reset_by, reason="", note=""):
    if not sum(model.objects.filter(user=staff.pk).delete()[0] for model in (SecondFactor, Passkey)):
        raise NoFactor(_("There is no second factor to reset."))
    RecoveryCode.objects.filter(staff=staff.pk).delete()
    Staff.objects.filter(pk=staff.pk).update(sign_in_round=F("sign_in_round") + 1, factor_reset_by=reset_by)
    trail.record(staff, "staff.factor_reset", actor=actor, reason=reason, note=note)
