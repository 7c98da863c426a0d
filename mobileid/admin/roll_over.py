"""The acts of a trust anchor's page: the next one is announced, promoted or taken back."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldBooleanSwitchWidget

from mobileid.models import KeyStatus, TrustAnchor
from mobileid.services.keys import trust_anchors
from reuseid.admin.kit.dialogs import ReasonForm, dialog_action, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.pages import Acting

# As many phones are counted before a click; beyond that it only matters that they are many.
COUNTED = 10_000


def _promote_follows(anchor):
    count = trust_anchors.uncertain(anchor)[: COUNTED + 1].count()
    follows = [
        _("Key documents are signed with it from now on; the private half of the present anchor is erased."),
        _("Apps that are built from now on need the new configuration, and so does who installs one anew."),
    ]
    if count > COUNTED:
        follows.append(_("More than 10,000 phones may not know it yet: they work again when their app is updated."))
    elif count:
        sentence = ngettext(
            "%(count)d phone may not know it yet: it works again when its app is updated.",
            "%(count)d phones may not know it yet: they work again when their app is updated.",
            count,
        )
        follows.append(sentence % {"count": count})
    return [*follows, _("It can't be undone.")]


AnnounceForm = ReasonForm.about(
    TrustAnchor,
    lambda anchor: [
        _("Key documents name the next anchor; phones learn of it within a day of use."),
        _("It can be promoted after 48 hours, and taken back until then."),
    ],
)
TakeBackForm = ReasonForm.about(
    TrustAnchor,
    lambda anchor: [_("Its private half is erased; phones forget it with the next key document that they fetch.")],
)


class PromoteForm(ReasonForm.about(TrustAnchor, _promote_follows, danger=True)):
    """With the choice not to wait, for an anchor that somebody else may have."""

    early = forms.BooleanField(
        label=_("Within its first 48 hours, too"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Phones that have not fetched a key document since fail until their app is updated. Say why."),
    )
    field_order = ("reason", "note", "early")

    def clean(self):
        values = super().clean()
        if values.get("early") and not values.get("note", "").strip():
            self.add_error("note", _("Say why phones can't be waited for."))
        return values

    def values(self):
        return {**super().values(), "early": self.cleaned_data["early"]}


class RollsOver(Acting):
    """For the admin of trust anchors."""

    page_related = ("account",)
    actions_detail = ("announce", "promote", "take_back")
    rights = dict.fromkeys(actions_detail, "change_trustanchor")
    available_when = {
        "announce": lambda anchor: (
            anchor.status == KeyStatus.CURRENT and trust_anchors.upcoming(anchor.account) is None
        ),
        "promote": lambda anchor: anchor.status == KeyStatus.NEXT,
        "take_back": lambda anchor: anchor.status == KeyStatus.NEXT,
    }

    @dialog_action(
        _("Announce the next one"),
        icon="campaign",
        effect=Effect.TRUSTS,
        title=_("Announce the next trust anchor"),
        form=AnnounceForm,
    )
    def announce(self, request, form, object_id):
        def service(anchor, **values):
            return trust_anchors.announce(anchor.account, **values)

        done = _("The next trust anchor is announced.")
        return self.act(request, object_id, service, done=done, **form.values())

    promote = row_act(
        trust_anchors.promote,
        label=_("Promote"),
        icon="published_with_changes",
        effect=Effect.FOR_GOOD,
        title=_("Take this trust anchor into use"),
        form=PromoteForm,
        done=_("The trust anchor is in use."),
    )

    take_back = row_act(
        trust_anchors.take_back,
        label=_("Take back"),
        icon="undo",
        effect=Effect.TRUSTS,
        variant=ActionVariant.WARNING,
        title=_("Take this announcement back"),
        form=TakeBackForm,
        done=_("The announcement is taken back."),
    )
