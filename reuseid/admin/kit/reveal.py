"""One masked value, shown to one colleague for a minute, with a reason: asked on a row's dialog, read on the page."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reuseid import crypto
from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import WHY
from reuseid.admin.kit.dialogs import Follows, ReasonForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.pages import Acting
from reuseid.models import Attribute, Proofing, User
from reuseid.services.audit import access
from reuseid.services.people import attributes, proofings


def _follows(row: Model) -> list[str]:
    return [
        _("The value is shown to you alone, for one minute, on the person's page."),
        _("The history says that you looked, at what and why; never the value."),
    ]


def reveal_form(model: type[Model], follows: Follows = _follows) -> type[ReasonForm]:
    """The dialog for rows of ``model``: a reason."""
    return ReasonForm.about(model, follows)


class Revealing(Acting):
    """Adds the act to the admin of rows that hide something; ``tab`` is where the person's page shows it.

    Rows that show it elsewhere say where in `page_after`, and which service grants the minute in ``grant``.
    """

    tab = ""
    grant = staticmethod(access.reveal)
    page_related = ("account", "user")
    actions_detail = ("reveal",)

    def page_after(self, obj: Model) -> str:
        """The page that shows it while the minute lasts."""
        return f"{formatting.page_of(User, obj.user_id)}?tab={self.tab}"


def reveal_action(form: type[ReasonForm], *, description: str = "", title: str = "") -> Callable:
    """The act itself; ``form`` is its dialog (`reveal_form`)."""

    def reveal(self: Any, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        grant = self.grant
        return self.act(request, object_id, grant, nothing=WHY, **form.values())

    return dialog_action(
        description or gettext_lazy("Reveal"),
        icon="visibility",
        effect=Effect.UNMASKS,
        title=title or gettext_lazy("Show this value for one minute"),
        form=form,
        submit=gettext_lazy("Show it"),
    )(reveal)


class Masked:
    """The cells of one person's hidden values, for one colleague: hidden with a button, or shown while granted."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        self.granted = access.shown_to(user, staff_id=request.user.pk)
        self.may = {model: request.user.has_perm(f"reuseid.reveal_{model._meta.model_name}") for model in _READERS}

    def cell(self, row: Model) -> SafeString:
        """The value while this colleague may read it, else the mask and, with the right, the button."""
        if not self.may[type(row)]:
            return formatting.MASK
        end = self.granted.get((row._meta.model_name, row.pk))
        if end is None:
            return format_html("{} {}", formatting.MASK, button(row))
        return format_html(
            '<span class="bo-revealed" data-seconds="{}" title="{}">{}</span>',
            seconds_left(end),
            _("Shown to you for one minute."),
            readable(row),
        )


def button(row: Model) -> SafeString:
    """A small button that asks for the minute, to stand beside the mask."""
    address = formatting.page_of(type(row), row.pk).removesuffix("change/") + "reveal/"
    return formatting.dialog(address, _("Reveal"), icon="visibility")


def seconds_left(end: datetime) -> int:
    """For the script that takes it off the page again: the server's clocks may differ a little."""
    return max(1, min(60, int((end - timezone.now()).total_seconds())))


def readable(row: Model) -> str:
    """The plain value as text; a badge where its key is not here."""
    try:
        value = _READERS[type(row)](row)
    except crypto.Unreadable:
        return formatting.unreadable()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_READERS: dict[type[Model], Callable[[Any], Any]] = {
    Attribute: attributes.value_of,
    Proofing: proofings.reference_of,
}
