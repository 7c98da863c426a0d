"""What an account's attributes may hold."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from reuseid import crypto
from reuseid.errors import Invalid
from reuseid.models import Account, AttributeKey
from reuseid.normalisation import normalise
from reuseid.times import parse_day

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
MAX_BYTES = 8192
_SCALAR = re.compile(r"[ \t\r\n]*(true|false|-?[0-9][0-9.eE+-]*)[ \t\r\n]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one name; the defaults are those of a name that the catalogue does not have."""

    name: str
    type: str = AttributeKey.Type.JSON
    searchable: bool = True
    unique: bool = False
    max_length: int = MAX_BYTES
    normalisation: str = AttributeKey.Normalisation.TEXT
    listed: bool = False

    def encode(self, value: object) -> bytes:
        """The value as the JSON that is sealed; raises Invalid naming the attribute."""
        if value is None or not _FITS[self.type](value):
            raise self.refuse(f"Must be of type {self.type}.")
        encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        if len(encoded) > self.max_length:
            raise self.refuse(f"At most {self.max_length} bytes as JSON.")
        return encoded

    def index(self, account_id: UUID, value: object) -> str:
        """The keyed hash that search finds, under the newest key; empty where the name is not searchable.

        Raises Invalid as `indexes` does.
        """
        return self.indexes(account_id, value)[0] if self.searchable else ""

    def indexes(self, account_id: UUID, value: object) -> list[str]:
        """The keyed hashes of the value's normal form under every key, the newest first.

        Raises Invalid for a value without a normal form.
        """
        try:
            normal = normalise(value, self.normalisation, region=settings.PHONE_REGION)
        except ValueError as error:
            raise self.refuse(str(error)) from None
        return crypto.blind_indexes("attribute", str(account_id), self.name, value=normal)

    def refuse(self, reason: str) -> Invalid:
        """The error to raise: Invalid, with this attribute as its field."""
        return Invalid.field(f"attributes.{self.name}", reason)


def _is_date(value):
    try:
        return bool(parse_day(value))
    except ValueError:
        return False


_FITS = {
    AttributeKey.Type.STRING: lambda value: isinstance(value, str),
    AttributeKey.Type.NUMBER: lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    AttributeKey.Type.BOOLEAN: lambda value: isinstance(value, bool),
    AttributeKey.Type.DATE: _is_date,
    AttributeKey.Type.JSON: lambda value: True,
}


def rules_for(account: Account, names: Collection[str], *, closed: bool = True) -> dict[str, Rules]:
    """The rules of these names, in one query; raises Invalid as `check_names` does, unless ``closed=False``."""
    keys = {key.name: key for key in AttributeKey.objects.filter(account=account, name__in=list(names))}
    rules = {name: _rules(name, keys.get(name)) for name in names}
    if closed:
        check_names(account, names, rules)
    return rules


def check_names(account: Account, names: Iterable[str], rules: dict[str, Rules]) -> None:
    """Raise Invalid for a name that is malformed, or that a closed catalogue does not have."""
    for name in names:
        if not NAME.fullmatch(name):
            reason = "A name is 1 to 64 of A-Z a-z 0-9 _ . - and begins with a letter."
            raise Invalid.field(f"attributes.{name[:64]}", reason)
        if not account.open_catalogue and not rules[name].listed:
            raise Invalid.field(f"attributes.{name}", "The account's catalogue does not have this name.")


def _rules(name, key):
    if key is None:
        return Rules(name)
    return Rules(name, key.type, key.searchable, key.unique, key.max_length, key.normalisation, listed=True)


def search_indexes(account: Account, name: str, text: str) -> list[str]:
    """The hashes that a search for ``name:text`` compares with; none where nothing can match.

    ``text`` is read as text and, where it is a JSON number or truth value, as that too.
    """
    if not NAME.fullmatch(name):
        return []
    rules = _rules(name, AttributeKey.objects.filter(account=account, name=name).first())
    if not rules.searchable:
        raise Invalid.field("attribute", f"The attribute {name} is not searchable.")
    found = []
    for value in [text, *_scalar(text)]:
        try:
            found += rules.indexes(account.pk, value)
        except Invalid:
            continue
    return found


def _scalar(text):
    """The JSON number or truth value that the text is, if any. Whatever may hold others is not even begun."""
    if _SCALAR.fullmatch(text):
        try:
            yield json.loads(text)
        except ValueError:
            return
