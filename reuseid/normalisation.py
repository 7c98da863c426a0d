"""One form for values that people write in many: what a search compares and uniqueness counts."""

import json
import unicodedata

import phonenumbers

from reuseid.models import AttributeKey

Normalisation = AttributeKey.Normalisation


def normalise(value, how: str, *, region: str | None = None) -> str:
    """The form of ``value`` (any JSON scalar or small JSON) that is hashed; raises ValueError where it has none.

    Text loses case, white space and compatibility forms (NFKC); a phone number becomes E.164 (``region`` is the
    two-letter country of numbers without one); an e-mail address loses case. What is no text is compared as JSON with
    sorted names.
    """
    if not isinstance(value, str):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if how == Normalisation.NONE:
        return value
    if how == Normalisation.PHONE:
        return _phone(value, region)
    text = "".join(unicodedata.normalize("NFKC", value).casefold().split())
    if how == Normalisation.EMAIL:
        name, at, domain = text.rpartition("@")
        if not at or not name or "." not in domain.strip(".") or "@" in name:
            raise ValueError("Not an e-mail address.")
        return f"{name}@{domain}"
    return text


def _phone(value, region):
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        raise ValueError("Not a phone number with its country code.") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("Not a possible phone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
