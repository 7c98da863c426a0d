"""What follows when a person is locked or deactivated, in sentences."""

from django.utils.translation import gettext_lazy as _

from reuseid.models import Request, User

# What mobileid says will follow on a person's phones: functions of a user that return sentences.
FOLLOW_ON_PHONES: list = []


def consequences(action, user):
    """What follows once a second colleague has agreed, in sentences."""
    found = []
    if user.status != User.Status.DEACTIVATED:
        found += [
            *(text for more in FOLLOW_ON_PHONES for text in more(user)),
            _("All devices are deactivated for good."),
            _("The account's systems get the event user.deactivated."),
        ]
    if action == Request.Action.ERASE:
        found += [
            _("Attributes, references and contents are erased within minutes."),
            _("The history and what proves completed operations stay, under the user's id alone."),
        ]
    return [*found, _("It can't be undone.")]
