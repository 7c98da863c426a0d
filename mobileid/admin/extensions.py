"""All that mobileid adds to reuseid's back office: a person's page and list, the search for people, the first page."""

from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from mobileid.admin import all_devices, dashboard, registrations
from mobileid.admin.filters import PersonPlatformFilter
from mobileid.admin.tables import device_rows, operation_rows
from mobileid.models import Device, Operation
from mobileid.services import counts
from mobileid.services.diagnosis import diagnose
from reuseid.admin.kit import formatting
from reuseid.admin.kit.extensions import Extension, Figures, Finder, FirstPage, Tab, registry
from reuseid.admin.kit.pages import ROWS, Findings, Table
from reuseid.models import User


def sign_in(request: HttpRequest, user: User) -> list[Findings]:
    """The first thing that support wants to know."""
    return [
        Findings(
            _("Why can this person not sign in?"),
            [(formatting.sentence(fact.sentence, **fact.values), fact.advice) for fact in diagnose(user)],
            _("Nothing stands in the way: the person is active and has a device that may be used."),
        )
    ]


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
