"""Trail lines as the colleagues read them."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit.formatting import short, when
from reuseid.admin.kit.scope import account_names
from reuseid.admin.kit.texts import act, reason_in_words
from reuseid.admin.kit.texts.acts import THROUGH
from reuseid.models import Staff, TrailEntry
from reuseid.normalisation import as_uuid

COLOURS = {"locked": "bad", "blocked": "bad", "deactivated": "bad", "unlocked": "good", "unblocked": "good"}


@dataclass
class Line:
    """A trail entry as pages show it: each part of it as formatted text."""

    at: str
    who: str
    through: str
    sentence: str
    subject: str
    reason: str
    note: str
    changes: str
    colour: str


def line(entry: TrailEntry, reader: Staff, subject: str = "") -> Line:
    """A trail entry in words, for one colleague; ``subject`` where the page is about more than one thing."""
    changes = {name: value for name, value in entry.changes.items() if value not in (None, [], "", {})}
    if entry.object_type == "staff" and "accounts" in changes:
        changes["accounts"] = _seen_accounts(changes["accounts"], reader)
    return Line(
        at=when(entry.at),
        who=who(entry),
        through=through(entry),
        sentence=act(entry.action),
        subject=subject,
        reason=reason_in_words(entry.reason),
        note=entry.note,
        changes=format_html_join(", ", "{}: {}", ((name, in_words(value)) for name, value in changes.items())),
        colour=COLOURS.get(entry.action.partition(".")[2], "quiet"),
    )


def _seen_accounts(value: Any, reader: Staff) -> Any:
    """A colleague's accounts as they were given: those that the reader doesn't see are counted, not named."""
    if isinstance(value, dict):
        return {when: account_names(names, reader) for when, names in value.items()}
    return account_names(value, reader)


def who(entry: TrailEntry) -> str:
    """The colleague or client by name; on a phone it is the person; the service as such."""
    if entry.actor_type == "SYSTEM":
        return _("The service")
    if entry.actor_type == "DEVICE" and not entry.actor_label:
        return _("The person")
    return entry.actor_label or entry.actor_id


def through(entry: TrailEntry) -> str:
    """The way that it came; a phone that is known by the start of its id."""
    if entry.actor_type == "DEVICE" and as_uuid(entry.actor_id):
        return _("their phone %(id)s") % {"id": short(entry.actor_id)}
    return THROUGH.get(entry.actor_type, entry.actor_type)


def in_words(value: Any) -> str:
    """A value of ``changes``: before and after where it has both; a time as the reader's."""
    if isinstance(value, dict) and set(value) == {"before", "after"}:
        return format_html("{} → {}", in_words(value["before"]), in_words(value["after"]))
    if isinstance(value, dict):
        return format_html_join(", ", "{}: {}", ((name, in_words(item)) for name, item in value.items()))
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    with suppress(TypeError, ValueError):
        moment = parse_datetime(value)
        if moment and moment.tzinfo:
            return when(moment)
    return str(value)
