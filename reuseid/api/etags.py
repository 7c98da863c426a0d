"""``ETag`` and ``If-Match`` (RFC 9110, 8.8.3 and 13.1.1): the version of a user."""

import re

from reuseid.api import patterns
from reuseid.errors import PreconditionFailed, ServiceError

_TAG = re.compile(r'"(\d{1,9})"')
_WEAK = (
    'If-Match compares strongly (RFC 9110, 13.1.1), and W/"…" is a weak tag: a proxy that compresses has made it so. '
    'Send the tag without W/, as "2", or let the proxy compress no answers of this API.'
)
_SUFFIXED = 'A proxy that compresses has lengthened the tag, as "2-gzip": send it as this service made it, as "2".'
_HELP = (
    (re.compile(r'W/"\d{1,9}([-;:][^"]*)?"'), _WEAK),
    (re.compile(r'"\d{1,9}[-;:][^"]*"'), _SUFFIXED),
)


class TagsInvalid(ServiceError):
    """If-Match is neither ``*`` nor entity tags in double quotes."""

    code = "if_match_invalid"
    title = "If-Match is not valid: send the ETag as it came, with its quotes."


def etag(user) -> str:
    """The strong validator of this version."""
    return f'"{user.version}"'


def versions(request) -> list[int] | None:
    """The versions that If-Match allows; None where it is absent or ``*``. A foreign tag matches nothing: 412.

    One of ours that a proxy changed does not match either, and the problem's ``detail`` says what to send. Raises
    TagsInvalid (400) or PreconditionFailed.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    if not re.fullmatch(patterns.ENTITY_TAGS, header.strip()):
        raise TagsInvalid
    tags = [tag.strip() for tag in header.split(",")]
    known = [int(match[1]) for tag in tags if (match := _TAG.fullmatch(tag))]
    if not known:
        raise PreconditionFailed(next((text for form, text in _HELP for tag in tags if form.fullmatch(tag)), ""))
    return known
