"""Every query parameter of every list with what a fuzzer sends: an answer or a clear refusal, never a failure."""

from urllib.parse import quote

import pytest
from django.urls import resolve

from tests.reuseid.api.routes import routes

pytestmark = pytest.mark.django_db
DEEP = 20_000
TIMES = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00-14:00",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59+14:00",
    "9999-12-31T23:59:59-14:00",
    "0000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00+99:99",
    "9999-12-31",
    "0001-01-01",
]
NESTED = ["[" * DEEP, '{"a":' * DEEP, "[" * DEEP + "]" * DEEP, "(" * DEEP, "-" * DEEP]
NUMBERS = ["9" * 5000, "1e999", "-1e999", "NaN", "Infinity", "1E-99999", "9" * 400, "-0", "1.5", "٣"]
TEXTS = ["\udcff", "\ufffe", "\u202e", "'\"<>%;--", "%", "\\", "\n", " ", "a" * 100_000, "true", "null", "\U0010ffff"]
VALUES = TIMES + NESTED + NUMBERS + TEXTS
LISTS = [route for route in routes() if route.method == "GET"]


def parameters(route):
    """The names that the view's filters, pages and itself read."""
    view = resolve(route.address()).func.cls
    filters = view.filterset_class.base_filters if view.filterset_class else ()
    return ["limit", "cursor", "ordering", *view.query_names, *filters]


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.path)
def test_no_query_parameter_fails(api, user, route):
    webhook = api.post("/mobileid/core/webhooks", {"url": "https://hooks.example.com/x"}).json()
    address = route.address(user_id=user.pk, webhook_id=webhook["id"], external_ref="customer-1")
    failed = []
    for name in parameters(route):
        for value in VALUES:
            for text in [value, f"email:{value}"] if name == "attribute" else [value]:
                answer = api.get(address, {name: text.encode("utf-8", "surrogateescape")})
                if answer.status_code >= 500:
                    failed.append((name, text[:40], answer.status_code))
    assert failed == []


@pytest.mark.parametrize("value", ["[" * DEEP, '{"a":' * DEEP])
def test_a_search_for_what_is_nested_finds_nobody(api, user, value):
    answer = api.get("/reuseid/core/users", {"attribute": f"email:{value}"})
    assert (answer.status_code, answer.json()["results"]) == (200, [])


@pytest.mark.parametrize(
    ("stored", "searched"), [(42, "42"), (True, "true"), (1.5, "1.5"), (-3, " -3 "), ("NaN", "NaN")]
)
def test_a_search_reads_numbers_and_truth_values_as_what_they_are(api, user, stored, searched):
    api.put(f"/reuseid/core/users/{user.pk}/attributes/level", {"value": stored})
    answer = api.get("/reuseid/core/users", {"attribute": f"level:{searched}"})
    assert [row["userId"] for row in answer.json()["results"]] == [str(user.pk)]


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\t"])
def test_a_filter_of_blanks_is_a_filter(api, user, blank):
    for address in (
        *(f"/reuseid/core/users?{name}=" for name in ("externalRef", "segment")),
        "/mobileid/core/operations?clientReference=",
        "/mobileid/core/events?type=",
    ):
        answer = api.get(address + quote(blank))
        assert (answer.status_code, answer.json().get("results", [])) in ((200, []), (400, [])), address
