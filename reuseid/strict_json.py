"""JSON as this service takes it (RFC 8259, RFC 7493): the one reader of the API's bodies and of imported lines."""

import json
import re
from typing import Any

MAX_DEPTH = 16
_LONE = re.compile("[\ud800-\udfff]")


class NotStrict(ValueError):
    """It is not JSON, or not the JSON that is read here; the text says why and quotes no value."""


def loads(raw: bytes) -> Any:
    """The value of UTF-8 JSON; raises NotStrict.

    Refused are names that stand twice, NaN and Infinity, numbers without a finite value, lone surrogates, NUL, and
    more than 16 levels.
    """
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_float)
    except NotStrict:
        raise
    except UnicodeDecodeError:
        raise NotStrict("It is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise NotStrict(f"{error.msg} at line {error.lineno}, column {error.colno}.") from None
    except (RecursionError, ValueError):
        raise NotStrict("A number or the nesting is too large.") from None
    _inspect(value, MAX_DEPTH)
    return value


def _unique(pairs):
    names = dict(pairs)
    if len(names) != len(pairs):
        raise NotStrict("A name stands twice in one object.")
    return names


def _refuse(constant):
    raise NotStrict(f"{constant} is not JSON.")


def _float(text):
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotStrict("A number is too large.")
    return number


def _inspect(value, depth):
    if isinstance(value, str):
        if "\0" in value:
            raise NotStrict("The character NUL is not allowed.")
        if _LONE.search(value):
            raise NotStrict("A lone surrogate is not a character.")
    elif isinstance(value, (dict, list)):
        if not depth:
            raise NotStrict(f"More than {MAX_DEPTH} levels.")
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _inspect(inner, depth - 1)
