"""Colleagues: their entries, roles, accounts and passwords. Nobody gives accounts that they lack or signs in as others.

Who gives a password knows it until the colleague has chosen an own one, so it takes another administrator to take the
second factor away meanwhile, and the other way round. A constraint of the table holds it too.
"""

import secrets
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from reuseid.actors import Actor
from reuseid.errors import STAFF, Conflict, Invalid
from reuseid.models import Account, Staff
from reuseid.services.audit import trail

PLAIN = ("first_name", "last_name", "email", "is_active")
# Letters and digits that are not mistaken for each other when read aloud.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

# Who has one of these rights can give roles.
OVER_COLLEAGUES = ("add_staff", "change_staff")


class NotYours(Conflict):
    """The colleague's entry is not one that the actor may change."""

    code = "not_yours"
    audience = STAFF
    title = gettext_noop("This entry is not yours to change.")


class TakesTwo(Conflict):
    """Alone the actor could sign in as the colleague afterwards."""

    code = "takes_two"
    audience = STAFF
    title = gettext_noop("This takes another administrator.")


@transaction.atomic
def create(
    username: str, *, actor: Actor, roles: Collection[Group] = (), accounts: Collection[Account] = (), **plain: Any
) -> tuple[Staff, str]:
    """A new entry and its first password, which is shown this once. Raises Invalid, Conflict or NotYours."""
    acting = _acting(actor)
    _check_accounts(acting, accounts)
    _check_roles(acting, roles)
    staff = Staff(username=username.strip(), is_staff=True, password_set_by=acting)
    _apply(staff, plain)
    password = _set_password(staff)
    _clean(staff)
    try:
        with transaction.atomic():
            staff.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_("A colleague of this name is there already.")) from None
    staff.groups.set(roles)
    staff.accounts.set(accounts)
    _record(staff, "staff.created", actor, _shown({**plain, "roles": roles, "accounts": accounts}))
    return staff, password


@transaction.atomic
def change(
    staff: Staff,
    *,
    actor: Actor,
    roles: Collection[Group] | None = None,
    accounts: Collection[Account] | None = None,
    **plain: Any,
) -> Staff:
    """Change what is given; rights and accounts count from the colleague's next click. Raises Invalid or NotYours."""
    acting = check_mine(staff, actor=actor)
    before = {**{name: getattr(staff, name) for name in plain}}
    if roles is not None:
        before["roles"] = list(staff.groups.all())
        _check_roles(acting, set(before["roles"]) ^ set(roles))
        staff.groups.set(roles)
        plain_roles = {"roles": list(roles)}
    else:
        plain_roles = {}
    if accounts is not None:
        _check_accounts(acting, accounts)
        before["accounts"] = list(staff.accounts.all())
        staff.accounts.set(accounts)
        plain_roles["accounts"] = list(accounts)
    _apply(staff, plain)
    _clean(staff)
    if plain:
        staff.save(update_fields=sorted(plain))
    after, before = _shown({**plain, **plain_roles}), _shown(before)
    changes = {name: {"before": before[name], "after": after[name]} for name in after}
    _record(staff, "staff.changed", actor, changes)
    return staff


@transaction.atomic
def new_password(staff: Staff, *, actor: Actor) -> str:
    """A fresh password, shown this once; the colleague's sessions end. Raises NotYours and TakesTwo."""
    check_mine(staff, actor=actor)
    check_gives(hold(staff), actor.staff_id)
    password = _set_password(staff)
    staff.password_set_by_id = actor.staff_id
    staff.save(update_fields=["password", "password_set_by"])
    _record(staff, "staff.password_set", actor, {})
    return password


def check_gives(held: Staff, giver_id: int) -> None:
    """Raise TakesTwo where a password would let the giver in as the colleague: nothing else guards the entry."""
    if held.factor_reset_by_id == giver_id:
        raise TakesTwo(_("You reset this colleague's second factor: another administrator gives the password."))
    if settings.SECOND_FACTOR != "required" or held.factor_reset_by_id or held.has_second_factor():
        return
    if held.password_set_by_id is None:
        raise TakesTwo(
            _("This colleague has no second factor, so a password from you would let you in. An operator gives one.")
        )
    if held.password_set_by_id != giver_id:
        raise TakesTwo(
            _(
                "This colleague has no second factor yet, so a password from you would let you in. %(who)s gave the "
                "present one and can give another."
            )
            % {"who": held.password_set_by.get_username()}
        )


@transaction.atomic
def change_own_password(staff: Staff, password: str) -> Staff:
    """A password of the colleague's own choice, checked already; their other sessions end. Raises Invalid."""
    if staff.check_password(password):
        raise Invalid.field("password", _("It is the present one: choose another."))
    hold(staff)
    staff.set_password(password)
    staff.password_set_by = None
    staff.save(update_fields=["password", "password_set_by"])
    _record(staff, "staff.own_password_changed", Actor.staff(staff), {})
    return staff


def hold(staff: Staff) -> Staff:
    """The colleague's row as it is now, locked until the transaction ends: what decides about passwords and factors."""
    return Staff.objects.select_for_update().get(pk=staff.pk)


def _acting(actor: Actor) -> Staff:
    """The colleague who acts, as they are now."""
    return Staff.objects.get(pk=actor.staff_id)


def check_mine(staff: Staff, *, actor: Actor) -> Staff:
    """The colleague who acts, as they are now, where they may change this one.

    Raises NotYours: oneself, a superuser (unless one is one), or somebody with accounts that one does not see.
    """
    acting = _acting(actor)
    if staff.pk == acting.pk:
        raise NotYours(_("Nobody changes their own entry: ask another administrator."))
    if acting.is_superuser:
        return acting
    if staff.is_superuser:
        raise NotYours(_("Only a superuser changes a superuser."))
    if staff.accounts.exclude(pk__in=acting.accounts.values("pk")).exists():
        raise NotYours(_("This colleague sees accounts that you don't see."))
    return acting


def _check_accounts(acting, accounts):
    if acting.is_superuser:
        return
    mine = set(acting.accounts.values_list("pk", flat=True))
    if any(account.pk not in mine for account in accounts):
        raise NotYours(_("You can give only accounts that you see yourself."))


def _check_roles(acting, roles):
    """Roles that change colleagues are a superuser's to give and to take: administrators make no administrators."""
    if acting.is_superuser:
        return
    powerful = Group.objects.filter(permissions__codename__in=OVER_COLLEAGUES, pk__in=[role.pk for role in roles])
    if role := powerful.order_by("name").first():
        raise NotYours(f"Only a superuser gives or takes the role {role.name}.")


def _apply(staff, plain):
    for name, value in plain.items():
        if name not in PLAIN:
            raise Invalid.field(name, _("It can't be set."))
        setattr(staff, name, value)


def _clean(staff):
    try:
        staff.clean_fields(exclude=["password", "last_login", "date_joined"])
    except ValidationError as error:
        raise Invalid(
            invalid_params=[{"name": name, "reason": " ".join(texts)} for name, texts in error.message_dict.items()]
        ) from error


def _set_password(staff):
    password = "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))
    staff.set_password(password)
    return password


def _shown(values):
    named = {"roles", "accounts"}
    return {name: sorted(str(item) for item in value) if name in named else value for name, value in values.items()}


def _record(staff, action, actor, changes):
    """A line that names no address."""
    changes = {name: value for name, value in changes.items() if name in {"roles", "accounts", "is_active"}}
    trail.record(staff, action, actor=actor, changes=changes)


def all_roles() -> QuerySet:
    """The roles (groups) that a colleague can have, by name."""
    return Group.objects.order_by("name")
