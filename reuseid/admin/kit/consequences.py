"""What follows when a person is locked or deactivated, in sentences."""

from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit.extensions import registry
from reuseid.models import ApprovalRequest, User


def elsewhere(user: User) -> list[str]:
    """What follows in other modules once the person can't sign in any more, in sentences."""
    return [sentence for more in registry.of(User).consequences for sentence in more(user)]


def consequences(action: str, user: User) -> list[str]:
    """What follows once a second colleague has agreed, in sentences."""
    found = []
    if user.status != User.Status.DEACTIVATED:
        found += [
            *elsewhere(user),
            _("All devices are deactivated for good."),
            _("The account's systems get the event user.deactivated."),
        ]
    if action == ApprovalRequest.Action.ERASE:
        found += [
            _("Attributes, references and contents are erased within minutes."),
            _("The history and what proves completed operations stay, under the user's id alone."),
        ]
    return [*found, _("It can't be undone.")]
