"""Who sees what, said once: a colleague sees the accounts named on their own row, a superuser all."""

from django.db.models import Model, Q, QuerySet
from django.utils.translation import ngettext

from reuseid.models import Account, Staff, StaffNotice, TrailEntry, kind_of
from reuseid.models.trail import ACCESS, QUIET_ACCESS


def account_ids(staff: Staff) -> list:
    """The ids of the accounts that a colleague sees; read once a request.

    A superuser's are listed too, so that every look-up goes through an index that begins with the account.
    """
    if not hasattr(staff, "_seen_account_ids"):
        accounts = Account.objects.all() if staff.is_superuser else staff.accounts.all()
        staff._seen_account_ids = list(accounts.order_by("name").values_list("pk", flat=True))
    return staff._seen_account_ids


def accounts_of(staff: Staff) -> QuerySet:
    """The accounts that a colleague sees, for a form to choose among."""
    return Account.objects.filter(pk__in=account_ids(staff)).order_by("name")


# A superuser's accounts are named too, up to so many: the indexes of the big tables begin with the account.
NAMED = 100


def scoped(queryset: QuerySet, staff: Staff, *paths: str) -> QuerySet:
    """The rows of a colleague's accounts; ``paths`` lead from the row to its account, any of them is enough."""
    if staff.is_superuser and not _names_all(queryset, staff, paths):
        return queryset
    condition = Q()
    for path in paths:
        condition |= Q(**{f"{path}__in": account_ids(staff)})
    return queryset.filter(condition)


def _names_all(queryset: QuerySet, staff: Staff, paths: tuple[str, ...]) -> bool:
    plain = paths == ("account",) and not queryset.model._meta.get_field("account").null
    return plain and len(account_ids(staff)) <= NAMED


def colleagues(staff: Staff) -> QuerySet:
    """The colleagues whom a colleague sees: those who share an account; superusers are seen by superusers."""
    rows = Staff.objects.all()
    if staff.is_superuser:
        return rows
    return rows.filter(pk__in=Staff.objects.filter(is_superuser=False, accounts__in=account_ids(staff)).values("pk"))


def trail_lines(staff: Staff) -> QuerySet:
    """The lines of the trail that a colleague reads, on every page: of their accounts, and about colleagues they see.

    Lines of no account are colleagues' entries: for those who see colleagues. Who looked at a person is for those who
    may ask that.
    """
    rows = TrailEntry.objects.all()
    if staff.is_superuser:
        return rows
    if not staff.has_perm("reuseid.view_useraccess"):
        rows = rows.exclude(action__in=QUIET_ACCESS)
    seen = Q(account__in=account_ids(staff))
    if staff.has_perm("reuseid.view_staff"):
        entries = [str(pk) for pk in colleagues(staff).values_list("pk", flat=True)]
        seen |= Q(account=None, object_type="staff", object_id__in=entries)
    return rows.filter(seen)


def history_of(obj: Model, staff: Staff) -> QuerySet:
    """The lines about one row that the colleague sees, but for who looked where they may not ask that."""
    rows = TrailEntry.objects.filter(object_type=kind_of(obj), object_id=str(obj.pk))
    return rows if staff.has_perm("reuseid.view_useraccess") else rows.exclude(action__in=QUIET_ACCESS)


def changes_of(obj: Model) -> QuerySet:
    """The trail lines about one row, but for those that say who looked at it."""
    rows = TrailEntry.objects.filter(object_type=kind_of(obj), object_id=str(obj.pk))
    return rows.exclude(action__in=ACCESS)


def notices(staff: Staff) -> QuerySet:
    """The notices that a colleague reads: of their accounts; those about colleagues, who sees colleagues."""
    rows = scoped(StaffNotice.objects.all(), staff, "account")
    return rows if staff.has_perm("reuseid.view_staff") else rows.exclude(object_type="staff")


def account_names(names: list[str], staff: Staff) -> list[str]:
    """Names of accounts as the colleague may read them: others are counted, not named."""
    seen = set(Account.objects.filter(pk__in=account_ids(staff)).values_list("name", flat=True))
    known = [name for name in names if name in seen]
    others = len(names) - len(known)
    if not others:
        return known
    sentence = ngettext("%(count)s that you don't see", "%(count)s that you don't see", others)
    return [*known, sentence % {"count": others}]
