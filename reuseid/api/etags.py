"""``ETag`` and ``If-Match`` (RFC 9110, 8.8.3 and 13.1.1): the version of a user."""

import re

from reuseid.errors import PreconditionFailed

_TAG = re.compile(r'"(\d{1,9})"')


def etag(user) -> str:
    """The strong validator of this version."""
    return f'"{user.version}"'


def versions(request) -> list[int] | None:
    """The versions that If-Match allows; None where it is absent or ``*``. A foreign tag matches nothing: 412."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    found = [_TAG.fullmatch(tag.strip()) for tag in header.split(",")]
    known = [int(match[1]) for match in found if match]
    if not known:
        raise PreconditionFailed
    return known
