"""django-filter as the API uses it: an unknown or wrong parameter is refused."""

import django_filters
from django import forms
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework import serializers

from reuseid.api.errors import InvalidQuery
from reuseid.api.fields import Moment

PAGE_NAMES = ("limit", "cursor", "ordering")


class FilterBackend(DjangoFilterBackend):
    """Applies the view's ``filterset_class``; raises InvalidQuery (400)."""

    def filter_queryset(self, request, queryset, view):
        filterset_class = getattr(view, "filterset_class", None)
        known = {*PAGE_NAMES, *view.query_names, *(filterset_class.base_filters if filterset_class else ())}
        for name, values in request.query_params.lists():
            if name not in known:
                raise InvalidQuery.field(name, "This parameter is not known.")
            if len(values) > 1 and name not in getattr(filterset_class, "repeated", ()):
                raise InvalidQuery.field(name, "It stands twice.")
            if name != "attributes" and "" in values:
                raise InvalidQuery.field(name, "It must not be empty.")
            if any("\0" in value for value in values):
                raise InvalidQuery.field(name, "The character NUL is not allowed.")
        if filterset_class is None:
            return queryset
        filterset = filterset_class(request.query_params, queryset=queryset, request=request)
        if not filterset.is_valid():
            raise InvalidQuery(
                invalid_params=[
                    {"name": name, "reason": str(reason)}
                    for name, reasons in filterset.errors.items()
                    for reason in reasons
                ]
            )
        return filterset.qs


class MomentField(forms.Field):
    """As `fields.Moment` reads it."""

    def to_python(self, value):
        """In UTC, or None for an empty text."""
        if value in self.empty_values:
            return None
        try:
            return Moment().to_internal_value(value)
        except serializers.ValidationError as error:
            raise forms.ValidationError(str(error.detail[0])) from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """An RFC 3339 time with its offset."""

    field_class = MomentField


__all__ = ["FilterBackend", "FilterSet", "MomentFilter"]
