"""The one place where modules add to pages that are not theirs.

Whoever adds says it once, while Django starts, and knows a page by its model alone; the page reads what was added when
it is shown. So reuseid's pages know nothing of mobileid, and mobileid nothing but the kit::

    registry.extend(User, Extension(tabs=(Tab("devices", _("Devices"), devices, permission="mobileid.view_device"),)))

What nobody would ever see is refused at the start: the same thing twice, a page that is none or doesn't show it, a
right that no model has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import UUID

from django.apps import apps
from django.contrib.admin import AdminSite, ListFilter
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.db.models.options import Options
from django.http import HttpRequest

Row = Any  # of the model whose page it is


class Panel(Protocol):
    """A part of a page, drawn by its own template: Table, Findings … of `kit.pages`, Chart of `kit.charts`."""

    template: str


@dataclass(frozen=True)
class Tab:
    """One tab: ``panels(request, row)`` is called only while it is the open one."""

    slug: str
    title: str
    panels: Callable[[HttpRequest, Row], Sequence[Panel]]
    permission: str = ""
    order: int = 50


@dataclass(frozen=True, eq=False)
class Group:
    """A drop-down in which acts stand together."""

    title: str
    icon: str


class Action(Protocol):
    """A function under `dialog_action`. ``allowed_permissions`` names the one right that the theme asks for."""

    __name__: str
    allowed_permissions: Sequence[str]

    def __call__(self, page: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Called as a method of the page."""


@dataclass(frozen=True)
class Act:
    """A button with its dialog: ``method`` is a function under `dialog_action`.

    Offered to those with ``permission``, "app.codename", on rows for which ``available_when(row)`` holds.
    """

    method: Action
    permission: str
    available_when: Callable[[Row], bool] = bool
    group: Group | None = None

    @property
    def name(self) -> str:
        """The page gets a method of this name."""
        return self.method.__name__

    def right(self) -> tuple[str, Options]:
        """The right's codename, and the model that declares it. Raises ImproperlyConfigured where none does."""
        app, _dot, codename = self.permission.partition(".")
        for opts in (model._meta for model in apps.get_app_config(app).get_models()):
            plain = {f"{verb}_{opts.model_name}" for verb in opts.default_permissions}
            if codename in plain or codename in dict(opts.permissions):
                return codename, opts
        raise ImproperlyConfigured(f"{self.name} asks for {self.permission}, a right that no model has.")


@dataclass(frozen=True)
class Finder:
    """Finds people by the id of something of theirs: ``find(id, account ids)`` gives the people's ids."""

    name: str
    find: Callable[[UUID, list[UUID]], list[UUID]]


@dataclass(frozen=True)
class Figures:
    """A part of the first page: ``read(request)`` gives what the colleague may see of it."""

    read: Callable[[HttpRequest], Sequence[Any]]
    order: int = 50


# What makes two of them the same; else it is the thing itself.
_KEYS: dict[type, str] = {Tab: "slug", Act: "name", Finder: "find", Figures: "read"}


class _Parts:
    """Tuples of what is added, by kind."""

    def __add__(self, more: Self) -> Self:
        """Both, in this order. Raises ImproperlyConfigured for what stands in it twice."""
        both = {kind: (*parts, *getattr(more, kind)) for kind, parts in vars(self).items()}
        for kind, parts in both.items():
            keys = [getattr(part, _KEYS[type(part)]) if type(part) in _KEYS else part for part in parts]
            if twice := [str(key) for key in keys if keys.count(key) > 1]:
                raise ImproperlyConfigured(f"{twice[0]} is registered twice among {kind}.")
        return type(self)(**both)


@dataclass(frozen=True)
class Extension(_Parts):
    """What a module adds to the page and the list of one model.

    ``header(row)`` gives lines of the header, pairs of a name and a value; ``overview(request, row)`` panels of the
    first tab; ``consequences(row)`` sentences, what else follows once the row can't be used any more.
    """

    tabs: tuple[Tab, ...] = ()
    acts: tuple[Act, ...] = ()
    header: tuple[Callable[[Row], Sequence[tuple[Any, Any]]], ...] = ()
    overview: tuple[Callable[[HttpRequest, Row], Sequence[Panel]], ...] = ()
    consequences: tuple[Callable[[Row], Sequence[str]], ...] = ()
    finders: tuple[Finder, ...] = ()
    list_filter: tuple[type[ListFilter], ...] = ()


@dataclass(frozen=True)
class FirstPage(_Parts):
    """What a module adds to the first page: cards with a number, charts over the chosen period, tables."""

    cards: tuple[Figures, ...] = ()
    charts: tuple[Figures, ...] = ()
    tables: tuple[Figures, ...] = ()


class Registry:
    """All that was added; after `hand_over` nothing more is."""

    def __init__(self) -> None:
        self.first_page = FirstPage()
        self._extensions: dict[type[Model], Extension] = {}
        self._handed_over = False

    def extend(self, model: type[Model], more: Extension) -> None:
        """Add to the page of ``model``."""
        self._check_time()
        self._extensions[model] = self.of(model) + more

    def extend_first_page(self, more: FirstPage) -> None:
        """Add to the first page."""
        self._check_time()
        self.first_page += more

    def of(self, model: type[Model]) -> Extension:
        """What was added to the page of ``model``."""
        return self._extensions.get(model, Extension())

    def hand_over(self, site: AdminSite) -> None:
        """Once all modules have spoken: check that each page shows what was added to it, and give it its acts."""
        for model, extension in self._extensions.items():
            page = site._registry.get(model)
            own = Extension(tabs=tuple(getattr(page, "tabs", ())), list_filter=tuple(getattr(page, "list_filter", ())))
            for kind, parts in vars(own + extension).items():
                if parts and kind not in getattr(page, "extensible", ()):
                    raise ImproperlyConfigured(f"{model.__name__} has no page that shows {kind} of other modules.")
            if extension.acts:
                page.take(extension.acts)
        self._handed_over = True

    def _check_time(self) -> None:
        if self._handed_over:
            raise ImproperlyConfigured(f"{type(self).__name__}: pages are extended while Django starts, and no later.")


registry = Registry()
