"""Colleagues for tests, in their roles."""

from django.contrib.auth.models import Group
from django.test import Client

from reuseid.models import Staff

REASON = {"reason": "SUSPECTED_FRAUD", "note": "The caller did not know the last payment.", "_form_submitted": "on"}


def make_colleague(name, role, *accounts, **values):
    """A colleague in one of the five roles who sees these accounts."""
    staff = Staff.objects.create(username=name, is_staff=True, **values)
    if role:
        staff.groups.add(Group.objects.get(name=role))
    staff.accounts.set(accounts)
    return staff


def browser_of(staff):
    """Their browser, signed in; `browser.staff` is who it is."""
    browser = Client()
    browser.force_login(staff)
    browser.staff = staff
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


def said(response):
    """What the page that follows says, one message a line."""
    from django.contrib.messages import get_messages

    return [str(message) for message in get_messages(response.wsgi_request)]
