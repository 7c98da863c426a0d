"""The roles and their rights, to read: config/roles.py is where they are kept."""

from django.contrib import admin
from django.contrib.auth.models import Group
from unfold.decorators import display

from reuseid.admin import cells
from reuseid.admin.base import BackOfficeAdmin


@admin.register(Group)
class RoleAdmin(BackOfficeAdmin):
    list_display = ("name",)
    ordering = ("name",)
    exact = ("name",)
    search_hint = "Name of the role, exactly"
    shown = ("name", "rights")

    def get_queryset(self, request):
        return super(BackOfficeAdmin, self).get_queryset(request)

    @display(description="Rights")
    def rights(self, group):
        return cells.words([permission.name for permission in group.permissions.order_by("content_type", "codename")])
