"""Is the caller who they say? A dialog on the person's page; the outcome stands in the header for 15 minutes."""

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.dialogs import dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.extensions import Act, Extension, registry
from reuseid.models import User
from reuseid.services import reasons
from reuseid.services.people import caller_verification


def _questions():
    return list(caller_verification.questions().items())


class CallerForm(BaseDialogForm):
    """Which questions were checked, and how it ended. The answers themselves have no place here."""

    asked = forms.MultipleChoiceField(
        choices=_questions,
        required=False,
        label=gettext_lazy("What you checked"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    outcome = forms.ChoiceField(
        choices=[
            ("", gettext_lazy("Choose the outcome")),
            (caller_verification.PASSED, gettext_lazy("Passed: it is the person")),
            (caller_verification.FAILED, gettext_lazy("Failed: it may be somebody else")),
        ],
        label=gettext_lazy("Outcome"),
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        required=False,
        max_length=reasons.MAX_NOTE,
        label=gettext_lazy("Note"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("For colleagues: it stays in the history. Don't write down what the caller answered."),
    )

    def clean(self):
        values = super().clean()
        if values.get("outcome") == caller_verification.PASSED and not values.get("asked"):
            self.add_error("asked", _("Say what you checked."))
        return values

    def values(self):
        """What the service is called with."""
        sent = self.cleaned_data
        return {"asked": sent["asked"], "passed": sent["outcome"] == caller_verification.PASSED, "note": sent["note"]}


@dialog_action(
    gettext_lazy("Verify the caller"),
    icon="support_agent",
    effect=Effect.NOTES,
    title=gettext_lazy("Verify the caller"),
    description=gettext_lazy("Compare with what you see, then record the outcome. It counts for 15 minutes."),
    form=CallerForm,
    submit=gettext_lazy("Record it"),
)
def verify_caller(self, request, form, object_id):
    done = _("The check of the caller is recorded.")
    return self.act(request, object_id, caller_verification.verified, done=done, **form.values())


def line(user):
    """The last check, if it is recent: outcome, by whom, when and what was asked."""
    found = caller_verification.latest(user.pk)
    if found is None:
        return []
    passed = caller_verification.is_passed(found)
    word = formatting.badge(_("Verified") if passed else _("Check failed"), "good" if passed else "bad")
    asked = ", ".join(str(caller_verification.questions().get(code, code)) for code in found.changes.get("asked", []))
    by = _("by %(who)s") % {"who": history.who(found)}
    return [(_("Caller"), format_html("{} {} {}<br>{}", word, formatting.when(found.at), by, asked))]


def possible(user):
    """While there is a person who may call."""
    return user.erased_at is None and user.status != User.Status.DEACTIVATED


registry.extend(
    User,
    Extension(acts=(Act(verify_caller, "reuseid.verify_caller", available_when=possible),), header=(line,)),
)
