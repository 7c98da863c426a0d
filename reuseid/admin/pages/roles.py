"""The roles and their rights, to read: config/roles.py is where they are kept."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.texts import right_named


@admin.register(Group)
class RoleAdmin(BackOfficeAdmin):
    list_title = _("Roles")
    list_display = ("name",)
    ordering = ("name",)
    search_exact = ("name",)
    search_hint = _("Name of the role, exactly")
    shown = ("name", "rights")

    def get_queryset(self, request):
        return super(BackOfficeAdmin, self).get_queryset(request)

    @display(description=_("Rights"))
    def rights(self, group):
        return formatting.words(
            [right_named(permission) for permission in group.permissions.order_by("content_type", "codename")]
        )
