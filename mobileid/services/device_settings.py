"""What a person changes on the phone: PIN, biometry, name, push address, and its end (docs/protocol.md, chapter 6).

Each function writes in the caller's transaction. A change of the PIN or of biometry has two halves: what is judged
before the PIN is looked at, and the change once the PIN was good (`mobileid.device_api.messages` has the order).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mobileid.models import AuthMethod, Device, Nonce
from mobileid.problems import AuthenticationFailed, DeviceUnusable, MessageInvalid, MethodNotAllowed
from mobileid.protocol import proofs
from mobileid.services import device_authentication, devices, factors, nonces
from mobileid.services.descriptions import methods_of
from mobileid.services.device_changes import NO_BIOMETRY
from reuseid.actors import Actor
from reuseid.errors import Invalid, WrongState
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services.audit import trail

HAND_OVER = timedelta(minutes=10)
"""How long the PIN or biometric key before counts beside a new one that was not used yet."""
PUSH_PROVIDERS = ("apns", "fcm", "webpush")
PUSH_TOKEN_LIMIT = 4096
"""Characters of a push token."""


def challenge(device: Device, purpose: str) -> Nonce:
    """A nonce for `pin/change` or `biometric/enable`; MethodNotAllowed for a phone without a PIN."""
    _require_pin(device)
    return nonces.for_change(device, purpose)


def _require_pin(device: Device) -> None:
    if AuthMethod.DEVICE_PIN not in methods_of(device):
        raise MethodNotAllowed


def prepare_pin_change(device: Device, statement: Mapping[str, Any], knowledge: factors.KnowledgeKey) -> None:
    """Judge a `pin-change` but for the old PIN, and use its nonce up.

    Raises DeviceUnusable, MethodNotAllowed, MessageInvalid or, for the nonce, AuthenticationFailed.
    """
    device_authentication.require_usable(device)
    _require_pin(device)
    if statement["keyVersion"] != device.key_version + 1:
        raise MessageInvalid("proof.payload.keyVersion", "It must be the next one.")
    factors.check_commitment(knowledge, statement["knowledge"])
    _consume(device, statement, Nonce.Purpose.PIN_CHANGE)


def change_pin(
    device: Device, key_version: int, new: factors.KnowledgeKey, *, signed_by: factors.Key, actor: Actor
) -> None:
    """Replace the PIN's key; ``signed_by`` is the key by which the old PIN was good, and the one that is handed over.

    The new key counts at once. The one before counts too, until the new one's first good use and for 10 minutes at
    most, so that a phone that never heard the answer is not locked out before `status` tells it the version. Raises
    AuthenticationFailed, with nothing changed, when another change was first.
    """
    before = "knowledge_key" if signed_by is factors.Key.NEWEST else "previous_knowledge_key"
    seal_field(device, "previous_knowledge_key", factors.knowledge_key(device, before))
    seal_field(device, "knowledge_key", new.public_key)
    changed = Device.objects.filter(pk=device.pk, key_version=device.key_version).update(
        knowledge_key=device.knowledge_key,
        previous_knowledge_key=device.previous_knowledge_key,
        previous_key_until=datetime.now(UTC) + HAND_OVER,
        key_version=key_version,
    )
    if not changed:
        raise AuthenticationFailed
    trail.record(device, "device.pin_changed", actor=actor, changes={"keyVersion": key_version})


def prepare_biometric(device: Device, proof: proofs.Proof) -> None:
    """Judge a `biometric-enable` but for the PIN, the new key's own signature too, and use its nonce up.

    Raises DeviceUnusable, MethodNotAllowed, MessageInvalid or AuthenticationFailed.
    """
    jwk = proof.statement["inherence"]
    device_authentication.require_usable(device)
    _require_pin(device)
    if AuthMethod.DEVICE_BIOMETRIC not in device.application.auth_methods:
        raise MethodNotAllowed
    if jwk == device.possession_jwk:
        raise MessageInvalid("proof.payload.inherence", "It must be a key of its own.")
    if not proof.verify(proofs.INHERENCE, proofs.public_key_from_jwk(jwk)):
        raise AuthenticationFailed
    _consume(device, proof.statement, Nonce.Purpose.BIOMETRIC_ENABLE)


def enable_biometric(device: Device, jwk: dict[str, str], *, actor: Actor) -> str:
    """Register the key that biometry releases, in place of an older one; returns its thumbprint (RFC 7638, b64u).

    As with a PIN the one before counts too, until the new one's first good use and for 10 minutes at most: a phone
    that never heard the answer uses it until `status` names the new one's thumbprint.
    """
    # Under the row's lock, for the key that is handed over is the one that counts at this moment.
    now = Device.objects.select_for_update(no_key=True).only("inherence_jwk").get(pk=device.pk).inherence_jwk
    changes: dict[str, Any] = {"inherence_jwk": jwk}
    if jwk != now:
        until = datetime.now(UTC) + HAND_OVER if now else None
        changes |= {"previous_inherence_jwk": now, "previous_inherence_until": until}
    Device.objects.filter(pk=device.pk).update(**changes)
    device.inherence_jwk = jwk
    thumbprint = proofs.thumbprint(jwk)
    trail.record(device, "device.biometric_enabled", actor=actor, changes={"thumbprint": thumbprint})
    return thumbprint


def _consume(device: Device, statement: Mapping[str, Any], purpose: str) -> None:
    if not nonces.consume(statement["nonce"], purpose, device=device):
        raise AuthenticationFailed


def disable_biometric(device: Device, *, actor: Actor) -> list[str]:
    """Forget the biometric key, and the one before; returns the methods that are left."""
    if device.inherence_jwk is not None:
        Device.objects.filter(pk=device.pk).update(**NO_BIOMETRY)
        device.inherence_jwk = None
        trail.record(device, "device.biometric_disabled", actor=actor)
    return methods_of(device)


def rename(device: Device, name: str, *, actor: Actor) -> None:
    """Give the phone the name that its person wants; MessageInvalid for one that can't be shown."""
    try:
        devices.rename(device, name, actor=actor)
    except Invalid as error:
        raise MessageInvalid("name", error.invalid_params[0]["reason"]) from None


def set_push_address(device: Device, *, provider: str, token: str, actor: Actor) -> None:
    """Remember where pushes go; an empty token forgets it. The token is kept sealed. Said again it changes nothing.

    Raises MessageInvalid for a provider that is not of PUSH_PROVIDERS, and for a token over PUSH_TOKEN_LIMIT.
    """
    if provider not in PUSH_PROVIDERS:
        raise MessageInvalid("provider", f"One of {', '.join(PUSH_PROVIDERS)}.")
    if len(token) > PUSH_TOKEN_LIMIT:
        raise MessageInvalid("token", f"At most {PUSH_TOKEN_LIMIT} characters.")
    kept = unseal_field(device, "push_token") or b""
    if (device.push_provider, kept) == (provider if token else "", token.encode()):
        return
    seal_field(device, "push_token", token.encode() if token else None)
    device.push_provider = provider if token else ""
    Device.objects.filter(pk=device.pk).update(push_provider=device.push_provider, push_token=device.push_token)
    trail.record(device, "device.push_address_set", actor=actor, changes={"provider": device.push_provider})


def deactivate(device: Device, *, actor: Actor) -> None:
    """The person ends the device, a locked or unconfirmed one too; DeviceUnusable when it has ended before."""
    try:
        devices.deactivate(device, actor=actor, reason="CUSTOMER_REQUEST")
    except WrongState:
        raise DeviceUnusable.of(device) from None
