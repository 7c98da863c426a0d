from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from oauth2_provider.models import AbstractApplication

from reuseid.models.accounts import Account


class Client(AbstractApplication):
    """An integrator's back end, of exactly one account, with its own scopes (OAuth 2.0 client credentials)."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        BLOCKED = "BLOCKED", _("Blocked")

    MOVES = {Status.BLOCKED: [Status.ACTIVE], Status.ACTIVE: [Status.BLOCKED]}

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="clients")
    scopes = models.JSONField(default=list, help_text=_("What the client may ask a token for."))
    token_at = models.DateTimeField(null=True, blank=True, help_text=_("When it last got an access token."))
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)

    def is_usable(self, request):
        """The toolkit asks before it authenticates a client or believes its token."""
        return self.status == self.Status.ACTIVE and self.account.status == Account.Status.ACTIVE

    class Meta(AbstractApplication.Meta):
        swappable = "OAUTH2_PROVIDER_APPLICATION_MODEL"
        verbose_name = _("API client")
        permissions = [
            ("rotate_client", gettext_noop("Can rotate a client's secret")),
            ("block_client", gettext_noop("Can block a client")),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=["ACTIVE", "BLOCKED"]), name="client_status"),
        ]

    def __str__(self):
        return self.name or self.client_id
