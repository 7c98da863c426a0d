"""The messages of phones: each reads its body and statement, calls one service and says what it gave.

docs/protocol.md, chapter 6. A message that changes something is claimed first (`services.exchanges`).
"""

from functools import cached_property, wraps

from mobileid.device_api import bodies
from mobileid.models import Nonce
from mobileid.problems import MessageInvalid, RateLimited
from mobileid.protocol import proofs, wire
from mobileid.services import applications, decisions, device_authentication, device_settings, factors, operation_links
from mobileid.services.descriptions import methods_of
from mobileid.services.message_replay import Exchange
from mobileid.services.registration import by_phone
from reuseid.actors import Actor
from reuseid.limits import hit
from reuseid.models.sealed import unseal_field
from reuseid.times import rfc3339

PHONE_QUOTA, PHONE_WINDOW = 120, 60
"""Messages of one phone in so many seconds."""
CODE_QUOTA, CODE_WINDOW = 100, 600
"""Activation codes tried from one address in so many seconds."""
DEACTIVATED = "DEACTIVATED"


class Message:
    """An opened message of one application."""

    def __init__(self, application, request, address, *, repeated=False):
        self.application, self.request, self.address = application, request, address
        digest = request.plaintext_digest.hex()
        self.exchange = Exchange(application, request.mid, request.path, digest, repeated=repeated)

    def afresh(self):
        """The same message, to be judged again though it was before."""
        return Message(self.application, self.request, self.address, repeated=True)

    def body(self, **form) -> dict:
        """The body's members by their readers."""
        return bodies.read(self.request.body, form)

    @cached_property
    def proof(self) -> proofs.Proof:
        """Well formed; nothing of it is verified."""
        if self.request.proof is None:
            raise MessageInvalid("proof", "is missing")
        return proofs.parse(self.request.proof)

    def states(self, typ: str, **expected) -> proofs.Proof:
        """The proof, when its statement is a ``typ`` of this application and this moment with the expected members."""
        proof = self.proof
        request = self.request
        proofs.check_statement(proof.statement, typ, applicationId=request.application_id, iat=request.iat, **expected)
        proof.require(proofs.required_factors(proof.statement))
        return proof

    def device(self, proof):
        """The device that proved possession; one that talks too much is RateLimited."""
        device = device_authentication.identify(self.application, proof, self.request.suite)
        spent = hit("phone", str(device.pk), quota=PHONE_QUOTA, window=PHONE_WINDOW)
        if spent.left < 0:
            raise RateLimited(spent.reset)
        self.exchange.of(device)
        return device

    def speaker(self):
        """The device behind a plain message."""
        request = self.request
        return self.device(self.states("message", path=request.path, mid=request.mid))


def asks(handler):
    """A plain message that changes nothing: ``handler(message, device)`` gives the answer's body."""

    @wraps(handler)
    def answered(message):
        return _ok(handler(message, message.speaker()))

    return answered


def changes(handler):
    """A plain message that takes effect once."""

    @wraps(handler)
    def answered(message):
        device = message.speaker()
        with message.exchange.claimed():
            message.exchange.settle(_ok(handler(message, device)))
        return message.exchange.answer

    return answered


def judged(handler):
    """A message whose service settles the exchange itself, counted factor and all."""

    @wraps(handler)
    def answered(message):
        handler(message)
        return message.exchange.answer

    return answered


def _ok(body):
    return {"status": 200, "body": body}


# --- registration ----------------------------------------------------------------------------------------------------


def registration_start(message):
    """Trade an activation code for an offer; the one message without a proof."""
    spent = hit("activation", message.address, quota=CODE_QUOTA, window=CODE_WINDOW)
    if spent.left < 0:
        raise RateLimited(spent.reset)
    code = message.body(activationCode=bodies.typed(64))["activationCode"]
    application = message.application
    with message.exchange.claimed():
        operation, nonce = by_phone.start(application, code, actor=by_phone.SOME_PHONE)
        body = {
            "operationId": str(operation.pk),
            "nonce": nonce.value,
            "account": applications.shown_account(application),
            "pin": {
                "minLength": application.pin_min_length,
                "maxLength": application.pin_max_length,
                "type": application.pin_type,
            },
            "authMethods": application.auth_methods,
            "expiresAt": rfc3339(operation.expires_at),
        }
        message.exchange.settle(_ok(body))
    return message.exchange.answer


_KNOWLEDGE = bodies.record({"publicKey": bodies.octets(32), "r": bodies.octets(32)})


@judged
def registration_finish(message):
    """Bind the phone; once more with the same keys, the same answer."""
    body = message.body(
        operationId=bodies.identifier,
        name=bodies.text(64),
        platform=bodies.text(32),
        osVersion=bodies.text(32, least=0),
        model=bodies.text(64, least=0),
        sdkVersion=bodies.text(32),
        appVersion=bodies.text(32, least=0),
        knowledge=bodies.nullable(_KNOWLEDGE),
        postWanted=bodies.optional(bodies.boolean, False),
    )
    proof = message.states("registration", operationId=body["operationId"])
    phone = by_phone.Phone(
        name=body["name"],
        platform=body["platform"],
        os_version=body["osVersion"],
        model=body["model"],
        sdk_version=body["sdkVersion"],
        app_version=body["appVersion"],
        suite=message.request.suite,
    )
    by_phone.finish(
        message.exchange,
        message.application,
        body["operationId"],
        proof,
        phone=phone,
        knowledge=_knowledge(body["knowledge"]),
        post_wanted=body["postWanted"],
    )


def _knowledge(record):
    return record and by_phone.KnowledgeKey(record["publicKey"], record["r"])


# --- operations ------------------------------------------------------------------------------------------------------


@asks
def operations_pending(message, device):
    """What waits for this phone."""
    message.body()
    device_authentication.require_usable(device)
    return {"operations": [_listed(operation) for operation in decisions.pending(device)]}


def _listed(operation):
    return {
        "operationId": str(operation.pk),
        "type": operation.type,
        "title": unseal_field(operation, "title").decode(),
        "createdAt": rfc3339(operation.created_at),
        "expiresAt": rfc3339(operation.expires_at),
    }


@changes
def operations_start(message, device):
    """Show one operation, by its id or by what the phone scanned."""
    body = message.body(
        operationId=bodies.optional(bodies.identifier),
        claim=bodies.optional(bodies.text(128)),
        t=bodies.optional(bodies.integer),
        m=bodies.optional(bodies.octets(16)),
    )
    if (body["operationId"] is None) == (body["claim"] is None):
        raise MessageInvalid("operationId", "or else claim, one of them")
    frame = body["claim"] and operation_links.Frame(body["claim"], body["t"], body["m"])
    device_authentication.require_usable(device)
    operation, nonce = decisions.start(
        device, operation_id=body["operationId"], frame=frame, actor=Actor.device(device)
    )
    shown = {
        "operationId": str(operation.pk),
        "type": operation.type,
        "nonce": nonce.value,
        "content": {
            "title": unseal_field(operation, "title").decode(),
            "mimeType": operation.mime_type,
            "data": wire.b64u(unseal_field(operation, "content")),
        },
        "authMethods": decisions.allowed_methods(operation, device),
        "binding": operation.binding,
        "expiresAt": rfc3339(operation.expires_at),
    }
    if operation.binding == operation.Binding.NUMBER:
        shown["numberLength"] = len(unseal_field(operation, "binding_secret"))
    if operation.binding == operation.Binding.SAME_DEVICE:
        shown["returnUrl"] = operation.return_url
    return shown


@judged
def operations_finish(message):
    """Approve or reject."""
    operation_id = message.body(operationId=bodies.identifier)["operationId"]
    typ = "signature" if message.proof.statement.get("typ") == "signature" else "authentication"
    proof = message.states(typ, operationId=operation_id)
    device = message.device(proof)
    decisions.finish(message.exchange, device, operation_id, proof, actor=Actor.device(device))


# --- the device itself -----------------------------------------------------------------------------------------------


@changes
def challenge(message, device):
    """A nonce for a change of factors."""
    purposes = (Nonce.Purpose.PIN_CHANGE.value, Nonce.Purpose.BIOMETRIC_ENABLE.value)
    purpose = message.body(purpose=bodies.one_of(*purposes))["purpose"]
    device_authentication.require_usable(device)
    nonce = device_settings.challenge(device, purpose)
    return {"nonce": nonce.value, "keyVersion": device.key_version, "expiresAt": rfc3339(nonce.expires_at)}


@judged
def pin_change(message):
    """Replace the PIN."""
    knowledge = _knowledge(message.body(knowledge=_KNOWLEDGE)["knowledge"])
    proof = message.states("pin-change")
    device = message.device(proof)
    device_settings.change_pin(message.exchange, device, proof, knowledge, actor=Actor.device(device))


@judged
def biometric_enable(message):
    """Add the key that biometry releases."""
    message.body()
    proof = message.states("biometric-enable")
    device = message.device(proof)
    device_settings.enable_biometric(message.exchange, device, proof, actor=Actor.device(device))


@changes
def biometric_disable(message, device):
    """Take it away."""
    message.body()
    device_authentication.require_usable(device)
    return {"authMethods": device_settings.disable_biometric(device, actor=Actor.device(device))}


@changes
def rename(message, device):
    """Give the phone another name."""
    name = message.body(name=bodies.text(64))["name"]
    device_authentication.require_usable(device)
    device_settings.rename(device, name, actor=Actor.device(device))
    return {}


@changes
def push_token(message, device):
    """Say where pushes go."""
    body = message.body(provider=bodies.text(16), token=bodies.text(device_settings.PUSH_TOKEN_LIMIT, least=0))
    device_authentication.require_usable(device)
    device_settings.set_push_address(device, **body, actor=Actor.device(device))
    return {}


@changes
def deactivate(message, device):
    """End the device, in whatever state it is."""
    message.body()
    device_settings.deactivate(device, actor=Actor.device(device))
    return {}


@asks
def status(message, device):
    """What the service knows of this phone, in whatever state; the one place that tells how many tries are left.

    The phone may say its versions here: an updated app is known from then on.
    """
    version = bodies.optional(bodies.text(32))
    body = message.body(osVersion=version, appVersion=version, sdkVersion=version)
    device_authentication.refresh(
        device, os_version=body["osVersion"], app_version=body["appVersion"], sdk_version=body["sdkVersion"]
    )
    answer = {
        "state": str(device.status),
        "attemptsLeft": factors.attempts_left(device),
        "keyVersion": device.key_version,
        "authMethods": methods_of(device) if device.status != DEACTIVATED else [],
        "name": device.name,
    }
    if device.inherence_jwk is not None:
        answer["inherenceThumbprint"] = proofs.thumbprint(device.inherence_jwk)
    if device.status == device.Status.LOCKED and device.locked_until:
        answer["lockedUntil"] = rfc3339(device.locked_until)
    return answer


MESSAGES = {
    "registration/start": registration_start,
    "registration/finish": registration_finish,
    "operations/pending": operations_pending,
    "operations/start": operations_start,
    "operations/finish": operations_finish,
    "challenge": challenge,
    "pin/change": pin_change,
    "biometric/enable": biometric_enable,
    "biometric/disable": biometric_disable,
    "rename": rename,
    "push-token": push_token,
    "deactivate": deactivate,
    "status": status,
}
