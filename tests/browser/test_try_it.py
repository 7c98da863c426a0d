"""The "try it" page with a real phone at the other end: the SDK speaks to the server that the page comes from."""

import re

import pytest
from playwright.sync_api import expect

from mobileid.models import Operation
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.device import Device
from mobileid.sdk.keystore import MemoryStore
from mobileid.sdk.transport import HttpTransport
from mobileid.services import applications
from mobileid.services.keys import channel, signing
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM
from reuseid.models import User
from tests import factories
from tests.phone_factories import PIN

TRY = "/admin/try/"


@pytest.fixture(autouse=True)
def _fresh_keys():
    channel.forget()
    signing.forget()


@pytest.fixture
def register(scene, live_server, settings):
    """``register(code)``: the phone of whoever has the code."""
    settings.PUBLIC_URL = live_server.url
    application = applications.create_application(
        scene.account, name="A test app", server=live_server.url, actor=SYSTEM
    )
    with HttpTransport(live_server.url) as line:

        def register(code):
            found = applications.configuration(application)
            config = ApplicationConfig(found["server"], found["applicationId"], found["trustAnchor"])
            offer = Device.start_registration(config, code, MemoryStore(gate=lambda: True), transport=line)
            return offer.finish(pin=PIN, name="Test phone").device

        register.application = application
        yield register


@pytest.fixture
def phone(scene, register):
    """Of Tess, a test user."""
    tess = factories.make_user(scene.account, external_ref="tess", segment="test")
    _operation, shown = by_integrator.start_registration(
        scene.account, user=tess, application=register.application, actor=SYSTEM
    )
    return register(shown["activationCode"])


@pytest.fixture
def page(open_as, scene):
    page = open_as(scene.staff["ines"])
    page.goto(TRY)
    return page


def start(page, operation, **chosen):
    """Fill the form in and start; the id of the operation that the page shows then."""
    page.get_by_label("Operation", exact=True).select_option(operation)
    for label, value in chosen.items():
        page.get_by_label(label.replace("_", " ")).select_option(label=value)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(state(page)).to_have_text("Waiting for the phone")
    return page.locator("dl .bo-id code").first.inner_text()


def state(page):
    return page.get_by_role("status").locator(".bo-state")


def is_over(page, word):
    """Without a click: the page asks each second."""
    expect(state(page)).to_have_text(word)
    expect(page.get_by_text("It is over.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the operation")).to_be_hidden()


def code(page, title):
    """The commands that stand below a title."""
    return (
        page.locator("#bo-commands pre")
        .nth(page.locator("#bo-commands h3").all_inner_texts().index(title))
        .inner_text()
    )


def test_a_test_user_is_made_and_a_phone_registered_for_it(page, register):
    expect(page.get_by_text("The account has no test user yet.")).to_be_visible()
    page.get_by_role("button", name="Make a new test user").click()
    expect(page.get_by_text(re.compile(r"The test user test-[0-9a-f]{8} is there\."))).to_be_visible()
    start(page, "registration", Application="A test app")
    expect(page.get_by_role("img", name="QR code of the registration")).to_be_visible()
    phone = register(page.locator(".bo-big").inner_text())
    is_over(page, "Completed")
    assert User.objects.get(segment="test").devices.get().pk == Operation.objects.latest("created_at").device_id
    assert phone.status().attempts_left == 5


def test_the_number_is_shown_chosen_on_the_phone_and_the_page_says_so(page, phone):
    page.reload()
    before = Operation.objects.count()
    operation = start(page, "authentication", Binding="Number matching")
    number = page.locator(".bo-big").inner_text()
    assert '"binding": "NUMBER"' in code(page, "2. Start")
    challenge = phone.start_operation(operation)
    expect(state(page)).to_have_text("On the phone")
    challenge.approve(pin=PIN, number=number)
    is_over(page, "Completed")
    page.reload()
    assert Operation.objects.count() == before + 1
    expect(page).to_have_url(re.compile(f"{TRY}{operation}/$"))
    expect(state(page)).to_have_text("Completed")
    expect(page.locator("body")).not_to_contain_text("The number that the person chooses")


def test_the_code_that_the_page_draws_is_scanned_by_the_phone(page, phone):
    page.reload()
    operation = start(page, "authentication", Binding="QR code")
    expect(page.get_by_role("img", name="QR code of this second")).to_be_visible()
    frame = page.locator(".bo-try-state .bo-code pre").inner_text()
    expect(page.locator(".bo-try-state .bo-code pre")).not_to_have_text(frame)
    challenge = phone.start_operation(qr=page.locator(".bo-try-state .bo-code pre").inner_text())
    assert challenge.operation_id == operation
    challenge.approve(pin=PIN)
    is_over(page, "Completed")


def test_a_text_is_signed_and_another_one_cancelled(page, phone):
    page.reload()
    operation = start(page, "signature")
    assert "/mobileid/core/signatures" in code(page, "2. Start")
    challenge = phone.start_operation(operation)
    assert challenge.text == "This is only a test."
    challenge.approve(pin=PIN)
    is_over(page, "Completed")
    page.get_by_role("link", name="Start another").click()
    start(page, "signature")
    page.get_by_role("button", name="Cancel the operation").click()
    expect(page.get_by_text("The operation is cancelled.")).to_be_visible()
    is_over(page, "Cancelled")
