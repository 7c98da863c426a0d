"""Who goes through the back office's middleware and who past it; what all are told."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils.translation import get_language

from reuseid.middleware.back_office import BackOffice, is_for_programs
from reuseid.middleware.browsers import DATA
from reuseid.middleware.browsers import PAGES as PAGES_POLICY

TOLD = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Trace-Id": "probe-0001",
}
PROGRAMS = [
    "/reuseid/core/users",
    "/mobileid/core/authentications",
    "/mobileid/device/v1/status",
    "/mobileid/device/v1/keys",
    "/oauth/token",
    "/oauth/nothing",
    "/.well-known/jwks.json",
    "/api/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
]
PAGES = ["/", "/admin/", "/admin/login/", "/admin/language/", "/api/docs/", "/api/docs/problems", "/new-page"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PROGRAMS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_programs_are_told_what_browsers_are_and_get_no_cookie(path, method):
    answer = Client(headers={"X-Trace-Id": "probe-0001"}).generic(method, path)
    # What Django itself says to a wrong method calls itself a page.
    policy = PAGES_POLICY if answer["Content-Type"].startswith("text/html") else DATA
    told = TOLD | {"Content-Security-Policy": policy}
    assert {name: answer.get(name) for name in told} == told
    assert answer["Content-Length"] == str(len(answer.content))
    assert not answer.cookies
    assert "Vary" not in answer or "Cookie" not in answer["Vary"]


@pytest.mark.django_db
def test_programs_are_answered_encrypted_or_not_at_all(settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 60
    for path in PROGRAMS[:6]:
        assert Client().get(path).status_code == 301
        assert Client().get(path, secure=True)["Strict-Transport-Security"].startswith("max-age=60")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/reuseid/core/users", "/mobileid/device/v1/keys", "/admin/login/"])
def test_only_the_services_own_names_are_answered(path):
    assert Client().get(path, headers={"Host": "elsewhere.example"}).status_code == 400


@pytest.mark.parametrize("path", PROGRAMS)
def test_programs_go_past_it(path):
    assert is_for_programs(path)


@pytest.mark.parametrize("path", PAGES)
def test_pages_go_through_it_and_so_does_what_is_not_known(path):
    assert not is_for_programs(path)


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused():
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/admin/login/", {"username": "sam"}).status_code == 403
    assert browser.get("/admin/login/").cookies["csrftoken"]


@pytest.mark.django_db
def test_a_readers_language_does_not_stay_for_who_comes_next():
    browser = Client(headers={"Accept-Language": "de"})
    assert "Anmelden" in browser.get("/admin/login/").content.decode()
    assert get_language() == "en"
    assert browser.get("/reuseid/core/users").json()["title"] == "The call is not authenticated."


class Noting:
    """Notes what it is asked, in order."""

    asked: list[str] = []

    def __init__(self, get_response):
        self.get_response = get_response

    def note(self, what):
        self.asked.append(f"{type(self).__name__} {what}")

    def __call__(self, request):
        self.note("in")
        response = self.get_response(request)
        self.note("out")
        return response

    def process_view(self, request, view, args, kwargs):
        self.note("view")

    def process_exception(self, request, error):
        self.note("exception")

    def process_template_response(self, request, response):
        self.note("template")
        return response


class Outer(Noting):
    pass


class Inner(Noting):
    pass


@pytest.fixture
def middleware(settings):
    settings.BACK_OFFICE_MIDDLEWARE = [f"{__name__}.Outer", f"{__name__}.Inner"]
    Noting.asked.clear()
    return BackOffice(lambda request: HttpResponse())


def drive(middleware, path):
    """As Django's handler does, once each."""
    request = RequestFactory().get(path)
    middleware(request)
    middleware.process_view(request, None, (), {})
    middleware.process_template_response(request, HttpResponse())
    middleware.process_exception(request, KeyError())
    return Noting.asked


def test_each_is_asked_in_djangos_order(middleware):
    assert drive(middleware, "/admin/") == [
        *("Outer in", "Inner in", "Inner out", "Outer out"),
        *("Outer view", "Inner view"),
        *("Inner template", "Outer template"),
        *("Inner exception", "Outer exception"),
    ]


def test_none_is_asked_about_a_program(middleware):
    assert drive(middleware, "/reuseid/core/users") == []


def test_the_first_answer_instead_of_the_view_counts(middleware, monkeypatch):
    refusal = HttpResponse(status=403)
    monkeypatch.setattr(Outer, "process_view", lambda *_: refusal)
    middleware = BackOffice(middleware.get_response)
    assert middleware.process_view(RequestFactory().get("/admin/"), None, (), {}) is refusal
    assert Noting.asked == []
