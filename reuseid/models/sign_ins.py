"""How colleagues prove who they are: their second factors, what replaces them, and each sign-in."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from reuseid.models.accounts import Staff
from reuseid.models.sealed import SealedField, unseal_field

# A delay doubles with each wrong code: 1 s, 2 s … and from so many on it stays, so that nobody is shut out for days.
MOST_FAILURES = 10


class SecondFactor(TimestampMixin, ThrottlingMixin, Device):
    """A colleague's authenticator app (TOTP, RFC 6238). It is there once a first code has been right."""

    # The key is made before the row, so it is sealed to the colleague.
    SEALED_TO = "user_id"
    account_id = None

    key = SealedField(help_text="20 random bytes.")
    last_t = models.BigIntegerField(default=-1, help_text="The time step of the last code: none is taken twice.")
    drift = models.SmallIntegerField(default=0, help_text="Steps by which the app's clock is off.")

    class Meta:
        verbose_name = "second factor"
        constraints = [
            models.UniqueConstraint(fields=["user"], name="one_second_factor"),
            # What is kept has been confirmed; an enrolment under way is in its session.
            models.CheckConstraint(condition=models.Q(confirmed=True), name="second_factor_confirmed"),
        ]

    def __str__(self):
        return f"second factor of {self.user_id}"

    def get_throttle_factor(self):
        """Seconds after the first wrong code."""
        return 1

    def step_of(self, code: str) -> TOTP | None:
        """The clock at the time step that ``code`` is of, one early or late at most; None for a wrong or old code."""
        clock = TOTP(unseal_field(self, "key"), drift=self.drift)
        return clock if clock.verify(int(code), tolerance=1, min_t=self.last_t + 1) else None


class Passkey(TimestampMixin, ThrottlingMixin, Device):
    """A colleague's passkey (WebAuthn): a public key, and how far its authenticator counted. No secret."""

    account_id = None

    credential_id = models.BinaryField(max_length=1023, unique=True)
    credential = models.BinaryField(help_text="Attested credential data: AAGUID, id and public key (COSE).")
    host = models.CharField(max_length=253, help_text="The RP id: a passkey works under this name of the host alone.")
    counter = models.BigIntegerField(default=0, help_text="Signatures; 0 for ever where the authenticator counts none.")
    backed_up = models.BooleanField(default=False, help_text="Kept by a passkey provider, or on one device alone.")
    transports = models.JSONField(default=list, help_text="How browsers reach it; a hint.")
    challenge = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the last challenge that it answered.")

    class Meta:
        verbose_name = "passkey"
        constraints = [
            models.CheckConstraint(condition=models.Q(confirmed=True), name="passkey_confirmed"),
        ]

    def __str__(self):
        return f"passkey of {self.user_id}"

    def get_throttle_factor(self):
        """Seconds after the first refusal."""
        return 1


class RecoveryCode(models.Model):
    """One of ten codes that replace app and passkeys once each; only a hash is kept."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="recovery_codes")
    hash = models.CharField(max_length=128)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "recovery code"

    def __str__(self):
        return f"recovery code of {self.staff_id}"


class StaffSignIn(models.Model):
    """One step of signing in or out, or its refusal. Kept for SIGN_IN_RETENTION_DAYS; changes are in the trail."""

    class Outcome(models.TextChoices):
        PASSWORD_GIVEN = "PASSWORD_GIVEN", "Password given"
        SIGNED_IN = "SIGNED_IN", "Signed in"
        PASSWORD_REFUSED = "PASSWORD_REFUSED", "Password refused"
        CODE_REFUSED = "CODE_REFUSED", "Code refused"
        SIGNED_OUT = "SIGNED_OUT", "Signed out"

    class Method(models.TextChoices):
        NONE = "", "—"
        PASSWORD = "PASSWORD", _("Password alone")
        APP = "APP", _("Authenticator app")
        PASSKEY = "PASSKEY", _("Passkey")
        RECOVERY_CODE = "RECOVERY_CODE", _("Recovery code")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, related_name="sign_ins", null=True, help_text="None for an unknown name."
    )
    outcome = models.CharField(max_length=16, choices=Outcome)
    method = models.CharField(max_length=16, choices=Method, blank=True)
    address = models.CharField(max_length=45, blank=True, help_text="The caller's IP address.")

    class Meta:
        verbose_name = "sign-in"
        indexes = [
            models.Index(fields=["staff", "id"], name="sign_in_of_staff"),
            models.Index(fields=["at"], name="sign_in_purge"),
        ]

    def __str__(self):
        return f"{self.outcome} {self.staff_id or ''}".rstrip()
