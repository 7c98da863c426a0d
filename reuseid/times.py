"""Times as the API writes them."""

from datetime import UTC


def rfc3339(moment):
    """RFC 3339 in UTC with milliseconds and ``Z``; None stays None."""
    return moment and moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
