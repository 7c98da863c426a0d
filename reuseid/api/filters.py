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
        query, filterset_class = request.query_params, getattr(view, "filterset_class", None)
        filters = filterset_class.base_filters if filterset_class else ()
        wrong = faults(
            query, [*filters, *view.query_names, *PAGE_NAMES], repeated=getattr(filterset_class, "repeated", ())
        )
        # One is made only where it is asked: it copies its filters, and makes a form of them.
        asked = filterset_class and not query.keys().isdisjoint(filters)
        filterset = asked and filterset_class(query, queryset=queryset, request=request)
        for name, reason in [*_refused(filterset), *view.paginator.faults(query, view)]:
            wrong.setdefault(name, reason)
        refuse(wrong)
        return filterset.qs if filterset else queryset


def faults(query, known, *, repeated=()) -> dict[str, str]:
    """What is wrong with each parameter, whatever its value means: not known, standing twice, empty, with a NUL."""
    return {name: reason for name, values in query.lists() if (reason := _fault(name, values, known, repeated))}


def refuse(wrong: dict[str, str]):
    """Raise one InvalidQuery (400) that names every wrong parameter; nothing when there is none."""
    if wrong:
        raise InvalidQuery(invalid_params=[{"name": name, "reason": reason} for name, reason in wrong.items()])


def _fault(name, values, known, repeated):
    if name not in known:
        return f"Not known here: one of {', '.join(known)}." if known else "Not known here: this call takes none."
    if len(values) > 1 and name not in repeated:
        return "It stands twice."
    if name != "attributes" and "" in values:
        return "It must not be empty."
    return "The character NUL is not allowed." if any("\0" in value for value in values) else None


def _refused(filterset):
    """(name, reason) of each value that its filter does not take; with the choices where there are some."""
    if not filterset or filterset.is_valid():
        return
    for name, errors in filterset.form.errors.as_data().items():
        for error in errors:
            if error.code == "invalid_choice":
                choices = (str(value) for value, _label in filterset.form.fields[name].choices if value)
                yield name, f"One of {', '.join(choices)}."
            else:
                yield name, " ".join(error.messages)


class TextFilter(django_filters.CharFilter):
    """A text as it is sent: one of blanks alone finds what is written so, which is nothing, and not everything."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, strip=False, **kwargs)


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


__all__ = ["FilterBackend", "FilterSet", "MomentFilter", "TextFilter"]
