"""Attributes, their former values and proofings: where they come from, never what they say."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin import cells
from reuseid.admin.base import BackOfficeAdmin
from reuseid.admin.filters import AccountFilter, StatusFilter, by_choice
from reuseid.admin.reveals import Revealing, reveal_action, reveal_form
from reuseid.models import Attribute, AttributeVersion, Proofing, User


class OfPerson(BackOfficeAdmin):
    """Rows that belong to a person."""

    list_select_related = ("account",)
    exact = ("pk", "user_id")
    search_hint = _("Id of the row or of the user, exactly")

    @display(description=_("User"))
    def person(self, row):
        return cells.link(User, row.user_id)

    @display(description=_("Value"))
    def masked(self, row):
        return cells.MASK


@admin.register(Attribute)
class AttributeAdmin(Revealing, OfPerson):
    tab = "attributes"
    reveal = reveal_action(reveal_form(Attribute))
    list_display = ("name", "person", "masked", "source", "assurance_level", "verified_at", "expires_at", "account")
    list_filter = (AccountFilter, by_choice("assurance_level"))
    ordering = ("pk",)
    shown = (
        "id",
        "name",
        "person",
        "account",
        "masked",
        "source",
        "assurance_level",
        "verified_at",
        "expires_at",
        "proofing",
        "created_at",
        "updated_at",
    )


@admin.register(AttributeVersion)
class AttributeVersionAdmin(OfPerson):
    list_display = ("name", "person", "masked", "replaced_at", "actor_type", "actor_id", "because", "account")
    list_filter = (AccountFilter,)
    ordering = ("pk",)
    shown = (
        "id",
        "name",
        "person",
        "account",
        "masked",
        "source",
        "assurance_level",
        "verified_at",
        "replaced_at",
        "actor_type",
        "actor_id",
        "because",
    )

    @display(description=_("Because"))
    def because(self, version):
        return cells.reason(version.reason)


@admin.register(Proofing)
class ProofingAdmin(Revealing, OfPerson):
    tab = "proofings"
    reveal = reveal_action(reveal_form(Proofing))
    fits = {"reveal": lambda proofing: proofing.reference is not None}
    list_display = ("id", "state", "person", "method", "provider", "assurance_level", "performed_at", "account")
    list_filter = (StatusFilter, by_choice("method"), by_choice("assurance_level"), AccountFilter)
    ordering = ("pk",)
    shown = (
        "id",
        "state",
        "person",
        "account",
        "method",
        "provider",
        "assurance_level",
        "performed_at",
        "reference_masked",
        "evidence_hash",
        "created_at",
    )

    @display(description=_("State"))
    def state(self, proofing):
        return cells.state(proofing)

    @display(description=_("Reference"))
    def reference_masked(self, proofing):
        return cells.MASK if proofing.reference else cells.NONE
