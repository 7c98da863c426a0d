"""The two JWTs of the pure half: the key document and the consent."""

import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwcrypto import jwk as jose_jwk
from jwcrypto import jwt as jose_jwt
from jwt.api_jws import PyJWS

from mobileid.protocol import channel_keys, consent, key_document, proofs, wire
from mobileid.sdk import keydocument

APP = "00000000-0000-0000-0000-000000000001"
KEY = generate_private_key(SECP256R1())
PUBLIC = {suite: channel_keys.generate(suite)[1] for suite in (1, 2)}
NOW = 1_800_000_000


def document(**changes):
    members = {
        "issuer": "https://id.example.com",
        "application_id": APP,
        "issued_at": NOW,
        "expires_at": NOW + 86400,
        "min_suite": 1,
        "keys": [
            {"kid": f"k{suite}", "suite": suite, "pub": public, "nbf": NOW - 1, "exp": NOW + 172800}
            for suite, public in PUBLIC.items()
        ],
        "pin": {"minLength": 6, "maxLength": 12, "type": "numeric"},
        "auth_methods": ["DEVICE_PIN"],
        "next_trust_anchor": None,
    }
    return key_document.sign(KEY, **members | changes)


def test_a_document_is_read_by_the_phone_as_it_was_meant():
    read = keydocument.verify(document(), proofs.public_jwk(KEY.public_key()), APP)
    assert (read.issued_at, read.expires_at, read.min_suite) == (NOW, NOW + 86400, 1)
    assert [key.kid for key in read.keys] == ["k1", "k2"]
    assert read.best_key(NOW).suite == 2
    assert (read.pin.min_length, read.auth_methods) == (6, ("DEVICE_PIN",))


def test_a_pem_key_datetimes_and_encoded_public_keys_give_the_same_claims():
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    keys = [
        {
            "kid": "k2",
            "suite": 2,
            "pub": wire.b64u(PUBLIC[2]),
            "nbf": datetime.fromtimestamp(NOW, UTC),
            "exp": NOW + 9,
        }
    ]
    for key in (pem, pem.decode()):
        token = key_document.sign(
            key,
            issuer="i",
            application_id=APP,
            issued_at=datetime.fromtimestamp(NOW, UTC),
            expires_at=NOW + 9,
            min_suite=2,
            keys=keys,
            pin={"minLength": 6, "maxLength": 12, "type": "numeric"},
            auth_methods=[],
            next_trust_anchor=proofs.public_jwk(KEY.public_key()),
        )
        read = keydocument.verify(token, proofs.public_jwk(KEY.public_key()), APP)
        assert (read.issued_at, read.keys[0].not_before) == (NOW, NOW)
        assert read.next_trust_anchor == proofs.public_jwk(KEY.public_key())


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": NOW},
        {"expires_at": NOW + 86401},
        {"keys": []},
        {"min_suite": 2, "keys": [{"kid": "k", "suite": 1, "pub": PUBLIC[1], "nbf": 0, "exp": 1}]},
        {"keys": [{"kid": "k", "suite": 2, "pub": PUBLIC[1], "nbf": 0, "exp": 1}]},
        {"keys": [{"kid": "k k", "suite": 1, "pub": PUBLIC[1], "nbf": 0, "exp": 1}]},
        {"issued_at": datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None)},
    ],
)
def test_a_document_that_no_phone_would_accept_is_not_signed(changes):
    with pytest.raises(ValueError, match=r"."):
        document(**changes)


def phones_proof(factor="possession"):
    headers = {"typ": proofs.TYP, "factor": factor}
    return PyJWS().encode(b"{}", KEY, algorithm="ES256", headers=headers)


def claims(**changes):
    members = {
        "issuer": "https://id.example.com",
        "audience": "shop",
        "subject": "user-1",
        "jti": "jti-1",
        "issued_at": datetime.fromtimestamp(NOW, UTC),
        "operation_id": "op-1",
        "auth_method": "DEVICE_PIN",
        "acr": "substantial",
        "title": "Terms",
        "mime_type": "text/plain",
        "data": b"I agree",
        "device_id": "dev-1",
        "device_thumbprint": proofs.thumbprint(proofs.public_jwk(KEY.public_key())),
        "proof": phones_proof(),
    }
    return consent.consent_claims(**members | changes)


def test_a_consent_verifies_with_another_jose_library_and_so_does_the_proof_inside():
    token = consent.consent_jwt(KEY, "sig-1", claims())
    public = jose_jwk.JWK.from_pyca(KEY.public_key())
    read = jose_jwt.JWT(jwt=token, key=public, algs=["ES256"])
    header = wire.loads_strict(read.header.encode())
    assert header == {"alg": "ES256", "typ": "mobileid-consent+jwt", "kid": "sig-1"}
    found = wire.loads_strict(read.claims.encode())
    assert found["amr"] == ["hwk", "pin"]
    assert found["content"] == {
        "title": "Terms",
        "mimeType": "text/plain",
        "sha256": wire.b64u(hashlib.sha256(b"I agree").digest()),
        "data": wire.b64u(b"I agree"),
    }
    assert found["device"]["jkt"] == public.thumbprint()
    PyJWS().decode(found["proof"], KEY.public_key(), algorithms=["ES256"])


def test_large_content_travels_as_its_hash_alone():
    assert "data" in claims(data=b"x" * consent.CONTENT_LIMIT)["content"]
    assert "data" not in claims(data=b"x" * (consent.CONTENT_LIMIT + 1))["content"]


@pytest.mark.parametrize(
    ("method", "amr"),
    [("DEVICE", ["hwk"]), ("DEVICE_PIN", ["hwk", "pin"]), ("DEVICE_BIOMETRIC", ["hwk", "user"])],
)
def test_the_methods_are_named_as_rfc_8176_has_them(method, amr):
    assert claims(auth_method=method)["amr"] == amr


def test_a_knowledge_signature_never_gets_into_a_consent():
    with pytest.raises(ValueError, match="knowledge"):
        claims(proof=phones_proof("knowledge"))
