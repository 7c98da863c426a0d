"""One plain sentence for each state, act and right that the back office shows."""

import re

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit.model_names import DEFAULT_RIGHTS, NOUNS
from reuseid.models import kind_of
from reuseid.services import reasons

STATES = {
    "user.ACTIVE": _("May sign in with an active device."),
    "user.LOCKED": _("Nothing of this person's works until somebody unlocks them or the lock ends."),
    "user.DEACTIVATED": _("Over for good: nothing of this person's works any more."),
    "device.PENDING": _("Registered, and not confirmed by the integrator yet: it can't be used."),
    "device.ACTIVE": _("May approve operations."),
    "device.LOCKED": _("Approves nothing until it is unlocked or the lock ends."),
    "device.DEACTIVATED": _("Over for good: the person registers a new one."),
    "operation.PENDING": _("Waiting for the phone to pick it up."),
    "operation.IN_PROGRESS": _("The person is looking at it."),
    "operation.COMPLETED": _("Approved on the phone."),
    "operation.REJECTED": _("The person said no."),
    "operation.FAILED": _("It could not be approved."),
    "operation.CANCELED": _("Withdrawn before the phone answered."),
    "operation.EXPIRED": _("Nobody answered before the deadline."),
    "webhookendpoint.ACTIVE": _("Gets its events."),
    "webhookendpoint.PAUSED": _("Nothing is sent; events are kept until it is resumed."),
    "webhookendpoint.DISABLED": _("Nothing is sent and nothing is kept: it failed for too long or said Gone."),
    "webhookendpoint.DELETED": _("Removed by the integrator."),
    "delivery.PENDING": _("Still owed to the endpoint."),
    "delivery.SENT": _("The endpoint took it."),
    "delivery.FAILED": _("Given up after the last try."),
    "delivery.CANCELED": _("Not sent: the endpoint is gone."),
    "request.PENDING": _("Nothing has happened yet: a second colleague decides."),
    "request.APPROVED": _("A second colleague agreed, and it was done."),
    "request.REJECTED": _("A second colleague said no: nothing was changed."),
    "request.WITHDRAWN": _("Taken back by the one who asked, or done in another way in the meantime."),
    "request.EXPIRED": _("Nobody decided in time: nothing was changed."),
    "bulkrun.DRAFT": _("Nothing is changed yet: somebody has to carry it out."),
    "bulkrun.RUNNING": _("A worker goes through the rows."),
    "bulkrun.FINISHED": _("Every row has its result."),
    "bulkrun.STOPPED": _("Stopped before its end; what was done stays done."),
    "bulkrow.WAITING": _("Its turn has not come."),
    "bulkrow.DONE": _("Changed as asked."),
    "bulkrow.ALREADY": _("It was so already: nothing was changed."),
    "bulkrow.REFUSED": _("Nothing was changed; the result says why."),
    "bulkrow.NOT_FOUND": _("Nothing in this account goes by that name."),
    "bulkrow.TWICE": _("Named in an earlier line already."),
    "bulkrow.SKIPPED": _("The run ended before its turn came."),
    "export.OWED": _("A worker will begin soon."),
    "export.RUNNING": _("A worker makes it."),
    "export.READY": _("The colleague who asked for it can download it."),
    "export.FAILED": _("It was not made; nothing of it is kept."),
    "export.EXPIRED": _("Its rows are deleted; this entry stays for a while."),
    "proofing.ACTIVE": _("It counts: attributes may point to it."),
    "proofing.DEACTIVATED": _("It was withdrawn; what rested on it is marked."),
    "account.ACTIVE": _("Its clients are let in."),
    "client.ACTIVE": _("It is let in with its secret."),
    "account.BLOCKED": _("None of its clients is let in."),
    "client.BLOCKED": _("It is not let in; its tokens are gone."),
}

SIGN_INS = {
    "PASSWORD_GIVEN": _("Password was right, second step was owed"),
    "SIGNED_IN": _("Signed in"),
    "PASSWORD_REFUSED": _("Wrong password"),
    "CODE_REFUSED": _("Wrong code or passkey, or one used before"),
    "SIGNED_OUT": _("Signed out"),
}

ACTS = {
    "attribute.revealed": _("Looked at a masked value"),
    "proofing.revealed": _("Looked at a proofing's reference"),
    "operation.revealed": _("Looked at what the person was shown"),
    "operation.downloaded": _("Downloaded what the person was shown"),
    "user.viewed": _("Opened the person's page"),
    "user.found": _("Found the person by a value"),
    "user.caller_verified": _("Checked who is calling"),
    "note.added": _("Wrote an internal note"),
    "bulk_run.started": _("Carried out a bulk act"),
    "bulk_run.stopped": _("Stopped a bulk act"),
    "bulk_run.finished": _("Finished a bulk act"),
    "export.asked": _("Asked for an export"),
    "export.made": _("Made the export"),
    "export.failed": _("The export failed"),
    "export.downloaded": _("Downloaded the export"),
    "export.deleted": _("Deleted the export"),
    "users.exported": _("Exported people to a file"),
    "account.created": _("Made the account"),
    "account.changed": _("Changed the account"),
    "account.blocked": _("Blocked the account"),
    "account.unblocked": _("Let the account in again"),
    "client.created": _("Made the API client"),
    "client.secret_rotated": _("Made a new secret; the old one stopped"),
    "client.scopes_changed": _("Changed what the client may do"),
    "client.blocked": _("Blocked the API client"),
    "client.unblocked": _("Let the API client in again"),
    "user.created": _("Created the person"),
    "user.updated": _("Changed the person's data"),
    "user.locked": _("Locked the person"),
    "user.unlocked": _("Unlocked the person"),
    "user.deactivated": _("Deactivated the person for good"),
    "user.erased": _("Erased the personal data"),
    "request.asked": _("Asked for what needs a second colleague"),
    "request.approved": _("Approved what another colleague asked for"),
    "request.rejected": _("Rejected what another colleague asked for"),
    "request.withdrawn": _("Withdrew their own request"),
    "request.expired": _("Nobody decided the request in time"),
    "request.overtaken": _("The request came to nothing: it was done already in another way"),
    "attribute.set": _("Set an attribute"),
    "attribute.deleted": _("Deleted an attribute"),
    "proofing.recorded": _("Recorded an identity proofing"),
    "proofing.deactivated": _("Withdrew an identity proofing"),
    "device.registered": _("Registered a device"),
    "device.activated": _("The device became usable"),
    "device.locked": _("Locked the device"),
    "device.unlocked": _("Unlocked the device"),
    "device.deactivated": _("Deactivated the device for good"),
    "device.renamed": _("Renamed the device"),
    "device.lock_warning": _("Warned: the next lock is permanent"),
    "device.pin_changed": _("Changed the PIN"),
    "device.biometric_enabled": _("Switched biometry on"),
    "device.biometric_disabled": _("Switched biometry off"),
    "device.push_address_set": _("Gave the address for push messages"),
    "operation.started": _("Started the operation"),
    "operation.opened": _("Opened it on the phone"),
    "operation.claimed": _("Claimed it by QR code or link"),
    "operation.approved": _("Approved it on the phone; the return code is awaited"),
    "operation.completed": _("Approved it: the operation is complete"),
    "operation.rejected": _("Rejected it"),
    "operation.failed": _("The operation failed"),
    "operation.canceled": _("Cancelled the operation"),
    "operation.expired": _("Nobody answered before the deadline"),
    "attribute_key.created": _("Added a name to the catalogue"),
    "attribute_key.changed": _("Changed the rules of a name"),
    "application.created": _("Made the application"),
    "application.changed": _("Changed the application's policy"),
    "trust_anchor.announced": _("Announced the next trust anchor"),
    "trust_anchor.promoted": _("Took the next trust anchor into use"),
    "trust_anchor.taken_back": _("Took back the announced trust anchor"),
    "signing_key.announced": _("Announced the next signing key"),
    "signing_key.rotated": _("Took the next signing key into use"),
    "user.erasure_requested": _("Asked for the erasure of the personal data"),
    "staff.created": _("Made the colleague's entry"),
    "staff.changed": _("Changed a colleague's entry"),
    "staff.own_password_changed": _("Changed their own password"),
    "staff.factor_enrolled": _("Set up a second factor"),
    "staff.factor_replaced": _("Set up another second factor; the former one stopped"),
    "staff.factor_reset": _("Reset the second factor; every session ended"),
    "staff.passkey_added": _("Added a passkey"),
    "staff.passkey_renamed": _("Renamed a passkey"),
    "staff.passkey_removed": _("Removed a passkey"),
    "staff.recovery_codes_made": _("Made new recovery codes; the former ones stopped"),
    "staff.recovery_code_used": _("Signed in with a recovery code"),
    "staff.password_set": _("Set a new password"),
    "operation.reported": _("Said that it was not them: it may be fraud"),
    "trail.purged": _("Removed old lines of the history, after their retention"),
    "users.searched": _("Searched for a person"),
    "webhook.created": _("Made the endpoint"),
    "webhook.updated": _("Changed the endpoint"),
    "webhook.deleted": _("Removed the endpoint"),
    "webhook.disabled": _("Switched the endpoint off: it failed for too long or said Gone"),
    "webhook.secret_rotated": _("Made a new secret for the endpoint"),
    "webhook.tested": _("Sent a test to the endpoint"),
    "webhook.failed_resent": _("Asked to send all that was given up again"),
    "webhook.resent": _("Asked to send what was missed again"),
    "webhook.paused": _("Paused the endpoint"),
    "webhook.resumed": _("Resumed the endpoint"),
    "delivery.resent": _("Asked to send the callback again"),
}

# Why something ended or changed by itself: codes of the service, beside those of the setting REASONS.
CODES = {
    "CANCELED": _("The account's system withdrew it."),
    "EXPIRED": _("Nobody answered before the deadline."),
    "REJECTED": _("The person said no."),
    "FAILED": _("It could not be approved."),
    "USER": _("The person said no."),
    "NOT_ME": _("The person says that it was not them: it may be fraud."),
    "NUMBER_MISMATCH": _("Another number was chosen on the phone than the one on the screen."),
    "CONFIRMATION_FAILED": _("The code that the phone shows was wrong three times."),
    "SUPERSEDED": _("A newer request took its place."),
    "USER_LOCKED": _("The person was locked."),
    "USER_DEACTIVATED": _("The person was deactivated."),
    "DEVICE_DEACTIVATED": _("The device was deactivated."),
    "TOO_MANY_FAILURES": _("Too many wrong PINs or failed sign-ins."),
    "GONE": _("The receiver answered that it is gone (410)."),
    "FAILING": _("Every attempt failed for too long."),
    "LOCK_ENDED": _("The lock had an end, and it came."),
    "LOCK_OVER": _("The lock had an end, and it came."),
}

THROUGH = {
    "CLIENT": _("an API client"),
    "STAFF": _("the back office"),
    "DEVICE": _("the person's phone"),
    "SYSTEM": _("its own schedule"),
}


def act(action: str) -> str:
    """The sentence of a trail line's action; an unknown one is spelled out."""
    if action in ACTS:
        return str(ACTS[action])
    noun, _dot, verb = action.partition(".")
    return f"{noun.replace('_', ' ').capitalize()} {verb.replace('_', ' ')}"


def reason_in_words(code: str) -> str:
    """A reason's code with its sentence in the reader's language; a code that is not in REASONS stays alone."""
    sentence = reason_sentence(code)
    return f"{code}: {sentence}" if sentence else code


def reason_sentence(code: str) -> str:
    """The sentence of a reason, of the setting or of the service; empty for an unknown one."""
    sentence = reasons.sentences().get(code)
    return gettext(sentence) if sentence else str(CODES.get(code, ""))


HEARTBEATS = {
    "beat": _("the schedule"),
    "worker:callbacks": _("the worker of callbacks"),
    "worker:sweeps": _("the worker of deadlines and clearing up"),
    "worker:bulk": _("the worker of bulk acts and exports"),
}


def heartbeat_in_words(name: str) -> str:
    """Whose sign of life it is."""
    return str(HEARTBEATS.get(name, name))


def name_of(obj) -> str:
    """What a reader calls a row: its name, or the noun and the beginning of its id."""
    name = str(obj)
    short = _UUID.sub(lambda found: f"{found[0][:8]}…", name)
    if name == str(obj.pk) or _UUID.match(name):
        return f"{capfirst(str(obj._meta.verbose_name))} {short}"
    return short


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def meaning(obj) -> str:
    """What the state of a row means, in one sentence."""
    return str(STATES.get(f"{kind_of(obj)}.{obj.status}", ""))


def thing(kind: str, ident) -> str:
    """What a trail line or an event is about: the noun in the reader's language, and its id."""
    return f"{NOUNS[kind][0] if kind in NOUNS else kind} {ident}"


def searched(term: str, columns) -> str:
    """What was typed and what it was compared with."""
    *first, last = [str(column) for column in columns]
    compared = gettext("%(first)s or %(last)s") % {"first": ", ".join(first), "last": last} if first else last
    return gettext("“%(term)s” as %(columns)s, exactly") % {"term": term, "columns": compared}


def right_in_words(opts, codename: str) -> str:
    """A right as the page of roles names it."""
    verb, _underscore, _name = codename.partition("_")
    if codename in dict(opts.permissions):
        return gettext(dict(opts.permissions)[codename])
    return f"{DEFAULT_RIGHTS[verb]} {opts.verbose_name}" if verb in DEFAULT_RIGHTS else codename


def right_named(permission) -> str:
    """A row of the rights in words; Django keeps them in English."""
    verb, _underscore, name = permission.codename.partition("_")
    if verb in DEFAULT_RIGHTS and name in NOUNS:
        return f"{DEFAULT_RIGHTS[verb]} {NOUNS[name][0]}"
    return gettext(permission.name)
