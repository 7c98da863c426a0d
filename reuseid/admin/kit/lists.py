"""The rows of a list, drawn column by column: what all rows share is made once.

The theme draws row by row, and makes the heads of all columns, a checkbox from four templates and an address anew for
each. What comes of it is the same to the letter; a test draws the lists in both ways.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import lookup_field
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db.models import DateField, Field, ForeignKey, Model, TimeField
from django.utils.functional import cached_property
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.templatetags.unfold_list import CHECKBOX_CLASSES, LINK_CLASSES, ROW_CLASSES, result_headers
from unfold.utils import display_for_field, display_for_value
from unfold.views import ChangeList

from reuseid.admin.kit.formatting import ID, id_in_address

CHECKBOX = "action_checkbox"
Draw = Callable[[Model], str]


class List(ChangeList):
    """A list with its rows as HTML. Columns are named by a field of the model or a method of its admin class."""

    @cached_property
    def heads(self) -> list[dict[str, Any]]:
        """What the theme's template shows above the columns."""
        return list(result_headers(self))

    @property
    def sorted_by(self) -> int:
        """By how many columns the list is sorted."""
        return sum(bool(head["sortable"] and head["sorted"]) for head in self.heads)

    @property
    def rows(self) -> Iterator[SafeString]:
        """The cells of each row."""
        cells = list(self._cells())
        for row in self.result_list:
            yield SafeString("".join([draw(row) for draw in cells]))

    def _cells(self) -> Iterator[Draw]:
        """How each column draws its cell of a row."""
        links = self.list_display_links or ()
        header = next((name for name in self.list_display if name in links), None)
        for index, name in enumerate(self.list_display):
            field = self._field(name)
            draw = self._checkbox() if name == CHECKBOX else self._value(name, field)
            if name in links:
                draw = self._linked(draw)
            tag = "th" if name == header else "td"
            label = self.heads[index]["text"] if index or name in links else gettext("Select record")
            yield _within(f'<{tag} class="{_classes(name, field)}" data-label="{escape(label)}">', draw, f"</{tag}>")

    def _field(self, name: str) -> Field | None:
        """The field that a column shows; None for a method's, and for a key that counts by itself."""
        try:
            field = self.opts.get_field(name)
        except FieldDoesNotExist:
            return None
        return field if field.name == name and not field.auto_created else None

    def _value(self, name: str, field: Field | None) -> Draw:
        """The text of a column, escaped; what stands for nothing, where the row that it names is gone."""
        empty = conditional_escape(self.model_admin.get_empty_value_display())
        show = self._text(name, field, empty)

        def draw(row: Model) -> str:
            try:
                return show(row)
            except ObjectDoesNotExist:
                return empty

        return draw

    def _text(self, name: str, field: Field | None, empty: str) -> Draw:
        if field is None:
            method = getattr(self.model_admin, name, None)
            read = method or (lambda row: lookup_field(name, row, self.model_admin)[2])
            boolean = getattr(method, "boolean", False)
            return lambda row: conditional_escape(display_for_value(read(row), empty, boolean))
        read = attrgetter(name)
        if isinstance(field, ForeignKey):
            return lambda row: empty if (value := read(row)) is None else conditional_escape(value)
        if field.flatchoices:
            words = {value: conditional_escape(word) for value, word in field.flatchoices}
            return lambda row: words.get(read(row), empty)
        return lambda row: conditional_escape(display_for_field(read(row), field, empty))

    def _checkbox(self) -> Draw:
        before, _id, after = self.model_admin.action_checkbox(SimpleNamespace(pk=ID)).partition(ID)
        return lambda row: f"{before}{escape(row.pk)}{after}"

    def _linked(self, draw: Draw) -> Draw:
        """A value as the link to the row's page, which leads back to the list as it is filtered."""
        filters = {"preserved_filters": self.preserved_filters, "opts": self.opts}
        address = add_preserved_filters(filters, self.url_for_result(SimpleNamespace(**{self.pk_attname: ID})))
        before, _id, after = escape(address).partition(ID)
        classes = " ".join(LINK_CLASSES)
        return lambda row: (
            f'<a href="{before}{escape(id_in_address(row.pk))}{after}" class="{classes}" >{draw(row)}</a>'
        )


def _classes(name: str, field: Field | None) -> str:
    if name == CHECKBOX:
        return " ".join(CHECKBOX_CLASSES)
    unbroken = ["nowrap"] if isinstance(field, DateField | TimeField | ForeignKey) else []
    return " ".join([f"field-{name}", *ROW_CLASSES, *unbroken])


def _within(opening: str, draw: Draw, closing: str) -> Draw:
    return lambda row: f"{opening}{draw(row)}{closing}"
