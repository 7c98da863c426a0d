"""Why can this person not sign in? What the judge of an operation would find, phone by phone; the last attempts."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from mobileid.errors import UserCooldown
from mobileid.models import Device, Operation, Suite
from mobileid.models.operations import OPEN
from mobileid.services import factors, fatigue
from mobileid.services.descriptions import methods_of, state_of
from mobileid.services.device_authentication import is_too_old
from reuseid.models import Account, Client, User
from reuseid.services import reasons

UNSEEN = timedelta(days=90)
NEWEST = 200
ATTEMPTS = 5
"""Operations that are looked back at."""


@dataclass(frozen=True)
class Obstacle:
    """One fact that stands in the way, and what helps. ``code`` is stable; one that does not ``forbid`` is a doubt.

    ``sentence`` names its ``values`` as ``%(name)s``: the door fills them in, for times are the reader's.
    """

    code: str
    sentence: str
    advice: str = ""
    values: dict = field(default_factory=dict)
    forbids: bool = True


@dataclass(frozen=True)
class Diagnosis:
    """What keeps the person from signing in with any phone, each phone with its own obstacle, and the last attempts.

    ``phones`` has the one that was used last first, ``attempts`` the newest.
    """

    obstacles: list[Obstacle]
    phones: list[tuple[Device, Obstacle | None]]
    attempts: list[Operation]

    @property
    def blocking(self) -> list[Obstacle]:
        """What keeps the person from signing in now: a phone's obstacle does when no other phone is without."""
        found = [obstacle for _phone, obstacle in self.phones if obstacle]
        return self.obstacles + (found if len(found) == len(self.phones) else [])

    @property
    def is_forbidden(self) -> bool:
        """Whether the person cannot sign in at all."""
        return any(obstacle.forbids for obstacle in self.blocking)

    @property
    def is_doubtful(self) -> bool:
        """Whether there is something to speak of though the person can sign in."""
        return bool(self.obstacles) or any(obstacle for _phone, obstacle in self.phones)


def diagnose(user: User) -> Diagnosis:
    """All that support has to know when a person says that signing in fails. Six queries at most."""
    phones = [(phone, _of_phone(phone)) for phone in _phones(user)]
    without = [] if phones else [_no_phone(user)]
    asked = Operation.objects.as_listed().filter(user=user).exclude(type=Operation.Type.REGISTRATION)
    attempts = list(asked.order_by("-created_at", "-id")[:ATTEMPTS])
    obstacles = [*_of_account(user), *_of_person(user), *without, *_of_fatigue(user), *_of_reports(attempts)]
    return Diagnosis(obstacles, phones, attempts)


def _phones(user):
    living = Device.objects.as_read().filter(user=user).exclude(status=Device.Status.DEACTIVATED)
    return living.last_used_first()[:50]


def _of_account(user):
    if user.account.status == Account.Status.BLOCKED:
        yield Obstacle(
            "ACCOUNT_BLOCKED",
            _("The account is blocked: none of its systems is let in."),
            _("An administrator lets the account in again."),
        )
    clients = set(Client.objects.filter(account=user.account_id).order_by().values_list("status", flat=True).distinct())
    if clients == {Client.Status.BLOCKED}:
        yield Obstacle(
            "CLIENTS_BLOCKED",
            _("Every API client of the account is blocked: none of its systems can ask the person."),
            _("Colleagues in the role Integration let a client in again."),
        )


def _of_person(user):
    if user.status == User.Status.DEACTIVATED:
        yield Obstacle(
            "USER_DEACTIVATED",
            _("The person is deactivated for good."),
            _("A new user can be made by the account's system."),
        )
    if user.status == User.Status.LOCKED:
        yield Obstacle(
            "USER_LOCKED",
            _("The person is locked until %(until)s%(why)s."),
            _("Unlock the person."),
            {"until": user.locked_until or _("somebody unlocks them"), "why": _why(user)},
        )


def _of_phone(phone):
    """What keeps one phone from being used; None when nothing does."""
    if phone.status == Device.Status.PENDING:
        return Obstacle(
            "DEVICE_PENDING",
            _("The device “%(name)s” waits for its confirmation."),
            _("The account's system confirms it with the code that the phone shows."),
            {"name": phone.name},
        )
    if phone.status == Device.Status.LOCKED and not phone.is_lock_over:
        return _locked(phone)
    return _of_app(phone) or _unseen(phone)


def _locked(phone):
    advice = _("Wait for it, or unlock the device.") if phone.locked_until else _("Unlock the device.")
    if phone.lock_reason == factors.LOCK_REASON:
        advice += " " + _("If the PIN is forgotten, deactivate the device and register a phone anew.")
    return Obstacle(
        "DEVICE_LOCKED",
        _("The device “%(name)s” is locked until %(until)s%(why)s."),
        advice,
        {"name": phone.name, "until": phone.locked_until or _("somebody unlocks it"), "why": _why(phone)},
    )


def _of_app(phone):
    """Its application's policy, and the tries that are left."""
    values = {"name": phone.name, "version": phone.sdk_version, "minimum": phone.application.min_sdk_version}
    if phone.suite and phone.suite < phone.application.min_suite:
        return _of_suite(phone)
    if is_too_old(phone.application, phone.sdk_version):
        return Obstacle(
            "APP_TOO_OLD",
            _("The app on “%(name)s” is too old: SDK %(version)s, at least %(minimum)s is asked for."),
            _("The person updates the app and opens it once."),
            values,
        )
    if not methods_of(phone):
        return Obstacle(
            "NO_METHOD",
            _("The device “%(name)s” has no method that its application allows."),
            _("The person registers the phone anew, or an integrator allows another method."),
            values,
        )
    if phone.failed_attempts >= factors.MAX_FAILURES:
        return Obstacle(
            "TRIES_USED",
            _("All tries for the PIN are used on “%(name)s”."),
            _("Lock the device and unlock it: its failed tries are then forgotten."),
            values,
        )
    return None


def _of_suite(phone):
    """A message that is refused for its suite is never opened: known is what the last good one came in."""
    values = {
        "name": phone.name,
        "suite": phone.get_suite_display(),
        "minimum": Suite(phone.application.min_suite).label,
    }
    return Obstacle(
        "SUITE_REFUSED",
        _("The app on “%(name)s” last used the cipher suite %(suite)s; at least %(minimum)s is asked for."),
        _("The person updates the app and opens it once; the least suite that counts is set at the application."),
        values,
    )


def _unseen(phone):
    """Nothing forbids it, but a phone that was not seen for so long is hardly in use any more."""
    seen = phone.last_used_at or phone.created_at
    if timezone.now() - seen <= UNSEEN:
        return None
    return Obstacle(
        "DEVICE_UNSEEN",
        _("The device “%(name)s” was last seen %(time)s."),
        _("Ask whether the person still has it and opens the app; else register another phone."),
        {"name": phone.name, "time": seen},
        forbids=False,
    )


def _no_phone(user):
    """Whether a registration waits, or the last one came to nothing; among the person's NEWEST operations."""
    newest = Operation.objects.filter(user=user).order_by("-created_at").values("pk")[:NEWEST]
    registrations = Operation.objects.as_read().filter(pk__in=newest, type=Operation.Type.REGISTRATION)
    last = registrations.order_by("-created_at").first()
    state = state_of(last) if last else None
    if state in OPEN:
        return Obstacle(
            "REGISTRATION_OPEN",
            _("No active device; a registration waits for its activation code."),
            _("The person enters the code in the app before it expires."),
        )
    if state == Operation.Status.EXPIRED:
        return Obstacle(
            "REGISTRATION_EXPIRED",
            _("No active device; the last registration expired at %(time)s, its code unused."),
            _("Register a phone: a new code is made."),
            {"time": last.expires_at},
        )
    return Obstacle(
        "NO_DEVICE",
        _("No active device."),
        _("The person registers a phone: the account's system starts it, or you do: “Register a phone”."),
    )


def _of_fatigue(user):
    try:
        fatigue.check_cooldown(user)
    except UserCooldown as cooldown:
        end = timezone.now() + timedelta(seconds=cooldown.retry_after)
        yield Obstacle(
            "USER_COOLDOWN",
            _("Left in peace until %(until)s: more than %(count)s requests in a row were not approved."),
            _("A request bound by a number or a QR code gets through."),
            {"until": end, "count": fatigue.TOLERATED},
        )


def _of_reports(attempts):
    """The newest fraud that the person reported: nothing forbids the next sign-in, and it may be somebody else's."""
    for attempt in attempts:
        if attempt.failure_reason == "NOT_ME":
            yield Obstacle(
                "FRAUD_REPORTED",
                _("The person reported at %(time)s that they were asked for something that they had not begun."),
                _("Verify the caller before you change anything; lock the person when in doubt."),
                {"time": attempt.ended_at},
                forbids=False,
            )
            return


def _why(row):
    if not row.lock_reason:
        return ""
    sentence = reasons.sentences().get(row.lock_reason, "")
    return f" ({row.lock_reason}: {_(sentence).rstrip('.')})" if sentence else f" ({row.lock_reason})"
