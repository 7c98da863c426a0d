from mobileid.models.applications import Application, AuthMethod, Suite
from mobileid.models.devices import Device
from mobileid.models.keys import ChannelKey, KeyStatus, SigningKey, TrustAnchor
from mobileid.models.message_replay import Nonce, StoredResponse
from mobileid.models.operations import Evidence, Operation

__all__ = [
    "Application",
    "AuthMethod",
    "ChannelKey",
    "Device",
    "Evidence",
    "KeyStatus",
    "Nonce",
    "Operation",
    "SigningKey",
    "StoredResponse",
    "Suite",
    "TrustAnchor",
]
