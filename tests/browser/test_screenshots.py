"""The pictures of docs/images: `make screenshots` takes them anew; otherwise those that take clicks are tried."""

import os

import pytest
from playwright.sync_api import expect

from reuseid.actors import SYSTEM, Actor
from reuseid.models import ApprovalRequest, User
from reuseid.services.jobs import bulk
from reuseid.services.people import users
from tests.config.test_settings import ROOT
from tests.staff_factories import make_factor, rows_of
from tests.staff_factories import page as address_of

IMAGES = ROOT / "docs" / "images"
TAKE = os.environ.get("SCREENSHOTS") == "1"
SETTLED = "networkidle" if TAKE else "load"
PASSWORD = "long enough for a test"


def lock_dialog(page, scene):
    """Open the dialog of a lock and choose a reason."""
    page.get_by_role("link", name="Lock", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("SUSPECTED_FRAUD")
    expect(dialog).to_be_visible()


def reveal(page, scene):
    """Show what the person approved."""
    page.get_by_role("link", name="Reveal what was shown").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("CUSTOMER_REQUEST")
    dialog.get_by_role("button", name="Show it").click()
    expect(page.locator("#bo-shown")).to_be_visible()


def dry_run(page, scene):
    """What would happen to some people who are named in a list."""
    lines = ["customer-10011", "customer-10977", "customer-10230", "customer-99999", "customer-10011"]
    run = bulk.draft(
        scene.account,
        lines,
        actor=Actor.staff(scene.staff["kim"]),
        kind="user",
        act="lock",
        reason="SUSPECTED_FRAUD",
        note="Phishing wave.",
    )
    page.goto(address_of(run))


def try_it(page, scene):
    """The form for a test user, and the commands beside it."""
    users.create(scene.account, actor=SYSTEM, external_ref="test-1", segment="test")
    page.reload()
    expect(page.get_by_text("CLIENT_ID").first).to_be_visible()


def second_step(page, scene):
    """The password was right; a code is asked for."""
    staff = scene.staff["sam"]
    staff.set_password(PASSWORD)
    staff.save()
    make_factor(staff)
    page.get_by_label("Username").fill(staff.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Second step of signing in")).to_be_visible()


# Name: who looks, at what, in the dark, in which language, and what is done before.
PICTURES = {
    "first-page": ("root", lambda scene: "/admin/"),
    "people": ("sam", lambda scene: rows_of(User, q="+358401234567")),
    "person": ("sam", lambda scene: address_of(scene.people["anna"])),
    "person-dark": ("sam", lambda scene: address_of(scene.people["ben"]), {"dark": True}, None),
    "person-german": ("sam", lambda scene: address_of(scene.people["anna"]), {"language": "de"}, None),
    "timeline": ("kim", lambda scene: address_of(scene.people["anna"], tab="timeline")),
    "dialog": ("sam", lambda scene: address_of(scene.people["anna"]), {}, lock_dialog),
    "operation": ("kim", lambda scene: address_of(scene.operations["approved"])),
    "reveal": ("kim", lambda scene: address_of(scene.operations["approved"]), {}, reveal),
    "requests": ("mia", lambda scene: rows_of(ApprovalRequest)),
    "approval": ("mia", lambda scene: address_of(scene.request)),
    "bulk": ("kim", lambda scene: "/admin/", {}, dry_run),
    "callback": ("ines", lambda scene: address_of(scene.delivery)),
    "try-it": ("ines", lambda scene: "/admin/try/", {}, try_it),
    "second-step": (None, lambda scene: "/admin/login/", {}, second_step),
}
CLIPS = {
    "dialog": {"x": 440, "y": 100, "width": 560, "height": 700},
    "second-step": {"x": 420, "y": 200, "width": 600, "height": 500},
}


# Those of a page as it comes are among the pages that axe walks through.
@pytest.mark.parametrize("name", [name for name, how in PICTURES.items() if TAKE or how[3:] not in [(), (None,)]])
def test_a_page_has_its_picture(open_as, scene, name):
    who, address, options, before = [*PICTURES[name], {}, None][:4]
    page = open_as(scene.staff.get(who), **options)
    page.goto(address(scene))
    page.wait_for_load_state(SETTLED)
    if before:
        before(page, scene)
        page.wait_for_load_state(SETTLED)
    page.evaluate("document.fonts.ready")
    path = IMAGES / f"{name}.png" if TAKE else None
    picture = page.screenshot(path=path, clip=CLIPS.get(name), animations="disabled")
    assert len(picture) < 200_000
