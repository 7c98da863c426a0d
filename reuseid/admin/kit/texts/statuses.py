"""What a status means: its colour and one sentence. Its label is the model's own, as everywhere."""

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from reuseid.models import kind_of

# By the name of the model and the status.
STATUSES = {
    "user.ACTIVE": ("good", _("May sign in with an active device.")),
    "user.LOCKED": ("bad", _("Nothing of this person's works until somebody unlocks them or the lock ends.")),
    "user.DEACTIVATED": ("quiet", _("Over for good: nothing of this person's works any more.")),
    "device.PENDING": ("busy", _("Registered, and not confirmed by the integrator yet: it can't be used.")),
    "device.ACTIVE": ("good", _("May approve operations.")),
    "device.LOCKED": ("bad", _("Approves nothing until it is unlocked or the lock ends.")),
    "device.DEACTIVATED": ("quiet", _("Over for good: the person registers a new one.")),
    "operation.PENDING": ("busy", _("Waiting for the phone to pick it up.")),
    "operation.IN_PROGRESS": ("busy", _("The person is looking at it.")),
    "operation.COMPLETED": ("good", _("Approved on the phone.")),
    "operation.REJECTED": ("bad", _("The person said no.")),
    "operation.FAILED": ("bad", _("It could not be approved.")),
    "operation.CANCELED": ("quiet", _("Withdrawn before the phone answered.")),
    "operation.EXPIRED": ("warn", _("Nobody answered before the deadline.")),
    "webhookendpoint.ACTIVE": ("good", _("Gets its events.")),
    "webhookendpoint.PAUSED": ("warn", _("Nothing is sent; events are kept until it is resumed.")),
    "webhookendpoint.DISABLED": ("bad", _("Nothing is sent and nothing is kept: it failed for too long or said Gone.")),
    "webhookendpoint.DELETED": ("quiet", _("Removed by the integrator.")),
    "delivery.PENDING": ("busy", _("Still owed to the endpoint.")),
    "delivery.SENT": ("good", _("The endpoint took it.")),
    "delivery.FAILED": ("bad", _("Given up after the last try.")),
    "delivery.CANCELED": ("quiet", _("Not sent: the endpoint is gone.")),
    "request.PENDING": ("busy", _("Nothing has happened yet: a second colleague decides.")),
    "request.APPROVED": ("good", _("A second colleague agreed, and it was done.")),
    "request.REJECTED": ("bad", _("A second colleague said no: nothing was changed.")),
    "request.WITHDRAWN": ("quiet", _("Taken back by the one who asked, or done in another way in the meantime.")),
    "request.EXPIRED": ("warn", _("Nobody decided in time: nothing was changed.")),
    "bulkrun.DRAFT": ("quiet", _("Nothing is changed yet: somebody has to carry it out.")),
    "bulkrun.RUNNING": ("busy", _("A worker goes through the rows.")),
    "bulkrun.FINISHED": ("good", _("Every row has its result.")),
    "bulkrun.STOPPED": ("warn", _("Stopped before its end; what was done stays done.")),
    "bulkrow.WAITING": ("busy", _("Its turn has not come.")),
    "bulkrow.DONE": ("good", _("Changed as asked.")),
    "bulkrow.ALREADY": ("quiet", _("It was so already: nothing was changed.")),
    "bulkrow.REFUSED": ("bad", _("Nothing was changed; the result says why.")),
    "bulkrow.NOT_FOUND": ("warn", _("Nothing in this account goes by that name.")),
    "bulkrow.TWICE": ("warn", _("Named in an earlier line already.")),
    "bulkrow.SKIPPED": ("quiet", _("The run ended before its turn came.")),
    "export.OWED": ("busy", _("A worker will begin soon.")),
    "export.RUNNING": ("busy", _("A worker makes it.")),
    "export.READY": ("good", _("The colleague who asked for it can download it.")),
    "export.FAILED": ("bad", _("It was not made; nothing of it is kept.")),
    "export.EXPIRED": ("warn", _("Its rows are deleted; this entry stays for a while.")),
    "proofing.ACTIVE": ("good", _("It counts: attributes may point to it.")),
    "proofing.DEACTIVATED": ("quiet", _("It was withdrawn; what rested on it is marked.")),
    "account.ACTIVE": ("good", _("Its clients are let in.")),
    "client.ACTIVE": ("good", _("It is let in with its secret.")),
    "account.BLOCKED": ("bad", _("None of its clients is let in.")),
    "client.BLOCKED": ("bad", _("It is not let in; its tokens are gone.")),
    "trustanchor.NEXT": ("busy", ""),
    "trustanchor.CURRENT": ("good", ""),
    "trustanchor.RETIRED": ("quiet", ""),
    "signingkey.NEXT": ("busy", ""),
    "signingkey.CURRENT": ("good", ""),
    "signingkey.RETIRED": ("quiet", ""),
}


def colour_of(kind: str, status: str) -> str:
    """The colour of a status of the model ``kind``."""
    return STATUSES.get(f"{kind}.{status}", ("quiet", ""))[0]


def meaning(obj: Model) -> str:
    """What the status of a row means, in one sentence."""
    return str(STATUSES.get(f"{kind_of(obj)}.{obj.status}", ("", ""))[1])
