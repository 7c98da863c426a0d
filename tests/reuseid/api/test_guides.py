"""What somebody meets who types an address: a first page, the guides, and a way on from what is not there."""

import re
from urllib.parse import urljoin

import pytest

from reuseid.api.docs import guides
from reuseid.middleware import browsers

pytestmark = pytest.mark.django_db
NAMES = sorted(name for name, path in guides._files().items() if path.suffix == ".md")


def links(page):
    return re.findall(r'(?:href|src)="([^"]+)"', page.content.decode())


def test_the_first_page_leads_to_everything(client):
    page = client.get("/")
    assert page.status_code == 200
    assert page["Content-Security-Policy"] == browsers.PAGES
    assert {"/admin/", "/api/docs/", "/api/docs/problems", "/healthz"} <= set(links(page))
    assert {client.get(address).status_code for address in links(page)} <= {200, 302}


@pytest.mark.parametrize("name", NAMES)
def test_a_guide_is_a_page_whose_links_lead_somewhere(client, name):
    address = f"/api/docs/{name}"
    page = client.get(address)
    text = page.content.decode()
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page["Content-Security-Policy"] == browsers.PAGES
    assert "<script" not in text
    assert "<title></title>" not in text
    for link in links(page):
        if link.startswith("#"):
            assert link == "#" or f'id="{link[1:]}"' in text, link
        elif not link.startswith("http"):
            assert client.get(urljoin(address, link.partition("#")[0])).status_code in (200, 302), link


def test_every_guide_is_named_on_every_page(client):
    top = {name for name in NAMES if "/" not in name} | {"decisions/README"}
    for address in ("/api/docs/", "/api/docs/problems", "/api/docs/api"):
        assert {f"/api/docs/{name}" for name in top} <= set(links(client.get(address)))


@pytest.mark.parametrize(
    "name",
    ["nothing", "../manage.py", "../../etc/passwd", "images/../../manage.py", "images", "api.md", "%2e%2e/manage.py"],
)
def test_nothing_but_the_guides_is_served_and_the_page_shows_a_way_on(client, name):
    page = client.get(f"/api/docs/{name}")
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert {"/admin/", "/api/docs/"} <= set(links(page))


def test_html_in_a_guide_is_text(tmp_path):
    file = tmp_path / "x.md"
    file.write_text("# <b>T</b>\n\n<script>alert(1)</script> [x](javascript:alert(1)) [y](../secret.md)\n")
    _title, text = guides._rendered(file)
    assert "<script" not in text
    assert "<b>" not in text
    assert 'href="javascript' not in text
    assert "secret" not in text


@pytest.mark.parametrize("address", ["/admin", "/api/docs", "/admin/reuseid/user"])
def test_a_missing_slash_leads_to_the_page(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer["Location"].partition("?")[0]) in [(301, f"{address}/"), (302, "/admin/login/")]


@pytest.mark.parametrize(
    "address", ["/reuseid/core/users/", "/mobileid/core/operations/", "/oauth/token/", "/healthz/"]
)
def test_a_slash_too_many_is_not_redirected_away(client, address):
    assert client.get(address).status_code == 404
