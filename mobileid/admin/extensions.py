"""All that mobileid adds to reuseid's back office: a person's page and list, the search for people, the first page."""

from uuid import UUID

from django.contrib.admin import site
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from mobileid.admin import all_devices, dashboard, registrations
from mobileid.admin.filters import PersonPlatformFilter
from mobileid.admin.tables import attempt_rows, device_rows, operation_rows
from mobileid.models import Device, Operation
from mobileid.services import counts
from mobileid.services.diagnosis import diagnose
from mobileid.services.factors import attempts_left
from reuseid.admin.kit import formatting
from reuseid.admin.kit.extensions import Extension, Figures, Finder, FirstPage, Tab, registry
from reuseid.admin.kit.pages import ROWS, Finding, Findings, Table
from reuseid.models import User

_UNLOCKED = {"USER_LOCKED", "DEVICE_LOCKED"}


def sign_in(request: HttpRequest, user: User) -> list[Findings | Table]:
    """The first thing that support wants to know: the answer, phone by phone, and how the last attempts ended."""
    found = diagnose(user)
    findings = [_finding(request, obstacle, user) for obstacle in found.obstacles]
    findings += [_finding(request, obstacle, phone) if obstacle else _usable(phone) for phone, obstacle in found.phones]
    panels: list[Findings | Table] = [Findings(_("Why can this person not sign in?"), findings, _answer(found))]
    if request.user.has_perm("mobileid.view_operation"):
        panels.append(attempt_rows(found.attempts))
    return panels


def _finding(request, obstacle, row):
    level = "bad" if obstacle.forbids else "warn"
    remedy = site.get_model_admin(type(row)).button(request, row, "unlock") if obstacle.code in _UNLOCKED else ""
    return Finding(formatting.sentence(obstacle.sentence, **obstacle.values), obstacle.advice, level, remedy)


def _answer(found):
    if found.is_forbidden:
        return ""
    if found.is_doubtful:
        return _("The person can sign in, but look at what is marked.")
    return _("Nothing stands in the way: the person is active and has a device that may be used.")


def _usable(phone):
    seen = phone.last_used_at or phone.heard_at
    fact = _("The device “%(name)s” can be used; it was last used %(time)s.")
    if not seen:
        fact = _("The device “%(name)s” can be used; it was never used.")
    tries = ""
    if phone.failed_attempts:
        left = attempts_left(phone)
        tries = ngettext(
            "The PIN was wrong lately; %(left)s try is left.",
            "The PIN was wrong lately; %(left)s tries are left.",
            left,
        ) % {"left": left}
    return Finding(formatting.sentence(fact, name=phone.name, time=seen), tries, "good")


def devices(request: HttpRequest, user: User) -> list[Table]:
    """The person's phones, newest first."""
    found = Device.objects.filter(user=user).order_by("-created_at", "-id")[:ROWS]
    return [device_rows(found, more=formatting.list_of(Device, q=str(user.pk)))]


def operations(request: HttpRequest, user: User) -> list[Table]:
    """What the person was asked, newest first."""
    found = Operation.objects.as_listed().filter(user=user).order_by("-created_at", "-id")[:ROWS]
    return [operation_rows(found, more=formatting.list_of(Operation, q=str(user.pk)))]


def follows(user: User) -> list[str]:
    """What locking or deactivating a person does to phones and what is open."""
    phones = counts.devices(user)
    waiting = counts.open_operations(user)
    cancelled = ngettext("%(count)s open operation is cancelled.", "%(count)s open operations are cancelled.", waiting)
    useless = ngettext("%(count)s device can't be used any more.", "%(count)s devices can't be used any more.", phones)
    return [
        cancelled % {"count": waiting} if waiting else _("No operation is open."),
        useless % {"count": phones} if phones else _("The person has no device."),
    ]


def by_device(value: UUID, accounts: list[UUID]) -> list[UUID]:
    """Whose phone it is."""
    return list(Device.objects.filter(pk=value, account__in=accounts).values_list("user_id", flat=True))


def by_operation(value: UUID, accounts: list[UUID]) -> list[UUID]:
    """The people whom the operation asks: one, or none while nobody has claimed it."""
    found = Operation.objects.filter(pk=value, account__in=accounts, user__isnull=False)
    return list(found.values_list("user_id", flat=True))


registry.extend(
    User,
    Extension(
        tabs=(
            Tab("devices", _("Devices"), devices, permission="mobileid.view_device", order=30),
            Tab("operations", _("Operations"), operations, permission="mobileid.view_operation", order=40),
        ),
        acts=(registrations.ACT, *all_devices.ACTS),
        overview=(sign_in,),
        consequences=(follows,),
        finders=(Finder(_("device id"), by_device), Finder(_("operation id"), by_operation)),
        list_filter=(PersonPlatformFilter,),
    ),
)
registry.extend_first_page(FirstPage(cards=(Figures(dashboard.cards),), charts=(Figures(dashboard.panels, order=10),)))
