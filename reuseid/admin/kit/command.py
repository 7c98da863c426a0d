"""Ctrl+K: people by anything exact, pages by name; asked anew each time, so that no answer is stale or unrecorded."""

import time
from collections.abc import Iterator

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.dataclasses import SearchResult

from reuseid.admin.kit.formatting import list_of, page_of
from reuseid.admin.kit.scope import scoped
from reuseid.admin.kit.search import find_people
from reuseid.models import User

LEAST, MOST = 3, 20
"""The box asks while one types: fewer letters are compared with nothing."""


def find(request: HttpRequest) -> HttpResponse:
    """The answer to the theme's box, in its own templates. The theme's view would keep it for five minutes."""
    term = request.GET.get("s", "").strip()
    if not term:
        return HttpResponse()
    began = time.monotonic()
    results = _pages(request, term)
    template = "unfold/helpers/search_results.html"
    if "extended" in request.GET:
        template = "unfold/helpers/command_results.html"
        results += _people(request, term)
    pages = Paginator(results, 100)
    context = {
        "page_obj": pages,
        "results": pages.page(1),
        "page_counter": 0,
        "execution_time": time.monotonic() - began,
        "command_show_history": False,
    }
    return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})


def _pages(request: HttpRequest, term: str) -> list[SearchResult]:
    """Lists of the back office whose name has the term in it: those that the colleague may open."""
    apps = admin.site.get_app_list(request)
    models = [model for app in apps for model in app["models"] if term.lower() in str(model["name"]).lower()]
    return [
        SearchResult(title=str(model["name"]), description="", link=model["admin_url"], icon="list")
        for model in models
        if model["admin_url"]
    ]


def _rests(request: HttpRequest) -> Iterator[SearchResult]:
    """Why values were not compared, if they were not; it leads to the list, where the same is said."""
    if advice := getattr(request, "search_rests", ""):
        yield SearchResult(title=advice, description="", link=list_of(User), icon="hourglass_empty")


def _people(request: HttpRequest, term: str) -> list[SearchResult]:
    if not request.user.has_perm("reuseid.view_user") or len(term) < LEAST:
        return []
    found, _words = find_people(request, term)
    people = scoped(User.objects.filter(pk__in=set(found)), request.user, "account").select_related("account")
    return [
        *(
            SearchResult(
                title=user.external_ref or str(user.pk),
                description=f"{user.get_status_display()} · {user.account.name}",
                link=page_of(User, user.pk),
                icon="person",
            )
            for user in people[:MOST]
        ),
        *_rests(request),
    ]
