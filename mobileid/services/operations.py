"""Starting the three operations. How they end is in `completion`; what phones do with them, in their own modules."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, Subquery
from django.db.models.functions import Now

from mobileid.errors import NoUsableDevice, TargetDeviceUnusable, UserNotActive
from mobileid.models import Application, AuthMethod, Device, Operation
from mobileid.services import bindings, contexts, fatigue
from mobileid.services.completion import end
from mobileid.services.descriptions import methods_of
from reuseid.actors import Actor
from reuseid.errors import Invalid, Unknown, WrongState
from reuseid.models import Account, User
from reuseid.prepared import Insert, Param, Select, Together
from reuseid.services.audit import trail

EXPIRES_IN, EXPIRES_IN_MIN, EXPIRES_IN_MAX = 180, 10, 600
REFERENCE_LIMIT = 128
PROPERTIES = "operationProperties"

Binding, Level, Status = Operation.Binding, Operation.AuthLevel, Operation.Status
_METHODS = {
    Level.ONE_FACTOR: [AuthMethod.DEVICE, AuthMethod.DEVICE_PIN, AuthMethod.DEVICE_BIOMETRIC],
    Level.TWO_FACTOR: [AuthMethod.DEVICE_PIN, AuthMethod.DEVICE_BIOMETRIC],
}
# The person's phones, the one that was used last first. Each says, too, what else a start has to know of the person.
_PHONES: Select[Device] = Select(
    lambda: (
        Device.objects.filter(user=Param("user"))
        .as_read()
        .usable()
        .annotate(
            newest_end=Subquery(fatigue.newest_end(Param("user"))),
            has_open=Exists(Operation.objects.open().filter(user=Param("user"), type=Param("type"))),
        )
        .last_used_first()[:50]
    )
)
_HELD: Select[User] = Select(
    lambda: User.objects.of(Param("account")).select_for_update(no_key=True).filter(pk=Param("pk"))
)
_HELD_BY_PHONE: Select[User] = Select(
    lambda: (
        User.objects.of(Param("account"))
        .select_for_update(no_key=True, of=("self",))
        .filter(devices__pk=Param("device"), devices__account=Param("account"))
    )
)
_BEGUN = Together(
    operation=Insert(
        Operation,
        without=[
            *("device", "started_at", "ended_at", "failure_reason", "auth_method", "signature"),
            *("return_hash", "released_at", "confirmation_code", "confirmation_attempts"),
        ],
        returning=["created_at", "expires_at"],
        expires_at=ExpressionWrapper(Now() + Param("expires_in", DurationField()), output_field=DateTimeField()),
    ),
    line=trail.line_after("operation"),
)
_CLAIMED = {Binding.QR, Binding.SAME_DEVICE}
_BY_HAND = {Binding.NUMBER, Binding.QR}


@dataclass(slots=True)
class Terms:
    """What an operation is started with. ``expires_in`` in seconds; contexts as docs/api.md forms them."""

    user: User | None = None
    device_id: UUID | None = None
    broadcast: bool = False
    auth_level: str = Level.TWO_FACTOR
    auth_methods: list[str] | None = None
    binding: str = Binding.NONE
    return_url: str = ""
    content: dict | None = None
    transaction: dict | None = None
    post_context: dict | None = None
    push_notification: dict | None = None
    requested_attributes: list[str] = field(default_factory=list)
    expires_in: int = EXPIRES_IN
    client_reference: str = ""
    allow_parallel: bool = False


def start_authentication(account: Account, *, actor: Actor, **terms: Any) -> tuple[Operation, dict]:
    """Ask a person to sign in or, with ``transaction``, to authorise a payment; ``terms`` are those of `Terms`.

    Gives the operation and what only the start answer shows (`bindings.bind`). Raises Invalid, UserNotActive,
    TargetDeviceUnusable, NoUsableDevice or UserCooldown.
    """
    wanted = Terms(**terms)
    if wanted.transaction is not None and wanted.content is not None:
        raise Invalid.field(f"{PROPERTIES}.preOperationContext", "With `transaction` the service writes the content.")
    return _start(account, Operation.Type.AUTHENTICATION, wanted, contexts.AUTHENTICATION_LIMIT, actor)


def start_signature(account: Account, *, actor: Actor, **terms: Any) -> tuple[Operation, dict]:
    """Ask a person to sign a consent to a text or PDF; otherwise as `start_authentication`."""
    wanted = Terms(**terms)
    if wanted.content is None:
        raise Invalid.field(f"{PROPERTIES}.preOperationContext", "The document to consent to is missing.")
    if wanted.transaction is not None:
        raise Invalid.field(f"{PROPERTIES}.transaction", "Only for authentications.")
    return _start(account, Operation.Type.SIGNATURE, wanted, contexts.SIGNATURE_LIMIT, actor)


@transaction.atomic
def _start(account, kind, terms, limit, actor):
    operation = Operation(
        account=account,
        client_id=actor.client_id if actor.is_client else None,
        type=kind,
        broadcast=terms.broadcast,
        binding=terms.binding,
        auth_level=terms.auth_level,
        requested_attributes=terms.requested_attributes,
        client_reference=terms.client_reference,
        allow_parallel=terms.allow_parallel,
    )
    _fill_contents(operation, terms, limit)
    _choose_user(operation, terms)
    operation.auth_methods = _methods(terms)
    phones = _PHONES.all(user=operation.user.pk, type=kind) if operation.user else []
    newest = phones[0] if phones else None
    if operation.user and terms.binding not in _BY_HAND and not (newest and newest.newest_end == Status.COMPLETED):
        fatigue.check_cooldown(operation.user)
    _choose_device(operation, terms, phones)
    shown = bindings.bind(operation, terms.return_url)
    begin(operation, terms.expires_in, actor=actor, alone=newest is not None and not newest.has_open)
    return operation, shown


def _fill_contents(operation, terms, limit):
    if terms.transaction is not None:
        content = contexts.read_transaction(terms.transaction, field=f"{PROPERTIES}.transaction")
        contexts.seal_json(operation, "transaction", terms.transaction)
    elif terms.content is not None:
        content = contexts.read_context(terms.content, limit=limit, field=f"{PROPERTIES}.preOperationContext")
    else:
        reason = "Needed, or transaction: the person must be shown what is asked."
        raise Invalid.field(f"{PROPERTIES}.preOperationContext", reason)
    contexts.seal_content(operation, content)
    if terms.post_context is not None:
        contexts.read_context(terms.post_context, limit=contexts.POST_LIMIT, field=f"{PROPERTIES}.postOperationContext")
        contexts.seal_json(operation, "post_context", terms.post_context)
    if terms.push_notification is not None:
        contexts.check_push(terms.push_notification)
        contexts.seal_json(operation, "push_notification", terms.push_notification)


def _choose_user(operation, terms):
    if terms.user is not None:
        operation.user = hold(terms.user)
    elif terms.device_id is not None:
        operation.user = _held(_HELD_BY_PHONE.one(device=terms.device_id, account=operation.account_id), "device")
    elif terms.binding not in _CLAIMED:
        raise Invalid.field("userId", "Needed, unless the person is found by a QR code or a link.")
    elif terms.broadcast:
        raise Invalid.field("broadcast", "It needs a user.")


def hold(user: User) -> User:
    """The person's row, locked until the transaction ends: starts, locks and deactivations of one person take turns.

    Of ``user`` only key and account are read. Raises Unknown or UserNotActive.
    """
    return _held(_HELD.one(pk=user.pk, account=user.account_id), "user")


def _held(held, named):
    if held is None:
        raise Unknown(f"The account has no such {named}.")
    if held.status != User.Status.ACTIVE:
        raise UserNotActive(state=str(held.status))
    return held


def _methods(terms):
    allowed = _METHODS[terms.auth_level]
    methods = terms.auth_methods or [str(method) for method in allowed]
    if len(set(methods)) != len(methods):
        raise Invalid.field(f"{PROPERTIES}.authMethods", "Each once.")
    if not set(methods) <= set(allowed):
        raise Invalid.field(f"{PROPERTIES}.authMethods", f"{terms.auth_level} allows {', '.join(allowed)}.")
    return methods


def _choose_device(operation, terms, phones):
    if operation.user is None:
        return
    if terms.device_id:
        if terms.broadcast:
            raise Invalid.field("broadcast", "Not with a deviceId.")
        phones = [next((phone for phone in phones if phone.pk == terms.device_id), None) or _usable(operation, terms)]
    able = _able(phones, operation)
    if not able:
        raise NoUsableDevice
    if terms.device_id or not (terms.broadcast or terms.binding in _CLAIMED):
        # Without a word from the integrator: the phone that the person used last.
        operation.target_device = able[0]
        operation.application = operation.target_device.application


def _usable(operation, terms):
    """The named phone where it is not among the person's usable ones: what hinders it, or more phones than are read."""
    phone = Device.objects.of(operation.account).as_read().filter(pk=terms.device_id).first()
    if phone is None:
        raise Unknown("The account has no such device.")
    if phone.user_id != operation.user_id:
        raise Invalid.field("deviceId", "It is another user's device.")
    if phone.status != Device.Status.ACTIVE and not phone.is_lock_over:
        raise TargetDeviceUnusable(state=str(phone.status))
    return phone


def _able(phones, operation):
    return [phone for phone in phones if set(methods_of(phone)) & set(operation.auth_methods)]


def begin(operation: Operation, expires_in: int, *, actor: Actor, alone: bool = False) -> Operation:
    """Save a new operation, supersede what it replaces, and write the trail; the caller's transaction holds its user.

    The deadline is counted on the database's clock, which alone judges it. ``alone``: the person has no open operation
    of its type, so there is nothing to look for.
    """
    if operation.user and not operation.allow_parallel and not alone:
        _supersede(operation, actor)
    operation.expires_in = timedelta(seconds=expires_in)
    changes = {"type": operation.type, "binding": operation.binding, "expiresIn": expires_in}
    _BEGUN(operation=operation, line=trail.line(operation, "operation.started", actor=actor, changes=changes))
    return operation


def _supersede(operation, actor):
    older = Operation.objects.open().filter(user=operation.user, client=operation.client_id, type=operation.type)
    for old in older.select_related("user", "client", "device__application", "target_device"):
        try:
            with transaction.atomic():
                end(old, Status.CANCELED, actor=actor, failure_reason=fatigue.SUPERSEDED)
        except WrongState:
            continue


def only_application(account: Account, application_id: UUID | None = None) -> Application:
    """The application of that id; without one, the account's only one. Raises Invalid."""
    applications = Application.objects.filter(account=account)
    if application_id is not None:
        found = applications.filter(pk=application_id).first()
        if found is None:
            raise Invalid.field("applicationId", "There is no such application.")
        return found
    found = list(applications.order_by("created_at")[:2])
    if len(found) != 1:
        raise Invalid.field("applicationId", "Say which: the account has none or several.")
    return found[0]
