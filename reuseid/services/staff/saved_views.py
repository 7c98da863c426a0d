"""Views that a colleague keeps: a list and its filters under a name. Theirs alone; no search term is ever kept."""

from urllib.parse import parse_qsl, urlencode

from django.db import IntegrityError, transaction

from reuseid.actors import Actor
from reuseid.errors import Conflict, Invalid
from reuseid.models import SavedView, Staff

LIMIT = 30
NAME, QUERY = 60, 1000
# What may hold a person's name or number, and the page that one was on.
NEVER = {"q", "starts", "p", "tab", "e"}


def keep(*, actor: Actor, model: str, name: str, query: str) -> SavedView:
    """Keep a list's filters under a name, for the colleague who acts.

    ``model`` is the list's label (``app.model``), ``query`` the query string of its address, kept without what may name
    a person (NEVER). Raises Invalid, or Conflict for a name that is taken or when LIMIT are kept already.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME:
        raise Invalid.field("name", f"1 to {NAME} characters.")
    kept = urlencode([(key, value) for key, value in parse_qsl(query) if key not in NEVER])
    if len(kept) > QUERY:
        raise Invalid.field("name", "There are too many filters to keep.")
    if SavedView.objects.filter(staff=actor.staff_id)[:LIMIT].count() >= LIMIT:
        raise Conflict(f"There are {LIMIT} saved views already: remove one first.")
    try:
        with transaction.atomic():
            return SavedView.objects.create(staff_id=actor.staff_id, model=model, name=name, query=kept)
    except IntegrityError:
        raise Conflict("There is a view of this name already.") from None


def remove(view: SavedView, *, actor: Actor) -> None:
    """Forget a view of the colleague who acts; anybody else's is left alone."""
    SavedView.objects.filter(pk=view.pk, staff=actor.staff_id).delete()


def of(staff: Staff, model: str) -> list[SavedView]:
    """The colleague's views of a list, by name."""
    return list(SavedView.objects.filter(staff=staff, model=model).order_by("name")[:LIMIT])
