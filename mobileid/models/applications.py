import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from reuseid.models import Account


class AuthMethod(models.TextChoices):
    DEVICE = "DEVICE", _("Device only")
    DEVICE_PIN = "DEVICE_PIN", _("Device and PIN")
    DEVICE_BIOMETRIC = "DEVICE_BIOMETRIC", _("Device and biometry")


class Suite(models.IntegerChoices):
    """What messages are sealed with (docs/protocol.md, chapter 3); a higher one is stronger."""

    X25519 = 1, "X25519"
    X_WING = 2, _("X-Wing (post-quantum)")


def all_methods():
    return list(AuthMethod.values)


class Application(models.Model):
    """An app of an account: what its phones pin (server, id, trust anchor) and the policy for them."""

    class PinType(models.TextChoices):
        NUMERIC = "numeric", _("Digits")
        ALPHANUMERIC = "alphanumeric", _("Letters and digits")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="applications")
    name = models.CharField(max_length=120)
    server = models.URLField(help_text=_("The address that the phones call; also the issuer of the key document."))
    auth_methods = models.JSONField(default=all_methods, help_text=_("The methods that this app may use."))
    min_suite = models.PositiveSmallIntegerField(default=1, help_text=_("1: X25519, 2: X-Wing (post-quantum)."))
    min_sdk_version = models.CharField(max_length=32, blank=True, help_text=_("Older SDKs are refused (426)."))
    pin_min_length = models.PositiveSmallIntegerField(default=4)
    pin_max_length = models.PositiveSmallIntegerField(default=12)
    pin_type = models.CharField(max_length=16, choices=PinType, default=PinType.NUMERIC)
    # How the authenticator looks; empty: as the account is called, in its own colours.
    brand_name = models.CharField(max_length=60, blank=True, help_text=_("The name that people see."))
    brand_logo_uri = models.URLField(max_length=500, blank=True, help_text=_("HTTPS address of a logo."))
    brand_colour = models.CharField(max_length=7, blank=True, help_text=_("Of the header and buttons, as in #1d4ed8."))
    brand_text_colour = models.CharField(max_length=7, blank=True, help_text=_("Of the text upon it, as in #ffffff."))
    support_phone = models.CharField(max_length=40, blank=True, help_text=_("Whom people call when it does not work."))
    support_email = models.EmailField(max_length=120, blank=True, help_text=_("Where people write to."))
    support_url = models.URLField(max_length=500, blank=True, help_text=_("HTTPS address of a help page."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="application_name"),
            models.CheckConstraint(condition=Q(min_suite__in=[1, 2]), name="application_min_suite"),
            models.CheckConstraint(
                condition=Q(
                    pin_min_length__gte=4,
                    pin_max_length__gte=models.F("pin_min_length"),
                    pin_max_length__lte=64,
                ),
                name="application_pin_length",
            ),
        ]

    def __str__(self):
        return self.name
