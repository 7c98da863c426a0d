"""Internal notes about a person: read in a tab, added in a dialog, never changed."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from reuseid import crypto
from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.dialogs import dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.extensions import Act, Extension, Tab, registry
from reuseid.admin.kit.pages import ROWS, Table
from reuseid.models import User, UserNote
from reuseid.services.people import notes


class NoteForm(BaseDialogForm):
    """The text of a note."""

    text = forms.CharField(
        max_length=notes.LIMIT,
        label=gettext_lazy("Note"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "Colleagues read it, and so may the person who asks for their data. No passwords, no document numbers."
        ),
    )


@dialog_action(
    gettext_lazy("Add a note"),
    icon="note_add",
    effect=Effect.NOTES,
    title=gettext_lazy("A note about this person"),
    description=gettext_lazy("It can't be changed afterwards; it goes when the person is erased."),
    form=NoteForm,
    submit=gettext_lazy("Keep the note"),
)
def note(self, request, form, object_id):
    done = _("The note is kept.")
    return self.act(request, object_id, notes.add, done=done, text=form.cleaned_data["text"])


def tab(request, user):
    """The newest notes, with who wrote them."""
    found = UserNote.objects.filter(user=user).order_by("-created_at", "-id")[:ROWS]
    rows = [[formatting.when(item.created_at), history.who(item), _text(item)] for item in found]
    return [Table([_("Time"), _("By"), _("Note")], rows, empty=_("No notes yet."))]


def _text(item):
    try:
        return formatting.lines(notes.text_of(item))
    except crypto.Unreadable:
        return formatting.unreadable()


registry.extend(
    User,
    Extension(
        tabs=(Tab("notes", gettext_lazy("Notes"), tab, permission="reuseid.view_usernote", order=55),),
        acts=(Act(note, "reuseid.add_usernote", available_when=lambda user: user.erasure_requested_at is None),),
    ),
)
