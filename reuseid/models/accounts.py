import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class Account(models.Model):
    """A tenant: a company whose customers these are. Everything belongs to one account and is seen by no other."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        BLOCKED = "BLOCKED", _("Blocked")

    MOVES = {Status.BLOCKED: [Status.ACTIVE], Status.ACTIVE: [Status.BLOCKED]}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True, help_text=_("Shown to people on their phones."))
    logo_uri = models.URLField(blank=True, help_text=_("HTTPS address of a logo that the authenticator shows."))
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    open_catalogue = models.BooleanField(
        default=True, help_text=_("Attributes that the catalogue does not name are accepted.")
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        permissions = [("block_account", gettext_noop("Can block an account"))]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=["ACTIVE", "BLOCKED"]), name="account_status"),
        ]

    def __str__(self):
        return self.name


class Staff(AbstractUser):
    """A colleague who works in the back office. Not a managed identity: those are `User`."""

    # A colleague belongs to no account, and so do the lines of the trail about them.
    account_id = None

    accounts = models.ManyToManyField(
        Account, blank=True, related_name="staff", help_text=_("The accounts that this colleague sees.")
    )

    sign_in_round = models.PositiveIntegerField(
        default=0, editable=False, help_text="Goes up when every session must end though the password stays."
    )
    # Who knows the password and could take the second factor away would sign in as the colleague: never one person.
    password_set_by = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text="Who gave the present password, until the colleague chose an own one.",
    )
    factor_reset_by = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text="Who reset the second factor, until the colleague set up another one.",
    )

    class Meta:
        verbose_name = _("colleague")
        verbose_name_plural = _("staff")
        constraints = [
            models.CheckConstraint(
                condition=Q(password_set_by=None) | Q(factor_reset_by=None) | ~Q(password_set_by=F("factor_reset_by")),
                name="staff_takes_two",
            ),
        ]

    def has_second_factor(self) -> bool:
        """An authenticator app or a passkey, asked of the database."""
        return self.secondfactor_set.exists() or self.passkey_set.exists()

    def get_session_auth_hash(self):
        """Ends the sessions that began before the password or the round changed."""
        return f"{super().get_session_auth_hash()}.{self.sign_in_round}"

    def get_session_auth_fallback_hash(self):
        """The same under earlier SECRET_KEYs."""
        for earlier in super().get_session_auth_fallback_hash():
            yield f"{earlier}.{self.sign_in_round}"
