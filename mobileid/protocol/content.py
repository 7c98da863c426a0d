"""What a person is shown before approving: which text may be shown, and how a transaction is rendered.

The phone signs the hash of exactly these bytes (PSD2 RTS, article 5), so a text that looks other than it
reads is refused before it is ever sent.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from stdnum import iban
from stdnum.iso7064 import mod_97_10

from mobileid.protocol import wire
from mobileid.protocol.currencies import MINOR_UNITS

TEXT_TYPES = frozenset({"text/plain", "text/markdown", "application/json"})
PDF = "application/pdf"
TRANSACTION_TITLE = "Payment"
TRANSACTION_FIELDS = ("amount", "currency", "creditorName", "creditorAccount", "reference")

_REFUSED_CATEGORIES = {
    "Cc": "control",
    "Cf": "formatting",
    "Cs": "surrogate",
    "Zl": "line separator",
    "Zp": "line separator",
}
# Letters and marks that show as nothing: Hangul fillers, Khmer inherent vowels, combining grapheme joiner,
# braille blank.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,4}))?\Z")
_ACCOUNT = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z /.-]*[0-9A-Za-z/.-])?\Z")
_ACCOUNT_LIMIT = 34
_LOOKS_LIKE_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}")
# Check digits are 02 to 98 (ISO 13616-1); 00, 01 and 99 would be a second way to write some.
_IBAN = re.compile(r"[A-Z]{2}(?!00|01|99)[0-9]{2}[A-Z0-9]{11,30}\Z")
# Characters of the IBANs of countries where banks use them and the registry (ISO 13616) has no entry.
_UNREGISTERED = {
    **dict.fromkeys(("AO", "CV", "GW", "MZ"), 25),
    **dict.fromkeys(("DZ", "IR"), 26),
    **dict.fromkeys(("CF", "CG", "CM", "GA", "GQ", "KM", "MG", "TD"), 27),
    **dict.fromkeys(("BF", "BJ", "CI", "MA", "ML", "NE", "SN", "TG"), 28),
}
_NAME_LIMIT, _REFERENCE_LIMIT, TITLE_LIMIT = 70, 140, 120


class ContentInvalid(ValueError):
    """A text or field that may not be shown; `field` names it, `reason` says why without quoting it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


def check_text(text: str, field: str, *, multiline: bool = False) -> None:
    """Refuse (`ContentInvalid`) what makes a text look other than it reads.

    That is: control characters (with `multiline`, newline and tab are allowed), every formatting character
    (bidi controls, zero-width characters, soft hyphen, tags), letters that show as nothing, lone surrogates.
    """
    if text.isascii() and text.isprintable():
        return
    for character in text:
        if multiline and character in "\n\t":
            continue
        kind = _REFUSED_CATEGORIES.get(unicodedata.category(character))
        if kind or character in _INVISIBLE:
            raise ContentInvalid(field, f"has a {kind or 'invisible'} character (U+{ord(character):04X})")


def is_hidden(character: str) -> bool:
    """Whether a character shows as nothing or turns its neighbours around: what `check_text` refuses."""
    return unicodedata.category(character) in _REFUSED_CATEGORIES or character in _INVISIBLE


def check_content(title: str, mime_type: str, data: bytes) -> None:
    """Refuse (`ContentInvalid`, field `title`, `mimeType` or `content`) a context that may not be shown.

    Text types are UTF-8 and pass `check_text`, markdown also with its character references resolved, JSON
    also in its decoded strings. A PDF need only look like one. How large a content may be is the caller's to
    say.
    """
    check_text(title, "title")
    if len(title) > TITLE_LIMIT:
        raise ContentInvalid("title", f"is longer than {TITLE_LIMIT} characters")
    if mime_type == PDF:
        if not data.startswith(b"%PDF-"):
            raise ContentInvalid("content", "is not a PDF")
        return
    if mime_type not in TEXT_TYPES:
        raise ContentInvalid("mimeType", "is not one of text/plain, text/markdown, application/json, application/pdf")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ContentInvalid("content", "is not UTF-8") from None
    check_text(text, "content", multiline=True)
    if mime_type == "text/markdown":
        check_text(html.unescape(text), "content", multiline=True)
    elif mime_type == "application/json":
        try:
            value = wire.loads_strict(data, wire.ANSWER_LIMIT)
        except wire.WireError as error:
            raise ContentInvalid("content", f"is not strict JSON: {error}") from None
        _check_strings(value)


def _check_strings(value: Any) -> None:
    match value:
        case str():
            check_text(value, "content", multiline=True)
        case list():
            for item in value:
                _check_strings(item)
        case dict():
            for key, item in value.items():
                check_text(key, "content")
                _check_strings(item)


def render_transaction(transaction: Mapping[str, Any]) -> tuple[str, str, bytes]:
    """`(title, mime type, content)` of a payment: the same fields always give the same bytes.

    The title is "Payment", the type text/plain, and the content is these lines, each ended by a newline, the
    last only when there is a reference::

        Amount: 1234.50 EUR
        To: Jane Doe
        Account: NL91 ABNA 0417 1643 00
        Reference: Invoice 7

    The amount has all of its currency's minor units (ISO 4217), a point, and no grouping. An IBAN is in
    capitals in groups of four; another account number is as given. A bad field is a `ContentInvalid` naming
    it. An IBAN has its country's structure (ISO 13616).
    """
    for name in sorted(map(str, transaction.keys() - set(TRANSACTION_FIELDS))):
        raise ContentInvalid(name, "is not known")
    for name in TRANSACTION_FIELDS:
        if not isinstance(transaction.get(name), str) and (name in transaction or name != "reference"):
            raise ContentInvalid(name, "must be a string")
    lines = [
        f"Amount: {_amount(transaction['amount'], transaction['currency'])}",
        f"To: {_line(transaction['creditorName'], 'creditorName', _NAME_LIMIT)}",
        f"Account: {_account(transaction['creditorAccount'])}",
    ]
    if "reference" in transaction:
        lines.append(f"Reference: {_line(transaction['reference'], 'reference', _REFERENCE_LIMIT)}")
    return TRANSACTION_TITLE, "text/plain", ("\n".join(lines) + "\n").encode()


def _line(text: str, field: str, limit: int) -> str:
    check_text(text, field)
    if not text or text != text.strip() or len(text) > limit:
        raise ContentInvalid(field, f"must be 1 to {limit} characters without spaces around")
    return text


def _amount(amount: str, currency: str) -> str:
    digits = MINOR_UNITS.get(currency)
    if digits is None:
        raise ContentInvalid("currency", "is not an ISO 4217 code")
    match = _AMOUNT.match(amount)
    if not match or not amount.strip("0."):
        raise ContentInvalid("amount", "must be a positive decimal number such as 1234.50")
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > digits:
        raise ContentInvalid("amount", f"has more than the {digits} decimals of {currency}")
    return f"{whole}.{fraction.ljust(digits, '0')} {currency}" if digits else f"{whole} {currency}"


def _account(account: str) -> str:
    compact = account.replace(" ", "").upper()
    looks_like_iban = _LOOKS_LIKE_IBAN.match(compact)
    # An IBAN is judged without the spaces that it is printed with: 34 characters are 42 in groups of four.
    judged = compact if looks_like_iban else account
    if not _ACCOUNT.match(account) or len(judged) > _ACCOUNT_LIMIT:
        raise ContentInvalid("creditorAccount", "must be 1 to 34 letters, digits, spaces, / . or -")
    if not looks_like_iban:
        return account
    if not _IBAN.match(compact) or not _fits_country(compact):
        raise ContentInvalid("creditorAccount", "is not a valid IBAN of its country")
    return " ".join(compact[i : i + 4] for i in range(0, len(compact), 4))


def _fits_country(compact: str) -> bool:
    if compact[:2] in _UNREGISTERED:
        return len(compact) == _UNREGISTERED[compact[:2]] and mod_97_10.is_valid(compact[4:] + compact[:4])
    # Not also by the country's own check digits: the registry leaves those to the country.
    return iban.is_valid(compact, check_country=False)
