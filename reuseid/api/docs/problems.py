"""Every problem code with its meaning."""

import inspect

from django.shortcuts import render
from django.views.decorators.http import require_safe

from reuseid.api.errors import FRAMEWORK
from reuseid.errors import BACK_ENDS, PHONES, STAFF, ServiceError

# In the order of the page.
AUDIENCES = {
    BACK_ENDS: ("Back ends", "What the REST API answers, as application/problem+json."),
    PHONES: (
        "Phones",
        "What the device protocol answers: inside the sealed answer, or outside where no envelope was opened.",
    ),
    STAFF: ("Colleagues", "What the back office says to who works in it; no API answers so."),
}


def problem_codes() -> list[dict]:
    """``{code, status, title, meaning, audience}`` of every error that is told, by code."""
    found = {
        code: {"code": code, "status": status, "title": title, "audience": BACK_ENDS}
        for status, (code, title) in [*FRAMEWORK.items(), (401, ("client_blocked", FRAMEWORK[401][1]))]
    }
    todo = [ServiceError]
    while todo:
        error = todo.pop()
        todo += error.__subclasses__()
        meaning = inspect.cleandoc(error.__doc__ or "").splitlines()[0]
        entry = {"code": error.code, "status": error.status, "title": error.title, "audience": error.audience}
        found.setdefault(error.code, entry).setdefault("meaning", meaning)
    return sorted(found.values(), key=lambda entry: entry["code"])


@require_safe
def problems(request):
    """``/api/docs/problems``: where the ``type`` of every problem leads, grouped by whom it is told."""
    problems = problem_codes()
    groups = [
        {
            "id": audience,
            "name": name,
            "about": about,
            "problems": [one for one in problems if one["audience"] == audience],
        }
        for audience, (name, about) in AUDIENCES.items()
    ]
    return render(request, "reuseid/problems.html", {"groups": groups})
