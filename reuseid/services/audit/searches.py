"""Looking for people leaves lines: who compared what, how many came up and whom a value hit, never what was typed.

Whether somebody has a value can be asked by searching for it, so such searches have a quota a colleague, counted in the
trail itself: what is masked is not found out by trying.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from reuseid.actors import Actor
from reuseid.models import Account, Staff, StaffNotice, TrailEntry, User
from reuseid.services import notices
from reuseid.services.audit import trail

ACCOUNTS = 100
"""Lines of one search at most: somebody who sees more accounts leaves lines in so many."""
WINDOW = timedelta(hours=1)
BY_VALUE, BY_NAME = "value", "name and value"
"""How values were compared: with every searchable name, or with the one that was named."""
QUOTA = "search.quota"


@transaction.atomic
def searched(
    accounts: Iterable[Account],
    *,
    compared: list[str],
    found: dict,
    actor: Actor,
    compared_by: str = "",
    hit: Iterable[User] = (),
) -> None:
    """One line an account that was searched: what was compared, and how many people of that account came up.

    ``found`` maps the ids of accounts to numbers; accounts where somebody was found come first. ``compared_by`` is
    BY_VALUE or BY_NAME, or empty where no values were compared. ``hit`` are the people who have one: each gets a line
    of their own.
    """
    for account in sorted(accounts, key=lambda account: -found.get(account.pk, 0))[:ACCOUNTS]:
        how = {"by": compared_by} if compared_by else {}
        changes = {"compared": compared, "found": found.get(account.pk, 0)} | how
        trail.record(account, "users.searched", actor=actor, changes=changes)
    trail.record_each(hit, "user.found", actor=actor, changes={"by": compared_by})


def may_compare(accounts: Iterable[Account], compared_by: str, *, actor: Actor) -> bool:
    """Whether the colleague has a search by value left in this hour; who has none leaves a notice to those responsible.

    Their row is held until the caller's transaction, which records the search, ends: two at once are counted as two.
    """
    staff = Staff.objects.select_for_update(no_key=True).get(pk=actor.staff_id)
    quota = {BY_VALUE: settings.SEARCH_QUOTA, BY_NAME: settings.SEARCH_QUOTA_BY_NAME}[compared_by]
    if _searches(staff, compared_by) < quota:
        return True
    _tell(staff, accounts, quota)
    return False


def _searches(staff, compared_by):
    """Searches of the last hour, by the account where most were."""
    lines = TrailEntry.objects.filter(actor_type="STAFF", actor_id=str(staff.pk), at__gt=Now() - WINDOW)
    rows = lines.filter(action="users.searched").values_list("account_id", "changes")
    return max(Counter(account for account, changes in rows if changes.get("by") == compared_by).values(), default=0)


def _tell(staff, accounts, quota):
    """One notice an account and hour."""
    told = set(
        StaffNotice.objects.filter(
            code=QUOTA, object_type="staff", object_id=str(staff.pk), at__gt=Now() - WINDOW
        ).values_list("account_id", flat=True)
    )
    text = (
        f"A colleague searched for people by value {quota} times in an hour; more are refused until the hour is over."
    )
    for account in [account for account in accounts if account.pk not in told][:ACCOUNTS]:
        notices.tell(staff, QUOTA, text, account_id=account.pk)
