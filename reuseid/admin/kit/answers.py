"""How an act answers: the page that it leads to, a refusal in words, a secret that is shown once."""

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.scope import changes_of
from reuseid.errors import ServiceError, WrongState
from reuseid.models import TrailEntry, kind_of

NOTHING_CHANGED = _("Nothing was changed. %(why)s")
WHY = "%(why)s"


@dataclass
class Refusals:
    """In its block a service's refusal ends the block and becomes a message: ``sentence`` with its ``%(why)s``.

    Where a ``row`` is given and somebody was faster, the message says in which state it is by now, and who did it.
    """

    request: HttpRequest
    sentence: str = NOTHING_CHANGED
    row: Model | None = None

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, WrongState) and self.row is not None:
            messages.warning(self.request, too_late(self.row))
        elif isinstance(error, ServiceError):
            messages.error(self.request, self.sentence % {"why": explain(error)})
        else:
            return False
        return True


def explain(error: ServiceError) -> str:
    """A service's refusal in one sentence, with the fields that it is about."""
    params = " ".join(f"{item['name']}: {item['reason']}" for item in error.invalid_params)
    return f"{error.detail or gettext(error.title)} {params}".strip()


def too_late(obj: Model) -> str:
    """Why a click came to nothing: the state that the row is in by now, and who brought it there."""
    state = {"noun": obj._meta.verbose_name, "state": obj.get_status_display().lower()}
    sentence = _("Nothing was changed: the %(noun)s is %(state)s already.") % state
    line = last_line(obj)
    if line is None:
        return sentence
    last = {"action": line.action, "who": history.who(line), "time": line.at}
    return format_html(
        "{} {}", sentence, formatting.sentence(_("Last change: %(action)s by %(who)s, %(time)s."), **last)
    )


def last_line(obj: Model, verbs: tuple[str, ...] = ()) -> TrailEntry | None:
    """The newest trail line that changed a row; of the ``verbs`` alone, where some are named."""
    lines = changes_of(obj)
    if verbs:
        lines = lines.filter(action__in=[f"{kind_of(obj)}.{verb}" for verb in verbs])
    return lines.order_by("-id").first()


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Send the browser to a page: htmx dialogs need a header for it, plain forms a redirect."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def shown_once(
    request: HttpRequest,
    *,
    title: str,
    secret: str,
    advice: str,
    back: str,
    picture: str = "",
    until: str | None = None,
) -> HttpResponse:
    """The answer of a dialog that made ``secret``: never in a session, a message or an address, kept by nothing.

    ``picture`` is the same as a QR code (a ``data:`` address), ``until`` when it stops working.
    """
    response = render(
        request,
        "admin/secret.html" if not request.headers.get("HX-Request") else "admin/parts/secret.html",
        {"title": title, "secret": secret, "advice": advice, "back": back, "picture": picture, "until": until},
    )
    response["HX-Retarget"] = "#modal-content"
    response["HX-Reselect"] = "#dialog"
    response["HX-Reswap"] = "innerHTML"
    response["Cache-Control"] = "no-store"
    return response
