"""One form for values that people write in many: what a search compares and uniqueness counts.

Keyed hashes and `User.folded_ref` are made of these forms: when one changes here, or with a library or the Unicode of a
newer Python, ``manage.py rotate_keys --blind-index`` writes them anew.
"""

import json
import re
import unicodedata
from uuid import UUID

import idna
import phonenumbers

from reuseid.models import AttributeKey

Normalisation = AttributeKey.Normalisation

# Default_Ignorable_Code_Point (Unicode 17.0, DerivedCoreProperties.txt): soft hyphens, zero-width and bidi characters,
# fillers, variation selectors, tags; the unassigned ones are reserved for more of their kind.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)


def normalise(value: object, how: str, *, region: str | None = None) -> str:
    """The form of ``value`` (any JSON scalar or small JSON) that is hashed; raises ValueError where it has none.

    Text is folded; a phone number becomes E.164 (``region`` is the two-letter country of numbers without one); an
    e-mail address is folded and its domain becomes A-labels. What is no text is compared as JSON with sorted names.
    """
    if not isinstance(value, str):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if how == Normalisation.NONE:
        return value
    if how == Normalisation.PHONE:
        return _phone(without_ignorable(value), region)
    if how == Normalisation.EMAIL:
        return _email(value)
    return fold(value)


def fold(text: str) -> str:
    """Without case, white space, compatibility forms and ignorable characters: NFKC_Casefold (Unicode, 3.13)."""
    text = unicodedata.normalize("NFD", without_ignorable(text))
    # Twice, as definition D146 has it: what either step makes the other may change again.
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return unicodedata.normalize("NFC", "".join(text.split()))


def compose(text: str) -> str:
    """NFC: one form for what is kept as it was written but for the composition of its letters, as references are."""
    return unicodedata.normalize("NFC", text)


def folded_ref(reference: str | None) -> str | None:
    """What `User.folded_ref` holds of a reference, and what a search compares it with."""
    return None if reference is None else fold(reference)[:400]


def without_ignorable(text: str) -> str:
    """Without the characters that show as nothing, which come along when a text is copied."""
    return _IGNORABLE.sub("", text)


def as_uuid(text: str) -> UUID | None:
    """The UUID that was typed, in whatever form (RFC 9562; with braces, without hyphens); None when it is none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _email(value):
    # Apart, since folding would make two domains one: ß is a letter of its own in a domain (IDNA 2008).
    name, at, domain = unicodedata.normalize("NFKC", without_ignorable(value)).rpartition("@")
    name, domain = fold(name), _domain("".join(domain.split()))
    if not at or not name or "@" in name or "." not in domain:
        raise ValueError("Not an e-mail address.")
    return f"{name}@{domain}"


def _domain(text):
    """A domain in small A-labels (RFC 5891, after the mapping of UTS 46), without the dot of the root."""
    try:
        labels = idna.uts46_remap(text, std3_rules=False).removesuffix(".").split(".")
        return ".".join(_label(label) for label in labels)
    except (idna.IDNAError, UnicodeError):
        raise ValueError("Not an e-mail address: its domain can't be one.") from None


def _label(label):
    if not label:
        raise idna.IDNAError
    # What is plain ASCII is compared as it is: underscores and addresses in brackets are no names, but are written.
    return label if label.isascii() and not label.startswith("xn--") else idna.alabel(label).decode()


def _phone(value, region):
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        raise ValueError("Not a phone number with its country code.") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("Not a possible phone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
