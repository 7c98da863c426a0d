"""Colleagues for tests, in their roles."""

from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP

from reuseid.admin.kit import stepup
from reuseid.models import SecondFactor, Staff
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services.staff import second_factors

REASON = {"reason": "SUSPECTED_FRAUD", "note": "The caller did not know the last payment.", "_form_submitted": "on"}


def make_colleague(name, role, *accounts, **values):
    """A colleague in one of the five roles who sees these accounts."""
    staff = Staff.objects.create(username=name, is_staff=True, **values)
    if role:
        staff.groups.add(Group.objects.get(name=role))
    staff.accounts.set(accounts)
    return staff


def make_factor(staff):
    """Their authenticator app, set up some time ago."""
    factor = SecondFactor(user=staff, name="TOTP", last_t=1)
    seal_field(factor, "key", b"a secret of 20 bytes")
    factor.save()
    return factor


def code_of(staff, steps=0):
    """What their app shows now, or some steps of 30 seconds from now."""
    return f"{TOTP(unseal_field(SecondFactor.objects.get(user=staff), 'key'), drift=steps).token():06}"


def half_browser_of(staff, **values):
    """Their browser after the password: the second step is owed."""
    browser = Client(**values)
    browser.force_login(staff)
    browser.staff = staff
    return browser


def browser_of(staff, **values):
    """Their browser, signed in with both steps just now; `browser.staff` is who it is."""
    browser = half_browser_of(staff, **values)
    factor = second_factors.of(staff) or make_factor(staff)
    session = browser.session
    session[DEVICE_ID_SESSION_KEY] = factor.persistent_id
    session[stepup.CHECKED] = int(timezone.now().timestamp())
    session.save()
    return browser


def page(row, act="change", **query):
    """The address of a row's page, or of an act on it."""
    from urllib.parse import urlencode

    address = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{act}/"
    return f"{address}?{urlencode(query)}" if query else address


def rows_of(model, **query):
    """The address of a list."""
    from urllib.parse import urlencode

    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    return f"{address}?{urlencode(query)}" if query else address


def buttons(browser, row):
    """The titles of the acts that a row's page offers, those of a drop-down too."""
    found = browser.get(page(row)).context["actions_detail"]
    return [str(act["title"]) for button in found for act in button.get("items") or [button]]


def said(response):
    """What the page that follows says, one message a line."""
    from django.contrib.messages import get_messages

    return [str(message) for message in get_messages(response.wsgi_request)]
