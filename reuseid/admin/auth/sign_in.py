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
from unfold.widgets import UnfoldAdminTextInputWidget

from reuseid import crypto
from reuseid.actors import Actor
from reuseid.admin.kit import ceremonies, formatting, stepup
from reuseid.admin.kit.answers import WHY, Refusals
from reuseid.admin.kit.pages import Facts, Table
from reuseid.admin.kit.texts.acts import SIGN_INS
from reuseid.client_address import client_address
from reuseid.models import StaffSignIn
from reuseid.services.staff import second_factors, sign_ins

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


class SureToo(stepup.StepUp, BaseDialogForm):
    """Nothing but the check."""


def second_step(view):
    """A page for those who are half signed in; others are sent to where they belong."""

    @never_cache
    @csrf_protect
    @require_http_methods(["GET", "POST"])
    @wraps(view)
    def guarded(request):
        if admin.site.has_permission(request):
            return redirect(next_address(request))
        if not admin.site.half_signed(request):
            return redirect("admin:login")
        return view(request)

    return guarded


class PasskeyName(forms.Form):
    """The colleague's name for a passkey."""

    name = forms.CharField(
        label=gettext_lazy("Name of the passkey"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("To tell it from another one, such as “Laptop” or “Blue key”."),
    )


class PasskeyForm(PasskeyName):
    """A new one: its name, and what the browser says."""

    credential = forms.CharField(label="", max_length=65536, widget=forms.HiddenInput)


def next_address(request):
    """Where the colleague wanted to go, in this house; else the first page."""
    address = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if safe else reverse("admin:index")


def page(request, template, **values):
    """A page of the back office, or of signing in."""
    context = {**admin.site.each_context(request), "next_address": request.GET.get("next", ""), **values}
    return render(request, template, context)


def let_in(request, method, factor=None):
    """Both steps are done: a new session key, and the line about it."""
    request.session.cycle_key()
    rotate_token(request)
    django_otp.login(request, factor or second_factors.of(request.user))
    sign_ins.record(request.user, StaffSignIn.Outcome.SIGNED_IN, method=method, address=client_address(request))


def rebind(request):
    """The session goes on with a factor that is still there."""
    django_otp.login(request, second_factors.of(request.user))


def step_of(request) -> str:
    """The name of the page for the second step: what the colleague has that works here, or the enrolment."""
    has = second_factors.kinds(request.user, ceremonies.host_of_passkeys(request))
    if has.passkey_here:
        return "admin:sign_in_passkey"
    return "admin:sign_in_code" if any(has) else "admin:sign_in_enrol"


def ways(request, *names):
    """Links to other ways of the second step, in which what was asked for is kept: labels and addresses."""
    labels = {
        "passkey": (_("Use my passkey"), "admin:sign_in_passkey", {}),
        "app": (_("Use the authenticator app"), "admin:sign_in_code", {}),
        "recovery": (_("Use a recovery code"), "admin:sign_in_code", {"recovery": 1}),
    }
    wanted = _wanted(request)
    return [(label, reverse(step, query={**extra, **wanted})) for label, step, extra in map(labels.get, names)]


def _wanted(request):
    return {"next": request.GET["next"]} if request.GET.get("next") else {}


@second_step
def code(request):
    """Ask for a code."""
    has = second_factors.kinds(request.user, ceremonies.host_of_passkeys(request))
    if not any(has):
        return redirect("admin:sign_in_enrol")
    recovery = "recovery" in request.GET or not has.app
    form = CodeForm(request.POST or None, recovery=recovery)
    if form.is_valid():
        try:
            method = stepup.confirm(request, form.cleaned_data["code"])
        except second_factors.Refused as refusal:
            form.add_error("code", str(refusal.title))
        else:
            let_in(request, method)
            if method == StaffSignIn.Method.RECOVERY_CODE:
                left = second_factors.codes_left(request.user)
                messages.warning(request, _("Recovery codes left: %(left)s. You can make new ones.") % {"left": left})
            return redirect(next_address(request))
    others = [("passkey", has.passkey_here), ("app", has.app and recovery), ("recovery", not recovery)]
    return page(
        request,
        "admin/sign_in/code.html",
        form=form,
        ways=ways(request, *(name for name, fits in others if fits)),
        why_not=ceremonies.why_not(request) if has.passkey else None,
        title=_("Second step of signing in"),
    )


@second_step
def enrol(request):
    """Set up a first factor, before anything else: a passkey, or an app."""
    if second_factors.of(request.user) is not None:
        return redirect(step_of(request))
    return _set_up(
        request,
        EnrolForm,
        template="admin/sign_in/enrol.html",
        back=next_address(request),
        passkey_form=PasskeyForm(initial={"name": _("My passkey")}, auto_id="id_passkey_%s"),
        passkey_action=reverse("admin:sign_in_enrol_passkey", query=_wanted(request)),
        why_not=ceremonies.why_not(request),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def new_app(request):
    """Set up an app from one's own page: the first one, or another in place of the present one."""
    return _set_up(request, ReplaceForm, template="admin/sign_in/new_app.html", back=reverse("admin:me"))


def _set_up(request, form_class, *, template, back, **values):
    secret = _secret(request)
    form = form_class(request, data=request.POST or None)
    half = not admin.site.has_permission(request)
    replace = not half and second_factors.app_of(request.user) is not None
    if form.is_valid():
        beside = request.user.otp_device is not None
        try:
            codes = second_factors.enrol(
                request.user,
                secret,
                form.cleaned_data["code"],
                actor=Actor.staff(request.user),
                replace=replace,
                beside=beside,
            )
        except second_factors.Refused as refusal:
            form.add_error("code", str(refusal.title))
        except second_factors.NoFactor as error:
            messages.error(request, str(error))
            return redirect(back)
        else:
            del request.session[ENROLMENT]
            return enrolled(request, codes, back, StaffSignIn.Method.APP if half else "")
    text = base64.b32encode(secret).decode()
    return page(
        request,
        template,
        form=form,
        replace=replace,
        title=_("Set up your authenticator app"),
        qr=segno.make(_address(request.user, text), error="m").svg_data_uri(scale=5, border=3, light="white"),
        secret=" ".join(text[start : start + 4] for start in range(0, len(text), 4)),
        **values,
    )


def enrolled(request, codes, back, method):
    """A factor is set up: ``method`` where it ends the second step. Shows ``codes`` once, or goes ``back``."""
    stepup.mark(request)
    if method:
        let_in(request, method)
    else:
        request.session.cycle_key()
        rebind(request)
    if codes:
        return _codes_page(request, codes, back)
    messages.success(request, _("It is set up: from now on it signs you in."))
    return redirect(back)


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
    response = page(request, "admin/sign_in/codes.html", codes=codes, back=back, title=_("Your recovery codes"))
    response["Cache-Control"] = "no-store"
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def new_codes(request):
    """Ten fresh recovery codes."""
    form = SureToo(request, data=request.POST or None)
    if form.is_valid():
        with Refusals(request, WHY):
            return _codes_page(
                request, second_factors.new_codes(request.user, actor=Actor.staff(request.user)), reverse("admin:me")
            )
        return redirect("admin:me")
    return page(request, "admin/sign_in/new_codes.html", form=form, title=_("New recovery codes"))


@never_cache
@require_http_methods(["GET"])
def me(request):
    """What a colleague should know about their own sign-in, and may change."""
    app, keys = second_factors.listed(request.user)
    return page(
        request,
        "admin/sign_in/me.html",
        title=_("My sign-in"),
        app=app,
        factor=app or keys,
        panels=[
            Facts(factor_facts(request.user)),
            _passkey_table(keys, ceremonies.host_of_passkeys(request)),
            sign_in_table(request.user, count=SHOWN),
        ],
    )


def factor_facts(staff):
    """Rows about the second factors, for one's own page and the colleague's."""
    app, keys = second_factors.listed(staff)
    if app is None and not keys:
        return [(_("Second factor"), formatting.badge(_("none"), "warn"))]
    kinds = [formatting.badge(_("passkey"), "good")] if keys else []
    kinds += [formatting.badge(_("authenticator app"), "good")] if app else []
    rows = [(_("Second factor"), formatting.beside(kinds))]
    if keys:
        used = max((key.last_used_at for key in keys if key.last_used_at), default=None)
        rows += [(_("Passkeys"), str(len(keys))), (_("Passkey last used"), formatting.when(used, formatting.NEVER))]
    if app:
        used = formatting.when(app.last_used_at, formatting.NEVER)
        rows += [(_("App set up"), formatting.when(app.created_at)), (_("App last used"), used)]
    return [*rows, (_("Recovery codes left"), str(second_factors.codes_left(staff)))]


def _passkey_table(keys, here):
    """One's own passkeys, each with the ways to rename it and to take it away; one that works elsewhere says where."""
    return Table(
        [_("Name"), _("Made"), _("Last used"), _("Kept"), ""],
        [
            [
                key.name if key.host == here else f"{key.name} ({key.host})",
                formatting.when(key.created_at),
                formatting.when(key.last_used_at, formatting.NEVER),
                kept(key),
                formatting.beside(
                    formatting.anchor(reverse(f"admin:me_passkey_{act}", args=[key.pk]), word)
                    for act, word in (("rename", _("Rename")), ("remove", _("Remove")))
                ),
            ]
            for key in keys
        ],
        title=_("Passkeys"),
        empty=_("You have no passkey yet. One signs you in quickly, and can't be phished."),
    )


def kept(key):
    """Where the private key of a passkey lies."""
    return _("backed up by its provider") if key.backed_up else _("on one device alone")


def sign_in_table(staff, count=50):
    """The newest sign-ins and refusals of a colleague."""
    lines = StaffSignIn.objects.filter(staff=staff.pk).order_by("-id")[:count]
    return Table(
        [_("Time"), _("What"), _("With"), _("From")],
        [
            [
                formatting.when(line.at),
                SIGN_INS[line.outcome],
                line.get_method_display() if line.method else "",
                formatting.text(line.address),
            ]
            for line in lines
        ],
        title=_("Sign-ins"),
        empty=_("Nobody has signed in with this entry yet."),
    )
