"""Times as the API writes them."""

from datetime import UTC, datetime, tzinfo


def rfc3339(moment):
    """RFC 3339 in UTC with milliseconds and ``Z``; None stays None."""
    return moment and moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The moment by the clock of ``zone``; by that of UTC in the first and the last hours of the calendar, which other
    zones can't write: integrators say 9999-12-31T23:59:59Z for never.
    """
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.astimezone(UTC)
