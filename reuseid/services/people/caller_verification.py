"""Is the caller who they say? A recorded step: which questions were checked, and how it ended."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from reuseid.actors import Actor
from reuseid.errors import STAFF, Conflict, Invalid
from reuseid.models import TrailEntry, User
from reuseid.services import reasons
from reuseid.services.audit import trail

GOOD_FOR = timedelta(minutes=15)
ACTION = "user.caller_verified"
PASSED, FAILED = "passed", "failed"
REQUIRED = "required"


class CallerNotVerified(Conflict):
    """The setting CALLER_CHECK asks for a verified caller first, and there is none."""

    code = "caller_not_verified"
    audience = STAFF
    title = "Nobody verified the caller in the last 15 minutes."


def questions() -> dict[str, str]:
    """The questions that may be asked (setting CALLER_QUESTIONS): ``{code: question}``, in the order of the setting."""
    return settings.CALLER_QUESTIONS


@transaction.atomic
def verified(user: User, *, actor: Actor, asked: list[str], passed: bool, note: str = "") -> TrailEntry:
    """Record that a caller was asked, and the outcome. ``asked`` holds codes of `questions`.

    Raises Invalid for another code, a pass without a question, or a note that is too long.
    """
    unknown = [code for code in asked if code not in questions()]
    if unknown or (passed and not asked):
        raise Invalid.field("asked", f"At least one of {', '.join(questions())}.")
    if len(note) > reasons.MAX_NOTE:
        raise Invalid.field("note", f"At most {reasons.MAX_NOTE} characters.")
    changes = {"outcome": PASSED if passed else FAILED, "asked": list(asked)}
    return trail.record(user, ACTION, actor=actor, note=note, changes=changes)


def latest(user_id: UUID) -> TrailEntry | None:
    """The last check of a caller for the person of this id, if it is at most 15 minutes old by the database's clock."""
    lines = TrailEntry.objects.filter(user_id=user_id, action=ACTION).order_by("-id")
    line = lines.annotate(fresh_from=Now() - GOOD_FOR).first()
    return line if line is not None and line.at > line.fresh_from else None


def is_passed(line: TrailEntry | None) -> bool:
    """Whether that check was passed, so that a strong act may happen; False where there is none."""
    return line is not None and line.changes.get("outcome") == PASSED


def require(user_id: UUID, *, actor: Actor) -> None:
    """Raise CallerNotVerified where the setting asks for a verified caller, a colleague acts and there is none."""
    if settings.CALLER_CHECK == REQUIRED and actor.is_staff and not is_passed(latest(user_id)):
        raise CallerNotVerified("First verify the caller: the button “Verify the caller” on the person's page.")
