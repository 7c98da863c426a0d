"""An integrator's back end in a few lines: OAuth 2.0 client credentials and JSON over HTTP."""

import hashlib
import json
from dataclasses import dataclass

import httpx
import jwt

from mobileid.protocol import wire

LONG_POLL_SECONDS = 10


class Refused(Exception):
    """The API said no: ``status`` and the problem details (RFC 9457)."""

    def __init__(self, response: httpx.Response):
        self.status = response.status_code
        try:
            self.problem = response.json()
        except ValueError:
            self.problem = {"title": response.text[:200]}
        request = response.request
        super().__init__(f"{request.method} {request.url} answered {self.status}: {self.problem}")


@dataclass(frozen=True)
class Account:
    """What ``manage.py create_account --json`` prints: the client's credentials and what the app is built with."""

    server: str
    client_id: str
    client_secret: str
    application: dict

    @classmethod
    def from_dict(cls, made: dict):
        application = made["application"]
        return cls(application["server"], made["clientId"], made["clientSecret"], application)


class Integrator:
    """Calls the REST API of one account. Raises Refused for every answer that is not 2xx."""

    def __init__(self, account: Account):
        self.account = account
        self.http = httpx.Client(base_url=account.server, timeout=LONG_POLL_SECONDS + 15)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def sign_in(self):
        """Get an access token and use it from now on."""
        response = self.http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.account.client_id, self.account.client_secret),
        )
        self.http.headers["Authorization"] = f"Bearer {_answer(response)['access_token']}"

    def get(self, path: str, **query) -> dict:
        """The parsed JSON of a GET; raises Refused."""
        return _answer(self.http.get(path, params=query))

    def post(self, path: str, body: dict | None = None, **headers) -> dict:
        """POST JSON and parse the answer."""
        return _answer(self.http.post(path, json=body or {}, headers=headers))

    def delete(self, path: str):
        """DELETE; raises Refused."""
        _answer(self.http.delete(path))

    def result(self, kind: str, operation_id: str) -> dict:
        """The operation once it is over, by long poll; kind is ``registrations`` and the like."""
        return self.get(f"/mobileid/core/{kind}/{operation_id}", wait=LONG_POLL_SECONDS)

    def verify_consent(self, token: str, evidence: dict, title: str, document: str) -> dict:
        """Check a signed consent as anybody can with a JOSE library, and return its claims.

        The service's signature by the JWKS, the phone's by its key, both over this very document. Raises jwt's errors
        and ValueError.
        """
        key = jwt.PyJWKClient(f"{self.account.server}/.well-known/jwks.json").get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token,
            key,
            algorithms=["ES256"],
            audience=self.account.client_id,
            issuer=self.account.server,
            options={"require": ["iss", "aud", "sub", "iat", "jti", "txn"]},
        )
        statement = verify_proof(claims["proof"], evidence["deviceJwk"])
        hashed = wire.content_hash(title, claims["content"]["mimeType"], document.encode())
        if claims["device"]["jkt"] != evidence["deviceThumbprint"] or statement["contentHash"] != wire.b64u(hashed):
            raise ValueError("The phone signed another document, or another phone signed it.")
        if claims["content"]["sha256"] != wire.b64u(hashlib.sha256(document.encode()).digest()):
            raise ValueError("The service signed another document.")
        return claims


def verify_proof(proof: str, device_jwk: dict) -> dict:
    """The statement in a phone's compact JWS, once its signature verifies with the phone's key."""
    key = jwt.PyJWK(device_jwk, algorithm="ES256").key
    return json.loads(jwt.PyJWS().decode(proof, key, algorithms=["ES256"]))


def _answer(response):
    if not response.is_success:
        raise Refused(response)
    return response.json() if response.content else {}
