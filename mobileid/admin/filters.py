"""Filters by what a phone is: each stays with an index that begins with the account or the person."""

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from mobileid.models import AuthMethod, Device
from reuseid.admin.kit.scope import account_ids

METHODS = {
    AuthMethod.DEVICE_PIN: {"knowledge_key__isnull": False},
    AuthMethod.DEVICE_BIOMETRIC: {"inherence_jwk__isnull": False},
}


class PlatformFilter(TextFilter):
    """Phones of a platform, as they name it themselves: ``?platform=iOS``."""

    title = _("platform, such as iOS or Android")
    parameter_name = "platform"

    def queryset(self, request, queryset):
        name = self._name()
        return queryset.filter(platform=name, account__in=account_ids(request.user)) if name else queryset

    def _name(self):
        return (self.value() or "").replace("\0", "").strip()[:32]


class PersonPlatformFilter(PlatformFilter):
    """People who have a phone of the platform that is not deactivated."""

    def queryset(self, request, queryset):
        name = self._name()
        if not name:
            return queryset
        # The account is named here too, so that the database may begin with the rarer of the two.
        phones = Device.objects.filter(user=OuterRef("pk"), account=OuterRef("account"), platform=name)
        phones = phones.filter(account__in=account_ids(request.user)).exclude(status=Device.Status.DEACTIVATED)
        return queryset.filter(Exists(phones))


class MethodFilter(DropdownFilter):
    """Phones that can prove themselves by a method; every phone can by its own key."""

    title = _("method")
    parameter_name = "method"

    def lookups(self, request, model_admin):
        return [(str(method), method.label) for method in METHODS]

    def queryset(self, request, queryset):
        condition = METHODS.get(self.value())
        if condition is None:
            return queryset
        return queryset.filter(account__in=account_ids(request.user), **condition)
