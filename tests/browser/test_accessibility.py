"""Every page, in light and dark, under axe: nothing of weight."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.browser.dataset import PHONE
from tests.browser.extra_data import more
from tests.browser.pages import all_pages
from tests.staff_factories import page as address_of

WEIGHT = {"moderate", "serious", "critical"}
# Only what was found comes back: the rest of axe's answer takes longer than its work.
RUN = """async (options) => (await axe.run(document, {resultTypes: ["violations"], ...options})).violations.map(
    ({id, impact, nodes}) => ({id, impact, nodes: nodes.map(({target, failureSummary}) => [target[0], failureSummary])})
)"""


def findings(page):
    """What axe calls moderate or worse, a line each: all rules in light; in the dark the colours alone."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
        page.add_style_tag(content="* { transition: none !important; }")
    found = _run(page)
    if page.evaluate("typeof Alpine === 'object'"):
        _paint(page, "dark")
        found += [f"in the dark, {line}" for line in _run(page, runOnly=["color-contrast"])]
        _paint(page, "light")
    return found


def _run(page, **options):
    return [
        f"{found['id']} at {place}: {what}"
        for found in page.evaluate(RUN, options)
        if found["impact"] in WEIGHT
        for place, what in found["nodes"]
    ]


def _paint(page, theme):
    """As the menu does."""
    page.evaluate("theme => { Alpine.$data(document.documentElement).adminTheme = theme; }", theme)
    expect(page.locator("html")).to_contain_class(theme)


@pytest.mark.timeout(600)
def test_axe_finds_nothing_of_weight_on_any_page(open_as, scene):
    pages, found = {}, []
    for name, (who, address) in all_pages(scene, more(scene)).items():
        if who not in pages:
            pages[who] = open_as(scene.staff.get(who))
            pages[who].expected.append("403")
        page = pages[who]
        assert page.goto(address).status == (403 if name == "not allowed" else 200), name
        found += [f"{name}: {line}" for line in findings(page)]
    assert not found, "\n".join(found)


def test_axe_finds_nothing_of_weight_in_a_dialog_a_menu_and_the_command_search(open_as, scene):
    page, found = open_as(scene.staff["sam"]), []
    page.goto(address_of(scene.people["anna"]))
    page.get_by_role("link", name="Lock", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Lock").click()
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    found += findings(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Your menu").click()
    expect(page.get_by_role("button", name="Deutsch")).to_be_visible()
    found += findings(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Deutsch")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("+358401234567")
    expect(page.locator("#command-results")).to_contain_text("customer-10482")
    found += findings(page)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_of_weight_where_a_value_or_a_secret_is_shown(open_as, scene):
    page, found = open_as(scene.staff["kim"]), []
    page.goto(address_of(scene.people["anna"], tab="attributes"))
    row = page.get_by_role("row").filter(has_text="phone")
    row.get_by_role("link", name="Reveal").click()
    page.get_by_role("dialog").get_by_label("Reason").select_option("CUSTOMER_REQUEST")
    found += findings(page)
    page.get_by_role("dialog").get_by_role("button", name="Show it").click()
    expect(row).to_contain_text(PHONE)
    found += findings(page)
    page = open_as(scene.staff["ines"])
    page.goto(address_of(scene.endpoint))
    page.get_by_role("button", name="More …").click()
    page.get_by_role("link", name="New secret").click()
    page.get_by_role("dialog").get_by_label("Reason").select_option("COMPLIANCE")
    found += findings(page)
    page.get_by_role("dialog").get_by_role("button", name="Make new keys").click()
    expect(page.get_by_role("heading", name="The secret of https://hooks.example.com/reuseid")).to_be_visible()
    found += findings(page)
    assert not found, "\n".join(found)
