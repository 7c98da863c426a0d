"""Signs of life of beat and of the workers, in the database: what /readyz and /metrics read.

Beat's row is its lock, too: of several beats only the holder schedules, and another takes over when it has been silent
for BEAT_SILENCE seconds.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from reuseid.models import Heartbeat

BEAT = "beat"


def beat(name: str, holder: str) -> None:
    """Say that ``holder`` is alive, as the last of this name."""
    if not Heartbeat.objects.filter(name=name).update(holder=holder[:200], at=Now()):
        Heartbeat.objects.update_or_create(name=name, defaults={"holder": holder[:200], "at": Now()})


def ages() -> dict[str, float]:
    """Seconds since each sign of life, by the database's clock."""
    rows = Heartbeat.objects.annotate(age=Now() - F("at")).values_list("name", "age")
    return {name: max(0.0, round(age.total_seconds(), 1)) for name, age in rows}


def watched() -> dict[str, float | None]:
    """The ages of beat and of the workers on each queue that the schedule knocks at; None for one never heard."""
    found = ages()
    return {name: found.get(name) for name in [BEAT, *(f"worker:{queue}" for queue in settings.WATCHED_QUEUES)]}


def is_late(age: float | None) -> bool:
    """Whether such an age means silence."""
    return age is None or age > settings.HEARTBEAT_LATE


def hold(name: str, holder: str) -> bool:
    """Take or keep the lock ``name``: True for the one holder. One conditional UPDATE decides between rivals."""
    if _take(name, holder):
        return True
    nobodys = Heartbeat(name=name, holder="", at=Now() - timedelta(days=1))
    made = not Heartbeat.objects.filter(name=name).exists()
    if made:
        Heartbeat.objects.bulk_create([nobodys], ignore_conflicts=True)
    return made and _take(name, holder)


def _take(name, holder):
    mine_or_silent = Q(holder=holder) | Q(at__lt=Now() - timedelta(seconds=settings.BEAT_SILENCE))
    return bool(Heartbeat.objects.filter(mine_or_silent, name=name).update(holder=holder, at=Now()))


def let_go(name: str, holder: str) -> None:
    """Give the lock back, so that another need not wait for the silence."""
    Heartbeat.objects.filter(name=name, holder=holder).update(holder="", at=Now() - timedelta(days=1))
