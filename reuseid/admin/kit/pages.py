"""Pages to read: a header, tabs rendered one at a time, buttons by right and state, and what happens on a click."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MethodType
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db.models import Model
from django.db.models.options import Options
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import UnfoldAction

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.answers import NOTHING_CHANGED, Refusals, go_to
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.extensions import Act, Group, Tab, registry
from reuseid.admin.kit.scope import history_of
from reuseid.models import Staff

ROWS = 50


@dataclass
class Facts:
    """Pairs of a name and a value, as a list in two columns."""

    rows: list
    title: str = ""
    template: str = "admin/parts/facts.html"


@dataclass
class Table:
    """Rows of cells below ``headers``, ROWS at most, and the address where the rest is (``more``)."""

    headers: list
    rows: list
    title: str = ""
    empty: str = _("There is nothing here.")
    more: str = ""
    template: str = "admin/parts/table.html"


@dataclass
class Timeline:
    """Lines of the trail (`history.Line`), newest first, and the address of the rest (``more``)."""

    lines: list
    title: str = ""
    more: str = ""
    empty: str = _("Nothing has happened yet.")
    template: str = "admin/parts/timeline.html"


@dataclass(frozen=True)
class Finding:
    """A fact and what helps. ``level``: "bad" stands in the way, "warn" is to be spoken of, "good" is well.

    ``remedy`` is the button of what helps (`Acting.button`).
    """

    fact: str
    advice: str = ""
    level: str = "bad"
    remedy: str = ""


@dataclass
class Findings:
    """A question, the answer in a sentence, and the facts behind it; the worst of them colours it."""

    title: str
    findings: list[Finding]
    answer: str = ""
    template: str = "admin/parts/findings.html"

    @property
    def level(self) -> str:
        """The worst of its findings; without any all is good."""
        found = {finding.level for finding in self.findings}
        return next((level for level in ("bad", "warn") if level in found), "good")


@dataclass
class Points:
    """Sentences as a list with bullets."""

    points: list
    title: str = ""
    template: str = "admin/parts/points.html"


@dataclass
class Text:
    """A block of text as it is, in a fixed-width face."""

    text: str
    title: str = ""
    template: str = "admin/parts/text.html"


@dataclass
class Header:
    """The top of a page: the state in a word, since when, by whom, why.

    ``name`` is what the browser's tab and the path above call it, where the title alone says too little.
    """

    title: str
    name: str = ""
    state: str = ""
    ident: str = ""
    means: str = ""
    lines: list = field(default_factory=list)


class Acting(BackOfficeAdmin):
    """Buttons by right and state, and what happens on a click.

    ``rights`` maps the name of an act to the right that it needs, a codename of the model's app, and ``available_when``
    to a test of the row: a button is shown where both allow it.
    The service decides again when it is clicked, so two colleagues make one change and the second is told.
    """

    extensible = BackOfficeAdmin.extensible | {"acts"}
    actions_detail: tuple[str | dict[str, Any], ...]
    rights: dict[str, str] = {}
    available_when: dict[str, Callable[[Any], bool]] = {}
    page_related: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Each act of ``rights`` gets the method that the theme asks: ``has_<act>_permission``."""
        super().__init_subclass__(**kwargs)
        for act, codename in vars(cls).get("rights", {}).items():
            setattr(cls, f"has_{act}_permission", _asks_for(act, codename))

    def take(self, acts: tuple[Act, ...]) -> None:
        """Buttons of other modules (`kit.extensions`): the theme looks for them, and for who may, among its methods.

        They stand after the page's own, in front of its drop-downs.
        """
        groups: dict[Group, list[str]] = {}
        plain = [item for item in self.actions_detail if isinstance(item, str)]
        last = [item for item in self.actions_detail if not isinstance(item, str)]
        for act in acts:
            (permission,) = act.method.allowed_permissions
            codename, opts = act.right()
            allowed = MethodType(_asks_for(act.name, codename, opts), self)
            methods = {act.name: MethodType(act.method, self), f"has_{permission}_permission": allowed}
            for name, method in methods.items():
                if hasattr(self, name):
                    raise ImproperlyConfigured(f"{type(self).__name__} has a {name} of its own.")
                setattr(self, name, method)
            self.available_when = {**self.available_when, act.name: act.available_when}
            (groups.setdefault(act.group, []) if act.group else plain).append(act.name)
        drop_downs = [{"title": group.title, "icon": group.icon, "items": names} for group, names in groups.items()]
        self.actions_detail = (*plain, *drop_downs, *last)

    def row(self, request: HttpRequest, object_id: str) -> Model | None:
        """The row if it is one of the colleague's accounts; read once a request."""
        rows, key = _known(request), (self.opts.label, str(object_id))
        if key not in rows:
            rows[key] = self.get_object(request, unquote(str(object_id)))
        return rows[key]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """The row with what its header names (``page_related``), in one query; None for an id that can be none."""
        try:
            pk = self.opts.pk.to_python(object_id)
        except (ValidationError, ValueError):
            return None
        return self.get_queryset(request).select_related(*self.page_related).filter(pk=pk).first()

    def may(self, request: HttpRequest, object_id: str | None, codename: str, opts: Options | None = None) -> bool:
        """The right, on a row that the colleague sees."""
        if not self.permitted(request, codename, opts):
            return False
        return object_id is None or self.row(request, object_id) is not None

    def why_not(self, request: HttpRequest, act: str, obj: Model) -> str:
        """Why a colleague who has the right may not do ``act`` to this row; empty where they may."""
        return ""

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        obj = self.row(request, object_id)
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [
            action
            for action in super().get_actions_detail(request, object_id)
            if self.available_when.get(action.action_name.removeprefix(prefix), bool)(obj)
        ]

    def button(self, request: HttpRequest, obj: Model, act: str) -> SafeString:
        """An act of this page's as a small button for another page; empty where this one would not offer it.

        ``obj`` is of an account that the colleague sees: it is not read again.
        """
        _known(request).setdefault((self.opts.label, str(obj.pk)), obj)
        for action in self.get_actions_detail(request, str(obj.pk)):
            if action.action_name.endswith(f"_{self.opts.model_name}_{act}"):
                address = formatting.page_of(self.model, obj.pk).removesuffix("change/") + f"{action.path}/"
                return formatting.dialog(address, action.description, icon=action.icon or "")
        return SafeString("")

    def found(self, request: HttpRequest, object_id: str) -> Model:
        """The row, or 404."""
        obj = self.row(request, object_id)
        if obj is None:
            raise Http404
        return obj

    def act(
        self,
        request: HttpRequest,
        object_id: str,
        service: Callable,
        *,
        done: str = "",
        then: Callable | None = None,
        nothing: str = "",
        tab: str = "",
        **values: Any,
    ) -> HttpResponse:
        """Call the service on the row and tell the outcome; the browser goes on to `page_after`, its ``tab``.

        What comes of it is said by ``done``, or told by ``then(request, row, result)``, which may answer otherwise.
        A refusal is told with ``nothing``, or else with who was faster (`Refusals`).
        """
        obj = self.found(request, object_id)
        with Refusals(request, nothing or NOTHING_CHANGED, None if nothing else obj):
            result = service(obj, actor=self.actor(request), **values)
            if done:
                messages.success(request, done)
            if then is not None and (answer := then(request, obj, result)) is not None:
                return answer
        return go_to(request, self.page_after(obj) + (f"?tab={tab}" if tab else ""))

    def page_after(self, obj: Model) -> str:
        """The address that an act leads to."""
        return formatting.page_of(self.model, obj.pk)


def _known(request: HttpRequest) -> dict[tuple[str, str], Any]:
    """The rows that a request has read, by model and key."""
    return request.__dict__.setdefault("_back_office_rows", {})


def _asks_for(act: str, codename: str, opts: Options | None = None) -> Callable[..., bool]:
    def allowed(self: Acting, request: HttpRequest, object_id: str | None = None) -> bool:
        if not self.may(request, object_id, codename, opts):
            return False
        if object_id is not None and (refusal := self.why_not(request, act, self.row(request, object_id))):
            request.refusal = refusal
            return False
        return True

    return allowed


class PageAdmin(Acting):
    """A read-only page instead of a form. Subclasses give ``header(request, obj)`` and ``tabs``."""

    extensible = Acting.extensible | {"tabs", "header"}
    tabs = ()
    page_related = ("account",)

    def refresh_every(self, request: HttpRequest, obj: Model) -> int:
        """Seconds after which the open page shows the row anew by itself; 0 for never."""
        return 0

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET"])
        obj = self.row(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        if request.method == "GET":
            self.opened(request, obj)
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/page.html", self._context(request, obj, object_id))

    def opened(self, request: HttpRequest, obj: Model) -> None:
        """Called when somebody opens the page: where a look is recorded, it is recorded here."""

    def _context(self, request: HttpRequest, obj: Model, object_id: str) -> dict[str, Any]:
        tabs = [tab for tab in self.get_tabs() if self._sees(request, tab)]
        chosen = next((tab for tab in tabs if tab.slug == request.GET.get("tab")), tabs[0] if tabs else None)
        header = self.header(request, obj)
        header.lines += [line for more in registry.of(self.model).header for line in more(obj)]
        obj.page_name = header.name or header.title
        request.list_title = self.list_title
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": obj.page_name,
            "object_id": object_id,
            "change": True,
            "is_popup": False,
            "media": self.media,
            "header": header,
            "tabs": tabs,
            "chosen": chosen,
            "refresh": self.refresh_every(request, obj),
            "panels": chosen.panels(request, obj) if chosen else [],
            "actions_detail": self._get_actions_navigation(
                self.actions_detail, self.get_actions_detail(request, object_id), object_id
            ),
        }

    def get_tabs(self) -> list[Tab]:
        """The page's own and other modules', in order."""
        return sorted((*self.tabs, *registry.of(self.model).tabs), key=lambda tab: tab.order)

    def _sees(self, request: HttpRequest, tab: Tab) -> bool:
        return not tab.permission or request.user.has_perm(tab.permission)

    def header(self, request: HttpRequest, obj: Model) -> Header:
        return Header(title=self.name_of(obj))


def trail_of(obj: Model, reader: Staff, count: int = ROWS) -> list[history.Line]:
    """The trail lines about a row, newest first, in words, as one colleague reads them."""
    return [history.line(entry, reader) for entry in history_of(obj, reader).order_by("-id")[:count]]
