"""A service in memory: the server's pure half (`mobileid.protocol`) behind the SDK's `Transport`.

It keeps what a server keeps, in dicts, and judges in the order of docs/protocol.md, section 7, so that client
and server half are tried against each other without a database. Its faults are switches: lost requests, lost
answers, forgotten keys, a wrong clock.
"""

import os
import uuid
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from mobileid.protocol import channel_keys, envelope, key_document, proofs, wire
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.errors import ConnectionFailed
from mobileid.sdk.transport import Answer

from .rows import Operation, Phone, Problem

NOW = 1_800_000_000
PIN_RULES = {"minLength": 4, "maxLength": 12, "type": "numeric"}


class Service:
    """Implements `mobileid.sdk.transport.Transport`."""

    def __init__(self, suite: int = 2, min_suite: int = 1) -> None:
        self.now = float(NOW)
        self.application_id = str(uuid.UUID(int=1))
        self.anchor = generate_private_key(SECP256R1())
        self.signing_anchor = self.anchor
        self.next_anchor: dict[str, str] | None = None
        self.min_suite = min_suite
        self.keys: dict[str, tuple[int, Any, bytes]] = {}
        self.add_key("k1", suite)
        self.codes = {"ABCD2345WXYZ"}
        self.registrations: dict[str, str] = {}
        self.phones: dict[str, Phone] = {}
        self.operations: dict[str, Operation] = {}
        self.answers: dict[bytes, tuple[bytes, bytes]] = {}
        self.nonces: dict[str, tuple[str, str]] = {}
        self.seen: list[bytes] = []
        self.offered_pin = PIN_RULES
        self.lose_requests = self.lose_answers = 0
        self.key_documents = 0
        self.confirm = False

    # --- what the tests turn ---

    @property
    def config(self) -> ApplicationConfig:
        jwk = proofs.public_jwk(self.anchor.public_key())
        return ApplicationConfig("https://id.example.com", self.application_id, jwk)

    def add_key(self, kid: str, suite: int) -> None:
        private, public = channel_keys.generate(suite)
        self.keys[kid] = (suite, channel_keys.load_private(suite, private), public)

    def add(self, **members: Any) -> str:
        identifier = str(uuid.uuid4())
        self.operations[identifier] = Operation(**members)
        return identifier

    def document(self, **changes: Any) -> str:
        members: dict[str, Any] = {
            "issuer": "https://id.example.com",
            "application_id": self.application_id,
            "issued_at": int(self.now),
            "expires_at": int(self.now) + 86400,
            "min_suite": self.min_suite,
            "keys": [
                {"kid": kid, "suite": suite, "pub": public, "nbf": NOW - 10, "exp": NOW + 10**6}
                for kid, (suite, _, public) in self.keys.items()
            ],
            "pin": PIN_RULES,
            "auth_methods": ["DEVICE_PIN", "DEVICE_BIOMETRIC"],
            "next_trust_anchor": self.next_anchor,
        }
        return key_document.sign(self.signing_anchor, **members | changes)

    # --- Transport ---

    def get(self, target: str) -> Answer:
        assert target == f"/mobileid/device/v1/keys?applicationId={self.application_id}"
        self.key_documents += 1
        return Answer(200, {"content-type": "application/jwt"}, self.document().encode())

    def post(self, path: str, body: bytes) -> Answer:
        if self.lose_requests:
            self.lose_requests -= 1
            raise ConnectionFailed
        self.seen.append(body)
        answer = self._outer(path, body)
        if self.lose_answers:
            self.lose_answers -= 1
            raise ConnectionFailed
        return answer

    def _outer(self, path: str, body: bytes) -> Answer:
        try:
            sealed = envelope.parse(body)
            if sealed.kid not in self.keys:
                return Answer(409, {}, b"{}")
            suite, private, _ = self.keys[sealed.kid]
            request = envelope.open_request(sealed, private, suite, path)
        except envelope.EnvelopeInvalid:
            return Answer(400, {}, b"{}")
        return Answer(200, {}, wire.dumps(envelope.seal_answer(request, self._once(request))))

    def _once(self, request: envelope.Request) -> bytes:
        if abs(request.iat - self.now * 1000) > wire.FRESHNESS_MS:
            problem = {"code": "clock-skew", "title": "skew", "serverTime": int(self.now * 1000)}
            return wire.dumps({"status": 400, "problem": problem})
        if request.mid in self.answers:
            digest, inner = self.answers[request.mid]
            if digest == request.plaintext_digest:
                return inner
            return wire.dumps({"status": 409, "problem": {"code": "message-conflict"}})
        try:
            inner = {"status": 200, "body": self._judge(request)}
        except Problem as error:
            inner = {"status": error.status, "problem": error.problem}
        except proofs.ProofInvalid as error:
            inner = {"status": 400, "problem": {"code": "message-invalid", "field": error.field}}
        self.answers[request.mid] = (request.plaintext_digest, wire.dumps(inner))
        return wire.dumps(inner)

    # --- messages ---

    def _judge(self, request: envelope.Request) -> dict[str, Any]:
        name = request.path.removeprefix(wire.PREFIX)
        if name == "registration/start":
            return self._registration_start(request.body)
        proof = proofs.parse(request.proof or {})
        typ = {
            "registration/finish": "registration",
            "pin/change": "pin-change",
            "biometric/enable": "biometric-enable",
            "operations/finish": str(proof.statement.get("typ")),
        }.get(name, "message")
        proofs.check_statement(proof.statement, typ, applicationId=self.application_id, iat=request.iat)
        proof.require(proofs.required_factors(proof.statement))
        if typ == "registration":
            return self._registration_finish(request, proof)
        phone = self.phones.get(proof.statement["deviceId"])
        key = phone.possession if phone else proofs.DUMMY_POSSESSION_KEY
        if not proof.verify("possession", key) or phone is None:
            raise Problem(401, "authentication-failed")
        if typ == "message":
            proofs.check_statement(proof.statement, typ, path=request.path, mid=request.mid)
        handler = getattr(self, "_" + name.replace("/", "_").replace("-", "_"))
        answer: dict[str, Any] = handler(phone, request.body, proof)
        return answer

    def _nonce(self, purpose: str, owner: str) -> str:
        nonce = wire.b64u(os.urandom(32))
        self.nonces[nonce] = (purpose, owner)
        return nonce

    def _consume(self, nonce: str, purpose: str, owner: str) -> None:
        if self.nonces.pop(nonce, None) != (purpose, owner):
            raise Problem(401, "authentication-failed")

    def _time(self, seconds: float) -> str:
        return datetime.fromtimestamp(self.now + seconds, UTC).isoformat()

    def _registration_start(self, body: dict[str, Any]) -> dict[str, Any]:
        if wire.normalise_activation_code(body["activationCode"]) not in self.codes:
            raise Problem(400, "registration-invalid")
        operation_id = str(uuid.uuid4())
        self.registrations[operation_id] = body["activationCode"]
        return {
            "operationId": operation_id,
            "nonce": self._nonce("registration", operation_id),
            "account": {"name": "Bank"},
            "userHint": "J. D.",
            "pin": self.offered_pin,
            "authMethods": ["DEVICE_PIN", "DEVICE_BIOMETRIC"],
            "expiresAt": self._time(600),
        }

    def _registration_finish(self, request: envelope.Request, proof: proofs.Proof) -> dict[str, Any]:
        statement, body = proof.statement, request.body
        operation_id = statement["operationId"]
        for device_id, phone in self.phones.items():
            found, nonce, payload = phone.registration
            same = (operation_id, statement["nonce"]) == (found, nonce)
            if same and proof.verify("possession", phone.possession):
                knowledge = self._committed(body["knowledge"], statement["knowledge"])
                if knowledge != phone.knowledge[1]:
                    raise Problem(400, "registration-invalid")
                return self._registered(device_id, payload)
        if operation_id != body["operationId"] or self.registrations.get(operation_id) not in self.codes:
            raise Problem(400, "registration-invalid")
        possession = proofs.public_key_from_jwk(statement["possession"])
        good = proof.verify("possession", possession)
        inherence = statement["inherence"] and proofs.public_key_from_jwk(statement["inherence"])
        good &= not inherence or proof.verify("inherence", inherence)
        knowledge = self._committed(body["knowledge"], statement["knowledge"])
        good &= knowledge is None or proof.verify("knowledge", knowledge)
        if not good:
            raise Problem(401, "authentication-failed")
        self._consume(statement["nonce"], "registration", operation_id)
        self.codes.discard(self.registrations.pop(operation_id))
        device_id = str(uuid.uuid4())
        registration = (operation_id, statement["nonce"], proof.payload)
        keys = [inherence] if inherence else []
        self.phones[device_id] = Phone(possession, keys, {1: knowledge}, body["name"], registration)
        return self._registered(device_id, proof.payload)

    def _registered(self, device_id: str, payload: bytes) -> dict[str, Any]:
        return {
            "deviceId": device_id,
            "state": "PENDING" if self.confirm else "ACTIVE",
            "confirmationCode": wire.confirmation_code(payload, device_id),
        }

    def _committed(self, sent: dict[str, str] | None, commitment: str | None) -> Any:
        if sent is None:
            return None
        public = wire.unb64u(sent["publicKey"])
        if wire.b64u(wire.commitment(public, wire.unb64u(sent["r"]))) != commitment:
            raise Problem(400, "message-invalid", field="knowledge")
        return proofs.knowledge_public_key(public)

    def _operations_pending(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        return {
            "operations": [
                {
                    "operationId": identifier,
                    "type": one.type,
                    "title": one.title,
                    "createdAt": self._time(0),
                    "expiresAt": self._time(180),
                }
                for identifier, one in self.operations.items()
                if one.state == "PENDING"
            ]
        }

    def _find(self, body: dict[str, Any]) -> str:
        for identifier, one in self.operations.items():
            if identifier == body.get("operationId"):
                return identifier
            if one.claim is not None and one.claim == body.get("claim"):
                if one.qr_secret is not None:
                    t, m = body["t"], wire.unb64u(body["m"])
                    if not self.now - 3 <= t <= self.now + 1 or m != wire.qr_mac(one.qr_secret, one.claim, t):
                        continue
                return identifier
        raise Problem(404, "operation-unknown")

    def _operations_start(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        identifier = self._find(body)
        one = self.operations[identifier]
        if one.state != "PENDING":
            raise Problem(409, "operation-closed", state=one.state)
        answer = {
            "operationId": identifier,
            "type": one.type,
            "nonce": self._nonce("operation", identifier),
            "content": {"title": one.title, "mimeType": one.mime_type, "data": wire.b64u(one.data)},
            "authMethods": list(one.methods),
            "binding": one.binding,
            "expiresAt": self._time(180),
        }
        if one.number:
            answer["numberLength"] = len(one.number)
        if one.return_url:
            answer["returnUrl"] = one.return_url
        return answer

    def _operations_finish(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        statement = proof.statement
        one = self.operations[self._find({"operationId": body["operationId"]})]
        proofs.check_statement(statement, one.type, operationId=body["operationId"])
        if one.state != "PENDING":
            raise Problem(409, "operation-closed", state=one.state)
        if statement["contentHash"] != wire.b64u(wire.content_hash(one.title, one.mime_type, one.data)):
            raise Problem(400, "message-invalid", field="contentHash")
        self._consume(statement["nonce"], "operation", body["operationId"])
        if statement["decision"] == "reject":
            one.state, one.statement = "REJECTED", statement
            return {"state": one.state}
        if statement["authMethod"] not in one.methods:
            raise Problem(422, "method-not-allowed")
        if one.number and statement.get("number") != one.number:
            one.state = "FAILED"
            return {"state": one.state}
        self._factor(phone, proof, statement["authMethod"])
        one.state, one.statement, one.evidence = "COMPLETED", statement, proof.compact("possession")
        return {"state": one.state, "postOperationContext": {"said": "thanks"}}

    def _factor(self, phone: Phone, proof: proofs.Proof, method: str) -> None:
        if phone.failures >= 5:
            raise Problem(403, "device-unusable", state="LOCKED", lockedUntil=self._time(300))
        if method == "DEVICE":
            return
        phone.failures += 1
        if method == "DEVICE_BIOMETRIC":
            if self.now > phone.biometry_handed_over_by:
                phone.inherence = phone.inherence[-1:]
            for key in reversed(phone.inherence):
                if proof.verify("inherence", key):
                    phone.failures -= 1
                    phone.inherence = phone.inherence[phone.inherence.index(key) :]
                    return
            raise Problem(401, "authentication-failed")
        if self.now > phone.handed_over_by:
            phone.knowledge = {
                version: key for version, key in phone.knowledge.items() if version == max(phone.knowledge)
            }
        for version in sorted(phone.knowledge, reverse=True):
            if proof.verify("knowledge", phone.knowledge[version]):
                phone.failures = 0
                phone.knowledge = {v: key for v, key in phone.knowledge.items() if v >= version}
                return
        raise Problem(401, "authentication-failed")

    def _challenge(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        nonce = self._nonce(body["purpose"], proof.statement["deviceId"])
        return {"nonce": nonce, "keyVersion": max(phone.knowledge), "expiresAt": self._time(120)}

    def _pin_change(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        statement = proof.statement
        self._consume(statement["nonce"], "pin-change", statement["deviceId"])
        self._factor(phone, proof, "DEVICE_PIN")
        version = max(phone.knowledge) + 1
        if statement["keyVersion"] != version:
            raise Problem(400, "message-invalid", field="keyVersion")
        phone.knowledge[version] = self._committed(body["knowledge"], statement["knowledge"])
        phone.handed_over_by = self.now + 600
        return {"keyVersion": version}

    def _biometric_enable(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        statement = proof.statement
        self._consume(statement["nonce"], "biometric-enable", statement["deviceId"])
        inherence = proofs.public_key_from_jwk(statement["inherence"])
        if not proof.verify("inherence", inherence):
            raise Problem(401, "authentication-failed")
        self._factor(phone, proof, "DEVICE_PIN")
        phone.inherence = [*phone.inherence[-1:], inherence]
        phone.biometry_handed_over_by = self.now + 600
        return {"authMethods": self._methods(phone)}

    def _methods(self, phone: Phone) -> list[str]:
        return ["DEVICE", "DEVICE_PIN"] + (["DEVICE_BIOMETRIC"] if phone.inherence else [])

    def _thumbprint(self, phone: Phone) -> str:
        return proofs.thumbprint(proofs.public_jwk(phone.inherence[-1]))

    def _biometric_disable(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        phone.inherence = []
        return {"authMethods": self._methods(phone)}

    def _rename(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        phone.name = body["name"]
        return {}

    def _push_token(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        phone.pushed = body
        return {}

    def _deactivate(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        phone.state = "DEACTIVATED"
        return {}

    def _status(self, phone: Phone, body: dict[str, Any], proof: proofs.Proof) -> dict[str, Any]:
        locked = phone.failures >= 5
        return {
            "state": "LOCKED" if locked else phone.state,
            **({"lockedUntil": self._time(300)} if locked else {}),
            **({"inherenceThumbprint": self._thumbprint(phone)} if phone.inherence else {}),
            "attemptsLeft": 5 - phone.failures,
            "keyVersion": max(phone.knowledge),
            "authMethods": self._methods(phone),
            "name": phone.name,
        }
