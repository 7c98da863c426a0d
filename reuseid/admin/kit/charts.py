"""Figures and charts of the first page. Charts are SVG, drawn here, each with its figures as a table.

The page needs no script for them, so nothing jumps when they are drawn anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import timezone as fixed

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit import formatting
from reuseid.admin.kit.scope import account_ids

HEIGHT = 120
WIDTH = 24
NOTHING = "–"
LIMIT = 1000
# What a chart is stacked of, from the bottom: key, name, colour.
Series = Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Period:
    """A time span that ends now, cut into ``columns`` of ``step`` each; ``slug`` names it in the address."""

    slug: str
    title: str
    columns: int
    step: timedelta

    def starts(self, now: datetime) -> list[datetime]:
        """The beginnings of its columns, oldest first, in the zone of ``now``, which the last one holds."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        last = day + (now - day) // self.step * self.step
        return [last - self.step * back for back in reversed(range(self.columns))]

    def label(self, start: datetime) -> str:
        """The column's name, as short as can be."""
        return f"{start:%H}:00" if self.step == timedelta(hours=1) else f"{start:%m-%d}"

    def named(self, start: datetime) -> str:
        """The column's name in full."""
        if self.step < timedelta(days=1):
            return f"{start:%Y-%m-%d %H}:00"
        return f"{start:%Y-%m-%d}"


PERIODS = {
    period.slug: period
    for period in (
        Period("24h", _("24 hours"), 24, timedelta(hours=1)),
        Period("7d", _("7 days"), 28, timedelta(hours=6)),
        Period("30d", _("30 days"), 30, timedelta(days=1)),
    )
}
WEEK = Period("week", _("7 days"), 7, timedelta(days=1))


@dataclass
class Bar:
    """One part of a column, in the units of the view box."""

    x: int
    y: float
    height: float
    colour: str
    title: str


@dataclass
class Line:
    """A line through the middles of its columns; ``style`` tells lines apart without colour."""

    points: str
    colour: str
    style: str = ""


@dataclass
class Chart:
    """What the template draws. ``legend`` holds (name, colour, figure, address or none)."""

    title: str
    summary: str
    headers: list
    rows: list
    ticks: list
    top: str = ""
    bars: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    legend: list = field(default_factory=list)
    empty: str = ""
    note: str = ""
    height: int = HEIGHT
    bar: int = WIDTH - 6
    template: str = "admin/parts/chart.html"

    @property
    def width(self) -> int:
        """The width of the drawing, in the units of its view box."""
        return max(len(self.rows), 1) * WIDTH


def in_columns(figures: Mapping[tuple, int], starts: list[datetime]) -> dict[tuple, int]:
    """Counts added up by column: of ``{(moment, *key): count}`` it makes ``{(index of the column, *key): count}``."""
    step = starts[1] - starts[0]
    found: dict[tuple, int] = {}
    for (moment, *key), count in figures.items():
        index = (moment - starts[0]) // step
        if 0 <= index < len(starts):
            place = (index, *key)
            found[place] = found.get(place, 0) + count
    return found


def stacked(
    columns: Mapping[tuple, int], starts: list[datetime], period: Period, series: Series
) -> tuple[list[Bar], int]:
    """Bars of ``series``, (key, name, colour) from the bottom; gives the bars and the tallest column's height."""
    heights = [sum(columns.get((index, key), 0) for key, _name, _colour in series) for index in range(len(starts))]
    tallest = max(heights, default=0) or 1
    bars = []
    for index, start in enumerate(starts):
        y = float(HEIGHT)
        for key, name, colour in series:
            count = columns.get((index, key), 0)
            if count:
                height = HEIGHT * count / tallest
                y -= height
                title = f"{period.named(start)} {name}: {count}"
                bars.append(Bar(index * WIDTH + 3, round(y, 2), round(height, 2), colour, title))
    return bars, max(heights, default=0)


def line(values: Sequence[float | None], top: float, colour: str, style: str = "") -> Line:
    """A line through ``values``, None where there is none; ``top`` is the upper edge."""
    points = [
        f"{index * WIDTH + WIDTH // 2},{round(HEIGHT - HEIGHT * min(value / top, 1), 2)}"
        for index, value in enumerate(values)
        if value is not None
    ]
    return Line(" ".join(points), colour, style)


def scale(values: Iterable[float], steps: Sequence[int]) -> int:
    """The lowest of ``steps`` that has room for all values: the upper edge of a line."""
    highest = max(values, default=0)
    return next((step for step in steps if step >= highest), steps[-1])


def ticks(starts: list[datetime], period: Period) -> list[str]:
    """The names below the drawing: of every sixth or so of its columns."""
    every = max(len(starts) // 6, 1)
    return [period.label(start) for start in starts[::every]]


def chosen(request: HttpRequest) -> Period:
    """The period that the address asks for, or the last day."""
    return PERIODS.get(request.GET.get("period", ""), PERIODS["24h"])


def now() -> datetime:
    """The present as the reader's clock shows it. The charts keep its distance to UTC, so that no day has 23 hours."""
    here = timezone.localtime()
    return here.astimezone(fixed(here.utcoffset()))


def not_all(complete: bool) -> str:
    """What a chart says when the hour that runs was too busy to be read to its end."""
    return "" if complete else _("The running hour is very busy: only its newest part is drawn.")


@dataclass
class Card:
    """One number, what it counts, where the rows are."""

    title: str
    number: str
    hint: str = ""
    href: str = ""
    colour: str = "quiet"


def up_to(rows: QuerySet, limit: int = LIMIT) -> str:
    """How many rows in words, counted no further than ``limit``."""
    found = rows.order_by()[: limit + 1].count()
    return f"{limit}+" if found > limit else str(found)


def today() -> datetime:
    """Midnight, in the reader's zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def locked_today(request: HttpRequest, model: type[Model], title: str) -> Card:
    """Rows of ``model`` that were locked since midnight and still are."""
    start = today()
    rows = model.objects.filter(status="LOCKED", status_since__gte=start, account__in=account_ids(request.user))
    number = up_to(rows)
    return Card(
        title,
        number,
        hint=_("since midnight"),
        href=formatting.list_of(model, status="LOCKED", status_since_from=start.date().isoformat()),
    )
