"""docs/protocol-vectors.json is what the code does, and what other libraries read in it."""

import hashlib
import json

import pytest
from jwcrypto import jwk as jose_jwk
from jwcrypto import jws as jose_jws
from jwcrypto import jwt as jose_jwt

from mobileid.protocol import channel_keys, envelope, proofs, wire
from mobileid.sdk import errors, keydocument

from . import make_vectors, sealing

VECTORS = json.loads(make_vectors.FILE.read_text())


def test_the_file_is_what_the_code_makes():
    assert make_vectors.build(VECTORS) == VECTORS


@pytest.mark.parametrize("vector", VECTORS["envelopes"], ids=lambda vector: f"suite {vector['suite']}")
def test_a_reader_with_the_private_key_opens_the_request_and_the_answer(vector):
    private = channel_keys.load_private(vector["suite"], wire.unb64u(vector["privateKey"]))
    sealed = envelope.parse(wire.dumps(vector["request"]))
    request = envelope.open_request(sealed, private, vector["suite"], vector["path"])
    assert request.plaintext_digest.hex() == vector["plaintextDigest"]
    assert wire.loads_strict(wire.unb64u(vector["plaintext"]))["body"] == request.body
    answer = {name: wire.unb64u(vector["answer"][name]) for name in ("n", "ct")}
    opened = sealing.open_answer(
        answer, rk=request.rk, enc=request.enc, mid=request.mid, info=wire.unb64u(vector["info"])
    )
    assert opened == wire.unb64u(vector["answerPlaintext"])


@pytest.mark.parametrize("vector", VECTORS["proofs"], ids=["registration", "approval"])
def test_the_proofs_verify_with_another_jose_library(vector):
    proof = proofs.parse(vector["proof"])
    assert proof.payload == vector["statement"].encode()
    proofs.check_statement(proof.statement, proof.statement["typ"])
    proof.require(proofs.required_factors(proof.statement))
    key = proofs.knowledge_public_key(wire.unb64u(VECTORS["knowledge"][0]["publicKey"]))
    assert proof.verify("knowledge", key)
    token = jose_jws.JWS()
    token.deserialize(json.dumps(vector["proof"]))
    token.verify(jose_jwk.JWK(**VECTORS["possession"]["jwk"]))
    token = jose_jws.JWS()
    token.deserialize(vector["possessionCompact"])
    token.verify(jose_jwk.JWK(**VECTORS["possession"]["jwk"]))


def test_the_statement_that_was_approved_names_the_hash_of_the_rendered_payment():
    approval = wire.loads_strict(VECTORS["proofs"][1]["statement"].encode())
    assert approval["contentHash"] == VECTORS["contentHash"][0]["hash"]


def jose_payload(token, key):
    jws = jose_jws.JWS()
    jws.deserialize(token, jose_jwk.JWK(**key))
    return jws.jose_header, jws.payload


def test_a_phone_chooses_from_the_key_document_that_its_anchor_signed():
    vector = VECTORS["keyDocument"]
    assert jose_payload(vector["jwt"], vector["trustAnchor"])[0]["typ"] == "mobileid-keys+jwt"
    document = keydocument.verify(vector["jwt"], vector["trustAnchor"], vector["applicationId"])
    for one in vector["chosen"]:
        if one["kid"] is None:
            assert document.expires_at <= one["now"]
        elif one["highestSuite"] == 2:
            assert document.best_key(one["now"]).kid == one["kid"]
    with pytest.raises(errors.KeyDocumentInvalid):
        keydocument.verify(vector["jwt"], document.next_trust_anchor, vector["applicationId"])


def test_anyone_follows_a_consent_down_to_the_content():
    vector = VECTORS["consent"]
    keys = jose_jwk.JWKSet.from_json(json.dumps(vector["jwks"]))
    token = jose_jwt.JWT(jwt=vector["jwt"], key=keys, algs=["ES256"])
    claims = json.loads(token.claims)
    assert (claims["iss"], claims["aud"]) == (vector["issuer"], vector["audience"])
    assert claims["device"]["jkt"] == jose_jwk.JWK(**vector["deviceJwk"]).thumbprint()

    header, payload = jose_payload(claims["proof"], vector["deviceJwk"])
    assert (header["typ"], header["factor"]) == (proofs.TYP, "possession")
    statement = json.loads(payload)
    assert (statement["typ"], statement["decision"]) == ("signature", "approve")
    assert (statement["operationId"], statement["deviceId"]) == (claims["txn"], claims["device"]["id"])

    content = vector["content"]
    digest = hashlib.sha256(content["data"].encode()).digest()
    hashed = wire.lp("mobileid/1 content", content["title"], content["mimeType"], digest)
    assert wire.unb64u(statement["contentHash"]) == hashlib.sha256(hashed).digest()
    assert claims["content"]["sha256"] == wire.b64u(digest)
    assert wire.unb64u(claims["content"]["data"]) == content["data"].encode()
