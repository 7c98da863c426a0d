"""The only body that the API reads: strict JSON."""

from rest_framework.parsers import BaseParser

from reuseid import strict_json
from reuseid.api.errors import BodyTooLarge, InvalidBody, LengthRequired


class StrictJSONParser(BaseParser):
    """Refuses duplicate names, NaN and Infinity, lone surrogates, NUL, more than 16 levels, and a long body.

    The view's ``max_body`` is the limit in bytes. The bytes stay on the request as ``raw_body``.
    """

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        """The value; raises InvalidBody (400) or BodyTooLarge (413)."""
        limit = parser_context["view"].max_body
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise BodyTooLarge(f"At most {limit} bytes.")
        parser_context["request"].raw_body = raw
        return loads(raw)


def loads(raw: bytes):
    """Parse UTF-8 JSON as strictly as said above; raises InvalidBody."""
    try:
        return strict_json.loads(raw)
    except strict_json.NotStrict as error:
        raise InvalidBody(str(error)) from None


def require_length(request):
    """A chunked body would be read as none at all: raise LengthRequired."""
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired
