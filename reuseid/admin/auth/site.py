"""The back office's site: nobody opens anything before both steps of signing in are done."""

from functools import partial

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import INPUT_CLASSES

from reuseid.admin.auth import passkeys, sign_in
from reuseid.client_address import client_address
from reuseid.models import StaffSignIn
from reuseid.services.staff import members, second_factors, sign_ins


def passed(request) -> bool:
    """Both steps are done; while SECOND_FACTOR is ``offered``, one is enough for who has no second factor."""
    if getattr(request.user, "otp_device", None) is not None:
        return True
    return settings.SECOND_FACTOR == "offered" and not has_factor(request)


def has_factor(request) -> bool:
    """Whether the colleague has a second factor; read once a request."""
    if getattr(request.user, "otp_device", None) is not None:
        return True
    known = request.__dict__.setdefault("_has_second_factor", {})
    if request.user.pk not in known:
        known[request.user.pk] = request.user.has_second_factor()
    return known[request.user.pk]


class Chosen:
    """A password that the colleague chooses: another one than the present, set by the service, which leaves a line."""

    PRESENT = gettext_lazy("It is the present one: choose another.")

    def save(self, commit=True):
        """By the service."""
        return members.change_own_password(self.user, self.cleaned_data["new_password1"])


class OwnPasswordForm(Chosen, AdminOwnPasswordChangeForm):
    """A colleague's own new password; guesses of the present one are counted."""

    def clean_old_password(self):
        """The present password, of which there are a few tries."""
        try:
            second_factors.check_password(self.user, self.cleaned_data["old_password"])
        except second_factors.Refused as refusal:
            self.add_error("old_password", str(refusal.title))
        return self.cleaned_data.get("old_password", "")

    def clean_new_password1(self):
        """Compared with what was typed, and once that is right: to ask the hash would be a try that nobody counts."""
        password = self.cleaned_data["new_password1"]
        if password == self.cleaned_data.get("old_password"):
            self.add_error("new_password1", self.PRESENT)
        return password


class FirstPasswordForm(Chosen, SetPasswordForm):
    """The same right after signing in with a password that somebody else gave: it was typed a moment ago."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("new_password1", "new_password2"):
            self.fields[name].widget.attrs["class"] = " ".join(INPUT_CLASSES)
        self.fields["new_password1"].widget.attrs["autofocus"] = True

    def clean_new_password1(self):
        """Who gave the present one would know it still."""
        password = self.cleaned_data["new_password1"]
        if self.user.check_password(password):
            self.add_error("new_password1", self.PRESENT)
        return password


class OwnPassword(PasswordChangeView):
    """Changes the password; the colleague's other sessions end, this one goes on."""

    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"

    def form_valid(self, form):
        messages.success(self.request, _("Your password is changed. Your other sessions have ended."))
        return super().form_valid(form)

    def form_invalid(self, form):
        """A wrong present password is kept among the colleague's sign-ins."""
        if "old_password" in form.errors:
            outcome = StaffSignIn.Outcome.PASSWORD_REFUSED
            sign_ins.record(self.request.user, outcome, address=client_address(self.request))
        return super().form_invalid(form)


class FirstPassword(OwnPassword):
    """The same before anything else is opened."""

    form_class = FirstPasswordForm
    template_name = "admin/sign_in/password.html"


def _link(item, path, first):
    """An item of the side bar: active where ``path`` is its page or below it; below the ``first`` is everything."""
    address = str(item["link"])
    return {**item, "link": address, "active": path == address or (address != first and path.startswith(address))}


class BackOfficeSite(UnfoldAdminSite):
    """Unfold's site with a second step of signing in, and a page about one's own sign-in."""

    UNUSED = ("view_on_site", "password_change_done")

    def index(self, request, extra_context=None):
        """The first page, which offers a second factor to who has none."""
        return super().index(request, {**(extra_context or {}), "offer_second_factor": not has_factor(request)})

    def get_app_list(self, request, app_label=None):
        """Each page is given it and hardly one draws it: made when somebody reads it."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def get_sidebar_list(self, request):
        """The side bar's groups as the theme draws them, without copying what nobody changes."""
        found, first = (
            self._get_value(self._get_config("SIDEBAR", request)["navigation"], request),
            reverse("admin:index"),
        )
        return [{**group, "items": [_link(item, request.path, first) for item in group["items"]]} for group in found]

    def has_permission(self, request):
        """Staff who may sign in, after both steps, with a password of their own."""
        return super().has_permission(request) and passed(request) and request.user.password_set_by_id is None

    def half_signed(self, request) -> bool:
        """The password was right and the second step is owed."""
        return super().has_permission(request) and not passed(request)

    def owes_password(self, request) -> bool:
        """Both steps are done with a password that another colleague knows: an own one is owed."""
        return super().has_permission(request) and passed(request) and request.user.password_set_by_id is not None

    def get_urls(self):
        """Django's and the theme's, without doors that no page leads to.

        ``view_on_site`` would tell any colleague whether an id is there, of any table.
        """
        return [one for one in super().get_urls() if getattr(one, "name", "") not in self.UNUSED]

    def extra_urls(self):
        """Before Django's own: signing out is for those who are half signed in too."""
        return [
            path("logout/", self.logout, name="logout"),
            path("sign-in/code/", sign_in.code, name="sign_in_code"),
            path("sign-in/passkey/", passkeys.ask, name="sign_in_passkey"),
            path("sign-in/passkey/options/", passkeys.options, name="passkey_options"),
            path("sign-in/passkey/check/", passkeys.check, name="passkey_check"),
            path("sign-in/passkey/new/", passkeys.new_options, name="passkey_new_options"),
            path("sign-in/password/", self.first_password, name="sign_in_password"),
            path("sign-in/enrol/", sign_in.enrol, name="sign_in_enrol"),
            path("sign-in/enrol/passkey/", passkeys.enrol, name="sign_in_enrol_passkey"),
            path("me/", self.admin_view(sign_in.me), name="me"),
            path("me/app/", self.admin_view(sign_in.new_app), name="me_app"),
            path("me/codes/", self.admin_view(sign_in.new_codes), name="me_codes"),
            path("me/passkeys/add/", self.admin_view(passkeys.add), name="me_passkey_add"),
            path("me/passkeys/<int:pk>/rename/", self.admin_view(passkeys.rename), name="me_passkey_rename"),
            path("me/passkeys/<int:pk>/remove/", self.admin_view(passkeys.remove), name="me_passkey_remove"),
        ]

    @method_decorator(never_cache)
    def login(self, request, extra_context=None):
        """The first step, or on to the second."""
        if request.method == "GET" and self.half_signed(request):
            return HttpResponseRedirect(reverse(sign_in.step_of(request), query=request.GET))
        if request.method == "GET" and self.owes_password(request):
            return HttpResponseRedirect(reverse("admin:sign_in_password", query=request.GET))
        return super().login(request, extra_context)

    @method_decorator(never_cache)
    @method_decorator(csrf_protect)
    def first_password(self, request):
        """An own password, in place of one that was given."""
        if not self.owes_password(request):
            return HttpResponseRedirect(
                sign_in.next_address(request) if self.has_permission(request) else reverse("admin:login")
            )
        context = {**self.each_context(request), "title": _("Choose your own password")}
        return FirstPassword.as_view(success_url=sign_in.next_address(request), extra_context=context)(request)

    def password_change(self, request, extra_context=None):
        """One's own password."""
        request.current_app = self.name
        context = {**self.each_context(request), **(extra_context or {})}
        view = OwnPassword.as_view(success_url=reverse("admin:me"), extra_context=context)
        return view(request)
