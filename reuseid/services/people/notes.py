"""Internal notes about a person: added, read by colleagues, erased with the person; never changed."""

from django.db import transaction

from reuseid.actors import Actor
from reuseid.errors import Invalid, WrongState
from reuseid.models import User, UserNote
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services.audit import trail

LIMIT = 2000


@transaction.atomic
def add(user: User, text: str, *, actor: Actor) -> UserNote:
    """Keep a note of 1 to 2000 characters, encrypted. Raises Invalid, or WrongState for a person who is erased."""
    text = text.strip()
    if not 1 <= len(text) <= LIMIT or "\0" in text:
        raise Invalid.field("text", f"1 to {LIMIT} characters.")
    # The row is held, so that an erasure neither misses the note nor ends before it.
    fresh = User.objects.select_for_update().get(pk=user.pk)
    if fresh.erasure_requested_at is not None:
        raise WrongState(fresh, "noted")
    note = UserNote(
        account_id=user.account_id,
        user_id=user.pk,
        actor_type=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
    )
    seal_field(note, "text", text.encode())
    note.save(force_insert=True)
    trail.record(note, "note.added", actor=actor)
    return note


def text_of(note: UserNote) -> str:
    """The plain text of a note; raises crypto.Unreadable."""
    return unseal_field(note, "text").decode()
