"""Links above a list: views that everybody has, and those that the colleague saved. All are plain addresses."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import localdate

from reuseid.admin.kit.filters import with_zone
from reuseid.services.staff import saved_views


@dataclass(frozen=True)
class View:
    """A name and the filters that it stands for, worked out when the list is shown."""

    title: str
    query: Callable[[], dict]


@dataclass(frozen=True)
class Link:
    """One link above a list; ``open`` is the one that the list shows now."""

    title: str
    href: str
    open: bool


def since_today(field: str, **query: str) -> Callable[[], dict[str, str]]:
    """The query of a `View` of rows whose ``field`` is of today, with other filters beside it."""
    return lambda: {**query, f"{field}_from": localdate().isoformat()}


def only(**query: str) -> Callable[[], dict[str, str]]:
    """The query of a `View` whose filters are always the same."""
    return lambda: query


@dataclass
class Views:
    """What stands above one list, and where to save what it shows."""

    links: list
    save: str


def views_of(model_admin: ModelAdmin, request: HttpRequest) -> Views:
    """The views of a list for one colleague. One query."""
    shown = sorted((key, value) for key, value in request.GET.items() if value and key != "p")
    label = model_admin.opts.label_lower
    links = [_link(view.title, view.query(), shown) for view in model_admin.views]
    links += [_link(view.name, dict(parse_qsl(view.query)), shown) for view in saved_views.of(request.user, label)]
    return Views(links, _save_address(label, request) if shown else "")


def _link(title: str, query: dict[str, str], shown: list[tuple[str, str]]) -> Link:
    return Link(title, f"?{urlencode(query)}", sorted(query.items()) == shown)


def _save_address(label: str, request: HttpRequest) -> str:
    shown = {key: value for key, value in request.GET.items() if key not in saved_views.NEVER and value}
    kept = urlencode(with_zone(shown))
    if not kept:
        return ""
    return f"{reverse('admin:reuseid_savedview_create')}?{urlencode({'model': label, 'query': kept})}"
