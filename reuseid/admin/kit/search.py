"""One search box for people: ids of anything of theirs, their reference, any searchable attribute. Always exact.

Searches by value have a quota (`reuseid.services.audit.searches`).

The beginning of a reference is another, deliberate search: `find_by_start`. Both leave a line for each account.
"""

from collections import Counter

from django.db import connection, transaction
from django.db.models import Q
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


def find_people(request, term: str):
    """Ids of the users that the term names, and what it was compared with, in words."""
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
def _with_values(request, accounts, term, found, tried):
    """Also by value, while the colleague's quota lasts; the request knows where it is used up, or the name is none."""
    compared_by, asked = _asked(request, accounts, term)
    if compared_by and not searches.may_compare(accounts.values(), compared_by, actor=Actor.staff(request.user)):
        compared_by, asked = "", []
        request.search_rests = gettext("Searching by value rests: you did it very often in the last hour.")
    hit = [pk for one in asked for pk in _with_value(*one)]
    tried = [*tried, *sorted({name for _account, name, _text in asked})]
    return _record(request, accounts, found + hit, tried, compared_by, hit), searched(term, tried)


def find_by_start(request, start: str):
    """Ids of at most PART_LIMIT users whose reference begins so, and what was compared, in words.

    None are found with less than PART_LEAST letters: the words then say so.
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


def _accounts(request):
    return {account.pk: account for account in Account.objects.filter(pk__in=account_ids(request.user))}


def _record(request, accounts, found, compared, compared_by="", hit=()):
    """Leave the lines, and give back those of the found who belong to the accounts."""
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


def _in_english(columns):
    # The trail is in English, whoever reads or writes it.
    with override("en"):
        return [str(column) for column in columns]


def _by_reference(accounts, term):
    """The reference as it is; where nobody has it, without regard to case and spaces."""
    rows = User.objects.filter(account__in=list(accounts)).values_list("pk", flat=True)
    exact = list(rows.filter(external_ref=compose(term))[:LIMIT])
    return exact or list(rows.filter(folded_ref=folded_ref(term))[:LIMIT])


def _begins(start):
    """The condition, in the form that the index answers: a pattern on PostgreSQL, a range of bytes on SQLite."""
    prefix = folded_ref(start) or ""
    if connection.vendor == "sqlite":
        return Q(folded_ref__gte=prefix, folded_ref__lt=prefix + "\U0010ffff")
    return Q(folded_ref__startswith=prefix)


def _asked(request, accounts, term):
    """How values are compared, and ``[(account, name, text)]``: names that the catalogues make searchable, no others.

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


def _with_value(account, name, text):
    try:
        indexes = catalogue.search_indexes(account, name, text)
    except Invalid:
        return []
    rows = Attribute.objects.filter(account=account, name=name, blind_index__in=indexes)
    return list(rows.values_list("user_id", flat=True)[:LIMIT])
