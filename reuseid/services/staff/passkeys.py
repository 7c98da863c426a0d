"""Passkeys of colleagues (WebAuthn levels 2 and 3). Yubico's fido2 parses, compares and verifies; rows and rules are
ours.

A ceremony has two steps: the first gives options for the browser and a state with the challenge, which the door keeps
in the session and takes out of it before the second. Whatever is wrong with an answer is refused in the same words.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from fido2.cose import ES256, RS256, EdDSA
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from reuseid.actors import Actor
from reuseid.errors import STAFF, Conflict
from reuseid.limits import hit
from reuseid.models import Passkey, RecoveryCode, Staff
from reuseid.services.audit import trail
from reuseid.services.staff import second_factors
from reuseid.services.staff.members import hold
from reuseid.services.staff.second_factors import NoFactor, Refused

log = logging.getLogger(__name__)
MOST = 10
# Seconds from the options to the answer.
CEREMONY = 300
# Ceremonies that one colleague begins in so many seconds. What answers them is slowed like codes.
CEREMONIES, WINDOW = 60, 15 * 60
ALGORITHMS = (EdDSA, ES256, RS256)
GONE = _("This passkey is gone already.")
TRANSPORTS = [str(transport) for transport in AuthenticatorTransport]


class Enough(Conflict):
    """A colleague has MOST passkeys."""

    code = "passkeys_enough"
    audience = STAFF
    title = _("You have ten passkeys: remove one first.")


class OnlyFactor(Conflict):
    """The last second factor stays while one is demanded."""

    code = "only_second_factor"
    audience = STAFF
    title = _("This is your only second factor: set up another one first.")


@dataclass(frozen=True)
class Place:
    """Where the browser is: ``host`` is the RP id, a name without a port; ``origin`` what answers must come from."""

    host: str
    origin: str


def _server(place):
    def same_origin(origin):
        if origin != place.origin:
            log.warning("A passkey was answered for another origin than %s.", place.origin)
        return origin == place.origin

    server: Any = Fido2Server(
        PublicKeyCredentialRpEntity(id=place.host, name=str(settings.UNFOLD["SITE_TITLE"])),
        attestation=AttestationConveyancePreference.NONE,
        verify_origin=same_origin,
    )
    server.timeout = CEREMONY * 1000
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=key.ALGORITHM) for key in ALGORITHMS
    ]
    return server


def _handle(staff):
    """What authenticators know a colleague by: no name, and the same for each of their passkeys."""
    return f"staff-{staff.pk}".encode()


def _descriptors(passkeys):
    return [
        PublicKeyCredentialDescriptor(
            type=PublicKeyCredentialType.PUBLIC_KEY,
            id=bytes(passkey.credential_id),
            transports=[AuthenticatorTransport(name) for name in passkey.transports],
        )
        for passkey in passkeys
    ]


def _count_ceremony(staff):
    if hit("passkey", str(staff.pk), quota=CEREMONIES, window=WINDOW).left < 0:
        raise Refused


# Adding and removing


def begin_adding(staff: Staff, place: Place) -> tuple[dict, dict]:
    """Options for ``navigator.credentials.create`` and the state. Raises Enough and Refused."""
    _count_ceremony(staff)
    present = list(second_factors.passkeys_of(staff))
    if len(present) >= MOST:
        raise Enough
    user = PublicKeyCredentialUserEntity(
        id=_handle(staff), name=staff.get_username(), display_name=staff.get_full_name() or staff.get_username()
    )
    options, state = _server(place).register_begin(
        user,
        _descriptors(passkey for passkey in present if passkey.host == place.host),
        # Name and password come first, so nothing has to be found on the authenticator: a security key keeps its few
        # places, and tells nobody who finds it where it is used.
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(options), state


@transaction.atomic
def add(
    staff: Staff, place: Place, state: dict | None, answer: str, *, name: str, actor: Actor, first: bool
) -> list[str]:
    """Keep the passkey that the browser made; returns ten recovery codes where it is the first factor, else none.

    ``first``: the session has shown no factor, so there must be none. Raises Refused, NoFactor and Enough.
    """
    made, transports = _read(lambda: _made(place, state, answer))
    had = second_factors.begin(staff, first=first)
    if second_factors.passkeys_of(staff).count() >= MOST:
        raise Enough
    passkey = Passkey(
        user_id=staff.pk,
        name=name,
        credential_id=made.credential_data.credential_id,
        credential=bytes(made.credential_data),
        host=place.host,
        counter=made.counter,
        backed_up=made.is_backed_up(),
        transports=transports,
    )
    try:
        with transaction.atomic():
            passkey.save(force_insert=True)
    except IntegrityError:
        raise Refused from None
    trail.record(staff, "staff.passkey_added", actor=actor, changes={"passkey": passkey.pk})
    return [] if had else second_factors.make_codes(staff)


@transaction.atomic
def rename(staff: Staff, passkey_id: int, name: str, *, actor: Actor) -> None:
    """Give a passkey another name, of 64 characters at most. Raises NoFactor when it is gone."""
    if not Passkey.objects.filter(user=staff.pk, pk=passkey_id).update(name=name):
        raise NoFactor(GONE)
    trail.record(staff, "staff.passkey_renamed", actor=actor, changes={"passkey": passkey_id})


@transaction.atomic
def remove(staff: Staff, passkey_id: int, *, actor: Actor) -> None:
    """Take one passkey away; sessions that were opened with it need another factor. Raises NoFactor and OnlyFactor."""
    held = hold(staff)
    if not Passkey.objects.filter(user=staff.pk, pk=passkey_id).delete()[0]:
        raise NoFactor(GONE)
    if not held.has_second_factor():
        if settings.SECOND_FACTOR == "required":
            raise OnlyFactor
        RecoveryCode.objects.filter(staff=staff.pk).delete()
    trail.record(staff, "staff.passkey_removed", actor=actor, changes={"passkey": passkey_id})


# Checking


def begin_check(staff: Staff, place: Place) -> tuple[dict, dict]:
    """Options for ``navigator.credentials.get`` and the state. Raises Refused where no passkey is of this host."""
    _count_ceremony(staff)
    present = list(second_factors.passkeys_of(staff).filter(host=place.host))
    if not present:
        raise Refused
    options, state = _server(place).authenticate_begin(
        _descriptors(present), user_verification=UserVerificationRequirement.PREFERRED
    )
    return dict(options), state


def check(staff: Staff, place: Place, state: dict | None, answer: str) -> Passkey:
    """The passkey that answered the challenge. Raises Refused.

    Not in a transaction of the caller's: a wrong try must stay counted.
    """
    counted = second_factors.claim_try(second_factors.of(staff))
    present = {bytes(row.credential_id): row for row in second_factors.passkeys_of(staff).filter(host=place.host)}
    known = [AttestedCredentialData(bytes(row.credential)) for row in present.values()]
    response = _read(lambda: _answered(staff, place, state, known, answer))
    passkey = present[response.raw_id]
    _take(passkey, response.response.authenticator_data, _required(state)["challenge"])
    second_factors.forgive(counted)
    return passkey


def _take(passkey, data, challenge):
    """One UPDATE decides: the counter has gone on (or the authenticator has none), and the challenge is a new one."""
    forward = Q(counter__lt=data.counter) if data.counter else Q(counter=0)
    digest = hashlib.sha256(challenge.encode()).hexdigest()
    rows = Passkey.objects.filter(forward, pk=passkey.pk).exclude(challenge=digest)
    changes = {"counter": data.counter, "challenge": digest, "backed_up": data.is_backed_up()}
    if not rows.update(last_used_at=timezone.now(), **changes):
        log.warning("Passkey %s is refused: its counter went back, or it answered twice.", passkey.pk)
        raise Refused


# What browsers send


def _read(verified: Callable[[], Any]) -> Any:
    """What ``verified()`` says; any failure, also of reading what a stranger sent, is the one refusal."""
    try:
        return verified()
    except Exception as error:
        log.warning("A passkey's answer is refused: %s.", type(error).__name__)
        raise Refused from error


def _made(place, state, answer):
    parsed = json.loads(answer)
    response = RegistrationResponse.from_dict(parsed)
    made = _server(place).register_complete(_required(state), response)
    _check_frame(response)
    _check_backup(made)
    if type(made.credential_data.public_key) not in ALGORITHMS:
        raise ValueError("The algorithm was not offered.")
    if len(made.credential_data.credential_id) > Passkey._meta.get_field("credential_id").max_length:
        raise ValueError("The id is too long.")
    reported = parsed["response"].get("transports") or []
    return made, [name for name in TRANSPORTS if name in reported]


def _answered(staff, place, state, known, answer):
    response = AuthenticationResponse.from_dict(json.loads(answer))
    _server(place).authenticate_complete(_required(state), known, response)
    _check_frame(response)
    _check_backup(response.response.authenticator_data)
    if response.response.user_handle not in (None, b"", _handle(staff)):
        raise ValueError("The passkey is somebody else's.")
    return response


def _required(state):
    if state is None:
        raise ValueError("There is no challenge, or it is too old.")
    return state


def _check_frame(response):
    if response.response.client_data.cross_origin:
        raise ValueError("The answer was made inside another page.")


def _check_backup(data):
    if data.is_backed_up() and not data.is_backup_eligible():
        raise ValueError("It can't be backed up and is.")
