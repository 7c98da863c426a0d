"""Times are the reader's: in sentences as in tables, and where one is typed. The browser is in Helsinki."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from playwright.sync_api import expect

from mobileid.models import Device
from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry, WebhookEndpoint
from reuseid.services.people import users
from tests.browser.dataset import Scene
from tests.reuseid.admin.signing_in import PASSWORD
from tests.staff_factories import page as address_of

HELSINKI = ZoneInfo("Europe/Helsinki")


def here(moment, form="%Y-%m-%d %H:%M:%S"):
    return moment.astimezone(HELSINKI).strftime(form)


def test_what_stands_in_the_way_names_the_readers_time(open_as, scene: Scene):
    until = timezone.now().replace(microsecond=123000) + timedelta(hours=30)
    Device.objects.filter(pk=scene.devices["anna"].pk).update(locked_until=until)
    page = open_as(scene.staff["sam"])
    page.goto(address_of(scene.people["anna"]))
    time = page.locator(".bo-findings time")
    expect(time).to_contain_text(here(until))
    expect(time).to_have_attribute("title", f"{until:%Y-%m-%d %H:%M:%S.%f} UTC")


def test_a_click_that_came_too_late_names_the_readers_time(open_as, scene: Scene):
    page = open_as(scene.staff["sam"])
    clara = scene.people["clara"]
    page.goto(address_of(clara))
    users.lock(clara, actor=SYSTEM, reason="COMPLIANCE")
    page.get_by_role("link", name="Lock", exact=True).click()
    dialog = page.get_by_role("dialog", name="Lock this person")
    dialog.get_by_label("Reason").select_option("DEVICE_LOST")
    dialog.get_by_role("button", name="Lock").click()
    line = TrailEntry.objects.get(action="user.locked", user_id=clara.pk)
    expect(page.get_by_text("Last change: user.locked")).to_contain_text(here(line.at))


def test_a_time_is_typed_in_the_readers_zone_and_arrives_as_it_was_meant(open_as, scene: Scene):
    WebhookEndpoint.objects.filter(pk=scene.endpoint.pk).update(failing_since=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    page = open_as(scene.staff["ines"])
    page.goto(address_of(scene.endpoint))
    for typed, meant in ((None, "2026-01-02T03:04:05+00:00"), ("2026-07-01T12:00:00", "2026-07-01T09:00:00+00:00")):
        page.get_by_role("button", name="Send again …").click()
        page.get_by_role("link", name="Send again since …").click()
        dialog = page.get_by_role("dialog")
        since = dialog.get_by_label("Since")
        expect(since).to_have_value("2026-01-02T05:04:05")
        if typed:
            since.fill(typed)
        dialog.get_by_label("Reason").select_option("RESOLVED")
        with page.expect_navigation():
            dialog.get_by_role("button", name="Send again").click()
        assert TrailEntry.objects.filter(action="webhook.resent").latest("pk").changes["since"] == meant


def test_charts_go_by_the_readers_clock_from_the_first_page_on(open_as, scene: Scene, settings):
    settings.SECOND_FACTOR = "offered"
    audrey = scene.staff["audrey"]
    audrey.set_password(PASSWORD)
    audrey.save()
    page = open_as()
    page.goto("/admin/")
    page.get_by_label("Username").fill(audrey.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    figures = page.locator(".bo-figures").first
    figures.get_by_text("Figures as a table").click()
    expect(figures.get_by_role("rowheader").last).to_have_text(here(timezone.now(), "%Y-%m-%d %H:00"))
