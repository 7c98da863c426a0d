"""What mobileid adds to a person's page in the back office: devices, operations, and why they can't sign in."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from mobileid.admin.filters import PersonPlatformFilter
from mobileid.admin.tables import device_rows, operation_rows
from mobileid.models import Device, Operation
from mobileid.services import counts
from mobileid.services.diagnosis import obstacles
from reuseid.admin.kit import formatting, search
from reuseid.admin.kit.consequences import FOLLOW_ON_PHONES
from reuseid.admin.kit.pages import ROWS, Findings, Tab
from reuseid.admin.pages.users import tabs
from reuseid.admin.pages.users.page import UserAdmin


def sign_in(request, user):
    """The first thing that support wants to know."""
    return [
        Findings(
            _("Why can this person not sign in?"),
            [(formatting.sentence(fact.sentence, **fact.values), fact.advice) for fact in obstacles(user)],
            _("Nothing stands in the way: the person is active and has a device that may be used."),
        )
    ]


def devices(request, user):
    found = Device.objects.filter(user=user).order_by("-created_at", "-id")[:ROWS]
    return [device_rows(found, more=formatting.list_of(Device, q=str(user.pk)))]


def operations(request, user):
    found = Operation.objects.as_listed().filter(user=user).order_by("-created_at", "-id")[:ROWS]
    return [operation_rows(found, more=formatting.list_of(Operation, q=str(user.pk)))]


def follows(user):
    """What locking or deactivating a person does to phones and what is open."""
    phones = counts.devices(user)
    waiting = counts.open_operations(user)
    cancelled = ngettext("%(count)s open operation is cancelled.", "%(count)s open operations are cancelled.", waiting)
    useless = ngettext("%(count)s device can't be used any more.", "%(count)s devices can't be used any more.", phones)
    return [
        cancelled % {"count": waiting} if waiting else _("No operation is open."),
        useless % {"count": phones} if phones else _("The person has no device."),
    ]


def by_device(value, accounts):
    return list(Device.objects.filter(pk=value, account__in=accounts).values_list("user_id", flat=True))


def by_operation(value, accounts):
    found = Operation.objects.filter(pk=value, account__in=accounts, user__isnull=False)
    return list(found.values_list("user_id", flat=True))


tabs.OVERVIEW.append(sign_in)
FOLLOW_ON_PHONES.append(follows)
search.FINDERS.update({_("device id"): by_device, _("operation id"): by_operation})
UserAdmin.list_filter = (*UserAdmin.list_filter, PersonPlatformFilter)
UserAdmin.tabs = [
    *UserAdmin.tabs,
    Tab("devices", _("Devices"), devices, permission="mobileid.view_device", order=30),
    Tab("operations", _("Operations"), operations, permission="mobileid.view_operation", order=40),
]
