"""Tenants."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from reuseid.actors import Actor
from reuseid.errors import Conflict, Invalid
from reuseid.models import Account, move
from reuseid.services.audit import trail


@transaction.atomic
def create(name: str, *, actor: Actor, logo_uri: str = "") -> Account:
    """A new account; the name (1 to 120 characters) is shown on phones and unique: Conflict if it is taken."""
    account = Account(name=name.strip(), logo_uri=logo_uri)
    _check(account)
    _save(account, force_insert=True)
    trail.record(account, "account.created", actor=actor)
    return account


@transaction.atomic
def update(account: Account, *, actor: Actor, reason: str = "", **changes: Any) -> Account:
    """Change ``name``, ``logo_uri`` or ``open_catalogue``. Raises Invalid or Conflict, as `create`."""
    before = {name: getattr(account, name) for name in changes}
    for name, value in changes.items():
        if name not in {"name", "logo_uri", "open_catalogue"}:
            raise Invalid.field(name, _("It can't be set."))
        setattr(account, name, value)
    _check(account)
    _save(account, update_fields=sorted(changes))
    changed = {name: {"before": before[name], "after": value} for name, value in changes.items()}
    trail.record(account, "account.changed", actor=actor, reason=reason, changes=changed)
    return account


def _check(account):
    if not 1 <= len(account.name) <= 120:
        raise Invalid.field("name", _("1 to 120 characters."))
    if account.logo_uri and not account.logo_uri.startswith("https://"):
        raise Invalid.field("logoUri", _("An https:// address."))


def _save(account, **how):
    try:
        with transaction.atomic():
            account.save(**how)
    except IntegrityError:
        raise Conflict(_("An account of this name is there already.")) from None


@transaction.atomic
def block(account: Account, *, actor: Actor, reason: str, note: str = "") -> None:
    """ACTIVE to BLOCKED: every client of the account is refused from its next call on. Raises WrongState."""
    move(account, Account.Status.BLOCKED)
    trail.record(account, "account.blocked", actor=actor, reason=reason, note=note)


@transaction.atomic
def unblock(account: Account, *, actor: Actor, reason: str, note: str = "") -> None:
    """BLOCKED to ACTIVE: the account's clients are let in again, but those that are blocked themselves.

    Raises WrongState.
    """
    move(account, Account.Status.ACTIVE)
    trail.record(account, "account.unblocked", actor=actor, reason=reason, note=note)
