"""Webhook endpoints: where an account's events go, signed with which secrets, and whether at all."""

import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from reuseid import event_types as catalogue
from reuseid import webhook_signatures as signatures
from reuseid.actors import SYSTEM, Actor
from reuseid.addresses import Refused, check_url
from reuseid.errors import Conflict, Invalid, WrongState
from reuseid.event_scopes import READING
from reuseid.models import Account, Delivery, Event, WebhookEndpoint, move
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services import notices
from reuseid.services.audit import trail
from reuseid.services.wake import wake
from reuseid.services.webhooks import outbox
from reuseid.services.webhooks.descriptions import describe_test

Status = WebhookEndpoint.Status
MAX_OVERLAP_HOURS = 7 * 24


class TooManyEndpoints(Conflict):
    """The account has as many endpoints as WEBHOOK_ENDPOINTS allows."""

    code = "too_many_webhooks"
    title = gettext_noop("The account has as many webhooks as it may have.")


@transaction.atomic
def create(
    account: Account,
    *,
    url: str,
    actor: Actor,
    event_types: Collection[str] = (),
    description: str = "",
    scopes: Collection[str] = (),
    holds: Collection[str] = READING,
) -> WebhookEndpoint:
    """An active endpoint with fresh keys; `secret_of` shows its secret. Raises Invalid, TooManyEndpoints.

    ``scopes`` are what its events show, at most those that who makes it ``holds``; none: ids and types alone. What a
    client gives lasts while it has it.
    """
    # The account's row is the turnstile: two creations at the limit don't both pass.
    Account.objects.select_for_update().get(pk=account.pk)
    if WebhookEndpoint.objects.of(account).count() >= settings.WEBHOOK_ENDPOINTS:
        raise TooManyEndpoints(f"At most {settings.WEBHOOK_ENDPOINTS}.")
    endpoint = WebhookEndpoint(
        id=uuid.uuid4(),
        account=account,
        created_by_id=_client(actor),
        granted_by_id=_client(actor),
        scopes=_granted(scopes, holds),
        url=_checked_url(url),
        description=description,
        event_types=_checked_types(event_types),
    )
    _new_keys(endpoint)
    endpoint.save(force_insert=True)
    changes = {"url": endpoint.url, "event_types": endpoint.event_types, "scopes": endpoint.scopes}
    trail.record(endpoint, "webhook.created", actor=actor, changes=changes)
    return endpoint


def check_target(url: str) -> None:
    """Refuse a URL that is never called, by what it says; raises Invalid.

    No name is looked up: what it leads to is checked at each connect, and to who sets it a name of our own network
    looks like one that there is not.
    """
    _checked_url(url)


@transaction.atomic
def update(
    endpoint: WebhookEndpoint, *, actor: Actor, holds: Collection[str] = READING, **changes: Any
) -> WebhookEndpoint:
    """Change url, event_types, scopes or description; what is owed already goes to the new URL.

    Whoever sends the events elsewhere, or shows more in them, ``holds`` all that they show: it is theirs to give from
    then on. Raises Invalid, WrongState.
    """
    if unknown := set(changes) - {"url", "event_types", "description", "scopes"}:
        raise TypeError(f"not changeable: {unknown}")
    if "url" in changes:
        changes["url"] = _checked_url(changes["url"])
    if "event_types" in changes:
        changes["event_types"] = _checked_types(changes["event_types"])
    present = WebhookEndpoint.objects.select_for_update().exclude(status=Status.DELETED).filter(pk=endpoint.pk).first()
    if present is None:
        raise WrongState(endpoint, endpoint.status)
    if "scopes" in changes or changes.get("url", present.url) != present.url:
        changes |= _given(present, changes, actor, holds)
    before = {name: getattr(present, name) for name in changes}
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**changes)
    endpoint.refresh_from_db()
    changes.pop("granted_by_id", None)
    told = {name: {"before": before[name], "after": value} for name, value in changes.items() if value != before[name]}
    trail.record(endpoint, "webhook.updated", actor=actor, changes=told)
    return endpoint


@transaction.atomic
def rotate_secret(
    endpoint: WebhookEndpoint, *, actor: Actor, overlap_hours: int = 24, reason: str = "", note: str = ""
) -> WebhookEndpoint:
    """Fresh `v1` and `v1a` keys; the old ones sign too for ``overlap_hours`` (0 to 168). `secret_of` shows the new.

    Raises Invalid, WrongState.
    """
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise Invalid.field("overlapHours", f"0 to {MAX_OVERLAP_HOURS}.")
    present = WebhookEndpoint.objects.select_for_update().exclude(status=Status.DELETED).filter(pk=endpoint.pk).first()
    if present is None:
        raise WrongState(endpoint, endpoint.status)
    endpoint = present
    old, old_key = unseal_field(endpoint, "secret"), unseal_field(endpoint, "signing_key")
    seal_field(endpoint, "previous_secret", old if overlap_hours else None)
    seal_field(endpoint, "previous_signing_key", old_key if overlap_hours else None)
    endpoint.previous_secret_expires_at = Now() + timedelta(hours=overlap_hours) if overlap_hours else None
    _new_keys(endpoint)
    endpoint.save(
        update_fields=[
            "secret",
            "signing_key",
            "public_key",
            "previous_secret",
            "previous_signing_key",
            "previous_secret_expires_at",
        ]
    )
    endpoint.refresh_from_db()
    changes = {"overlap_hours": overlap_hours}
    trail.record(endpoint, "webhook.secret_rotated", actor=actor, reason=reason, note=note, changes=changes)
    return endpoint


def secret_of(endpoint: WebhookEndpoint) -> str:
    """The `v1` secret as receivers take it: to be shown once, to who made or rotated it."""
    return signatures.show_secret(unseal_field(endpoint, "secret"))


@transaction.atomic
def pause(endpoint: WebhookEndpoint, *, actor: Actor, reason: str = "", note: str = "") -> None:
    """Send nothing for now; what happens meanwhile stays owed. Raises WrongState."""
    move(endpoint, Status.PAUSED, status_since=Now())
    trail.record(endpoint, "webhook.paused", actor=actor, reason=reason, note=note)


@transaction.atomic
def resume(endpoint: WebhookEndpoint, *, actor: Actor, reason: str = "", note: str = "") -> None:
    """Send again, from a paused or disabled endpoint, with a clean slate; what is owed is due. Raises WrongState."""
    move(
        endpoint,
        Status.ACTIVE,
        status_since=Now(),
        disabled_reason="",
        failing_since=None,
        consecutive_failures=0,
        open_until=None,
    )
    trail.record(endpoint, "webhook.resumed", actor=actor, reason=reason, note=note)
    wake(outbox.SEND)


@transaction.atomic
def delete(endpoint: WebhookEndpoint, *, actor: Actor, reason: str = "", note: str = "") -> None:
    """Forget its keys and send nothing any more; what is owed is cancelled. Raises WrongState."""
    seal_field(endpoint, "secret", b"")
    seal_field(endpoint, "signing_key", b"")
    move(
        endpoint,
        Status.DELETED,
        status_since=Now(),
        secret=endpoint.secret,
        signing_key=endpoint.signing_key,
        previous_secret=None,
        previous_signing_key=None,
        previous_secret_expires_at=None,
    )
    Delivery.objects.filter(endpoint=endpoint, status=Delivery.Status.PENDING).update(
        status=Delivery.Status.CANCELED, settled_at=Now()
    )
    trail.record(endpoint, "webhook.deleted", actor=actor, reason=reason, note=note)


@transaction.atomic
def disable(endpoint: WebhookEndpoint, *, why: str, text: str) -> None:
    """What the sender does to an endpoint that is gone or dead: owed events wait, and staff get a notice."""
    move(endpoint, Status.DISABLED, guard={"status": Status.ACTIVE}, status_since=Now(), disabled_reason=why)
    trail.record(endpoint, "webhook.disabled", actor=SYSTEM, reason=why, note=text)
    notices.tell(endpoint, "webhook.disabled", text)


@transaction.atomic
def send_test(endpoint: WebhookEndpoint, *, actor: Actor) -> Event:
    """Owe a `webhook.test` event to this endpoint alone. Raises WrongState unless it is active."""
    if not WebhookEndpoint.objects.filter(pk=endpoint.pk, status=Status.ACTIVE).exists():
        endpoint.refresh_from_db(fields=["status"])
        raise Conflict(_("Only an active webhook can be tested."), state=str(endpoint.status))
    event = outbox.write_event(endpoint, "webhook.test", describe_test(endpoint, actor=actor))
    outbox.owe_to([endpoint], event)
    trail.record(endpoint, "webhook.tested", actor=actor)
    return event


def _new_keys(endpoint):
    seed = signatures.new_signing_key()
    seal_field(endpoint, "secret", signatures.new_secret())
    seal_field(endpoint, "signing_key", seed)
    endpoint.public_key = signatures.show_public_key(seed)


def _checked_url(url):
    if len(url) > 500:
        raise Invalid.field("url", _("At most 500 characters."))
    try:
        check_url(url)
    except Refused as error:
        raise Invalid.field("url", str(error)) from error
    return url


def _given(present, changes, actor, holds):
    """The scopes of a changed endpoint and who gives them; fewer than its events show now are anybody's to say."""
    scopes = changes.get("scopes", present.scopes)
    if changes.get("url", present.url) == present.url and set(scopes) <= set(present.shown_scopes()):
        return {"scopes": _granted(scopes, READING)}
    return {"scopes": _granted(scopes, holds), "granted_by_id": _client(actor)}


def _client(actor):
    return actor.client_id if actor.is_client else None


def _granted(scopes, holds):
    """Each once, in order, all of them held by who gives them."""
    if unknown := sorted(set(scopes) - set(READING)):
        raise Invalid.field("scopes", _("Not known: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    if lacking := [scope for scope in READING if scope in scopes and scope not in holds]:
        text = _("Only who has %(names)s makes or keeps an endpoint that shows it.")
        raise Invalid.field("scopes", text % {"names": ", ".join(lacking)})
    return [scope for scope in READING if scope in scopes]


def _checked_types(types):
    """Each once, in order; `webhook.test` needs no asking for."""
    if unknown := sorted(set(types) - set(catalogue.known())):
        raise Invalid.field("eventTypes", f"Not known: {', '.join(unknown)[:200]}.")
    return sorted(set(types))
