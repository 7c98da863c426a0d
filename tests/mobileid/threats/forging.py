"""Messages that no honest phone sends: any statement, any signatures, under any names."""

import os

from mobileid.protocol import wire
from mobileid.sdk import proof


class Forger:
    """Speaks through one phone's channel with statements and signers of one's choice."""

    def __init__(self, phone, pin):
        self.phone, self.device = phone, phone.device
        self.pin = pin

    def start(self, operation) -> dict:
        """The raw start answer."""
        return self.device.start_body({"operationId": str(operation.pk)})

    def statement(self, operation, started, *, method="DEVICE_PIN", **changes) -> dict:
        """An honest approval, then changed."""
        content = started["content"]
        said = {
            "typ": started["type"],
            "applicationId": self.device.application_id,
            "operationId": str(operation.pk),
            "deviceId": self.device.device_id,
            "nonce": started["nonce"],
            "decision": "approve",
            "contentHash": wire.b64u(
                wire.content_hash(content["title"], content["mimeType"], wire.unb64u(content["data"]))
            ),
            "authMethod": method,
        }
        return {name: value for name, value in (said | changes).items() if value is not None}

    def signers(self, *factors, pin=None) -> dict:
        """The phone's own signers of these factors."""
        own = {
            "possession": lambda: self.phone.store.sign_possession,
            "knowledge": lambda: self.device.unlock(pin or self.pin).sign,
            "inherence": lambda: self.phone.store.sign_inherence,
        }
        return {factor: own[factor]() for factor in factors}

    def prove(self, statement, signers):
        """The proof of a statement, for `send`."""
        return lambda _mid, iat: proof.sign(wire.dumps(statement | {"iat": iat}), signers)

    def finish(self, operation, statement, signers) -> dict:
        """Send it as `operations/finish`."""
        return self.send("operations/finish", {"operationId": str(operation.pk)}, self.prove(statement, signers))

    def send(self, path, body, prove) -> dict:
        """Send any message."""
        return self.device.channel.send(path, body, prove)


def random_signer(data) -> bytes:
    """64 bytes that are no signature."""
    return os.urandom(64)
