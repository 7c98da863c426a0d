"""Channel keys and the signed document that names them (docs/protocol.md, chapter 2).

Loaded private keys and signed documents stay in the process: a key for as long as it may be used, whether or not
anybody asks for it again, a document for the minute in which it was signed. Every process signs with the beginning of
that minute as ``iat``, so a phone that meets another process never sees a document older than the one it has.
"""

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from mobileid.models import Application, ChannelKey, KeyStatus, TrustAnchor
from mobileid.protocol import channel_keys
from mobileid.protocol import key_document as documents
from mobileid.protocol.wire import SUITES
from mobileid.services.keys import p256
from mobileid.services.keys.expiring import Expiring
from reuseid.models import Account
from reuseid.models.sealed import seal_field, unseal_field

log = logging.getLogger(__name__)

FRESH = timedelta(hours=24)
USABLE = timedelta(hours=48)
ANNOUNCED = timedelta(hours=1)
DOCUMENT_LIFE = timedelta(hours=24)
# A phone whose clock is behind ours must find a first key already valid.
_LEAD = timedelta(minutes=5)
_MINUTE = 60
_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """A channel key that may be used now, ready for `protocol.envelope`."""

    kid: str
    suite: int
    account_id: uuid.UUID
    private_key: Any
    not_after: datetime

    def __repr__(self) -> str:
        return f"<LoadedKey {self.kid}>"


_lock = Lock()
_keys = Expiring(_LIMIT, clock=lambda: datetime.now(UTC).timestamp())
_documents: dict[uuid.UUID, tuple[int, str]] = {}


def forget() -> None:
    """Drop the private keys and the signed documents that this process keeps."""
    _keys.clear()
    with _lock:
        _documents.clear()


def channel_key(application_id: uuid.UUID | str, kid: str) -> LoadedKey | None:
    """The key of that id of the application's account; None when there is none or its 48 hours are over."""
    place = (str(application_id), str(kid))
    return _keys.get(place) or _load(place)


def _load(place):
    try:
        application_id, kid = (uuid.UUID(text) for text in place)
    except ValueError:
        return None
    row = ChannelKey.objects.filter(
        pk=kid, account__applications=application_id, account__status=Account.Status.ACTIVE, not_after__gt=Now()
    ).first()
    if row is None:
        return None
    private = channel_keys.load_private(row.suite, unseal_field(row, "private_key"))
    key = LoadedKey(str(row.pk), row.suite, row.account_id, private, row.not_after)
    _keys.put(place, key, until=row.not_after.timestamp())
    return key


def key_document(application: Application) -> str:
    """The compact JWS for the application's phones, at most a minute old, valid for 24 hours."""
    minute = int(time.time()) // _MINUTE * _MINUTE
    with _lock:
        kept = _documents.get(application.pk)
    if kept and kept[0] == minute:
        return kept[1]
    document = _sign_document(application, minute)
    with _lock:
        if len(_documents) >= _LIMIT:
            _documents.clear()
        _documents[application.pk] = (minute, document)
    return document


def _sign_document(application, minute):
    anchors = {
        anchor.status: anchor
        for anchor in TrustAnchor.objects.filter(account=application.account_id).exclude(status=KeyStatus.RETIRED)
    }
    upcoming = anchors.get(KeyStatus.NEXT)
    return documents.sign(
        p256.load(anchors[KeyStatus.CURRENT]),
        issuer=application.server,
        application_id=str(application.pk),
        issued_at=minute,
        expires_at=minute + int(DOCUMENT_LIFE.total_seconds()),
        min_suite=application.min_suite,
        keys=_published(application.account_id),
        pin={
            "minLength": application.pin_min_length,
            "maxLength": application.pin_max_length,
            "type": application.pin_type,
        },
        auth_methods=application.auth_methods,
        next_trust_anchor=upcoming.public_jwk if upcoming else None,
    )


def _published(account_id):
    # Whoever asks first after a long sleep of the scheduler makes the keys, so phones never find none.
    if ChannelKey.objects.filter(account=account_id, not_before__gt=Now() - FRESH).count() < len(SUITES):
        rotate_channel_keys(account_id)
    rows = ChannelKey.objects.filter(account=account_id, not_after__gt=Now()).order_by("suite", "not_before")
    return [
        {
            "kid": str(row.pk),
            "suite": row.suite,
            "pub": bytes(row.public_key),
            "nbf": row.not_before,
            "exp": row.not_after,
        }
        for row in rows.defer("private_key")
    ]


@transaction.atomic
def rotate_channel_keys(account_id: uuid.UUID) -> int:
    """Make the keys of an account that are due, an hour before they are used; returns how many."""
    Account.objects.select_for_update(no_key=True).get(pk=account_id)
    now, made = datetime.now(UTC), 0
    for suite in SUITES:
        newest = ChannelKey.objects.filter(account=account_id, suite=suite).order_by("-not_before").first()
        if newest is None or newest.not_before + FRESH <= now:
            _make(account_id, suite, now - _LEAD)
        elif newest.not_before + FRESH - ANNOUNCED <= now:
            _make(account_id, suite, newest.not_before + FRESH)
        else:
            continue
        made += 1
    return made


def _make(account_id, suite, not_before):
    private, public = channel_keys.generate(suite)
    row = ChannelKey(account_id=account_id, suite=suite, public_key=public)
    row.not_before, row.not_after = not_before, not_before + USABLE
    seal_field(row, "private_key", private)
    row.save(force_insert=True)


def erase_channel_keys() -> int:
    """Delete the keys whose 48 hours are over: recorded traffic can't be opened any more. Returns how many."""
    return ChannelKey.objects.filter(not_after__lte=Now()).delete()[0]


def accounts_with_applications() -> QuerySet:
    """Ids of the accounts that have an application, and so need channel keys."""
    return Account.objects.filter(applications__isnull=False).distinct().values_list("pk", flat=True)


def server_of(application: Application | None) -> str:
    """The origin that goes into links and codes: the application's, or PUBLIC_URL for None."""
    return application.server if application else settings.PUBLIC_URL
