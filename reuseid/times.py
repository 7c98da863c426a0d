"""Times and days as they are written and read."""

import re
from datetime import UTC, date, datetime, tzinfo

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def rfc3339(moment):
    """RFC 3339 in UTC with milliseconds and ``Z``; None stays None."""
    return moment and moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: object) -> datetime:
    """The UTC time of an RFC 3339 text with its offset; raises ValueError, also for one that UTC can't write."""
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise ValueError("Not an RFC 3339 time with an offset.")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError("Out of range.") from None


def parse_day(text: object) -> date:
    """The day of ``YYYY-MM-DD``, the one form of ISO 8601 that is read here; raises ValueError."""
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("Not YYYY-MM-DD.")
    return date.fromisoformat(text)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The moment by the clock of ``zone``; by that of UTC in the first and the last hours of the calendar, which other
    zones can't write: integrators say 9999-12-31T23:59:59Z for never.
    """
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.astimezone(UTC)
