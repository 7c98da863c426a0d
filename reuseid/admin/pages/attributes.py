"""Attributes, their former values and proofings: where they come from, never what they say."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import OfPerson
from reuseid.admin.kit.filters import AccountFilter, StatusFilter, by_choice
from reuseid.admin.kit.reveal import Revealing, reveal_action, reveal_form
from reuseid.models import Attribute, AttributeVersion, Proofing


@admin.register(Attribute)
class AttributeAdmin(Revealing, OfPerson):
    tab = "attributes"
    reveal = reveal_action(reveal_form(Attribute))
    rights = {"reveal": "reveal_attribute"}
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


@admin.register(Proofing)
class ProofingAdmin(Revealing, OfPerson):
    tab = "proofings"
    reveal = reveal_action(reveal_form(Proofing))
    rights = {"reveal": "reveal_proofing"}
    available_when = {"reveal": lambda proofing: proofing.reference is not None}
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

    @display(description=_("Reference"))
    def reference_masked(self, proofing):
        return formatting.MASK if proofing.reference else formatting.NONE
