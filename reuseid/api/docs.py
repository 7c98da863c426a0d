"""The rendered documentation: the OpenAPI document, and every problem code with its meaning."""

import inspect

from django.shortcuts import render
from django.views.decorators.http import require_safe

from reuseid.api.errors import FRAMEWORK
from reuseid.errors import ServiceError


def problem_codes() -> list[dict]:
    """``{code, status, title, meaning}`` of every error that the API tells, by code."""
    found = {code: {"code": code, "status": status, "title": title} for status, (code, title) in FRAMEWORK.items()}
    found["client_blocked"] = {"code": "client_blocked", "status": 401, "title": FRAMEWORK[401][1]}
    todo = [ServiceError]
    while todo:
        error = todo.pop()
        todo += error.__subclasses__()
        meaning = inspect.cleandoc(error.__doc__ or "").splitlines()[0]
        entry = {"code": error.code, "status": error.status, "title": error.title, "meaning": meaning}
        found.setdefault(error.code, entry).setdefault("meaning", meaning)
    return sorted(found.values(), key=lambda entry: entry["code"])


@require_safe
def problems(request):
    """``/api/docs/problems``: where the ``type`` of every problem leads."""
    return render(request, "reuseid/problems.html", {"problems": problem_codes()})
