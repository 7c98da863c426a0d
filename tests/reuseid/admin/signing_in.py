"""What a colleague does and sees while signing in."""

import base64
import re
from datetime import timedelta

from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

from reuseid.models import Passkey, SecondFactor, StaffSignIn

PASSWORD = "correct-horse-battery"
CODE, ENROL, ME = "/admin/sign-in/code/", "/admin/sign-in/enrol/", "/admin/me/"
SENT = {"_form_submitted": "on"}


def sign_in(name, password=PASSWORD, **values):
    """A browser after the first step."""
    browser = Client(**values)
    browser.post("/admin/login/?next=/admin/reuseid/user/", {"username": name, "password": password})
    return browser


def patience(staff):
    """The delay after a refusal is over."""
    for model in (SecondFactor, Passkey):
        rows = model.objects.filter(user=staff)
        rows.update(throttling_failure_timestamp=timezone.now() - timedelta(hours=1))


def secret_shown(response):
    return re.search(r'id="app-secret">([A-Z2-7 ]+)<', response.content.decode()).group(1).replace(" ", "")


def codes_shown(response):
    return re.findall(r"<li><code>([^<]+)</code>", response.content.decode())


def app_code(secret):
    return f"{TOTP(base64.b32decode(secret)).token():06}"


def outcomes(staff):
    return list(StaffSignIn.objects.filter(staff=staff).order_by("id").values_list("outcome", "method"))
