"""What a proof states (docs/protocol.md, sections 5 and 6): each type's members, checked to the letter."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from mobileid.protocol import wire
from mobileid.protocol.jwk import public_key_from_jwk

POSSESSION, KNOWLEDGE, INHERENCE = "possession", "knowledge", "inherence"
METHOD_FACTOR = {"DEVICE": None, "DEVICE_PIN": KNOWLEDGE, "DEVICE_BIOMETRIC": INHERENCE}
"""The factor that signs beside possession, for each authentication method."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_NUMBER = re.compile(r"[0-9]{1,8}\Z")
_MAX_VERSION = 2**31 - 1


class ProofInvalid(ValueError):
    """A proof that is not formed as it must be; `field` names the first offending member."""

    def __init__(self, field: str, reason: str = "is not valid") -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class StatementInvalid(ProofInvalid):
    """A statement with a member missing, unknown, of the wrong form, or other than expected."""


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and bool(_UUID.match(value))


def _is_bytes(length: int) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        try:
            return len(wire.unb64u(value)) == length
        except wire.WireError:
            return False

    return check


def _is_one_of(*choices: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in choices


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("/") and len(value) <= 200


def _is_jwk(value: Any) -> bool:
    try:
        public_key_from_jwk(value)
    except ValueError:
        return False
    return True


def _is_time(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_version(value: Any) -> bool:
    return type(value) is int and 1 <= value <= _MAX_VERSION


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and bool(_NUMBER.match(value))


def _or_null(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


_is_hash = _is_bytes(32)
_COMMON = {"applicationId": _is_uuid, "iat": _is_time}
_OPERATION = _COMMON | {
    "operationId": _is_uuid,
    "deviceId": _is_uuid,
    "nonce": _is_hash,
    "decision": _is_one_of("approve", "reject"),
    "reason": _is_one_of("USER", "NOT_ME"),
    "contentHash": _is_hash,
    "authMethod": _is_one_of(*METHOD_FACTOR),
    "number": _is_number,
    "returnHash": _is_hash,
}
_OPTIONAL = {"reason", "number", "returnHash"}
_SCHEMAS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "message": _COMMON | {"deviceId": _is_uuid, "path": _is_path, "mid": _is_bytes(wire.MID_BYTES)},
    "registration": _COMMON
    | {
        "operationId": _is_uuid,
        "nonce": _is_hash,
        "possession": _is_jwk,
        "inherence": _or_null(_is_jwk),
        "knowledge": _or_null(_is_hash),
    },
    "authentication": _OPERATION,
    "signature": _OPERATION,
    "pin-change": _COMMON | {"deviceId": _is_uuid, "nonce": _is_hash, "keyVersion": _is_version, "knowledge": _is_hash},
    "biometric-enable": _COMMON | {"deviceId": _is_uuid, "nonce": _is_hash, "inherence": _is_jwk},
}


def check_statement(statement: Mapping[str, Any], typ: str, **expected: Any) -> None:
    """Refuse a statement that is not exactly a well-formed `typ` with the `expected` members.

    `expected` is named as in the statement: `check_statement(s, "message", applicationId=…, deviceId=…,
    path=…, mid=…, iat=…)`; a UUID is compared as its string, bytes as b64u. Raises `StatementInvalid`, whose
    `field` is the first offending member. Whether the right keys signed is `Proof.require`'s business.
    """
    schema = _SCHEMAS[typ]
    if statement.get("typ") != typ:
        raise StatementInvalid("typ")
    for unknown in sorted(statement.keys() - schema.keys() - {"typ"}):
        raise StatementInvalid(unknown, "is not known")
    for name, check in schema.items():
        if name not in statement:
            if name in _OPTIONAL:
                continue
            raise StatementInvalid(name, "is missing")
        if not check(statement[name]):
            raise StatementInvalid(name)
    if schema is _OPERATION:
        _check_decision(statement)
    for name, value in expected.items():
        if statement.get(name) != _plain(value):
            raise StatementInvalid(name, "is not the one expected")


def _check_decision(statement: Mapping[str, Any]) -> None:
    """A rejection carries no factor, number or return code; an approval carries no reason."""
    if statement["decision"] == "approve":
        if "reason" in statement:
            raise StatementInvalid("reason", "belongs to a rejection")
        return
    if statement["authMethod"] != "DEVICE":
        raise StatementInvalid("authMethod", "is DEVICE in a rejection")
    for name in ("number", "returnHash"):
        if name in statement:
            raise StatementInvalid(name, "belongs to an approval")


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return wire.b64u(value) if isinstance(value, bytes) else value


def required_factors(statement: Mapping[str, Any]) -> frozenset[str]:
    """The factors that must sign a checked statement, no fewer and no more."""
    match statement["typ"]:
        case "registration":
            named = (factor for factor in (KNOWLEDGE, INHERENCE) if statement[factor] is not None)
            return frozenset({POSSESSION, *named})
        case "authentication" | "signature":
            other = METHOD_FACTOR[statement["authMethod"]]
            return frozenset({POSSESSION, other} if other else {POSSESSION})
        case "pin-change":
            return frozenset({POSSESSION, KNOWLEDGE})
        case "biometric-enable":
            return frozenset({POSSESSION, KNOWLEDGE, INHERENCE})
        case _:
            return frozenset({POSSESSION})
