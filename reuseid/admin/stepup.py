"""The second factor once more: for strong acts, when the session's last check of it was some minutes ago."""

import time

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from reuseid.callers import client_address
from reuseid.models import StaffSignIn
from reuseid.services import second_factors, sign_ins

CHECKED = "second_factor_at"
FIELD = "sign_in_check"


def mark(request):
    """The session's second factor was checked now."""
    request.session[CHECKED] = int(time.time())


def fresh(request) -> bool:
    """Whether it was checked in the last STEP_UP_MINUTES."""
    return 0 <= time.time() - request.session.get(CHECKED, 0) < 60 * settings.STEP_UP_MINUTES


def confirm(request, typed: str) -> str:
    """Check a code, or the password of a colleague who has no second factor; says which it was.

    A refusal is kept among the colleague's sign-ins. Raises second_factors.Refused.
    """
    staff, method = request.user, StaffSignIn.Method.PASSWORD
    try:
        if second_factors.of(staff) is None:
            second_factors.check_password(staff, typed)
        else:
            method = second_factors.check(staff, typed)
    except second_factors.Refused:
        sign_ins.record(staff, StaffSignIn.Outcome.CODE_REFUSED, address=client_address(request))
        raise
    mark(request)
    return method


def code_input(digits=True):
    """An input for six digits; for a recovery code, which has letters, without the number pad."""
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
    return UnfoldAdminTextInputWidget(attrs=attrs | ({"inputmode": "numeric"} if digits else {}))


def check_field(staff) -> forms.Field:
    """What a strong act asks for: a code, or the password where there is no second factor."""
    if second_factors.of(staff) is None:
        return forms.CharField(
            label=_("Your password"),
            help_text=_("To be sure that it is you. You are not asked again for some minutes."),
            strip=False,
            widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
        )
    return forms.CharField(
        label=_("Code of your authenticator app"),
        max_length=40,
        help_text=_("To be sure that it is you; a recovery code works too. You are not asked again for some minutes."),
        widget=code_input(digits=False),
    )


class StepUp:
    """A mixin in front of BaseDialogForm: ``strong = True`` adds the field when the last check is too old.

    It is looked at last, when nothing else is wrong, so that no error elsewhere uses up a code.
    """

    strong = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.strong and not fresh(self.request):
            self.fields[FIELD] = check_field(self.request.user)

    def full_clean(self):
        """The form's own rules first, then the check."""
        super().full_clean()
        if self.is_bound and not self._errors and FIELD in self.fields:
            try:
                confirm(self.request, self.cleaned_data.pop(FIELD))
            except second_factors.Refused as refusal:
                self.add_error(FIELD, str(refusal.title))
