"""The first page: what the modules add to it, a search box for people, and the part that refreshes itself."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reuseid.admin.kit import charts, formatting
from reuseid.admin.kit.extensions import Figures, registry
from reuseid.models import User


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The whole page's context: the theme asks for it."""
    context["find_url"] = formatting.list_of(User) if request.user.has_perm("reuseid.view_user") else ""
    return context | figures(request)


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The figures alone, as they are now."""
    return render(request, "admin/parts/live.html", figures(request))


def figures(request: HttpRequest) -> dict[str, Any]:
    """Cards, charts of the chosen period, tables; what the colleague may see of each."""
    added = registry.first_page
    return {
        "cards": _read(request, added.cards),
        "charts": _read(request, added.charts),
        "panels": _read(request, added.tables),
        "period": charts.chosen(request),
        "periods": list(charts.PERIODS.values()),
    }


def _read(request: HttpRequest, parts: tuple[Figures, ...]) -> list[Any]:
    return [found for part in sorted(parts, key=lambda part: part.order) for found in part.read(request)]
