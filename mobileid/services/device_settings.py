"""What a person changes on the phone: PIN, biometry, name, push address, and its end (docs/protocol.md, chapter 6)."""

from datetime import UTC, datetime, timedelta

from mobileid.models import AuthMethod, Device, Nonce
from mobileid.problems import AuthenticationFailed, DeviceUnusable, MessageInvalid, MethodNotAllowed
from mobileid.protocol import proofs
from mobileid.services import device_authentication, devices, factors, nonces
from mobileid.services.descriptions import methods_of
from mobileid.services.device_changes import NO_BIOMETRY
from mobileid.services.registration.by_phone import KnowledgeKey, check_commitment
from reuseid.errors import Invalid, WrongState
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services.audit import trail

HAND_OVER = timedelta(minutes=10)
"""How long the PIN or biometric key before counts beside a new one that was not used yet."""
PUSH_PROVIDERS = ("apns", "fcm", "webpush")
PUSH_TOKEN_LIMIT = 4096


def challenge(device, purpose: str) -> Nonce:
    """A nonce for `pin/change` or `biometric/enable`; MethodNotAllowed for a phone without a PIN."""
    _require_pin(device)
    return nonces.for_change(device, purpose)


def _require_pin(device):
    if AuthMethod.DEVICE_PIN not in methods_of(device):
        raise MethodNotAllowed


def change_pin(exchange, device, proof, knowledge: KnowledgeKey, *, actor):
    """Replace the PIN's key, the old PIN judged and counted as in an approval; settles the exchange.

    The new key counts at once. The one before counts too, until the new one's first good use and for 10 minutes at
    most, so that a phone that never heard the answer is not locked out before `status` tells it the version.
    """
    statement = proof.statement

    def prepare():
        device_authentication.require_usable(device)
        _require_pin(device)
        if statement["keyVersion"] != device.key_version + 1:
            raise MessageInvalid("proof.payload.keyVersion", "It must be the next one.")
        check_commitment(knowledge, statement["knowledge"])
        return _consume(device, statement, Nonce.Purpose.PIN_CHANGE)

    def apply(newest):
        # Of two keys that count, the one that just proved itself is handed over.
        before = "knowledge_key" if newest else "previous_knowledge_key"
        seal_field(device, "previous_knowledge_key", factors.knowledge_key(device, before))
        seal_field(device, "knowledge_key", knowledge.public_key)
        changed = Device.objects.filter(pk=device.pk, key_version=device.key_version).update(
            knowledge_key=device.knowledge_key,
            previous_knowledge_key=device.previous_knowledge_key,
            previous_key_until=datetime.now(UTC) + HAND_OVER,
            key_version=statement["keyVersion"],
        )
        if not changed:
            raise AuthenticationFailed
        trail.record(device, "device.pin_changed", actor=actor, changes={"keyVersion": statement["keyVersion"]})
        return {"keyVersion": statement["keyVersion"]}

    factors.judge(exchange, device, proof, proofs.KNOWLEDGE, prepare=prepare, apply=apply)


def enable_biometric(exchange, device, proof, *, actor):
    """Register the key that biometry releases, in place of an older one; the PIN is judged and counted.

    As with a PIN the one before counts too, until the new one's first good use and for 10 minutes at most: a phone
    that never heard the answer uses it until `status` names the new one's thumbprint.
    """
    statement = proof.statement

    def prepare():
        device_authentication.require_usable(device)
        _require_pin(device)
        if AuthMethod.DEVICE_BIOMETRIC not in device.application.auth_methods:
            raise MethodNotAllowed
        if statement["inherence"] == device.possession_jwk:
            raise MessageInvalid("proof.payload.inherence", "It must be a key of its own.")
        if not proof.verify(proofs.INHERENCE, proofs.public_key_from_jwk(statement["inherence"])):
            raise AuthenticationFailed
        return _consume(device, statement, Nonce.Purpose.BIOMETRIC_ENABLE)

    def apply(_newest):
        _hand_over_biometry(device, statement["inherence"])
        thumbprint = proofs.thumbprint(statement["inherence"])
        trail.record(device, "device.biometric_enabled", actor=actor, changes={"thumbprint": thumbprint})
        return {"authMethods": methods_of(device), "inherenceThumbprint": thumbprint}

    factors.judge(exchange, device, proof, proofs.KNOWLEDGE, prepare=prepare, apply=apply)


def _hand_over_biometry(device, jwk):
    """Under the row's lock, for the key that is handed over is the one that counts at this moment."""
    now = Device.objects.select_for_update(no_key=True).only("inherence_jwk").get(pk=device.pk).inherence_jwk
    changes = {"inherence_jwk": jwk}
    if jwk != now:
        until = datetime.now(UTC) + HAND_OVER if now else None
        changes |= {"previous_inherence_jwk": now, "previous_inherence_until": until}
    Device.objects.filter(pk=device.pk).update(**changes)
    device.inherence_jwk = jwk


def _consume(device, statement, purpose):
    if not nonces.consume(statement["nonce"], purpose, device=device):
        raise AuthenticationFailed
    return True


def disable_biometric(device, *, actor) -> list[str]:
    """Forget the biometric key, and the one before; returns the methods that are left."""
    if device.inherence_jwk is not None:
        Device.objects.filter(pk=device.pk).update(**NO_BIOMETRY)
        device.inherence_jwk = None
        trail.record(device, "device.biometric_disabled", actor=actor)
    return methods_of(device)


def rename(device, name: str, *, actor):
    """Give the phone the name that its person wants."""
    try:
        devices.rename(device, name, actor=actor)
    except Invalid as error:
        raise MessageInvalid("name", error.invalid_params[0]["reason"]) from None


def set_push_address(device, *, provider: str, token: str, actor):
    """Remember where pushes go; an empty token forgets it. The token is kept sealed. Said again it changes nothing."""
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


def deactivate(device, *, actor):
    """The person ends the device; one that is locked or not confirmed may be ended too."""
    try:
        devices.deactivate(device, actor=actor, reason="CUSTOMER_REQUEST")
    except WrongState:
        raise DeviceUnusable.of(device) from None
