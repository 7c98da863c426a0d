"""The second factor once more: for strong acts, when the session's last check of it was some minutes ago."""

import time
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from reuseid.admin.kit import ceremonies
from reuseid.client_address import client_address
from reuseid.models import Passkey, StaffSignIn
from reuseid.services.staff import passkeys, second_factors, sign_ins

CHECKED = "second_factor_at"
FIELD = "sign_in_check"


def mark(request: HttpRequest) -> None:
    """The session's second factor was checked now."""
    request.session[CHECKED] = int(time.time())


def fresh(request: HttpRequest) -> bool:
    """Whether it was checked in the last STEP_UP_MINUTES."""
    return 0 <= time.time() - request.session.get(CHECKED, 0) < 60 * settings.STEP_UP_MINUTES


def confirm(request: HttpRequest, typed: str) -> str:
    """Check a code, or the password of a colleague who has no second factor; says which it was.

    A refusal is kept among the colleague's sign-ins. Raises second_factors.Refused.
    """
    staff, method = request.user, str(StaffSignIn.Method.PASSWORD)
    try:
        if not any(second_factors.kinds(staff)):
            second_factors.check_password(staff, typed)
        else:
            method = second_factors.check(staff, typed)
    except second_factors.Refused:
        _keep_refusal(request)
        raise
    mark(request)
    return method


def confirm_passkey(request: HttpRequest, answer: str) -> Passkey:
    """The same with a passkey, which is returned: its answer to the challenge that the session holds."""
    state = ceremonies.take(request, ceremonies.CHECKING)
    try:
        here = ceremonies.place(request)
        if here is None:
            raise second_factors.Refused
        passkey = passkeys.check(request.user, here, state, answer)
    except second_factors.Refused:
        _keep_refusal(request, str(StaffSignIn.Method.PASSKEY))
        raise
    mark(request)
    return passkey


def _keep_refusal(request: HttpRequest, method: str = "") -> None:
    outcome = str(StaffSignIn.Outcome.CODE_REFUSED)
    sign_ins.record(request.user, outcome, method=method, address=client_address(request))


def code_input(digits: bool = True) -> forms.Widget:
    """An input for six digits; for a recovery code, which has letters, without the number pad."""
    return UnfoldAdminTextInputWidget(attrs=_code_attributes(digits))


def _code_attributes(digits: bool) -> dict[str, str]:
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
    return attrs | ({"inputmode": "numeric"} if digits else {})


class CodeOrPasskey(UnfoldAdminTextInputWidget):
    """An input for a code, and beside it the button that asks for a passkey instead."""

    def render(self, name: str, value: Any, attrs: dict[str, str] | None = None, renderer: object = None) -> str:
        """The button's script takes the whole field away once the passkey was right."""
        shown = super().render(name, value, attrs, renderer)
        return render_to_string("admin/sign_in/code_or_passkey.html", {"code": shown})


def check_field(request: HttpRequest) -> forms.Field:
    """What a strong act asks for: a code or a passkey, or the password where there is no second factor."""
    has = second_factors.kinds(request.user, ceremonies.host_of_passkeys(request))
    if not any(has):
        return forms.CharField(
            label=_("Your password"),
            help_text=_("To be sure that it is you. You are not asked again for some minutes."),
            strip=False,
            widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
        )
    if has.app:
        label = _("Code of your authenticator app")
        help_text = _("To be sure that it is you; a recovery code works too. You are not asked again for some minutes.")
    else:
        label = _("Recovery code")
        help_text = _("To be sure that it is you. You are not asked again for some minutes.")
    widget = CodeOrPasskey if has.passkey_here else UnfoldAdminTextInputWidget
    attrs = _code_attributes(digits=False)
    return forms.CharField(label=label, max_length=40, help_text=help_text, widget=widget(attrs=attrs))


class StepUp(forms.BaseForm):
    """A mixin in front of a form that has its ``request``: adds the field when the last check is too old.

    It is looked at last, when nothing else is wrong, so that no error elsewhere uses up a code.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not fresh(self.request):
            self.fields[FIELD] = check_field(self.request)

    def full_clean(self) -> None:
        """The form's own rules first, then the check."""
        super().full_clean()
        if self.is_bound and not self._errors and FIELD in self.fields:
            try:
                confirm(self.request, self.cleaned_data.pop(FIELD))
            except second_factors.Refused as refusal:
                self.add_error(FIELD, str(refusal.title))


def strong_form(form: type[forms.Form]) -> type[forms.Form]:
    """The same form, which asks for the second factor too."""
    return form if issubclass(form, StepUp) else type(form.__name__, (StepUp, form), {"__doc__": form.__doc__})
