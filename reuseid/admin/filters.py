"""Filters of the lists: they read no rows but the colleague's accounts."""

from datetime import datetime, timedelta

from django.utils.timezone import get_current_timezone, make_aware
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from reuseid.admin.scope import account_ids
from reuseid.models import Account
from reuseid.services.uuids import as_uuid


class AccountFilter(DropdownFilter):
    """By account; offered to those who see more than one."""

    title = "account"
    parameter_name = "account"
    path = "account"

    def lookups(self, request, model_admin):
        seen = account_ids(request.user)
        if len(seen) < 2:
            return []
        return [(str(pk), name) for pk, name in Account.objects.filter(pk__in=seen).values_list("pk", "name")]

    def queryset(self, request, queryset):
        account = as_uuid(self.value() or "")
        return queryset.filter(**{self.path: account}) if account else queryset


def by_choice(field_name, label=None):
    """A drop-down filter over a column with choices; the address reads ``?<field_name>=VALUE``."""

    class ChoiceFilter(DropdownFilter):
        title = label or field_name.replace("_", " ")
        parameter_name = field_name

        def lookups(self, request, model_admin):
            return model_admin.opts.get_field(field_name).flatchoices

        def queryset(self, request, queryset):
            known = {str(value) for value, _word in self.lookup_choices}
            return queryset.filter(**{field_name: self.value()}) if self.value() in known else queryset

    return ChoiceFilter


StatusFilter = by_choice("status", "state")


class DateFilter(RangeDateFilter):
    """From one day to another, both included, in the server's zone; what is not a date is left out."""

    def queryset(self, request, queryset):
        start = self._day("from")
        end = self._day("to")
        if start:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": start})
        if end:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": end + timedelta(days=1)})
        return queryset

    def _day(self, side):
        day = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{side}") or "")
        return make_aware(datetime.combine(day, datetime.min.time()), get_current_timezone()) if day else None
