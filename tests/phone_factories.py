"""Phones for tests: the real SDK, talking to the real door through Django's test client."""

import hashlib
from dataclasses import dataclass, field

from django.test import Client

from mobileid.models import Device as DeviceRow
from mobileid.sdk import pin as pins
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.device import Device
from mobileid.sdk.errors import AuthenticationFailed, ConnectionFailed  # noqa: F401
from mobileid.sdk.keystore import MemoryStore
from mobileid.sdk.transport import Answer
from mobileid.services import applications, operations
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM, Actor

SERVER = "http://127.0.0.1:8000"
PIN = "493817"


def make_application(account, name="Bank app", **policy):
    """An application with its account's keys."""
    return applications.create_application(account, name=name, server=SERVER, actor=SYSTEM, **policy)


def config_of(application) -> ApplicationConfig:
    """What the app is built with."""
    found = applications.configuration(application)
    return ApplicationConfig(found["server"], found["applicationId"], found["trustAnchor"])


def make_cheap_stretch():
    """SHA-256 for Argon2id: the shape of a stretch without its cost."""
    return {**pins.STRETCHES, pins.ARGON2ID: lambda secret, salt: hashlib.sha256(salt + secret).digest()}


@dataclass
class Line:
    """The SDK's transport over Django's test client. Keeps every answer; `lose` says which answers get lost."""

    lose: object = None
    answers: list = field(default_factory=list)
    sent: list = field(default_factory=list)

    def get(self, target):
        """Fetch the key document."""
        return self._told(Client().get(target))

    def post(self, path, body):
        """Send one message; its answer may get lost after the service has acted."""
        self.sent.append((path, body))
        told = self._told(Client(raise_request_exception=False).post(path, body, content_type="application/json"))
        if self.lose and self.lose():
            raise ConnectionFailed
        return told

    def _told(self, response):
        answer = Answer(response.status_code, {k.lower(): v for k, v in response.items()}, response.content)
        self.answers.append(answer)
        return answer


class Phone:
    """A phone with the app: `device` is the SDK's, `row` the service's, `store` its secure hardware."""

    def __init__(self, device, store, line, registered):
        self.device, self.store, self.line, self.registered = device, store, line, registered

    @property
    def row(self) -> DeviceRow:
        """The service's row, as it is now."""
        return DeviceRow.objects.get(pk=self.device.device_id)

    def call(self, name, body=None):
        """A plain message, raw."""
        return self.device._say(name, body or {})

    def reload(self):
        """The app was closed and opened again."""
        self.device = Device.load(self.store, transport=self.line, sleep=lambda _seconds: None)
        return self


def offer(application, code, *, store=None, line=None, clock=None):
    """The first half of a registration."""
    extra = {"clock": clock} if clock else {}
    return Device.start_registration(
        config_of(application),
        code,
        store or MemoryStore(gate=lambda: True),
        transport=line or Line(),
        sleep=lambda _seconds: None,
        **extra,
    )


def start_registration(user, application, **terms):
    """The operation and its activation code."""
    operation, shown = by_integrator.start_registration(
        user.account, user=user, application=application, actor=SYSTEM, **terms
    )
    return operation, shown["activationCode"]


def make_phone(user, application, *, pin=PIN, name="Ada's phone", biometric=False, line=None, gate=None, **terms):
    """A registered phone of a person."""
    _operation, code = start_registration(user, application, **terms)
    store, line = MemoryStore(gate=gate or (lambda: True)), line or Line()
    found = offer(application, code, store=store, line=line)
    registered = found.finish(pin=pin, name=name, biometric=biometric)
    return Phone(registered.device, store, line, registered)


def _actor(client):
    return Actor.client(client) if client else SYSTEM


def ask(user, *, client=None, title="Sign in", content="Sign in to Nordbank?", **terms):
    """A started authentication and what only its start answer shows."""
    if "transaction" not in terms:
        terms.setdefault("content", {"title": title, "mimeType": "text/plain", "content": content})
    return operations.start_authentication(
        terms.pop("account", None) or user.account, user=user, actor=_actor(client), **terms
    )


def ask_to_sign(user, *, client=None, data="I consent to everything.", **terms):
    """A started signature."""
    content = {"title": "Consent", "mimeType": "text/plain", "content": data}
    return operations.start_signature(user.account, user=user, actor=_actor(client), content=content, **terms)


def link(shown) -> str:
    """The QR frame or app link of a start answer."""
    return shown.get("qrUri") or shown["appLink"]
