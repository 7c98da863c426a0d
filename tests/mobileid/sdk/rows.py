"""What the service in memory keeps of phones and operations, and how it refuses."""

from dataclasses import dataclass, field
from typing import Any


class Problem(Exception):
    def __init__(self, status: int, code: str, **members: Any) -> None:
        self.status, self.problem = status, {"code": code, "title": code, **members}


@dataclass
class Phone:
    """A device as the service knows it."""

    possession: Any
    inherence: list[Any]
    knowledge: dict[int, Any]
    name: str
    registration: tuple[str, str, bytes] = ("", "", b"")
    state: str = "ACTIVE"
    failures: int = 0
    pushed: dict[str, Any] = field(default_factory=dict)
    handed_over_by: float = 0
    biometry_handed_over_by: float = 0


@dataclass
class Operation:
    type: str = "authentication"
    title: str = "Sign in"
    mime_type: str = "text/plain"
    data: bytes = b"to the bank"
    methods: tuple[str, ...] = ("DEVICE_PIN", "DEVICE_BIOMETRIC")
    binding: str = "NONE"
    number: str | None = None
    return_url: str | None = None
    claim: str | None = None
    qr_secret: bytes | None = None
    state: str = "PENDING"
    nonces: set[str] = field(default_factory=set)
    statement: dict[str, Any] | None = None
    evidence: str | None = None
