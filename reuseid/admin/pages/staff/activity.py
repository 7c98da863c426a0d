"""What did this colleague do? Their lines of the trail, from one day to another, in the reader's accounts."""

from dataclasses import dataclass

from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.filters import typed_day
from reuseid.admin.kit.pages import ROWS, Table
from reuseid.admin.kit.scope import trail_lines
from reuseid.models import TrailEntry, User
from reuseid.times import begins, ends


@dataclass
class Days:
    """A form above a table: from one day to another, both included, kept in the address."""

    tab: str
    start: str = ""
    end: str = ""
    template: str = "admin/parts/days.html"


def activity(request, staff):
    """Their ROWS newest lines between two days; each person is a link for those who may open people."""
    start, end = (typed_day(request.GET.get(side)) for side in ("from", "to"))
    lines = trail_lines(request.user).filter(actor_type="STAFF", actor_id=str(staff.pk))
    if start:
        lines = lines.filter(at__gte=begins(start, get_current_timezone()))
    if end:
        lines = lines.filter(at__lt=ends(end, get_current_timezone()))
    sees_people = request.user.has_perm("reuseid.view_user")
    rows = [_row(line, request.user, sees_people) for line in lines.order_by("-at", "-id")[:ROWS]]
    shown = Days("activity", *(day.isoformat() if day else "" for day in (start, end)))
    headers = [_("Time"), _("What"), _("About"), _("Person"), _("Reason"), _("Note")]
    more = formatting.list_of(TrailEntry, q=str(staff.pk)) if len(rows) == ROWS else ""
    return [shown, Table(headers, rows, empty=_("Nothing between these days."), more=more)]


def _row(entry, reader, sees_people):
    line = history.line(entry, reader)
    person = (
        formatting.link(User, entry.user_id)
        if sees_people
        else formatting.text(entry.user_id and formatting.short(entry.user_id))
    )
    about = f"{entry.object_type} {formatting.short(entry.object_id)}"
    return [line.at, line.sentence, about, person, line.reason, line.note]
