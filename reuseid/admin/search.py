"""One search box for people: ids of anything of theirs, their reference, any searchable attribute. Always exact."""

from collections.abc import Callable

from reuseid.admin.scope import account_ids
from reuseid.errors import Invalid
from reuseid.models import Account, Attribute, AttributeKey, User
from reuseid.services import catalogue, lookups
from reuseid.services.uuids import as_uuid

LIMIT = 200

# Each finds the ids of the people behind an id: ``finder(uuid, account ids) -> ids``. mobileid adds its own.
FINDERS: dict[str, Callable] = {}


def find_people(request, term: str):
    """Ids of the users that the term names, and what it was compared with, in words."""
    term = " ".join(term.replace("\x00", "").split())
    accounts = account_ids(request.user)
    found, tried = [], ["external reference"]
    found += User.objects.filter(account__in=accounts, external_ref=term).values_list("pk", flat=True)[:LIMIT]
    if value := as_uuid(term):
        tried += ["user id", *FINDERS]
        found.append(value)
        for finder in FINDERS.values():
            found += finder(value, accounts)
    elif request.user.has_perm("reuseid.view_attribute"):
        by_value, names = _by_attribute(request, term)
        found += by_value
        tried += names
    return found, f"“{term}” as {', '.join(tried[:-1])}{' or ' if tried[1:] else ''}{tried[-1]}, exactly"


def _by_attribute(request, term):
    """People with ``name:value``, or with the value in any attribute that the catalogues make searchable."""
    accounts = {account.pk: account for account in Account.objects.filter(pk__in=account_ids(request.user))}
    name, colon, value = term.partition(":")
    name, value = name.strip(), value.strip()
    if colon and catalogue.NAME.fullmatch(name) and value:
        asked = [(account, name, value) for account in accounts.values()]
    else:
        keys = AttributeKey.objects.filter(account__in=accounts, searchable=True).values_list("account_id", "name")
        asked = [(accounts[account_id], key, term) for account_id, key in keys[:LIMIT]]
    found = []
    for account, key, text in asked:
        found += _with_value(account, key, text)
    names = sorted({key for _account, key, _text in asked})
    if names:
        lookups.searched(
            {account for account, _key, _text in asked}, names=names, found=len(found), actor=_actor(request)
        )
    return found, names


def _actor(request):
    from reuseid.actors import Actor

    return Actor.staff(request.user)


def _with_value(account, name, text):
    try:
        indexes = catalogue.search_indexes(account, name, text)
    except Invalid:
        return []
    rows = Attribute.objects.filter(account=account, name=name, blind_index__in=indexes)
    return list(rows.values_list("user_id", flat=True)[:LIMIT])
