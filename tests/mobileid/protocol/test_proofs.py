import copy
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto import jwk as jose_jwk
from jwcrypto import jws as jose_jws
from jwt.api_jws import PyJWS

from mobileid.protocol import proofs, wire

ID = "00000000-0000-0000-0000-000000000001"
HASH = wire.b64u(bytes(32))
POSSESSION, INHERENCE = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
KNOWLEDGE = Ed25519PrivateKey.generate()
KEYS = {"possession": POSSESSION, "knowledge": KNOWLEDGE, "inherence": INHERENCE}
JWK = proofs.public_jwk(POSSESSION.public_key())

OPERATION = {
    "typ": "authentication",
    "applicationId": ID,
    "operationId": ID,
    "deviceId": ID,
    "nonce": HASH,
    "decision": "approve",
    "contentHash": HASH,
    "authMethod": "DEVICE_PIN",
    "iat": 5,
}
STATEMENTS = {
    "message": {
        "typ": "message",
        "applicationId": ID,
        "deviceId": ID,
        "path": "/mobileid/device/v1/status",
        "mid": wire.b64u(bytes(16)),
        "iat": 5,
    },
    "registration": {
        "typ": "registration",
        "applicationId": ID,
        "operationId": ID,
        "nonce": HASH,
        "possession": JWK,
        "inherence": None,
        "knowledge": HASH,
        "iat": 5,
    },
    "authentication": OPERATION,
    "signature": OPERATION | {"typ": "signature"},
    "pin-change": {
        "typ": "pin-change",
        "applicationId": ID,
        "deviceId": ID,
        "nonce": HASH,
        "keyVersion": 2,
        "knowledge": HASH,
        "iat": 5,
    },
    "biometric-enable": {
        "typ": "biometric-enable",
        "applicationId": ID,
        "deviceId": ID,
        "nonce": HASH,
        "inherence": JWK,
        "iat": 5,
    },
}


def piece(payload, factor, key=None, **header):
    """One signature made by another library than the SDK's own code."""
    algorithm = "EdDSA" if factor == "knowledge" else "ES256"
    headers = {"typ": proofs.TYP, "factor": factor} | header
    token = PyJWS().encode(payload, key or KEYS[factor], algorithm=algorithm, headers=headers)
    protected, _, signature = token.split(".")
    return {"protected": protected, "signature": signature}


def proof_of(statement, *factors):
    payload = statement if isinstance(statement, bytes) else wire.dumps(statement)
    return {"payload": wire.b64u(payload), "signatures": [piece(payload, factor) for factor in factors]}


def test_each_factor_is_verified_by_its_own_key_over_the_bytes_as_they_came():
    payload = b' {"typ" : "x"} '
    proof = proofs.parse(proof_of(payload, "possession", "knowledge", "inherence"))
    assert proof.payload == payload
    assert proof.statement == {"typ": "x"}
    for factor, key in KEYS.items():
        assert proof.verify(factor, key.public_key())
    assert proof.factors == set(KEYS)


def test_each_signature_is_a_compact_jws_for_any_jose_library():
    proof = proofs.parse(proof_of(OPERATION, "possession", "knowledge"))
    for factor in proof.factors:
        token = jose_jws.JWS()
        token.deserialize(proof.compact(factor))
        token.verify(jose_jwk.JWK.from_pyca(KEYS[factor].public_key()))
        assert token.payload == proof.payload


def test_signatures_exchanged_between_factors_are_worth_nothing():
    original = proof_of(OPERATION, "possession", "inherence")
    swapped = copy.deepcopy(original)
    first, second = swapped["signatures"]
    first["signature"], second["signature"] = second["signature"], first["signature"]
    proof = proofs.parse(swapped)
    for factor, key in (("possession", POSSESSION), ("inherence", INHERENCE)):
        assert not proof.verify(factor, key.public_key())
    relabelled = copy.deepcopy(original)
    first, second = relabelled["signatures"]
    first["protected"], second["protected"] = second["protected"], first["protected"]
    proof = proofs.parse(relabelled)
    assert not proof.verify("possession", INHERENCE.public_key())
    assert not proof.verify("inherence", POSSESSION.public_key())


def test_a_signature_over_another_statement_a_key_of_another_kind_or_none_at_all_is_no():
    proof = proofs.parse(proof_of(OPERATION, "possession", "knowledge"))
    moved = proofs.Proof(wire.dumps(OPERATION | {"nonce": ID}), {}, proof.signatures)
    assert not moved.verify("possession", POSSESSION.public_key())
    assert not proof.verify("possession", INHERENCE.public_key())
    assert not proof.verify("possession", KNOWLEDGE.public_key())
    assert not proof.verify("knowledge", POSSESSION.public_key())
    assert not proof.verify("inherence", INHERENCE.public_key())
    assert not proof.verify("possession", proofs.DUMMY_POSSESSION_KEY)


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, bytes(32) + b"\x01" * 32])
def test_a_degenerate_signature_is_no_and_not_an_exception(signature):
    for factor in KEYS:
        raw = proof_of(OPERATION, factor)
        raw["signatures"][0]["signature"] = wire.b64u(signature)
        assert not proofs.parse(raw).verify(factor, KEYS[factor].public_key())


def test_exactly_the_named_factors_must_sign():
    proof = proofs.parse(proof_of(OPERATION, "possession", "knowledge"))
    proof.require({"possession", "knowledge"})
    for factors in ({"possession"}, {"possession", "inherence"}, set(KEYS)):
        with pytest.raises(proofs.ProofInvalid) as caught:
            proof.require(factors)
        assert caught.value.field == "proof.signatures"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ES256", "factor": "possession"},
        {"alg": "ES256", "typ": "JWT", "factor": "possession"},
        {"alg": "EdDSA", "typ": proofs.TYP, "factor": "possession"},
        {"alg": "ES256", "typ": proofs.TYP, "factor": "knowledge"},
        {"alg": "none", "typ": proofs.TYP, "factor": "possession"},
        {"alg": "HS256", "typ": proofs.TYP, "factor": "possession"},
        {"alg": "ES256", "typ": proofs.TYP, "factor": "luck"},
        {"alg": "ES256", "typ": proofs.TYP, "factor": ["possession"]},
        {"alg": "ES256", "typ": proofs.TYP, "factor": "possession", "kid": "1"},
        {"alg": "ES256", "typ": proofs.TYP, "factor": "possession", "b64": False, "crit": ["b64"]},
        {"alg": "ES256", "typ": proofs.TYP, "factor": "possession", "jwk": JWK},
        [],
        "x",
    ],
)
def test_a_protected_header_is_exactly_what_its_factor_must_have(header):
    raw = proof_of(OPERATION, "possession")
    raw["signatures"][0]["protected"] = wire.b64u(wire.dumps(header))
    with pytest.raises(proofs.ProofInvalid):
        proofs.parse(raw)


def test_a_header_that_says_a_member_twice_is_refused():
    text = f'{{"alg":"ES256","alg":"ES256","typ":"{proofs.TYP}","factor":"possession"}}'
    raw = proof_of(OPERATION, "possession")
    raw["signatures"][0]["protected"] = wire.b64u(text.encode())
    with pytest.raises(proofs.ProofInvalid):
        proofs.parse(raw)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.pop("payload"),
        lambda raw: raw.update(extra=1),
        lambda raw: raw.update(payload="A"),
        lambda raw: raw.update(payload=wire.b64u(b"[]")),
        lambda raw: raw.update(payload=wire.b64u(b'{"a":1,"a":2}')),
        lambda raw: raw.update(payload=wire.b64u(b'{"a":"' + b"x" * 9000 + b'"}')),
        lambda raw: raw.update(signatures={}),
        lambda raw: raw.update(signatures=[]),
        lambda raw: raw["signatures"].append(raw["signatures"][0]),
        lambda raw: raw["signatures"].extend([raw["signatures"][0]] * 5),
        lambda raw: raw["signatures"][0].update(header={}),
        lambda raw: raw["signatures"][0].update(signature=wire.b64u(bytes(63))),
        lambda raw: raw["signatures"][0].update(signature=5),
        lambda raw: raw["signatures"].append(5),
    ],
)
def test_a_proof_of_another_form_is_refused(change):
    raw = proof_of(OPERATION, "possession")
    change(raw)
    with pytest.raises(proofs.ProofInvalid):
        proofs.parse(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=10,
)


@given(json_values | st.fixed_dictionaries({"payload": json_values, "signatures": json_values}))
def test_any_value_is_no_proof(value):
    with pytest.raises(proofs.ProofInvalid):
        proofs.parse(value)


@pytest.mark.parametrize("typ", STATEMENTS)
def test_every_statement_is_accepted_and_lists_its_factors(typ):
    proofs.check_statement(STATEMENTS[typ], typ, applicationId=UUID(ID), iat=5)
    assert "possession" in proofs.required_factors(STATEMENTS[typ])


@pytest.mark.parametrize("typ", STATEMENTS)
def test_a_statement_with_a_member_missing_unknown_or_odd_names_it(typ):
    statement = STATEMENTS[typ]
    odd = (5.5, "", [], {}, True, -1, "x" * 300, None)
    for name in statement.keys() - {"typ"}:
        with pytest.raises(proofs.StatementInvalid) as caught:
            proofs.check_statement({key: statement[key] for key in statement if key != name}, typ)
        assert caught.value.field == name
        nullable = typ == "registration" and name in ("inherence", "knowledge")
        for value in odd[: -1 if nullable else None]:
            with pytest.raises(proofs.StatementInvalid) as caught:
                proofs.check_statement(statement | {name: value}, typ)
            assert caught.value.field == name
    with pytest.raises(proofs.StatementInvalid) as caught:
        proofs.check_statement(statement | {"extra": 1}, typ)
    assert caught.value.field == "extra"


@pytest.mark.parametrize("typ", STATEMENTS)
def test_a_statement_of_one_type_is_never_one_of_another(typ):
    for other in STATEMENTS.keys() - {typ}:
        with pytest.raises(proofs.StatementInvalid) as caught:
            proofs.check_statement(STATEMENTS[typ], other)
        assert caught.value.field == "typ"


@pytest.mark.parametrize(
    ("name", "value"), [("nonce", wire.b64u(b"n" * 32)), ("operationId", str(UUID(int=2))), ("iat", 6)]
)
def test_what_was_expected_is_compared(name, value):
    with pytest.raises(proofs.StatementInvalid) as caught:
        proofs.check_statement(OPERATION, "authentication", **{name: value})
    assert caught.value.field == name
    proofs.check_statement(OPERATION, "authentication", nonce=bytes(32), operationId=UUID(ID))


REJECT = OPERATION | {"decision": "reject", "authMethod": "DEVICE"}


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        (OPERATION | {"reason": "USER"}, "reason"),
        (REJECT | {"number": "42"}, "number"),
        (REJECT | {"returnHash": HASH}, "returnHash"),
        (REJECT | {"authMethod": "DEVICE_PIN"}, "authMethod"),
        (REJECT | {"reason": "MOOD"}, "reason"),
        (OPERATION | {"number": 42}, "number"),
        (OPERATION | {"number": "٤٢"}, "number"),
        (OPERATION | {"decision": "Approve"}, "decision"),
        (OPERATION | {"deviceId": ID.replace("1", "A")}, "deviceId"),
        (OPERATION | {"deviceId": ID + "\n"}, "deviceId"),
    ],
)
def test_a_decision_carries_what_belongs_to_it(statement, field):
    with pytest.raises(proofs.StatementInvalid) as caught:
        proofs.check_statement(statement, "authentication")
    assert caught.value.field == field


def test_the_factors_follow_from_the_statement():
    assert proofs.required_factors(OPERATION) == {"possession", "knowledge"}
    assert proofs.required_factors(OPERATION | {"authMethod": "DEVICE_BIOMETRIC"}) == {
        "possession",
        "inherence",
    }
    for reject in (REJECT, REJECT | {"reason": "NOT_ME"}):
        proofs.check_statement(reject, "authentication")
        assert proofs.required_factors(reject) == {"possession"}
    assert proofs.required_factors(STATEMENTS["registration"] | {"inherence": JWK}) == set(KEYS)
    assert proofs.required_factors(STATEMENTS["registration"] | {"knowledge": None}) == {"possession"}
    assert proofs.required_factors(STATEMENTS["biometric-enable"]) == set(KEYS)


def test_a_public_jwk_comes_back_and_has_the_thumbprint_of_rfc_7638():
    key = POSSESSION.public_key()
    assert proofs.public_jwk(proofs.public_key_from_jwk(JWK)) == JWK
    assert proofs.thumbprint(JWK) == jose_jwk.JWK.from_pyca(key).thumbprint()
    assert proofs.thumbprint(dict(reversed(JWK.items())) | {"kid": "1"}) == proofs.thumbprint(JWK)


@pytest.mark.parametrize(
    "change",
    [
        {"d": "AA"},
        {"kid": "1"},
        {"kty": "OKP"},
        {"crv": "P-384"},
        {"crv": ["P-256"]},
        {"x": wire.b64u(bytes(32))},
        {"x": wire.b64u(bytes(31))},
        {"x": wire.b64u(b"\xff" * 32)},
        {"y": wire.b64u(bytes(33))},
        {"y": 5},
        {"x": JWK["y"], "y": JWK["x"]},
    ],
)
def test_a_jwk_that_is_not_exactly_a_p256_public_key_is_refused(change):
    with pytest.raises(ValueError, match=r"."):
        proofs.public_key_from_jwk(JWK | change)


@given(json_values | st.fixed_dictionaries({name: json_values for name in ("kty", "crv", "x", "y")}))
def test_any_value_is_no_jwk(value):
    with pytest.raises(ValueError, match=r"."):
        proofs.public_key_from_jwk(value)


def test_a_key_of_another_curve_cannot_stand_for_possession():
    payload = wire.dumps(OPERATION)
    raw = proof_of(OPERATION, "possession")
    assert not proofs.parse(raw).verify("possession", generate_private_key(SECP384R1()).public_key())
    assert proofs.parse(raw).payload == payload
