"""What a person was shown before and after deciding: for one colleague, one minute, one reason (reuseid's `access`)."""

import base64

from django.db import transaction
from django.utils.translation import gettext_noop

from mobileid.models import Operation
from mobileid.protocol import wire
from mobileid.protocol.content import PDF
from mobileid.services import contexts
from mobileid.services.contexts import Content
from mobileid.services.descriptions import unseal_json
from reuseid.actors import Actor
from reuseid.errors import STAFF, Conflict
from reuseid.models import Reveal
from reuseid.models.sealed import unseal_field
from reuseid.services.audit import access, trail

NO_TEXT = wire.b64u(wire.content_hash(contexts.EMPTY.title, contexts.EMPTY.mime_type, contexts.EMPTY.data))
"""The hash of an operation that was started without a text."""


class NothingKept(Conflict):
    """There was nothing to see, or it was erased with the person."""

    code = "nothing_kept"
    audience = STAFF
    title = gettext_noop("Nothing of what the person was shown is kept.")


class MinuteOver(Conflict):
    """The colleague may not read it now."""

    code = "minute_over"
    audience = STAFF
    title = gettext_noop("The minute is over: reveal it again.")


def has_text(operation: Operation) -> bool:
    """Whether a text or document is kept. The title tells: it comes and goes with the content, which may be big."""
    return operation.title is not None and operation.content_hash != NO_TEXT


def is_kept(operation: Operation) -> bool:
    """Whether there is anything to reveal."""
    return has_text(operation) or operation.post_context is not None or operation.push_notification is not None


def reveal(operation: Operation, *, actor: Actor, reason: str, note: str = "") -> Reveal:
    """Let one colleague read it for a minute; leaves a line. Raises NothingKept or Invalid."""
    if not is_kept(operation):
        raise NothingKept
    return access.reveal(operation, actor=actor, reason=reason, note=note)


def before(operation: Operation) -> Content | None:
    """What the person saw before deciding, byte for byte. Raises crypto.Unreadable."""
    if not has_text(operation):
        return None
    return Content(
        unseal_field(operation, "title").decode(), operation.mime_type, unseal_field(operation, "content") or b""
    )


def after(operation: Operation) -> Content | None:
    """What the phone shows after success. Raises crypto.Unreadable."""
    shown = unseal_json(operation, "post_context")
    if shown is None:
        return None
    pdf = shown["mimeType"] == PDF
    data = base64.b64decode(shown["contentBase64"]) if pdf else shown["content"].encode()
    return Content(shown.get("title") or "", shown["mimeType"], data)


PARTS = {"before": before, "after": after}


@transaction.atomic
def download(operation: Operation, part: str, *, actor: Actor) -> Content:
    """One of PARTS in bytes, for a colleague whose minute lasts; leaves a line. Raises MinuteOver or NothingKept."""
    if access.until(operation, staff_id=actor.staff_id) is None:
        raise MinuteOver
    found = PARTS[part](operation)
    if found is None:
        raise NothingKept
    trail.record(operation, "operation.downloaded", actor=actor, changes={"part": part})
    return found
