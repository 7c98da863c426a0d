"""``ETag`` and ``If-Match`` (RFC 9110, 8.8.3 and 13.1.1): the version of a user."""

import re

from reuseid.api import patterns
from reuseid.errors import PreconditionFailed, ServiceError

_TAG = re.compile(r'"(\d{1,9})"')


class TagsInvalid(ServiceError):
    """If-Match is neither ``*`` nor entity tags in double quotes."""

    code = "if_match_invalid"
    title = "If-Match is not valid: send the ETag as it came, with its quotes."


def etag(user) -> str:
    """The strong validator of this version."""
    return f'"{user.version}"'


def versions(request) -> list[int] | None:
    """The versions that If-Match allows; None where it is absent or ``*``. A foreign tag matches nothing: 412.

    Raises TagsInvalid (400) or PreconditionFailed.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    if not re.fullmatch(patterns.ENTITY_TAGS, header.strip()):
        raise TagsInvalid
    found = [_TAG.fullmatch(tag.strip()) for tag in header.split(",")]
    known = [int(match[1]) for match in found if match]
    if not known:
        raise PreconditionFailed
    return known
