"""The attribute catalogue: names, and the rules for their values."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, by_choice
from reuseid.admin.kit.service_forms import EditAdmin, EditForm
from reuseid.models import AttributeKey
from reuseid.services.people import attribute_keys


@admin.register(AttributeKey)
class AttributeKeyAdmin(EditAdmin):
    list_title = _("Attribute catalogue")
    effect = Effect.UNMASKS
    form = EditForm
    list_display = ("name", "type", "sensitive", "searchable", "unique", "normalisation", "max_length", "account")
    list_filter = (AccountFilter, by_choice("type"))
    list_select_related = ("account",)
    sortable_by = None
    ordering = ("account", "name")
    search_exact = ("pk", "name")
    search_hint = _("Name, exactly")
    shown = ("account", "name", *attribute_keys.RULES)

    def get_readonly_fields(self, request, obj=None):
        if not self.has_change_permission(request):
            return self.shown
        return ("account", "name") if obj else ()

    def create(self, request, values):
        account, name = values.pop("account"), values.pop("name")
        return attribute_keys.create(account, name, actor=self.actor(request), **values)

    def change(self, request, key, values):
        return attribute_keys.change(key, actor=self.actor(request), **values)
