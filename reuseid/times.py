"""Times and days as they are written, read and meant."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ZONES = available_timezones()


def rfc3339(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds and ``Z``; None stays None."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


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


def begins(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day in a zone, in UTC; where the calendar has no such moment, the calendar's end."""
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:
        return FIRST if day.year < 5000 else LAST


def ends(day: date, zone: tzinfo) -> datetime:
    """The first moment after a day in a zone, in UTC; the calendar's end after its last day."""
    return LAST if day == date.max else begins(day + timedelta(days=1), zone)


def in_range(moment: datetime) -> datetime:
    """The same moment in UTC; where the calendar has no such moment, the calendar's end."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return FIRST if moment.year < 5000 else LAST


def zone_named(name: str) -> tzinfo | None:
    """The time zone of an IANA name; None for what is none."""
    if name == "UTC":
        return UTC
    return ZoneInfo(name) if name in _ZONES else None
