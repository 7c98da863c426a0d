"""Writes docs/protocol-vectors.json: `python -m tests.mobileid.protocol.make_vectors`.

All inputs are fixed and all signatures deterministic (RFC 6979, RFC 8032), so writing it again changes nothing, but
for the envelope of suite 2: encapsulating to ML-KEM draws its own randomness. The one in the file is kept.
"""

import hashlib
import hmac
import json
import unicodedata
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from mobileid.protocol import consent, content, key_document, proofs, wire
from mobileid.sdk import pin, proof

from . import sealing

FILE = Path(__file__).resolve().parents[3] / "docs" / "protocol-vectors.json"
APP, OPERATION, DEVICE = (f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2, 3))
IAT = 1_800_000_000_000
PATH = "/mobileid/device/v1/operations/finish"


def fixed(name, length=32):
    """Bytes that everyone can make again."""
    return hashlib.shake_256(b"mobileid/1 vector " + name.encode()).digest(length)


def p256(name):
    return derive_private_key(int.from_bytes(fixed(name), "big"), SECP256R1())


SD, R, RK, NONCE = fixed("sd"), fixed("r"), fixed("rk"), fixed("nonce")
POSSESSION, TRUST_ANCHOR, SIGNING = p256("possession"), p256("trust anchor"), p256("signing")


def sign_p256(data, key=POSSESSION):
    r, s = decode_dss_signature(key.sign(data, ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def resigned(token, key):
    """A compact JWS with the same bytes signed, but deterministically."""
    signed = token.rpartition(".")[0]
    return f"{signed}.{wire.b64u(sign_p256(signed.encode(), key))}"


def notation():
    return {
        "lp": [
            {"items": ["ab", "c"], "hex": wire.lp("ab", "c").hex()},
            {"items": ["", "ä"], "hex": wire.lp("", "ä").hex()},
        ],
        "b64u": [{"hex": "", "text": ""}, {"hex": "fbff", "text": wire.b64u(b"\xfb\xff")}],
        "activationCode": {"typed": "oI23 abcd-wxyz", "normal": wire.normalise_activation_code("oI23 abcd-wxyz")},
    }


def knowledge(typed="2580", version=1, name=pin.ARGON2ID):
    salt = fixed(f"salt {version}", 16)
    key = pin.knowledge_key(
        typed,
        hmac=lambda data: hmac.digest(SD, data, "sha256"),
        application_id=APP,
        registration_id=OPERATION,
        version=version,
        salt=salt,
        stretch_name=name,
    )
    stretched = pin.stretch(name, typed, salt)
    named = wire.lp("mobileid/1 pin", APP, OPERATION, str(version), salt, stretched)
    public = key.public_key().public_bytes_raw()
    return {
        "pin": typed,
        "nfc": unicodedata.normalize("NFC", typed).encode().hex(),
        "sd": wire.b64u(SD),
        "applicationId": APP,
        "registrationOperationId": OPERATION,
        "keyVersion": version,
        "salt": wire.b64u(salt),
        "stretch": name,
        "stretched": wire.b64u(stretched),
        "u": wire.b64u(hmac.digest(SD, named, "sha256")),
        "seed": wire.b64u(key.private_bytes_raw()),
        "publicKey": wire.b64u(public),
        "r": wire.b64u(R),
        "commitment": wire.b64u(wire.commitment(public, R)),
    }


def statement_of(**members):
    return wire.dumps(members)


def proofs_and_codes(key):
    jwk = proofs.public_jwk(POSSESSION.public_key())
    signer = Ed25519PrivateKey.from_private_bytes(wire.unb64u(key["seed"]))
    transaction = {
        "amount": "249",
        "currency": "EUR",
        "creditorName": "Nordic Bicycles",
        "creditorAccount": "nl91abna0417164300",
        "reference": "Order 47",
    }
    title, mime_type, data = content.render_transaction(transaction)
    shown = wire.b64u(wire.content_hash(title, mime_type, data))
    registration = statement_of(
        typ="registration",
        applicationId=APP,
        operationId=OPERATION,
        nonce=wire.b64u(NONCE),
        possession=jwk,
        inherence=None,
        knowledge=key["commitment"],
        iat=IAT,
    )
    approval = statement_of(
        typ="authentication",
        applicationId=APP,
        operationId=OPERATION,
        deviceId=DEVICE,
        nonce=wire.b64u(NONCE),
        decision="approve",
        contentHash=shown,
        authMethod="DEVICE_PIN",
        number="47",
        iat=IAT,
    )
    signers = {"possession": sign_p256, "knowledge": signer.sign}
    return {
        "contentHash": [
            {"title": title, "mimeType": mime_type, "data": data.decode(), "transaction": transaction, "hash": shown},
            {"title": "", "mimeType": "text/plain", "data": "", "hash": hash_of("", "text/plain", b"")},
        ],
        "possession": {"d": wire.b64u(fixed("possession")), "jwk": jwk, "thumbprint": proofs.thumbprint(jwk)},
        "proofs": [
            {
                "statement": text.decode(),
                "proof": proof.sign(text, signers),
                "possessionCompact": proofs.parse(proof.sign(text, signers)).compact("possession"),
            }
            for text in (registration, approval)
        ],
        "confirmationCode": {
            "statement": registration.decode(),
            "deviceId": DEVICE,
            "code": wire.confirmation_code(registration, DEVICE),
        },
        "finishedAgain": finished_again(key, registration),
        "inherence": inherence(),
    }


def finished_again(key, first):
    """The same keys, five minutes later and with another `r`; the answer has the code of the first statement."""
    other = wire.commitment(wire.unb64u(key["publicKey"]), fixed("other r"))
    again = wire.dumps(wire.loads_strict(first) | {"knowledge": wire.b64u(other), "iat": IAT + 300_000})
    code = wire.confirmation_code(first, DEVICE)
    return {
        "statements": [first.decode(), again.decode()],
        "answer": {"deviceId": DEVICE, "state": "ACTIVE", "confirmationCode": code},
        "codeOfTheSecond": wire.confirmation_code(again, DEVICE),
    }


def inherence():
    """The key, and what `status` and `biometric/enable` name it by."""
    jwk = proofs.public_jwk(p256("inherence").public_key())
    return {"d": wire.b64u(fixed("inherence")), "jwk": jwk, "inherenceThumbprint": proofs.thumbprint(jwk)}


def hash_of(title, mime_type, data):
    return wire.b64u(wire.content_hash(title, mime_type, data))


def signed_key_document():
    """Of two suites; the newest key is not current yet."""
    day, iat = 86_400, IAT // 1000
    keys = [(1, "key-1", iat - day), (2, "key-2", iat - day), (2, "key-3", iat + 3600)]
    token = key_document.sign(
        TRUST_ANCHOR,
        issuer="https://id.example.com",
        application_id=APP,
        issued_at=iat,
        expires_at=iat + day,
        min_suite=1,
        keys=[
            {"kid": kid, "suite": suite, "pub": recipient(suite)[1], "nbf": nbf, "exp": nbf + 2 * day}
            for suite, kid, nbf in keys
        ],
        pin={"minLength": 4, "maxLength": 12, "type": "numeric"},
        auth_methods=["DEVICE", "DEVICE_PIN"],
        next_trust_anchor=proofs.public_jwk(p256("next trust anchor").public_key()),
    )
    return {
        "trustAnchor": proofs.public_jwk(TRUST_ANCHOR.public_key()),
        "applicationId": APP,
        "jwt": resigned(token, TRUST_ANCHOR),
        "chosen": [
            {"now": now, "highestSuite": suite, "kid": kid}
            for now, suite, kid in (
                (iat + 60, 2, "key-2"),
                (iat + 60, 1, "key-1"),
                (iat - 2 * day, 2, "key-2"),
                (iat + 3600, 2, "key-3"),
                (iat + day, 2, None),
            )
        ],
    }


def signed_consent():
    """The JWT of a signature operation, the content that it is about, and the keys that it is verified with."""
    title, mime_type, data = "Consent", "text/markdown", "# Consent\n\nI agree. – Käthe\n".encode()
    jwk = proofs.public_jwk(POSSESSION.public_key())
    statement = statement_of(
        typ="signature",
        applicationId=APP,
        operationId=OPERATION,
        deviceId=DEVICE,
        nonce=wire.b64u(NONCE),
        decision="approve",
        contentHash=hash_of(title, mime_type, data),
        authMethod="DEVICE_PIN",
        iat=IAT,
    )
    phones = proofs.parse(proof.sign(statement, {"possession": sign_p256})).compact("possession")
    claims = consent.consent_claims(
        issuer="https://id.example.com",
        audience="shop",
        subject="40000000-0000-4000-8000-000000000000",
        jti="50000000-0000-4000-8000-000000000000",
        issued_at=IAT // 1000,
        operation_id=OPERATION,
        auth_method="DEVICE_PIN",
        acr="TWO_FACTOR",
        title=title,
        mime_type=mime_type,
        data=data,
        device_id=DEVICE,
        device_thumbprint=proofs.thumbprint(jwk),
        proof=phones,
    )
    signing = {"kid": "signing-1", "alg": "ES256", "use": "sig", **proofs.public_jwk(SIGNING.public_key())}
    return {
        "jwks": {"keys": [signing]},
        "issuer": claims["iss"],
        "audience": claims["aud"],
        "deviceJwk": jwk,
        "content": {"title": title, "mimeType": mime_type, "data": data.decode()},
        "jwt": resigned(consent.consent_jwt(SIGNING, "signing-1", claims), SIGNING),
    }


def qr():
    secret, claim, t = fixed("qr"), wire.b64u(fixed("claim", 16)), IAT // 1000
    m = wire.b64u(wire.qr_mac(secret, claim, t))
    uri = f"https://id.example.com/mobileid/app#operation?claim={claim}&t={t}&m={m}"
    return {"secret": wire.b64u(secret), "claim": claim, "t": t, "m": m, "uri": uri}


def recipient(suite):
    """(private, public) channel key; suite 2's is what X-Wing's draft expands the seed `fixed("x-wing")` to."""
    private = fixed("x25519") if suite == 1 else hashlib.shake_256(fixed("x-wing")).digest(96)
    public = X25519PrivateKey.from_private_bytes(private[-32:]).public_key().public_bytes_raw()
    if suite == 1:
        return private, public
    return private, MLKEM768PrivateKey.from_seed_bytes(private[:64]).public_key().public_bytes_raw() + public


def envelope_of(suite, message, kept):
    """Both ways; `kept` is the file's own envelope, kept where sealing anew would be another one."""
    private, public = recipient(suite)
    mid, n, kid = fixed("mid", 16), fixed("n", 16), f"key-{suite}"
    info = wire.request_info(suite, kid, APP, PATH)
    inner = {"mid": wire.b64u(mid), "iat": IAT, "rk": wire.b64u(RK), "body": {"operationId": OPERATION}}
    plaintext = wire.pad(wire.dumps(inner | {"proof": message}))
    enc, ct = sealing.seal(suite, public, info, plaintext, share=fixed("share"))
    same = {"publicKey": wire.b64u(public), "info": wire.b64u(info), "plaintext": wire.b64u(plaintext)}
    if kept and same.items() <= kept.items():
        enc, ct = (wire.unb64u(kept["request"][name]) for name in ("enc", "ct"))
    key, nonce = wire.answer_cipher(RK, enc, n, info)
    answer = wire.pad(wire.dumps({"status": 200, "body": {"state": "COMPLETED"}}))
    sealed = AESGCM(key).encrypt(nonce, answer, wire.answer_aad(mid))
    return {
        "suite": suite,
        "path": PATH,
        **({"seed": wire.b64u(fixed("x-wing"))} if suite == 2 else {}),
        "privateKey": wire.b64u(private),
        **same,
        "plaintextDigest": hashlib.sha256(plaintext).hexdigest(),
        "request": {"v": 1, "app": APP, "kid": kid, "enc": wire.b64u(enc), "ct": wire.b64u(ct)},
        "answerKey": wire.b64u(key),
        "answerNonce": wire.b64u(nonce),
        "answerAad": wire.b64u(wire.answer_aad(mid)),
        "answerPlaintext": wire.b64u(answer),
        "answer": {"v": 1, "n": wire.b64u(n), "ct": wire.b64u(sealed)},
    }


def build(kept=None):
    """The whole document; `kept` is the one that is there."""
    keys = [
        knowledge(),
        knowledge("cafe\u0301", version=2),
        knowledge(name=pin.PBKDF2),
    ]
    rest = proofs_and_codes(keys[0])
    message = rest["proofs"][1]["proof"]
    old = kept["envelopes"][1] if kept else None
    return {
        "comment": "Test vectors of docs/protocol.md, version 1. Every key here is public: use none of them.",
        "notation": notation(),
        "knowledge": keys,
        "envelopes": [envelope_of(1, message, None), envelope_of(2, message, old)],
        **rest,
        "keyDocument": signed_key_document(),
        "consent": signed_consent(),
        "qr": qr(),
    }


def main():
    kept = json.loads(FILE.read_text()) if FILE.exists() else None
    FILE.write_text(json.dumps(build(kept), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
