"""The second step of signing in, enrolment, and a colleague's own page about it."""

import base64
from functools import wraps
from urllib.parse import quote, urlencode

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods
from unfold.forms import BaseDialogForm

from reuseid import crypto
from reuseid.admin import cells, stepup
from reuseid.admin.pages import Facts, Table
from reuseid.admin.words import SIGN_INS
from reuseid.callers import client_address
from reuseid.models import StaffSignIn
from reuseid.services import second_factors, sign_ins

ENROLMENT = "enrolment"
SHOWN = 10


class CodeForm(forms.Form):
    """A code of the app; or a recovery code, on a keyboard with letters."""

    code = forms.CharField(max_length=40, label=gettext_lazy("Code of your authenticator app"))

    def __init__(self, *args, recovery=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].widget = stepup.code_input(digits=not recovery)
        self.fields["code"].widget.attrs["autofocus"] = True
        if recovery:
            self.fields["code"].label = gettext_lazy("Recovery code")


class EnrolForm(BaseDialogForm):
    """The first code of a new app."""

    code = forms.CharField(
        max_length=40,
        label=gettext_lazy("Code that the app shows now"),
        widget=stepup.code_input(),
    )


class ReplaceForm(stepup.StepUp, EnrolForm):
    """The same by somebody who is signed in: strong."""

    strong = True


class SureToo(stepup.StepUp, BaseDialogForm):
    """Nothing but the check."""

    strong = True


def second_step(view):
    """A page for those who are half signed in; others are sent to where they belong."""

    @never_cache
    @csrf_protect
    @require_http_methods(["GET", "POST"])
    @wraps(view)
    def guarded(request):
        if admin.site.has_permission(request):
            return redirect(_next(request))
        if not admin.site.half_signed(request):
            return redirect("admin:login")
        return view(request)

    return guarded


def _next(request):
    address = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if safe else reverse("admin:index")


def _page(request, template, **values):
    context = {**admin.site.each_context(request), "next_address": request.GET.get("next", ""), **values}
    return render(request, template, context)


def _let_in(request, method):
    """Both steps are done: a new session key, and the line about it."""
    request.session.cycle_key()
    rotate_token(request)
    django_otp.login(request, second_factors.of(request.user))
    sign_ins.record(request.user, StaffSignIn.Outcome.SIGNED_IN, method=method, address=client_address(request))


@second_step
def code(request):
    """Ask for a code."""
    if second_factors.of(request.user) is None:
        return redirect("admin:sign_in_enrol")
    recovery = "recovery" in request.GET
    form = CodeForm(request.POST or None, recovery=recovery)
    if form.is_valid():
        try:
            method = stepup.confirm(request, form.cleaned_data["code"])
        except second_factors.Refused as refusal:
            form.add_error("code", str(refusal.title))
        else:
            _let_in(request, method)
            if method == StaffSignIn.Method.RECOVERY_CODE:
                left = second_factors.codes_left(request.user)
                messages.warning(request, _("Recovery codes left: %(left)s. You can make new ones.") % {"left": left})
            return redirect(_next(request))
    return _page(request, "admin/sign_in/code.html", form=form, recovery=recovery, title=_("Second step of signing in"))


@second_step
def enrol(request):
    """Set up an app, before anything else."""
    if second_factors.of(request.user) is not None:
        return redirect("admin:sign_in_code")
    return _set_up(request, EnrolForm, template="admin/sign_in/enrol.html", back=_next(request))


@never_cache
@require_http_methods(["GET", "POST"])
def new_app(request):
    """Set up an app from one's own page: the first one, or another in place of the present one."""
    return _set_up(request, ReplaceForm, template="admin/sign_in/new_app.html", back=reverse("admin:me"))


def _set_up(request, form_class, *, template, back):
    secret = _secret(request)
    form = form_class(request, data=request.POST or None)
    present = second_factors.of(request.user)
    half = not admin.site.has_permission(request)
    if form.is_valid():
        replace = present is not None and not half
        try:
            codes = second_factors.enrol(
                request.user, secret, form.cleaned_data["code"], by=request.user, replace=replace
            )
        except second_factors.Refused as refusal:
            form.add_error("code", str(refusal.title))
        except second_factors.NoFactor as error:
            messages.error(request, str(error))
            return redirect(back)
        else:
            del request.session[ENROLMENT]
            stepup.mark(request)
            _enrolled(request, half)
            return _codes_page(request, codes, back)
    text = base64.b32encode(secret).decode()
    return _page(
        request,
        template,
        form=form,
        title=_("Set up your authenticator app"),
        qr=segno.make(_address(request.user, text), error="m").svg_data_uri(scale=5, border=3, light="white"),
        secret=" ".join(text[start : start + 4] for start in range(0, len(text), 4)),
    )


def _enrolled(request, half):
    if half:
        _let_in(request, StaffSignIn.Method.APP)
    else:
        request.session.cycle_key()
        django_otp.login(request, second_factors.of(request.user))


def _secret(request):
    """The secret that this session is shown, sealed in it: a second session gets another one."""
    place = {"account": None, "table": "session", "row": request.user.pk, "column": ENROLMENT}
    try:
        return crypto.unseal(base64.b64decode(request.session[ENROLMENT]), **place)
    except (KeyError, crypto.Unreadable):
        secret = second_factors.new_secret()
        request.session[ENROLMENT] = base64.b64encode(crypto.seal(secret, **place)).decode()
        return secret


def _address(staff, secret):
    """The key URI that authenticator apps read."""
    issuer = str(settings.UNFOLD["SITE_TITLE"]).replace(":", " ")
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(staff.get_username())}?{query}"


def _codes_page(request, codes, back):
    response = _page(request, "admin/sign_in/codes.html", codes=codes, back=back, title=_("Your recovery codes"))
    response["Cache-Control"] = "no-store"
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def new_codes(request):
    """Ten fresh recovery codes."""
    form = SureToo(request, data=request.POST or None)
    if form.is_valid():
        try:
            codes = second_factors.new_codes(request.user, by=request.user)
        except second_factors.NoFactor as error:
            messages.error(request, str(error))
            return redirect("admin:me")
        return _codes_page(request, codes, reverse("admin:me"))
    return _page(request, "admin/sign_in/new_codes.html", form=form, title=_("New recovery codes"))


@never_cache
@require_http_methods(["GET"])
def me(request):
    """What a colleague should know about their own sign-in, and may change."""
    factor = second_factors.of(request.user)
    return _page(
        request,
        "admin/sign_in/me.html",
        title=_("My sign-in"),
        factor=factor,
        panels=[Facts(factor_facts(request.user, factor)), sign_in_table(request.user, count=SHOWN)],
    )


def factor_facts(staff, factor):
    """Rows about the second factor, for one's own page and the colleague's."""
    if factor is None:
        return [(_("Second factor"), cells.badge(_("none"), "warn"))]
    return [
        (_("Second factor"), cells.badge(_("authenticator app"), "good")),
        (_("Set up"), cells.when(factor.created_at)),
        (_("Last used"), cells.when(factor.last_used_at, cells.NEVER)),
        (_("Recovery codes left"), str(second_factors.codes_left(staff))),
    ]


def sign_in_table(staff, count=50):
    """The newest sign-ins and refusals of a colleague."""
    lines = StaffSignIn.objects.filter(staff=staff.pk).order_by("-id")[:count]
    return Table(
        [_("Time"), _("What"), _("With"), _("From")],
        [
            [
                cells.when(line.at),
                SIGN_INS[line.outcome],
                line.get_method_display() if line.method else "",
                cells.text(line.address),
            ]
            for line in lines
        ],
        title=_("Sign-ins"),
        empty=_("Nobody has signed in with this entry yet."),
    )
