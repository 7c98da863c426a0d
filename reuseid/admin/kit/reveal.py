"""One masked value, shown to one colleague for a minute, with a reason: asked on a row's dialog, read on the page."""

import json

from django.contrib import messages
from django.http import Http404
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reuseid import crypto
from reuseid.admin.kit import formatting
from reuseid.admin.kit.dialogs import ReasonForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.pages import Acting, explain, go_to
from reuseid.errors import ServiceError
from reuseid.models import Attribute, Proofing, User
from reuseid.services.audit import access
from reuseid.services.people import attributes, proofings


def _follows(row):
    return [
        _("The value is shown to you alone, for one minute, on the person's page."),
        _("The history says that you looked, at what and why; never the value."),
    ]


def reveal_form(model, follows=_follows):
    """The dialog for rows of ``model``: a reason."""
    return ReasonForm.about(model, follows)


class Revealing(Acting):
    """Adds the act to the admin of rows that hide something; ``tab`` is where the person's page shows it.

    Rows that show it elsewhere say where in ``shown_at``, and which service grants the minute in ``grant``.
    """

    tab = ""
    grant = staticmethod(access.reveal)
    page_related = ("account", "user")
    actions_detail = ("reveal",)

    def get_object(self, request, object_id, from_field=None):
        return None if "\0" in str(object_id) else super().get_object(request, object_id, from_field)

    def has_reveal_permission(self, request, object_id=None):
        return self.may(request, object_id, f"reveal_{self.opts.model_name}")

    def show_for_a_minute(self, request, form, object_id):
        """Call the service, and lead to the page that shows the value now."""
        row = self.row(request, object_id)
        if row is None:
            raise Http404
        try:
            self.grant(row, actor=self.actor(request), **form.values())
        except ServiceError as error:
            messages.error(request, explain(error))
        return go_to(request, self.shown_at(row))

    def shown_at(self, row):
        """The address of the page that shows it while the minute lasts."""
        return f"{formatting.page_of(User, row.user_id)}?tab={self.tab}"


def reveal_action(form, *, description="", title=""):
    """The act itself; ``form`` is its dialog (`reveal_form`)."""

    def reveal(self, request, form, object_id):
        return self.show_for_a_minute(request, form, object_id)

    return dialog_action(
        description or gettext_lazy("Reveal"),
        icon="visibility",
        permission="reveal",
        effect=Effect.UNMASKS,
        title=title or gettext_lazy("Show this value for one minute"),
        form=form,
        submit=gettext_lazy("Show it"),
    )(reveal)


class Masked:
    """The cells of one person's hidden values, for one colleague: hidden with a button, or shown while granted."""

    def __init__(self, request, user):
        self.granted = access.shown_to(user, staff_id=request.user.pk)
        self.may = {model: request.user.has_perm(f"reuseid.reveal_{model._meta.model_name}") for model in _READERS}

    def cell(self, row):
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


def button(row):
    """A small button that asks for the minute, to stand beside the mask."""
    address = formatting.page_of(type(row), row.pk).removesuffix("change/") + "reveal/"
    return formatting.dialog(address, _("Reveal"), icon="visibility")


def seconds_left(end):
    """For the script that takes it off the page again: the server's clocks may differ a little."""
    return max(1, min(60, int((end - timezone.now()).total_seconds())))


def readable(row):
    """The plain value as text; a badge where its key is not here."""
    try:
        value = _READERS[type(row)](row)
    except crypto.Unreadable:
        return formatting.unreadable()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_READERS = {
    Attribute: attributes.value_of,
    Proofing: proofings.reference_of,
}
