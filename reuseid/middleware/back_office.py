"""The middleware of pages for people: sessions, languages, forms, sign-in. The API and the phones go past it.

Django has one list for all addresses (MIDDLEWARE); this one stands in it for a list of its own, BACK_OFFICE_MIDDLEWARE.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from reuseid.api.errors import API_PATHS, PAGES

_PROBES = ("/healthz", "/readyz", "/metrics")


def is_for_programs(path: str) -> bool:
    """Whether no browser with a session calls here: nothing reads a cookie, so nothing needs a form's token."""
    return path.startswith((*API_PATHS, *_PROBES)) and not path.startswith(PAGES)


class BackOffice:
    """Django's own way with a list of middleware (`BaseHandler.load_middleware`), for some addresses.

    What is not known to be for programs goes through all of it: a new page is protected until somebody says otherwise.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = chain = get_response
        # In Django's order: on the way in from the outside, on the way out from the inside.
        self._view: list[Callable[..., Any]] = []
        self._template_response: list[Callable[..., Any]] = []
        self._exception: list[Callable[..., Any]] = []
        for name in reversed(settings.BACK_OFFICE_MIDDLEWARE):
            middleware = import_string(name)(chain)
            if hasattr(middleware, "process_view"):
                self._view.insert(0, middleware.process_view)
            if hasattr(middleware, "process_template_response"):
                self._template_response.append(middleware.process_template_response)
            if hasattr(middleware, "process_exception"):
                self._exception.append(middleware.process_exception)
            chain = convert_exception_to_response(middleware)
        self._chain = chain

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request) if is_for_programs(request.path_info) else self._chain(request)

    def process_view(self, request, view, args, kwargs):
        """The first answer that one of the list gives instead of the view."""
        if is_for_programs(request.path_info):
            return None
        return next(filter(None, (hook(request, view, args, kwargs) for hook in self._view)), None)

    def process_exception(self, request, error):
        """The first answer that one of the list gives to a view's error."""
        if is_for_programs(request.path_info):
            return None
        return next(filter(None, (hook(request, error) for hook in self._exception)), None)

    def process_template_response(self, request, response):
        """The answer before it is rendered, as each of the list changes it."""
        if not is_for_programs(request.path_info):
            for hook in self._template_response:
                response = hook(request, response)
        return response
