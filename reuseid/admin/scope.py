"""Who sees which accounts: a colleague sees those named on their own row, a superuser all."""

from django.db.models import Q

from reuseid.models import Account


def account_ids(staff) -> list:
    """The ids of the accounts that a colleague sees; read once a request.

    A superuser's are listed too, so that every look-up goes through an index that begins with the account.
    """
    if not hasattr(staff, "_seen_account_ids"):
        accounts = Account.objects.all() if staff.is_superuser else staff.accounts.all()
        staff._seen_account_ids = list(accounts.order_by("name").values_list("pk", flat=True))
    return staff._seen_account_ids


# A superuser's accounts are named too, up to so many: the indexes of the big tables begin with the account.
NAMED = 100


def scoped(queryset, staff, *paths):
    """The rows of a colleague's accounts; ``paths`` lead from the row to its account, any of them is enough."""
    if staff.is_superuser and not _names_all(queryset, staff, paths):
        return queryset
    condition = Q()
    for path in paths:
        condition |= Q(**{f"{path}__in": account_ids(staff)})
    return queryset.filter(condition)


def _names_all(queryset, staff, paths):
    plain = paths == ("account",) and not queryset.model._meta.get_field("account").null
    return plain and len(account_ids(staff)) <= NAMED
