"""Reading the bodies of messages: every member named, of the right form, and none besides."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from mobileid.problems import MessageInvalid
from mobileid.protocol import wire
from mobileid.protocol.content import ContentInvalid, check_text

Reader = Callable[[Any, str], Any]
"""Takes the value (or, when it is optional, a marker for none) and the dotted name; MessageInvalid names it."""
_MISSING = object()


def read(body: Mapping[str, Any], form: Mapping[str, Reader], *, within: str = "") -> dict[str, Any]:
    """The members of ``body`` by ``form`` (name: reader); MessageInvalid names the first that is wrong."""
    for name in sorted(body.keys() - form.keys()):
        raise MessageInvalid(within + name, "is not known")
    return {name: reader(body.get(name, _MISSING), within + name) for name, reader in form.items()}


def optional(reader: Reader, default: Any = None) -> Reader:
    """The member may be left out; it is ``default`` then."""
    return lambda value, name: default if value is _MISSING else reader(value, name)


def nullable(reader: Reader) -> Reader:
    """The member may be null."""
    return lambda value, name: None if value is None else reader(value, name)


def text(limit: int, *, least: int = 1) -> Reader:
    """A line of ``least`` to ``limit`` characters that shows as it reads."""

    def reader(value: Any, name: str) -> str:
        if not isinstance(value, str) or not least <= len(value.strip()) or len(value) > limit:
            raise MessageInvalid(name, f"must be {least} to {limit} characters")
        try:
            check_text(value, name)
        except ContentInvalid as error:
            raise MessageInvalid(name, error.reason) from None
        return value

    return reader


def typed(limit: int) -> Reader:
    """1 to ``limit`` characters as a person typed or pasted them: whoever reads them forgives what came along."""

    def reader(value: Any, name: str) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= limit:
            raise MessageInvalid(name, f"must be 1 to {limit} characters")
        return value

    return reader


def identifier(value: Any, name: str) -> uuid.UUID:
    """A lower-case UUID string."""
    try:
        found = uuid.UUID(value)
    except (AttributeError, TypeError, ValueError):
        found = None
    if found is None or str(found) != value:
        raise MessageInvalid(name, "must be an identifier")
    return found


def octets(length: int) -> Reader:
    """Base64url of exactly so many bytes."""

    def reader(value: Any, name: str) -> bytes:
        try:
            data = wire.unb64u(value)
        except wire.WireError:
            data = b""
        if len(data) != length:
            raise MessageInvalid(name, f"must be {length} bytes in base64url")
        return data

    return reader


def integer(value: Any, name: str) -> int:
    """A whole number, not negative."""
    if type(value) is not int or value < 0:
        raise MessageInvalid(name, "must be a whole number")
    return value


def boolean(value: Any, name: str) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise MessageInvalid(name, "must be true or false")
    return value


def one_of(*choices: str) -> Reader:
    """One of a few words."""

    def reader(value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in choices:
            raise MessageInvalid(name, f"must be one of {', '.join(choices)}")
        return value

    return reader


def record(form: Mapping[str, Reader]) -> Reader:
    """An object with a form of its own."""

    def reader(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MessageInvalid(name, "must be an object")
        return read(value, form, within=f"{name}.")

    return reader
