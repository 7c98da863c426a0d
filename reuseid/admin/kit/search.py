"""One search box for people: ids of anything of theirs, their reference, any searchable attribute. Always exact.

Searches by value have a quota (`reuseid.services.audit.searches`).

The beginning of a reference is another, deliberate search: `find_by_start`. Both leave a line for each account.
"""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from reuseid.actors import Actor
from reuseid.admin.kit.extensions import registry
from reuseid.admin.kit.scope import account_ids
from reuseid.admin.kit.texts import searched
from reuseid.errors import Invalid
from reuseid.models import Account, Attribute, AttributeKey, User
from reuseid.normalisation import as_uuid, compose, folded_ref, without_ignorable
from reuseid.services.audit import searches
from reuseid.services.people import catalogue

LIMIT = 200
PART_LEAST, PART_LIMIT = 3, 50
GUESSED = [AttributeKey.Type.DATE, AttributeKey.Type.BOOLEAN]

Accounts = dict[UUID, Account]
Comparison = tuple[Account, str, str]  # an account, the name of an attribute, the text that was typed


def find_people(request: HttpRequest, term: str) -> tuple[list[UUID], str]:
    """Ids of the users whom the term names exactly, and a sentence that says what it was compared with.

    ``request.search_rests`` says it where the quota for values is used up, or the attribute named is not searchable.
    """
    term = " ".join(without_ignorable(term).replace("\x00", "").split())
    accounts = _accounts(request)
    found, tried = _by_reference(accounts, term), [_("external reference")]
    if value := as_uuid(term):
        finders = registry.of(User).finders
        tried += [_("user id"), *(finder.name for finder in finders)]
        found.append(value)
        for finder in finders:
            found += finder.find(value, list(accounts))
    elif request.user.has_perm("reuseid.view_attribute"):
        return _with_values(request, accounts, term, found, tried)
    return _record(request, accounts, found, tried), searched(term, tried)


@transaction.atomic
def _with_values(
    request: HttpRequest, accounts: Accounts, term: str, found: list[UUID], tried: list[str]
) -> tuple[list[UUID], str]:
    """What `find_people` gives, with those added whom a value names, while the colleague's quota lasts."""
    compared_by, asked = _asked(request, accounts, term)
    if compared_by and not searches.may_compare(accounts.values(), compared_by, actor=Actor.staff(request.user)):
        compared_by, asked = "", []
        request.search_rests = gettext("Searching by value rests: you did it very often in the last hour.")
    hit = [pk for one in asked for pk in _with_value(*one)]
    tried = [*tried, *sorted({name for _account, name, _text in asked})]
    return _record(request, accounts, found + hit, tried, compared_by, hit), searched(term, tried)


def find_by_start(request: HttpRequest, start: str) -> tuple[list[UUID], str]:
    """Ids of at most PART_LIMIT users whose reference begins so, and a sentence that says what was compared.

    Less than PART_LEAST characters, white space aside, find nobody: the sentence then says so.
    """
    start = without_ignorable(start).replace("\x00", "").strip()
    if len("".join(start.split())) < PART_LEAST:
        return [], gettext("nothing: the beginning of a reference needs at least %(count)s characters") % {
            "count": PART_LEAST
        }
    accounts = _accounts(request)
    # Without an order: any other than the index's own would read and sort all that begin so.
    rows = User.objects.filter(_begins(start), account__in=list(accounts)).order_by()
    found = list(rows.values_list("pk", flat=True)[:PART_LIMIT])
    people = _record(request, accounts, found, [_("beginning of the external reference")])
    words = gettext("references that begin with “%(start)s”, case and spaces forgiven, at most %(count)s")
    return people, words % {"start": start, "count": PART_LIMIT}


def _accounts(request: HttpRequest) -> Accounts:
    """The accounts that the colleague sees, by id."""
    return {account.pk: account for account in Account.objects.filter(pk__in=account_ids(request.user))}


def _record(
    request: HttpRequest,
    accounts: Accounts,
    found: Iterable[UUID],
    compared: Iterable[str],
    compared_by: str = "",
    hit: Iterable[UUID] = (),
) -> list[UUID]:
    """Write the search to the trail; the ids of those found who belong to the accounts.

    ``compared`` are names of what was compared; ``compared_by`` and ``hit``, ids, are as in `searches.searched`.
    """
    people = User.objects.filter(pk__in=set(found), account__in=list(accounts)).only("pk", "account_id").in_bulk()
    searches.searched(
        accounts.values(),
        compared=_in_english(compared),
        found=Counter(person.account_id for person in people.values()),
        actor=Actor.staff(request.user),
        compared_by=compared_by,
        hit=[people[pk] for pk in dict.fromkeys(hit) if pk in people],
    )
    return list(people)


def _in_english(columns: Iterable[str]) -> list[str]:
    # The trail is in English, whoever reads or writes it.
    with override("en"):
        return [str(column) for column in columns]


def _by_reference(accounts: Accounts, term: str) -> list[UUID]:
    """Ids of those with this very reference; where nobody has it, without regard to case and spaces."""
    rows = User.objects.filter(account__in=list(accounts)).values_list("pk", flat=True)
    exact = list(rows.filter(external_ref=compose(term))[:LIMIT])
    return exact or list(rows.filter(folded_ref=folded_ref(term))[:LIMIT])


def _begins(start: str) -> Q:
    """The condition, in the form that the index answers: a pattern on PostgreSQL, a range of bytes on SQLite."""
    prefix = folded_ref(start) or ""
    if connection.vendor == "sqlite":
        return Q(folded_ref__gte=prefix, folded_ref__lt=prefix + "\U0010ffff")
    return Q(folded_ref__startswith=prefix)


def _asked(request: HttpRequest, accounts: Accounts, term: str) -> tuple[str, list[Comparison]]:
    """How values are compared (BY_NAME, BY_VALUE, empty for not at all), and with what: searchable attributes alone.

    A bare value is not compared with dates and truth values: there are so few that they are found out by trying.
    """
    keys = AttributeKey.objects.filter(account__in=list(accounts), searchable=True)
    name, colon, value = term.partition(":")
    name, value = name.strip(), value.strip()
    if colon and catalogue.NAME.fullmatch(name) and value:
        compared_by, keys, text = searches.BY_NAME, keys.filter(name=name), value
    else:
        compared_by, keys, text = searches.BY_VALUE, keys.exclude(type__in=GUESSED), term
    asked = [(accounts[key.account_id], key.name, text) for key in keys.order_by("name", "pk")[:LIMIT]]
    if compared_by == searches.BY_NAME and not asked:
        request.search_rests = gettext("“%(name)s” is not searchable: the attribute catalogue says what is.") % {
            "name": name
        }
    return (compared_by if asked else ""), asked


def _with_value(account: Account, name: str, text: str) -> list[UUID]:
    """Ids of those who have this value; none for a text that can be no value of the attribute."""
    try:
        indexes = catalogue.search_indexes(account, name, text)
    except Invalid:
        return []
    rows = Attribute.objects.filter(account=account, name=name, blind_index__in=indexes)
    return list(rows.values_list("user_id", flat=True)[:LIMIT])
