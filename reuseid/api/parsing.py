"""The only body that the API reads: strict JSON."""

import json
import re

from rest_framework.parsers import BaseParser

from reuseid.api.errors import BodyTooLarge, InvalidBody, LengthRequired

MAX_DEPTH = 16
_LONE = re.compile("[\ud800-\udfff]")


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
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_float)
    except InvalidBody:
        raise
    except UnicodeDecodeError:
        raise InvalidBody("It is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise InvalidBody(f"{error.msg} at line {error.lineno}, column {error.colno}.") from None
    except (RecursionError, ValueError):
        raise InvalidBody("A number or the nesting is too large.") from None
    _inspect(value, MAX_DEPTH)
    return value


def require_length(request):
    """A chunked body would be read as none at all: raise LengthRequired."""
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired


def _unique(pairs):
    names = dict(pairs)
    if len(names) != len(pairs):
        raise InvalidBody("A name stands twice in one object.")
    return names


def _refuse(constant):
    raise InvalidBody(f"{constant} is not JSON.")


def _float(text):
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidBody("A number is too large.")
    return number


def _inspect(value, depth):
    if isinstance(value, str):
        if "\0" in value:
            raise InvalidBody("The character NUL is not allowed.")
        if _LONE.search(value):
            raise InvalidBody("A lone surrogate is not a character.")
    elif isinstance(value, (dict, list)):
        if not depth:
            raise InvalidBody(f"More than {MAX_DEPTH} levels.")
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _inspect(inner, depth - 1)
