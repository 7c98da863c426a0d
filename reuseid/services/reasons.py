"""Why a person or a phone is locked, unlocked, deactivated or erased: a short list, configured in REASONS."""

from django.conf import settings
from django.utils.translation import gettext as _

from reuseid.errors import Invalid

MAX_NOTE = 2000


def sentences() -> dict[str, str]:
    """Each code with its one sentence of explanation, in the order of the setting."""
    return settings.REASONS


def check(reason: str, note: str = "") -> None:
    """Raise Invalid for a code that is not in the list, OTHER without a note, or a note over 2000 characters."""
    if reason not in settings.REASONS:
        raise Invalid.field("reason", _("One of %(values)s.") % {"values": ", ".join(settings.REASONS)})
    if len(note) > MAX_NOTE:
        raise Invalid.field("note", _("At most %(limit)s characters.") % {"limit": MAX_NOTE})
    if reason == "OTHER" and not note.strip():
        raise Invalid.field("note", _("OTHER needs a note."))
