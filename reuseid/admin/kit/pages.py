"""Pages to read: a header, tabs rendered one at a time, buttons by right and state, and what happens on a click."""

from dataclasses import dataclass, field
from types import MethodType

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.extensions import Act, Group, Tab, registry
from reuseid.admin.kit.scope import changes_of, history_of
from reuseid.errors import ServiceError, WrongState
from reuseid.models import kind_of

ROWS = 50


@dataclass
class Facts:
    """Names and values, two columns."""

    rows: list
    title: str = ""
    template: str = "admin/parts/facts.html"


@dataclass
class Table:
    """Up to ROWS rows and where the rest is."""

    headers: list
    rows: list
    title: str = ""
    empty: str = _("There is nothing here.")
    more: str = ""
    template: str = "admin/parts/table.html"


@dataclass
class Timeline:
    """Trail lines, newest first."""

    lines: list
    title: str = ""
    more: str = ""
    empty: str = _("Nothing has happened yet.")
    template: str = "admin/parts/timeline.html"


@dataclass
class Findings:
    """A question and what answers it: pairs of a blocking fact and what helps, or the sentence that there are none."""

    title: str
    findings: list
    clear: str
    template: str = "admin/parts/findings.html"


@dataclass
class Points:
    """A list of sentences."""

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
    since: object = None
    lines: list = field(default_factory=list)


class Acting:
    """Buttons by right and state, and what happens on a click.

    ``available_when`` maps the name of an action to a test of the row: a button is shown where both allow it.
    The service decides again when it is clicked, so two colleagues make one change and the second is told.
    """

    extensible = BackOfficeAdmin.extensible | {"acts"}
    available_when: dict = {}
    page_related = ()

    def take(self, acts: tuple[Act, ...]) -> None:
        """Buttons of other modules (`kit.extensions`): the theme looks for them, and for who may, among its methods.

        They stand after the page's own, in front of its drop-downs.
        """
        groups: dict[Group, list[str]] = {}
        plain = [item for item in self.actions_detail if isinstance(item, str)]
        last = [item for item in self.actions_detail if not isinstance(item, str)]
        for act in acts:
            (permission,) = act.method.allowed_permissions
            methods = {act.name: MethodType(act.method, self), f"has_{permission}_permission": self._asks_for(act)}
            for name, method in methods.items():
                if hasattr(self, name):
                    raise ImproperlyConfigured(f"{type(self).__name__} has a {name} of its own.")
                setattr(self, name, method)
            self.available_when = {**self.available_when, act.name: act.available_when}
            (groups.setdefault(act.group, []) if act.group else plain).append(act.name)
        drop_downs = [{"title": group.title, "icon": group.icon, "items": names} for group, names in groups.items()]
        self.actions_detail = (*plain, *drop_downs, *last)

    def _asks_for(self, act):
        codename, opts = act.right()

        def allowed(request, object_id=None):
            return self.may(request, object_id, codename, opts)

        return allowed

    def row(self, request, object_id):
        """The row if it is one of the colleague's accounts; read once a request."""
        rows = request.__dict__.setdefault("_back_office_rows", {})
        key = (self.opts.label, str(object_id))
        if key not in rows:
            rows[key] = self.get_object(request, unquote(str(object_id)))
        return rows[key]

    def get_object(self, request, object_id, from_field=None):
        """With what the header names, in one query."""
        try:
            pk = self.opts.pk.to_python(object_id)
        except (ValidationError, ValueError):
            return None
        return self.get_queryset(request).select_related(*self.page_related).filter(pk=pk).first()

    def may(self, request, object_id, codename, opts=None):
        """The right, on a row that the colleague sees; for ``has_<verb>_permission``."""
        if not self.permitted(request, codename, opts):
            return False
        return object_id is None or self.row(request, object_id) is not None

    def get_actions_detail(self, request, object_id):
        obj = self.row(request, object_id)
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [
            action
            for action in super().get_actions_detail(request, object_id)
            if self.available_when.get(action.action_name.removeprefix(prefix), bool)(obj)
        ]

    def act(self, request, object_id, service, *, done, **values):
        """Call the service on the row and tell the outcome; the browser goes back to the page."""
        obj = self.row(request, object_id)
        if obj is None:
            raise Http404
        try:
            service(obj, actor=self.actor(request), **values)
        except WrongState:
            messages.warning(request, self.too_late(obj))
        except ServiceError as error:
            messages.error(request, _("Nothing was changed. %(why)s") % {"why": explain(error)})
        else:
            messages.success(request, done)
        return go_to(request, formatting.page_of(self.model, obj.pk))

    def too_late(self, obj):
        """Why a click came to nothing: the state that the row is in by now, and who brought it there."""
        state = {"noun": self.opts.verbose_name, "state": obj.get_status_display().lower()}
        sentence = _("Nothing was changed: the %(noun)s is %(state)s already.") % state
        line = last_line(obj)
        if line is None:
            return sentence
        last = {"action": line.action, "who": history.who(line), "time": line.at}
        return format_html(
            "{} {}", sentence, formatting.sentence(_("Last change: %(action)s by %(who)s, %(time)s."), **last)
        )


class PageAdmin(Acting, BackOfficeAdmin):
    """A read-only page instead of a form. Subclasses give ``header(request, obj)`` and ``tabs``."""

    extensible = Acting.extensible | {"tabs", "header"}
    tabs = ()
    page_related = ("account",)

    def refresh_every(self, request, obj):
        """Seconds after which the open page shows the row anew by itself; 0 for never."""
        return 0

    def change_view(self, request, object_id, form_url="", extra_context=None):
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

    def opened(self, request, obj):
        """What a look at the page leaves behind; nothing, for most rows."""

    def _context(self, request, obj, object_id):
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

    def _sees(self, request, tab):
        return not tab.permission or request.user.has_perm(tab.permission)

    def header(self, request, obj):
        return Header(title=self.name_of(obj))


def explain(error: ServiceError) -> str:
    """A service's refusal in a sentence."""
    params = " ".join(f"{item['name']}: {item['reason']}" for item in error.invalid_params)
    return f"{error.detail or gettext(error.title)} {params}".strip()


def go_to(request, address):
    """Send the browser to a page: htmx dialogs need a header for it, plain forms a redirect."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def last_line(obj):
    """The newest trail line that changed a row."""
    return changes_of(obj).order_by("-id").first()


def last_state_line(obj, verbs):
    """The newest trail line that changed the row's state."""
    kind = kind_of(obj)
    return changes_of(obj).filter(action__in=[f"{kind}.{verb}" for verb in verbs]).order_by("-id").first()


def trail_of(obj, reader, count=ROWS):
    """The trail lines about a row, newest first, in words, as one colleague reads them."""
    return [history.line(entry, reader) for entry in history_of(obj, reader).order_by("-id")[:count]]
