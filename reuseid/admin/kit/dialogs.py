"""The dialogs of changing acts: a reason from the configured list, a note, and what will follow."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from reuseid.admin.kit import formatting
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.extensions import Action
from reuseid.admin.kit.scope import scoped
from reuseid.admin.kit.stepup import strong_form
from reuseid.errors import Invalid
from reuseid.services import reasons
from reuseid.services.people import caller_verification

# What will follow on a row, in sentences.
Follows = Callable[[Any], list[str]]


def reason_choices() -> list[tuple[str, str]]:
    """Each code with its sentence, in the order of the setting."""
    return [
        ("", _("Choose a reason")),
        *((code, f"{code} — {gettext(text)}") for code, text in reasons.sentences().items()),
    ]


def caller_advice(user_id: UUID) -> list[str]:
    """What to say before a strong act on the phone: nothing when the caller was verified a moment ago."""
    line = caller_verification.latest(user_id)
    if caller_verification.is_passed(line):
        return []
    if line is not None:
        return [
            formatting.sentence(
                gettext("The caller failed the check: %(time)s. Do you know whom you help?"), time=line.at
            )
        ]
    sentence = gettext("Nobody has verified the caller in the last 15 minutes: “%(button)s” is on the person's page.")
    return [sentence % {"button": gettext("Verify the caller")}]


COLOURS = {
    Effect.FOR_GOOD: ActionVariant.DANGER,
    Effect.HOLDS: ActionVariant.WARNING,
    Effect.MANY: ActionVariant.WARNING,
    Effect.RELEASES: ActionVariant.SUCCESS,
}


def dialog_action(
    label: str,
    *,
    effect: Effect,
    title: str,
    form: type[forms.Form],
    icon: str = "",
    variant: ActionVariant | None = None,
    url_path: str = "",
    description: str = "",
    submit: str = "",
) -> Callable[[Callable], Action]:
    """An action behind a dialog: ``form`` under ``title``, with a button that says ``submit``, or else the label.

    Its method's name is what the page's ``rights`` know it by, and the end of its address. ``effect`` is what it does:
    a strong one asks for the second factor again when that was some minutes ago, and it gives the button its colour
    where no ``variant`` does.
    """
    variant = variant or COLOURS.get(effect, ActionVariant.DEFAULT)
    form = strong_form(form) if effect.strong else form

    def decorate(method: Callable) -> Action:
        name = method.__name__
        dialog = {"title": title, "description": description, "form_class": form, "form_submit_text": submit or label}
        path = url_path or name.replace("_", "-")
        behind = action(
            description=label, url_path=path, icon=icon, permissions=[name], variant=variant, dialog=dialog
        )(method)
        behind.effect = effect
        return behind

    return decorate


def row_act(service: Callable, *, label: str, done: str, name: str = "", **dialog: Any) -> Action:
    """The action that calls ``service`` on its row with what the dialog's form says, and then tells ``done``.

    It is called ``name``, or as the service is; ``dialog`` is what `dialog_action` takes.
    """

    def act(self: Any, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return self.act(request, object_id, service, done=done, **form.values())

    act.__name__ = name or service.__name__
    return dialog_action(label, **dialog)(act)


# What acts that come in pairs have in common: to hold something, and to let it go on.
LOCK = {"icon": "lock", "effect": Effect.HOLDS}
UNLOCK = {"icon": "lock_open", "effect": Effect.RELEASES}
LET_IN = {"icon": "lock_open", "effect": Effect.OPENS, "variant": ActionVariant.SUCCESS}


class ReasonForm(BaseDialogForm):
    """A reason code and a note. ``model`` is what the dialog is about, ``follows(row)`` what will follow."""

    form_before_template = "admin/parts/consequences.html"
    model: Any = None
    path = "account"
    follows: Any = None
    danger = False

    reason = forms.ChoiceField(label=_("Reason"), choices=reason_choices, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=reasons.MAX_NOTE,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("For colleagues: it stays in the history. No passwords, no document numbers."),
    )

    @classmethod
    def about(cls, model: type[Model], follows: Follows, path: str = "account", danger: bool = False) -> type[Self]:
        """A form for rows of ``model``, whose account is at ``path``, that lists ``follows(row)``, sentences.

        ``danger`` colours it red: for what can't be undone.
        """
        values = {"model": model, "path": path, "follows": staticmethod(follows), "danger": danger}
        return type(cls.__name__, (cls,), values)

    def get_before_template_context(self, request: HttpRequest, object_id: str | None = None) -> dict[str, list[str]]:
        row = scoped(self.model._default_manager.all(), request.user, self.path).filter(pk=object_id).first()
        return {"follows": self.follows(row) if row else []}

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if "reason" in values:
            try:
                reasons.check(values["reason"], values.get("note", ""))
            except Invalid as error:
                raise ValidationError({item["name"]: item["reason"] for item in error.invalid_params}) from error
        return values

    def values(self) -> dict[str, Any]:
        """What the service is called with."""
        return {"reason": self.cleaned_data["reason"], "note": self.cleaned_data["note"]}


class LockForm(ReasonForm):
    """A lock may end by itself."""

    until = forms.TypedChoiceField(
        choices=[
            ("", _("Until somebody unlocks")),
            ("1", _("For one hour")),
            ("8", _("For eight hours")),
            ("24", _("For a day")),
            ("168", _("For a week")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        label=_("How long"),
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("reason", "until", "note")

    def values(self) -> dict[str, Any]:
        hours = self.cleaned_data["until"]
        return {**super().values(), "until": timezone.now() + timedelta(hours=hours) if hours else None}


class NoteForm(ReasonForm):
    """A note alone, for acts whose reason is known already."""

    reason = None

    def values(self) -> dict[str, Any]:
        return {"note": self.cleaned_data["note"]}


class WhyNotForm(NoteForm):
    """A note that has to be there: somebody waits for the answer."""

    note = forms.CharField(
        label=_("Why not"),
        max_length=reasons.MAX_NOTE,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("For the colleague who asked: it stays in the history. No passwords, no document numbers."),
    )


class SureForm(BaseDialogForm):
    """A dialog that asks nothing: a click confirms."""

    def values(self) -> dict[str, Any]:
        return {}
