"""An operation's life as one line: started, picked up by the phone, ended, and the deadline as its end mark."""

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from mobileid.models.operations import OPEN
from mobileid.services.descriptions import awaits_return_code
from reuseid.admin.kit import formatting
from reuseid.admin.kit.texts.statuses import colour_of

WIDTH = 1000


@dataclass
class Step:
    """One mark of the line: what, when, and what lies between it and the next one. ``colour`` never stands alone."""

    name: str
    at: str
    colour: str = "quiet"
    state: str = ""
    then: str = ""


@dataclass
class Life:
    """The line of one operation; the bar above its marks shows the same in proportion."""

    operation: object
    title: str = field(default_factory=lambda: _("Life"))
    template: str = "admin/parts/operation_timeline.html"
    width: int = WIDTH

    @cached_property
    def now(self):
        """The moment that it is drawn for."""
        return timezone.now()

    @property
    def open(self):
        """Whether it has not ended."""
        return self.operation.status in OPEN

    @property
    def summary(self):
        """How long it took of what it was given, or what is left."""
        row = self.operation
        allowed = formatting.duration(row.created_at, row.expires_at)
        if self.open:
            left = (row.expires_at - self.now).total_seconds()
            return formatting.left(int(left)) if left > 0 else _("The deadline is over: it is about to expire.")
        taken = formatting.duration(row.created_at, row.ended_at)
        return _("%(taken)s of %(allowed)s") % {"taken": taken, "allowed": allowed}

    @property
    def steps(self):
        """The marks, oldest first."""
        row = self.operation
        return [
            Step(_("Started"), formatting.when(row.created_at), "done", then=self._waited()),
            Step(
                _("Picked up by the phone"),
                formatting.when(row.started_at, self._missing()),
                "done" if row.started_at else "quiet",
                then=self._on_the_phone(),
            ),
            Step(
                _("Ended"),
                formatting.when(row.ended_at, self._missing()),
                colour_of("operation", row.status) if row.ended_at else "quiet",
                state="" if self.open else formatting.state(row),
                then=self._spared(),
            ),
            Step(_("Deadline"), formatting.when(row.expires_at), "mark"),
        ]

    def _missing(self):
        return formatting.quiet(_("not yet")) if self.open else formatting.NEVER

    def _waited(self):
        row = self.operation
        if row.started_at:
            return formatting.duration(row.created_at, row.started_at)
        if self.open:
            return _("waiting for the phone")
        return formatting.duration(row.created_at, row.ended_at)

    def _on_the_phone(self):
        row = self.operation
        if not row.started_at:
            return ""
        if awaits_return_code(row):
            return _("approved; the return code is awaited")
        return _("the person is looking at it") if self.open else formatting.duration(row.started_at, row.ended_at)

    def _spared(self):
        row = self.operation
        if not row.ended_at or row.ended_at >= row.expires_at:
            return ""
        return _("%(time)s to spare") % {"time": formatting.duration(row.ended_at, row.expires_at)}

    @property
    def bars(self):
        """Waiting and deciding, in proportion to the time that was given: (x, width, colour)."""
        row = self.operation
        given = (row.expires_at - row.created_at).total_seconds() or 1
        end = self._place(row.ended_at or self.now, given)
        picked = self._place(row.started_at, given) if row.started_at else end
        return [(0, picked, "quiet"), (picked, max(end - picked, 0), "busy2")]

    def _place(self, moment, given):
        part = (moment - self.operation.created_at).total_seconds() / given
        return round(WIDTH * min(max(part, 0), 1))
