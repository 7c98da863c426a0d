"""Sign-ins of colleagues, and what they sign in with: nothing that could sign anybody in."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin.auth.sign_in import kept
from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.filters import DateFilter
from reuseid.admin.kit.scope import colleagues
from reuseid.admin.kit.texts import SIGN_INS
from reuseid.models import Passkey, RecoveryCode, SecondFactor, Staff, StaffSignIn


class OfColleagues(BackOfficeAdmin):
    """Rows of those colleagues whom the reader sees: who share an account; superusers are seen by superusers."""

    person = "staff"
    # The colleague is a link already.
    list_display_links = ("made",)

    def get_queryset(self, request):
        rows = super(BackOfficeAdmin, self).get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(self.visible(Q(**{f"{self.person}__in": colleagues(request.user).values("pk")})))

    def visible(self, of_colleagues):
        """What else is seen."""
        return of_colleagues

    @display(description=_("Colleague"))
    def colleague(self, row):
        staff = getattr(row, self.person)
        return (
            formatting.link(Staff, staff.pk, staff.username) if staff else formatting.quiet(_("a name that nobody has"))
        )


@admin.register(StaffSignIn)
class StaffSignInAdmin(OfColleagues):
    list_display = ("time", "colleague", "what", "method", "address")
    list_display_links = ("time",)
    list_filter = (("at", DateFilter),)
    list_select_related = ("staff",)
    ordering = ("-id",)
    search_exact = ("staff__username", "address")
    search_hint = _("Name of a colleague or an address, exactly")
    shown = ("time", "colleague", "what", "method", "address")

    def visible(self, of_colleagues):
        """Tries with names that nobody has belong to nobody: they are seen by all who see sign-ins."""
        return of_colleagues | Q(staff=None)

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        if not term:
            return queryset, False
        request.searched_for = _("“%(term)s” as name or address, exactly") % {"term": term}
        return queryset.filter(Q(staff__username=term) | Q(address=term)), False

    @display(description=_("Time"), ordering="id")
    def time(self, row):
        return formatting.when(row.at)

    @display(description=_("What"))
    def what(self, row):
        return SIGN_INS[row.outcome]


@admin.register(SecondFactor)
class SecondFactorAdmin(OfColleagues):
    person = "user"
    list_display = ("colleague", "made", "used", "secret")
    list_select_related = ("user",)
    sortable_by = None
    ordering = ("-id",)
    search_exact = ("pk",)
    shown = ("colleague", "made", "used", "secret")

    @display(description=_("Set up"), ordering="created_at")
    def made(self, factor):
        return formatting.when(factor.created_at)

    @display(description=_("Last used"), ordering="last_used_at")
    def used(self, factor):
        return formatting.when(factor.last_used_at, formatting.NEVER)

    @display(description=_("Secret"))
    def secret(self, factor):
        return formatting.MASK


@admin.register(Passkey)
class PasskeyAdmin(OfColleagues):
    person = "user"
    list_display = ("colleague", "called", "made", "used", "lies", "host")
    list_select_related = ("user",)
    sortable_by = None
    ordering = ("-id",)
    search_exact = ("pk",)
    shown = ("colleague", "called", "made", "used", "lies", "host", "counter")

    @display(description=_("Name"))
    def called(self, passkey):
        return formatting.text(passkey.name)

    @display(description=_("Made"), ordering="created_at")
    def made(self, passkey):
        return formatting.when(passkey.created_at)

    @display(description=_("Last used"), ordering="last_used_at")
    def used(self, passkey):
        return formatting.when(passkey.last_used_at, formatting.NEVER)

    @display(description=_("Kept"))
    def lies(self, passkey):
        return kept(passkey)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(OfColleagues):
    list_display = ("id", "colleague", "made", "used", "code")
    list_select_related = ("staff",)
    ordering = ("-id",)
    search_exact = ("pk",)
    shown = ("colleague", "made", "used", "code")

    @display(description=_("Made"))
    def made(self, row):
        return formatting.when(row.created_at)

    @display(description=_("Used"))
    def used(self, row):
        return formatting.when(row.used_at, formatting.NOT_YET)

    @display(description=_("Code"))
    def code(self, row):
        return formatting.MASK
