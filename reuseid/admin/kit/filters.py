"""Filters of the lists: they read no rows but the colleague's accounts."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.formats import get_format
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, TextFilter

from reuseid.admin.kit.scope import account_ids, scoped
from reuseid.admin.kit.search import find_by_start
from reuseid.models import Account
from reuseid.normalisation import as_uuid
from reuseid.times import begins, ends, zone_named

OFFERED = 100
Choices = list[tuple[str, str]]


class AccountFilter(DropdownFilter):
    """By account; offered to those who see more than one."""

    title = _("account")
    parameter_name = "account"
    path = "account"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Choices:
        seen = account_ids(request.user)
        if len(seen) < 2:
            return []
        return [(str(pk), name) for pk, name in Account.objects.filter(pk__in=seen).values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        account = as_uuid(self.value() or "")
        return queryset.filter(**{self.path: account}) if account else queryset


def by_choice(field_name: str, label: str | None = None) -> type[DropdownFilter]:
    """A drop-down filter over a column with choices; the address reads ``?<field_name>=VALUE``."""

    class ChoiceFilter(DropdownFilter):
        title = label or gettext_lazy(field_name.replace("_", " "))
        parameter_name = field_name

        def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Choices:
            return model_admin.opts.get_field(field_name).flatchoices

        def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
            known = {str(value) for value, _word in self.lookup_choices}
            return queryset.filter(**{field_name: self.value()}) if self.value() in known else queryset

    return ChoiceFilter


def by_row(model: type[Model], field_name: str, label: str, permission: str = "") -> type[DropdownFilter]:
    """A drop-down filter by a row of ``model`` in the colleague's accounts; ``?<field_name>=<id>``; 100 are offered."""

    class RowFilter(DropdownFilter):
        title = label
        parameter_name = field_name

        def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Choices:
            if permission and not request.user.has_perm(permission):
                return []
            rows = scoped(model.objects.all(), request.user, "account").order_by("name", "pk")
            return [(str(pk), name) for pk, name in rows.values_list("pk", "name")[:OFFERED]]

        def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
            known = {value for value, _name in self.lookup_choices}
            return queryset.filter(**{field_name: self.value()}) if self.value() in known else queryset

    return RowFilter


StatusFilter = by_choice("status", _("state"))


SIDES = ("_from", "_to")


def typed_day(text: str | None) -> date | None:
    """A day as the reader's language or ISO 8601 writes it; None for what is not one."""
    for form in ("%Y-%m-%d", *get_format("DATE_INPUT_FORMATS")):
        with suppress(ValueError):
            return datetime.strptime(text or "", form).replace(tzinfo=UTC).date()
    return None


def zone_in(query: Mapping[str, str]) -> tzinfo:
    """The zone in which the days of a list's address are meant: the one that it names, else the reader's."""
    return zone_named(query.get("zone", "")) or get_current_timezone()


def with_zone(query: dict) -> dict:
    """The filters of a list's address, to be kept: days as ISO 8601 with their zone; what is not a day is left out."""
    kept: dict[str, str] = {}
    for name, value in query.items():
        if name.endswith(SIDES):
            day = typed_day(value)
            kept |= {name: day.isoformat()} if day else {}
        elif name != "zone":
            kept[name] = value
    if any(name.endswith(SIDES) for name in kept):
        kept["zone"] = str(zone_in(query))
    return kept


class DateFilter(RangeDateFilter):
    """From one day to another, both included, in the address's zone or the reader's; what is no date is left out."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        zone = zone_in(request.GET)
        start, end = (typed_day(self.used_parameters.get(self.parameter_name + side)) for side in SIDES)
        if start:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": begins(start, zone)})
        if end:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": ends(end, zone)})
        return queryset


class ZoneFilter(SimpleListFilter):
    """Takes ``zone`` from the address, which says how its days are meant. There is nothing to choose."""

    title = gettext_lazy("time zone")
    parameter_name = "zone"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Choices:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset


class StartFilter(TextFilter):
    """People whose reference begins so: a search of its own, chosen on purpose, recorded, 50 at most."""

    title = gettext_lazy("beginning of the reference (3 characters at least)")
    parameter_name = "starts"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not (self.value() or "").strip():
            return queryset
        if not hasattr(request, "_found_by_start"):
            request._found_by_start = find_by_start(request, self.value())
        found, request.searched_for = request._found_by_start
        return queryset.filter(pk__in=found)


class LockFilter(DropdownFilter):
    """What is locked: for a time, or until somebody unlocks it."""

    title = gettext_lazy("lock")
    parameter_name = "lock"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Choices:
        return [("time", gettext_lazy("Ends by itself")), ("lasting", gettext_lazy("Until somebody unlocks"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in {"time", "lasting"}:
            return queryset
        return queryset.filter(status="LOCKED", locked_until__isnull=self.value() == "lasting")
