"""The attribute catalogue's entries: made and changed, never so that values already kept stop being found."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from reuseid.actors import Actor
from reuseid.errors import Conflict, Invalid
from reuseid.models import Account, Attribute, AttributeKey
from reuseid.services.audit import trail
from reuseid.services.people import catalogue

RULES = ("type", "sensitive", "searchable", "unique", "max_length", "normalisation")
# What the keyed hashes of kept values were made by.
INDEXED = ("searchable", "unique", "normalisation", "type")


@transaction.atomic
def create(account: Account, name: str, *, actor: Actor, **rules: Any) -> AttributeKey:
    """A name and its rules. Raises Invalid; Conflict for a name that is there, or whose kept values need indexing."""
    if not catalogue.NAME.fullmatch(name):
        raise Invalid.field("name", _("1 to 64 of A-Z a-z 0-9 _ . - and begins with a letter."))
    key = AttributeKey(account=account, name=name)
    _apply(key, rules)
    if rules.get("unique") and _kept(key):
        raise Conflict(_("Values of this name are kept already; they can't be made unique afterwards."))
    _save(key, force_insert=True)
    trail.record(key, "attribute_key.created", actor=actor, changes={"name": name, **rules})
    return key


@transaction.atomic
def change(key: AttributeKey, *, actor: Actor, reason: str = "", **rules: Any) -> AttributeKey:
    """Change rules. Those that search is built on only while no value of the name is kept: Conflict otherwise."""
    before = {name: getattr(key, name) for name in rules}
    _apply(key, rules)
    rebuilt = [name for name in INDEXED if name in rules and rules[name] != before[name]]
    if rebuilt and _kept(key):
        raise Conflict(
            _("Values of this name are kept, indexed by the present rules: %(rules)s must stay.")
            % {"rules": ", ".join(rebuilt)}
        )
    _save(key, update_fields=sorted(rules))
    changes = {name: {"before": before[name], "after": value} for name, value in rules.items()}
    trail.record(key, "attribute_key.changed", actor=actor, reason=reason, changes=changes)
    return key


def _apply(key, rules):
    for name, value in rules.items():
        if name not in RULES:
            raise Invalid.field(name, _("It can't be set."))
        setattr(key, name, value)
    if key.type not in AttributeKey.Type.values:
        raise Invalid.field("type", _("One of %(values)s.") % {"values": ", ".join(AttributeKey.Type.values)})
    if key.normalisation not in AttributeKey.Normalisation.values:
        raise Invalid.field(
            "normalisation", _("One of %(values)s.") % {"values": ", ".join(AttributeKey.Normalisation.values)}
        )
    if key.unique and not key.searchable:
        raise Invalid.field("unique", _("Only a searchable attribute can be unique."))
    if not 1 <= key.max_length <= catalogue.MAX_BYTES:
        raise Invalid.field("max_length", _("1 to %(limit)s bytes.") % {"limit": catalogue.MAX_BYTES})


def _kept(key):
    return Attribute.objects.filter(account=key.account_id, name=key.name).exists()


def _save(key, **how):
    try:
        with transaction.atomic():
            key.save(**how)
    except IntegrityError:
        raise Conflict(_("The account's catalogue has this name already.")) from None
