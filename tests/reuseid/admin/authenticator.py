"""A passkey in software, for tests: it answers as a browser does, or wrongly on purpose."""

import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from reuseid.models import Passkey

FLAG = AuthenticatorData.FLAG
ORIGIN = "http://localhost"


class Authenticator:
    """One key pair. ``counts`` is False for those that count no signatures."""

    def __init__(self, *, counts=True):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = os.urandom(32)
        self.counts = counts
        self.counter = 0

    @property
    def credential(self):
        public = ES256.from_cryptography_key(self.key.public_key())
        return AttestedCredentialData.create(Aaguid.NONE, self.credential_id, public)

    def create(self, options, *, origin=ORIGIN, flags=FLAG.UP | FLAG.UV, transports=("internal",), **wrong):
        """The answer to ``navigator.credentials.create``, as JSON."""
        asked = options["publicKey"]
        client = self._client(CollectedClientData.TYPE.CREATE, asked, origin, wrong)
        data = AuthenticatorData.create(
            sha256(wrong.get("rp", asked["rp"]["id"]).encode()), flags | FLAG.AT, self.counter, self.credential
        )
        answer = RegistrationResponse(
            raw_id=self.credential_id,
            response=AuthenticatorAttestationResponse(
                client_data=client, attestation_object=AttestationObject.create("none", data, {})
            ),
        )
        answer = dict(answer)
        return json.dumps({**answer, "response": {**answer["response"], "transports": list(transports)}})

    def get(self, options, *, origin=ORIGIN, flags=FLAG.UP | FLAG.UV, handle=None, **wrong):
        """The answer to ``navigator.credentials.get``, as JSON."""
        asked = options["publicKey"]
        client = self._client(CollectedClientData.TYPE.GET, asked, origin, wrong)
        self.counter += self.counts
        data = AuthenticatorData.create(sha256(wrong.get("rp", asked["rpId"]).encode()), flags, self.counter)
        signed = self.key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        answer = AuthenticationResponse(
            raw_id=wrong.get("raw_id", self.credential_id),
            response=AuthenticatorAssertionResponse(
                client_data=client,
                authenticator_data=data,
                signature=wrong.get("signature", signed),
                user_handle=handle,
            ),
        )
        return json.dumps(dict(answer))

    def _client(self, kind, asked, origin, wrong):
        challenge = websafe_decode(wrong.get("challenge", asked["challenge"]))
        kind = wrong.get("kind", kind)
        return CollectedClientData.create(kind, challenge, origin, cross_origin=wrong.get("framed", False))


def make_passkey(staff, *, host="localhost", counts=True, name="Laptop"):
    """A passkey of a colleague, set up some time ago: the row, with its `authenticator`."""
    authenticator = Authenticator(counts=counts)
    passkey = Passkey.objects.create(
        user=staff,
        name=name,
        credential_id=authenticator.credential_id,
        credential=bytes(authenticator.credential),
        host=host,
        transports=["internal"],
    )
    passkey.authenticator = authenticator
    return passkey
