"""Signing in to the back office: guesses are counted, and every refusal reads the same.

There is one door for a colleague's password: whatever else asks Django about one, such as a library's default, is told
that it is wrong.
"""

import hashlib
import logging

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

from reuseid.admin.kit import stepup
from reuseid.client_address import client_address, client_network
from reuseid.limits import Limit, hit_each
from reuseid.models import StaffSignIn
from reuseid.services.staff import sign_ins

log = logging.getLogger(__name__)

# Tries in a window of so many seconds: of one name from one address, of one address, of one name from anywhere.
WINDOW = 15 * 60
NAME_AND_ADDRESS_TRIES, ADDRESS_TRIES, NAME_TRIES = 10, 50, 100


class LoginForm(AuthenticationForm):
    """Counts before it looks at the password: parallel guesses get no more looks than guesses in a row.

    A stranger who guesses from one address shuts a colleague out of that address alone.
    """

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": _("The name or the password is wrong, or was tried too often: then wait for 15 minutes.")
    }

    def clean(self):
        """Refuse what is over a limit just as a wrong password is refused."""
        name = self.cleaned_data.get("username", "").strip().casefold()
        address = client_network(self.request)
        if _too_often(hashlib.sha256(name.encode()).hexdigest(), address):
            log.warning("Signing in from %s is refused: too many tries.", address)
            raise self.get_invalid_login_error()
        self.request.try_is_counted = True
        return super().clean()


class CountedPasswords(ModelBackend):
    """Looks at a password only where `LoginForm` has counted the try; asked from anywhere else it finds nobody."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        """The colleague, or None."""
        if not getattr(request, "try_is_counted", False):
            log.error("A password was tried past the sign-in page: refused unseen.")
            return None
        return super().authenticate(request, username=username, password=password, **kwargs)


def _too_often(name, address):
    limits = [
        Limit("login-pair", f"{name}:{address}", NAME_AND_ADDRESS_TRIES, WINDOW),
        Limit("login-address", address, ADDRESS_TRIES, WINDOW),
        Limit("login-name", name, NAME_TRIES, WINDOW),
    ]
    # In this order, so that what one limit refuses does not use up the next.
    return hit_each(*limits)[-1].left < 0


def keep_password(sender, request, user, **kwargs):
    """A password was right: half of signing in, or all of it where no second factor is asked for."""
    outcome, method = StaffSignIn.Outcome.PASSWORD_GIVEN, ""
    if settings.SECOND_FACTOR == "offered" and not user.has_second_factor():
        outcome, method = StaffSignIn.Outcome.SIGNED_IN, StaffSignIn.Method.PASSWORD
        stepup.mark(request)
    sign_ins.record(user, outcome, method=method, address=client_address(request))


def keep_refusal(sender, credentials, request=None, **kwargs):
    """A password was wrong. Of a name that nobody has nothing is kept: it might be a password."""
    address = client_address(request) if request else ""
    sign_ins.record_refusal(str(credentials.get("username", "")), address=address)


def keep_end(sender, request, user, **kwargs):
    """A colleague signed out, or a session ended by itself."""
    if user is not None:
        sign_ins.record(user, StaffSignIn.Outcome.SIGNED_OUT, address=client_address(request))
