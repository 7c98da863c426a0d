"""The first page's figures, from both apps, and the part of it that refreshes itself."""

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mobileid.admin import dashboard as mobileid_page
from reuseid.admin.kit import charts
from reuseid.admin.pages import dashboard as reuseid_page


def figures(request) -> dict:
    """What the template shows: cards, charts of the chosen period, tables; what the colleague may see of each."""
    return {
        "cards": [*reuseid_page.cards(request), *mobileid_page.cards(request)],
        "charts": [*mobileid_page.panels(request), *reuseid_page.panels(request)],
        "panels": reuseid_page.tables(request),
        "period": charts.chosen(request),
        "periods": list(charts.PERIODS.values()),
    }


@never_cache
@require_safe
def live(request):
    """The figures alone, as they are now."""
    return render(request, "admin/parts/live.html", figures(request))
