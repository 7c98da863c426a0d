"""Passkeys at the door: at the second step of signing in, before strong acts, and on one's own page."""

from functools import wraps

from django.contrib import admin, messages
from django.http import Http404, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from reuseid.actors import Actor
from reuseid.admin.auth import sign_in
from reuseid.admin.kit import ceremonies, stepup
from reuseid.admin.kit.answers import WHY, Refusals, explain
from reuseid.errors import ServiceError
from reuseid.models import StaffSignIn
from reuseid.services.staff import passkeys, second_factors

PASSKEY = StaffSignIn.Method.PASSKEY


def answered(view):
    """A view that a script asks: JSON for those who gave a password, and a sentence for a refusal."""

    @never_cache
    @csrf_protect
    @require_http_methods(["POST"])
    @wraps(view)
    def guarded(request):
        if not (admin.site.has_permission(request) or admin.site.half_signed(request)):
            return _refused(_("Your session has ended: sign in again."))
        try:
            return JsonResponse(view(request))
        except ServiceError as error:
            return _refused(explain(error))

    return guarded


def _refused(sentence):
    return JsonResponse({"sentence": sentence}, status=403)


def _place(request):
    here = ceremonies.place(request)
    if here is None:
        raise second_factors.Refused
    return here


@answered
def options(request):
    """What the browser is asked, to show who sits there."""
    asked, state = passkeys.begin_check(request.user, _place(request))
    ceremonies.keep(request, ceremonies.CHECKING, state)
    return asked


@answered
def new_options(request):
    """What the browser is asked to make: for a first factor, or after a check of the present one."""
    half = admin.site.half_signed(request)
    if any(second_factors.kinds(request.user)) if half else not stepup.fresh(request):
        raise second_factors.Refused
    asked, state = passkeys.begin_adding(request.user, _place(request))
    ceremonies.keep(request, ceremonies.ADDING, state)
    return asked


@answered
def check(request):
    """A passkey instead of a code, before a strong act: the session's check is fresh then."""
    if admin.site.half_signed(request):
        raise second_factors.Refused
    stepup.confirm_passkey(request, request.POST.get("credential", ""))
    return {}


@sign_in.second_step
def ask(request):
    """The second step of signing in: the browser is asked at once."""
    has = second_factors.kinds(request.user, ceremonies.host_of_passkeys(request))
    if not has.passkey_here:
        return redirect(sign_in.step_of(request))
    refused = ""
    if request.method == "POST":
        try:
            passkey = stepup.confirm_passkey(request, request.POST.get("credential", ""))
        except second_factors.Refused as refusal:
            refused = str(refusal.title)
        else:
            sign_in.let_in(request, PASSKEY, passkey)
            return redirect(sign_in.next_address(request))
    return sign_in.page(
        request,
        "admin/sign_in/passkey.html",
        refused=refused,
        now=request.method == "GET",
        ways=sign_in.ways(request, *(["app"] if has.app else []), "recovery"),
        title=_("Second step of signing in"),
    )


@sign_in.second_step
def enrol(request):
    """The first factor, right after the first password."""
    if request.method == "POST":
        return _add(request, PASSKEY, back=sign_in.next_address(request), again="admin:sign_in_enrol")
    return redirect("admin:sign_in_enrol")


@never_cache
@require_http_methods(["GET", "POST"])
def add(request):
    """Another one from one's own page, after a check of what is there."""
    if "credential" in request.POST:
        return _add(request, "", back=reverse("admin:me"), again="admin:me_passkey_add")
    form = None
    if not stepup.fresh(request):
        form = sign_in.SureToo(request, data=request.POST or None)
        if form.is_valid():
            return redirect("admin:me_passkey_add")
    number = second_factors.passkeys_of(request.user).count() + 1
    initial = {"name": _("Passkey %(number)s") % {"number": number} if number > 1 else _("My passkey")}
    return sign_in.page(
        request,
        "admin/sign_in/add_passkey.html",
        title=_("Add a passkey"),
        form=form,
        passkey_form=sign_in.PasskeyForm(initial=initial),
        why_not=ceremonies.why_not(request),
    )


def _add(request, method, *, back, again):
    form = sign_in.PasskeyForm(request.POST)
    state = ceremonies.take(request, ceremonies.ADDING)
    with Refusals(request, WHY):
        if not form.is_valid():
            raise second_factors.Refused
        name, credential = form.cleaned_data["name"], form.cleaned_data["credential"]
        first = request.user.otp_device is None
        codes = passkeys.add(
            request.user, _place(request), state, credential, name=name, actor=Actor.staff(request.user), first=first
        )
        return sign_in.enrolled(request, codes, back, method)
    return redirect(again)


def _own(request, pk):
    passkey = second_factors.passkeys_of(request.user).filter(pk=pk).first()
    if passkey is None:
        raise Http404
    return passkey


@never_cache
@require_http_methods(["GET", "POST"])
def rename(request, pk):
    """Another name for one of one's own."""
    passkey = _own(request, pk)
    form = sign_in.PasskeyName(request.POST or None, initial={"name": passkey.name})
    if form.is_valid():
        with Refusals(request, WHY):
            passkeys.rename(request.user, passkey.pk, form.cleaned_data["name"], actor=Actor.staff(request.user))
            messages.success(request, _("The passkey has its new name."))
        return redirect("admin:me")
    return sign_in.page(request, "admin/sign_in/rename_passkey.html", title=_("Rename a passkey"), form=form)


@never_cache
@require_http_methods(["GET", "POST"])
def remove(request, pk):
    """Take one of one's own away: strong."""
    passkey = _own(request, pk)
    form = sign_in.SureToo(request, data=request.POST or None)
    if form.is_valid():
        with Refusals(request, WHY):
            passkeys.remove(request.user, passkey.pk, actor=Actor.staff(request.user))
            messages.success(request, _("The passkey is removed."))
            sign_in.rebind(request)
        return redirect("admin:me")
    return sign_in.page(
        request,
        "admin/sign_in/remove_passkey.html",
        title=_("Remove the passkey “%(name)s”") % {"name": passkey.name},
        form=form,
        follows=[
            _("It signs nobody in any more. Sessions that began with it ask for another factor; this one goes on."),
            _("On your device it stays listed until you delete it there."),
        ],
    )
