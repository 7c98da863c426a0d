"""What the person is shown: texts, documents and payments, checked and turned into the bytes that are signed."""

import base64
import binascii
import json
from dataclasses import dataclass

from mobileid.models import Operation
from mobileid.protocol import wire
from mobileid.protocol.content import PDF, TEXT_TYPES, ContentInvalid, check_content, check_text, render_transaction
from reuseid.errors import Invalid
from reuseid.models.sealed import seal_field

AUTHENTICATION_LIMIT = 8 * 1024
SIGNATURE_LIMIT = 2 * 1024 * 1024
POST_LIMIT = 8 * 1024
PUSH_LIMIT = 256


@dataclass(frozen=True, slots=True)
class Content:
    """The exact bytes, as shown and signed."""

    title: str
    mime_type: str
    data: bytes


# What operations were shown that were started with nothing to show, before that was refused.
EMPTY = Content("", "text/plain", b"")


def read_context(context: dict, *, limit: int, field: str) -> Content:
    """``{title?, mimeType, content | contentBase64}`` to bytes; Invalid names the member under ``field``."""
    title, mime_type = context.get("title") or "", context["mimeType"]
    if mime_type not in TEXT_TYPES | {PDF}:
        raise Invalid.field(f"{field}.mimeType", f"One of {', '.join(sorted(TEXT_TYPES))}, {PDF}.")
    member, other = ("contentBase64", "content") if mime_type == PDF else ("content", "contentBase64")
    if context.get(member) is None or context.get(other) is not None:
        raise Invalid.field(f"{field}.{member}", f"A {mime_type} comes as {member} alone.")
    data = _decoded(context[member], f"{field}.{member}") if mime_type == PDF else context[member].encode()
    if not data:
        raise Invalid.field(f"{field}.{member}", "It is empty.")
    if len(data) > limit:
        raise Invalid.field(f"{field}.{member}", f"At most {limit} bytes.")
    try:
        check_content(title, mime_type, data)
    except ContentInvalid as error:
        name = member if error.field == "content" else error.field
        raise Invalid.field(f"{field}.{name}", error.reason) from error
    return Content(title, mime_type, data)


def _decoded(text, field):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid.field(field, "Not base64 (RFC 4648, section 4).") from None


def read_transaction(transaction: dict, *, field: str) -> Content:
    """A payment to the bytes that PSD2's dynamic linking ties the approval to; Invalid names the member."""
    try:
        return Content(*render_transaction(transaction))
    except ContentInvalid as error:
        raise Invalid.field(f"{field}.{error.field}", error.reason) from error


def check_push(push: dict, *, field: str = "pushNotification") -> None:
    """Texts of a notification: shown before anybody has proven anything, so short, and checked like all others."""
    for name, text in push.items():
        try:
            check_text(text, name)
        except ContentInvalid as error:
            raise Invalid.field(f"{field}.{name}", error.reason) from error
        if not 1 <= len(text) <= PUSH_LIMIT:
            raise Invalid.field(f"{field}.{name}", f"1 to {PUSH_LIMIT} characters.")


def seal_content(operation: Operation, content: Content) -> None:
    """Put the content and its hash into a new, unsaved operation."""
    seal_field(operation, "title", content.title.encode())
    seal_field(operation, "content", content.data)
    operation.mime_type = content.mime_type
    operation.content_hash = wire.b64u(wire.content_hash(content.title, content.mime_type, content.data))


def seal_json(operation: Operation, name: str, value: object) -> None:
    """Put a JSON value into a sealed column of a new, unsaved operation; None leaves it empty."""
    if value is not None:
        seal_field(operation, name, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
