import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from reuseid.models.accounts import Account
from reuseid.models.proofings import AssuranceLevel, Proofing
from reuseid.models.sealed import SealedField
from reuseid.models.users import User


class AttributeKey(models.Model):
    """One name in an account's attribute catalogue and the rules for its values."""

    class Type(models.TextChoices):
        STRING = "string", _("Text")
        NUMBER = "number", _("Number")
        BOOLEAN = "boolean", _("Yes or no")
        DATE = "date", _("Date")
        JSON = "json", _("Small JSON")

    class Normalisation(models.TextChoices):
        NONE = "none", _("As it is")
        TEXT = "text", _("Case and spaces forgiven")
        PHONE = "phone", _("Phone number (E.164)")
        EMAIL = "email", _("E-mail address")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="attribute_keys")
    name = models.CharField(max_length=64)
    type = models.CharField(max_length=16, choices=Type, default=Type.STRING)
    sensitive = models.BooleanField(
        default=True, help_text=_("Masked in the back office until revealed with a reason.")
    )
    searchable = models.BooleanField(default=False, help_text=_("Found by its exact value, through a keyed hash."))
    unique = models.BooleanField(default=False, help_text=_("At most one user of the account has a value."))
    max_length = models.PositiveIntegerField(default=1024, help_text=_("Of the value as JSON, in bytes; 8192 at most."))
    normalisation = models.CharField(max_length=16, choices=Normalisation, default=Normalisation.TEXT)

    class Meta:
        verbose_name = _("attribute key")
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="attribute_key_name"),
            models.CheckConstraint(
                condition=Q(unique=False) | Q(searchable=True), name="attribute_key_unique_searchable"
            ),
            models.CheckConstraint(
                condition=Q(max_length__gte=1, max_length__lte=8192), name="attribute_key_max_length"
            ),
        ]

    def __str__(self):
        return self.name


class Attribute(models.Model):
    """One attribute of a user, a record with its provenance. The value is JSON, encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="attributes")
    name = models.CharField(max_length=64)
    value = SealedField()
    blind_index = models.CharField(max_length=64, blank=True, editable=False)
    unique_index = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001 - NULLs are distinct
    source = models.CharField(max_length=120, blank=True)
    assurance_level = models.CharField(max_length=16, choices=AssuranceLevel, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    proofing = models.ForeignKey(Proofing, on_delete=models.PROTECT, null=True, blank=True, related_name="attributes")
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When the proofing behind it was deactivated.")
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        permissions = [("reveal_attribute", gettext_noop("Can see a masked value for a minute, with a reason"))]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="attribute_of_user"),
            models.UniqueConstraint(fields=["account", "unique_index"], name="attribute_unique_value"),
        ]
        indexes = [models.Index(fields=["blind_index"], name="attribute_search", condition=~Q(blind_index=""))]

    def __str__(self):
        return self.name


class AttributeVersion(models.Model):
    """A value that an attribute had before: encrypted, with who replaced it and why."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="attribute_versions")
    name = models.CharField(max_length=64)
    value = SealedField()
    source = models.CharField(max_length=120, blank=True)
    assurance_level = models.CharField(max_length=16, blank=True)
    verified_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(db_default=Now(), editable=False)
    actor_type = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=120)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-replaced_at"]
        indexes = [models.Index(fields=["user", "name", "replaced_at"], name="attribute_history")]

    def __str__(self):
        return self.name
