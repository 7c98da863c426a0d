"""The main job, played over HTTP: a bank's back end, a customer's phone and the bank's webhook receiver.

The demo shows it and the journey test asserts it; both call the same functions.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from config.demo.integrator import Account, Integrator, Refused
from config.demo.receiver import Receiver
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.device import Device
from mobileid.sdk.keystore import MemoryStore
from mobileid.sdk.transport import HttpTransport

PIN = "739146"
CALLBACK_SECONDS = 20
"""The longest that a callback may take here; the next sweep finds one whose wake-up was lost after 5 s."""
CUSTOMER = {
    "externalRef": "customer-1001",
    "segment": "retail",
    "attributes": {
        "name": "Ada Lovelace",
        "givenName": "Ada",
        "familyName": "Lovelace",
        "email": "ada@example.com",
        "phone": "+447700900100",
    },
}
PAYMENT = {
    "amount": "249.00",
    "currency": "EUR",
    "creditorName": "Nordic Bicycles ApS",
    "creditorAccount": "DK5000400440116243",
    "reference": "Invoice 2201",
}
DOCUMENT = "# Consent\n\nI agree that the bank reads my salary account for 90 days to grade my loan.\n"


class Failed(Exception):
    """A step did not do what it should; the message says which and what was seen."""


@dataclass
class Scene:
    """Where a play happens: ``line`` is the phone's; ``wait(seconds, until)`` returns whether ``until()`` came true."""

    bank: Integrator
    receiver: Receiver
    wait: Callable[[float, Callable[[], bool]], bool]
    line: HttpTransport
    user: dict = field(default_factory=dict)
    phone: Device | None = None
    endpoint: dict = field(default_factory=dict)
    ended: dict[str, dict] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def open_account(scene: Scene):
    """The bank's back end gets an access token (OAuth 2.0)"""
    scene.bank.sign_in()


def register_receiver(scene: Scene):
    """It registers an address for callbacks"""
    body = {"url": scene.receiver.url, "description": "Receiver of a demo"}
    scene.endpoint = scene.bank.post("/mobileid/core/webhooks", body)
    scene.receiver.secret = scene.endpoint["secret"]


def know_customer(scene: Scene):
    """It makes its customer Ada Lovelace known, or finds her"""
    try:
        scene.user = scene.bank.post("/reuseid/core/users", CUSTOMER)
    except Refused as refusal:
        if refusal.status != 409:
            raise
        scene.user = scene.bank.get(f"/reuseid/core/users/by-external-ref/{CUSTOMER['externalRef']}")


def register_phone(scene: Scene):
    """Ada registers her phone with an activation code and chooses a PIN"""
    config = ApplicationConfig.from_dict(scene.bank.account.application)
    body = {"userId": _user_id(scene), "applicationId": config.application_id}
    started = scene.bank.post("/mobileid/core/registrations", body)
    offer = Device.start_registration(config, started["activationCode"], MemoryStore(), transport=scene.line)
    registered = offer.finish(pin=PIN, name="Ada's phone")
    expect(registered.state, "ACTIVE", "the phone's state")
    scene.phone = registered.device
    scene.notes.append(f"code {started['activationCode']}, phone {registered.device.device_id}")
    end(scene, "registrations", started["operationId"])


def log_in(scene: Scene):
    """Ada logs in: her phone shows the request, she enters her PIN"""
    started = ask(scene, "authentications", preOperationContext=_text("Log in", "Log in to your bank?"))
    answer(scene, started["operationId"], "Log in to your bank?")
    end(scene, "authentications", started["operationId"])


def approve_payment(scene: Scene):
    """Ada approves a payment of 249.00 EUR, with the number that the shop's page shows"""
    started = ask(scene, "authentications", transaction=PAYMENT, binding="NUMBER")
    answer(scene, started["operationId"], "249.00", number=started["matchingNumber"])
    scene.notes.append(f"number {started['matchingNumber']}")
    end(scene, "authentications", started["operationId"])


def sign_consent(scene: Scene):
    """Ada signs a consent; the bank verifies the JWT against the published keys"""
    context = {"title": "Consent", "mimeType": "text/markdown", "content": DOCUMENT}
    started = ask(scene, "signatures", preOperationContext=context)
    answer(scene, started["operationId"], DOCUMENT)
    ended = end(scene, "signatures", started["operationId"])
    claims = scene.bank.verify_consent(ended["result"]["signature"], ended["evidence"], "Consent", DOCUMENT)
    expect(claims["txn"], started["operationId"], "the consent's operation")
    expect(claims["sub"], _user_id(scene), "the consent's person")
    scene.notes.append(f"signed with {' + '.join(claims['amr'])}, key {claims['device']['jkt'][:12]}…")


def receive_callbacks(scene: Scene):
    """Each result has arrived as a signed callback that equals the status answer"""
    for operation_id, status in scene.ended.items():
        kind = f"{status['type']}.completed"
        if not scene.wait(CALLBACK_SECONDS, lambda k=kind, o=operation_id: bool(scene.receiver.find(k, o))):
            refused = f" Refused: {scene.receiver.refused[-1]}" if scene.receiver.refused else ""
            raise Failed(f"No callback {kind} about {operation_id} within {CALLBACK_SECONDS} s.{refused}")
        expect(scene.receiver.find(kind, operation_id).data, status, "the callback's data")
    scene.notes.append(f"{len(scene.ended)} callbacks, signatures verified with the standardwebhooks library")


STEPS = (
    open_account,
    register_receiver,
    know_customer,
    register_phone,
    log_in,
    approve_payment,
    sign_consent,
    receive_callbacks,
)


def play(account: Account, receiver: Receiver, wait, say: Callable[[float, str, str], None]) -> Scene:
    """All steps in order; ``say(seconds, sentence, note)`` after each. The receiver's endpoint is removed after."""
    with Integrator(account) as bank, HttpTransport(account.server) as line:
        scene = Scene(bank, receiver, wait, line)
        try:
            for step in STEPS:
                begun = time.perf_counter()
                try:
                    step(scene)
                except Exception as error:
                    raise Failed(f"{step.__doc__}: {type(error).__name__}: {error}") from error
                say(time.perf_counter() - begun, step.__doc__, "; ".join(scene.notes))
                scene.notes.clear()
        finally:
            _forget_receiver(scene)
        return scene


def _user_id(scene):
    return scene.user["userId"]


def _text(title, content):
    return {"title": title, "mimeType": "text/plain", "content": content}


def _forget_receiver(scene):
    """Nobody listens there any more; after a failed step the service may not answer, and the step's error counts."""
    if scene.endpoint:
        with contextlib.suppress(Refused, httpx.HTTPError):
            scene.bank.delete(f"/mobileid/core/webhooks/{scene.endpoint['id']}")


def ask(scene, kind, **properties):
    """Start an operation for Ada's phone that needs the phone and the PIN."""
    properties = {"authLevel": "TWO_FACTOR", "authMethods": ["DEVICE_PIN"], **properties}
    body = {"userId": _user_id(scene), "deviceId": scene.phone.device_id, "operationProperties": properties}
    return scene.bank.post(f"/mobileid/core/{kind}", body)


def answer(scene, operation_id, shown, **how):
    """On the phone: the request is among the pending ones, shows what it should, and is approved with the PIN."""
    if operation_id not in {one.operation_id for one in scene.phone.pending()}:
        raise Failed("The phone does not see the request.")
    challenge = scene.phone.start_operation(operation_id)
    if shown not in challenge.text:
        raise Failed(f"The phone shows something else: {challenge.text!r}")
    expect(challenge.approve(pin=PIN, **how).state, "COMPLETED", "the answer to the phone")


def end(scene, kind, operation_id):
    """The bank asks for the outcome and keeps it."""
    status = scene.bank.result(kind, operation_id)
    expect(status["state"], "COMPLETED", "the operation's state")
    scene.ended[operation_id] = status
    return status


def expect(seen, wanted, what):
    if seen != wanted:
        raise Failed(f"{what[0].upper()}{what[1:]} is {seen!r}, not {wanted!r}.")
