"""What every list and page of the back office has in common.

Rows of the colleague's accounts only; no counting of whole tables; exact search; no writing but through services.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.admin import AdminSite, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import DateTimeField, Field, ForeignKey, Model, Q, QuerySet, UUIDField
from django.db.models.options import Options
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.dataclasses import UnfoldAction
from unfold.decorators import display
from unfold.paginator import InfinitePage
from unfold.paginator import InfinitePaginator as Unbounded

from reuseid.actors import Actor
from reuseid.admin.kit import formatting
from reuseid.admin.kit.extensions import registry
from reuseid.admin.kit.filters import ZoneFilter
from reuseid.admin.kit.formatting import NONE, when
from reuseid.admin.kit.lists import List
from reuseid.admin.kit.quick_filters import View, views_of
from reuseid.admin.kit.scope import scoped
from reuseid.admin.kit.texts import name_of, right_in_words, searched
from reuseid.models import TrailEntry, User
from reuseid.normalisation import as_uuid, without_ignorable

PAGES = 100


def hidden(header: str) -> Callable[[Any, Model], str]:
    """A column or a line of a page whose values nobody sees."""

    @display(description=header)
    def masked(self: Any, row: Model) -> str:
        return formatting.MASK

    return masked


class InfinitePaginator(Unbounded):
    """Pages without a count(*): 100 at most, since a deep OFFSET reads all rows before it; then filter instead.

    The ids of a page are found first and alone, so that the rows before it are neither joined nor read.

    The name is the base's: the theme's templates ask for it before they show a number of results.
    """

    @property
    def count(self) -> int:
        return self.per_page * PAGES

    def page(self, number: int) -> InfinitePage:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        found = list(self.object_list.values_list("pk", flat=True)[first : first + self.per_page])
        return self._get_page(self.object_list.filter(pk__in=found), number, self)

    def _get_page(self, *args: Any, **kwargs: Any) -> InfinitePage:
        return InfinitePage(*args, **kwargs)


class BackOfficeAdmin(ModelAdmin):
    """The base of every admin class here.

    ``account_paths`` lead to the account, ``search_exact`` names the columns that the search box compares, and
    ``shown`` the fields of the page. Deleting and bulk deleting do not exist, nor does the actions drop-down
    but where `BulkListMixin` is.
    """

    # What other modules may add: kinds of `extensions.Extension`.
    extensible = frozenset({"list_filter"})
    account_paths: tuple[str, ...] = ("account",)
    search_exact: tuple[str, ...] = ("pk",)
    shown: tuple[str, ...] = ()
    search_hint = ""
    # Links above the list, with filters that everybody asks for.
    views: tuple[View, ...] = ()
    # Headers of columns whose own names say too little here, and what stands in place of a time that is missing.
    headers: dict[str, str] = {}
    missing: dict[str, str] = {}
    change_list_template = "admin/list.html"
    list_before_template = "admin/parts/views.html"

    # The list's name in the header, where it is not the models' noun.
    list_title = ""
    empty_value_display = NONE
    paginator = InfinitePaginator
    # Sorting by a column without an index reads every row: a list that is short says so with `sortable_by = None`.
    sortable_by = ()
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    actions = None

    def __init__(self, model: type[Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        for names in ("list_display", "list_display_links", "shown", "readonly_fields"):
            setattr(self, names, tuple(self._shown(name) for name in getattr(self, names)))

    def _shown(self, name: str) -> str:
        """The name of what shows a column: a time as every other time, and what has a header here under it."""
        column = next((one for one in self.opts.concrete_fields if name in {one.name, one.attname}), None)
        is_time = isinstance(column, DateTimeField)
        if column is None or not (is_time or name in self.headers):
            return name
        missing = self.missing.get(name, NONE)

        @display(description=self.headers.get(name) or column.verbose_name, ordering=name)
        def shown(row: Model) -> str:
            value = getattr(row, name)
            return when(value, missing) if is_time else formatting.text(value)

        setattr(self, f"{name}_shown", shown)
        return f"{name}_shown"

    @display(description=_("State"), ordering="status")
    def state(self, row: Model) -> str:
        return formatting.state(row)

    @display(description=_("User"))
    def person(self, row: Model) -> str:
        """A link to the person: by their reference where the list reads them, else by the beginning of the id."""
        known = "user" in (self.list_select_related or ()) and row.user
        return formatting.link(User, row.user_id, known.external_ref if known else None)

    @display(description=_("Because"))
    def because(self, row: Model) -> str:
        return formatting.reason(row.reason)

    # Rows

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return scoped(super().get_queryset(request), request.user, *self.account_paths)

    def get_list_filter(self, request: HttpRequest) -> Sequence:
        """The list's own and other modules'; with days comes the zone in which they are meant."""
        found = (*super().get_list_filter(request), *registry.of(self.model).list_filter)
        return (*found, ZoneFilter) if any(isinstance(item, tuple) for item in found) else found

    def lookup_allowed(self, lookup: str, value: object, request: HttpRequest | None = None) -> bool:
        """Only the filters that the list offers: any other look-up would let secret columns be guessed."""
        allowed = set()
        for item in self.get_list_filter(request):
            if isinstance(item, tuple):
                allowed |= {f"{item[0]}_from", f"{item[0]}_to"}
            else:
                allowed.add(item.parameter_name)
        return lookup in allowed

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """None for an id with NUL, which PostgreSQL would refuse to look for. The row knows its reader."""
        found = None if "\0" in object_id else super().get_object(request, object_id, from_field)
        if found is not None:
            found.reader = request.user
        return found

    # Search

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.search_exact

    @property
    def search_help_text(self) -> str:
        return self.search_hint or gettext("Exact: %(columns)s") % {
            "columns": ", ".join(self._label(name) for name in self.search_exact)
        }

    def _label(self, name: str) -> str:
        try:
            return str(self._column(name).verbose_name).removesuffix(" id")
        except FieldDoesNotExist:
            return name

    def _column(self, name: str) -> Field:
        return self.opts.pk if name == "pk" else self.opts.get_field(name.removesuffix("_id") or name)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Rows of which one of the ``search_exact`` columns is the term."""
        term = without_ignorable(search_term).strip()
        if not term:
            return queryset, False
        request.searched_for = searched(term, [self._label(name) for name in self.search_exact])
        condition = Q(pk__in=[])
        for name in self.search_exact:
            condition |= self._equals(name, term)
        return queryset.filter(condition), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[List]:
        return List

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list knows what was searched, so that an empty one can say it."""
        found = super().get_changelist_instance(request)
        found.searched_for = getattr(request, "searched_for", "")
        found.views = views_of(self, request)
        return found

    def _equals(self, name: str, term: str) -> Q:
        try:
            column = self._column(name)
        except FieldDoesNotExist:
            column = self.opts.get_field(name)
        target = column.target_field if isinstance(column, ForeignKey) else column
        if isinstance(target, UUIDField):
            value = as_uuid(term)
            return Q(**{name: value}) if value else Q(pk__in=[])
        if target.get_internal_type() in {"BigAutoField", "AutoField", "BigIntegerField", "IntegerField"}:
            return Q(**{name: int(term)}) if term.isdecimal() and len(term) < 19 else Q(pk__in=[])
        return Q(**{name: term})

    # Rights

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def permitted(self, request: HttpRequest, codename: str, opts: Options | None = None) -> bool:
        """Whether the colleague has ``codename`` of this app; a refusal then says what is missing.

        ``opts`` are those of the model whose right it is, where that is another's.
        """
        opts = opts or self.opts
        if request.user.has_perm(f"{opts.app_label}.{codename}"):
            return True
        request.refusal = gettext("Your roles don't include the right “%(right)s”.") % {
            "right": right_in_words(opts, codename)
        }
        return False

    def actor(self, request: HttpRequest) -> Actor:
        return Actor.staff(request.user)

    def get_unfold_action(self, action: str) -> UnfoldAction:
        """The button of the dialog has the colour of the one that opens it."""
        found = super().get_unfold_action(action)
        if found.dialog:
            found.dialog["variant"] = found.variant.value
        return found

    # Pages

    def name_of(self, obj: Model) -> str:
        """What a reader calls the row: in the header and the title of its page."""
        return name_of(obj)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """A page has the row's name as its title."""
        if obj is not None:
            obj.page_name = self.name_of(obj)
            context |= {"title": obj.page_name, "subtitle": None}
        request.list_title = self.list_title
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence:
        return self.shown or super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence:
        if self.has_change_permission(request, obj):
            return self.readonly_fields
        return self.get_fields(request, obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "POST" and not self._may_post(request, object_id):
            return HttpResponseNotAllowed(["GET"])
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _may_post(self, request: HttpRequest, object_id: str | None) -> bool:
        return self.has_change_permission(request) if object_id else self.has_add_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # Only the acts of the drop-down, where a list has one: they lead to a page that asks.
        if request.method == "POST" and request.POST.get("action") not in self.get_actions(request):
            return HttpResponseNotAllowed(["GET"])
        request.list_title = self.list_title or capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": request.list_title, **(extra_context or {})})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The trail is the history."""
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return redirect(formatting.list_of(TrailEntry, q=str(obj.pk)))

    def log_addition(self, request: HttpRequest, obj: Model, message: object) -> None:
        """The trail is the history: no second one."""

    def log_change(self, request: HttpRequest, obj: Model, message: object) -> None:
        """The trail is the history: no second one."""


class OfService(BackOfficeAdmin):
    """Rows of the service itself: they belong to no account."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super(BackOfficeAdmin, self).get_queryset(request)


class OfPerson(BackOfficeAdmin):
    """Rows that belong to a person."""

    list_select_related = ("account",)
    search_exact = ("pk", "user_id")
    search_hint = _("Id of the row or of the user, exactly")

    masked = hidden(_("Value"))
