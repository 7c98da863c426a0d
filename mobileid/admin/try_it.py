"""Try it: start an operation for a test user, watch it live, and see the calls of the REST API that do the same."""

import json
import secrets

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from mobileid.admin import try_code
from mobileid.admin.tables import kind
from mobileid.admin.try_forms import PLURAL, TEST_SEGMENT, TryForm, test_users
from mobileid.models import Operation
from mobileid.models.operations import OPEN
from mobileid.services import bindings, completion
from mobileid.services.descriptions import describe_operation, state_of
from mobileid.services.qr import svg_data_uri
from reuseid.actors import Actor
from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import Refusals, explain
from reuseid.admin.kit.masking import masked_body
from reuseid.admin.kit.pages import Facts, Table, Text
from reuseid.admin.kit.scope import account_ids, accounts_of
from reuseid.admin.kit.texts.statuses import colour_of
from reuseid.errors import ServiceError
from reuseid.models import Account, Delivery, WebhookEndpoint
from reuseid.services.people import users

RIGHT = "mobileid.try_operation"
CALLBACKS = 20


def guarded(view):
    """For signed-in colleagues with the right; answers are kept by nobody."""

    def judged(request, *args, **kwargs):
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied
        return never_cache(view)(request, *args, **kwargs)

    return admin.site.admin_view(judged)


@require_safe
def choose(request):
    """The form, and beside it the commands that do the same."""
    account = _account(request, request.GET.get("account"))
    form = TryForm(account) if account else None
    return render(request, "admin/try.html", {**_frame(request), **_choice(request, account, form)})


@require_POST
def commands(request):
    """The commands for what the form holds at the moment."""
    form = TryForm(_known_account(request), request.POST)
    return render(request, "admin/parts/commands.html", {"commands": _commands(form), "incomplete": form.errors})


@require_POST
def start(request):
    """Start it; its code, number or link is in this answer alone."""
    account = _known_account(request)
    form = TryForm(account, request.POST)
    if form.is_valid():
        try:
            operation, shown = form.start(Actor.staff(request.user))
        except ServiceError as error:
            form.add_error(None, explain(error))
        else:
            return _watch(request, operation.pk, shown, _commands(form))
    return render(request, "admin/try.html", {**_frame(request), **_choice(request, account, form)})


@require_POST
def new_user(request):
    """A person of the segment for tests."""
    account = _known_account(request)
    name = f"test-{secrets.token_hex(4)}"
    with Refusals(request, _("Nothing was made. %(why)s")):
        users.create(account, actor=Actor.staff(request.user), external_ref=name, segment=TEST_SEGMENT)
        messages.success(request, _("The test user %(name)s is there.") % {"name": name})
    return redirect(f"{reverse('try')}?account={account.pk}")


@require_safe
def watch(request, operation_id):
    """The same page later: without what only the start showed."""
    return _watch(request, operation_id, {}, [])


@require_safe
def live(request, operation_id):
    """The part that is drawn anew each second."""
    return render(request, "admin/parts/try_live.html", _life(_operation(request, operation_id), request.user))


@require_POST
def cancel(request, operation_id):
    """Cancel it; or say that it was over."""
    operation = _operation(request, operation_id)
    with Refusals(request, row=operation):
        completion.cancel(operation, actor=Actor.staff(request.user))
        messages.success(request, _("The operation is cancelled."))
    return redirect("try-watch", operation_id=operation.pk)


def _account(request, given):
    """The account that the address names, or the first one that the colleague sees."""
    seen = [str(pk) for pk in account_ids(request.user)]
    chosen = given if given in seen else (seen[0] if seen and not given else None)
    if given and chosen is None:
        raise Http404
    return Account.objects.get(pk=chosen) if chosen else None


def _known_account(request):
    account = _account(request, request.POST.get("account", ""))
    if account is None:
        raise Http404
    return account


def _operation(request, operation_id):
    """Of a test user of an account that the colleague sees; 404 for any other."""
    mine = Operation.objects.as_read().filter(account__in=account_ids(request.user), user__segment=TEST_SEGMENT)
    operation = mine.select_related("application", "account").filter(pk=operation_id).first()
    if operation is None:
        raise Http404
    return operation


def _frame(request):
    request.current_app = admin.site.name
    return {**admin.site.each_context(request), "title": _("Try it")}


def _choice(request, account, form):
    seen = accounts_of(request.user)[:100]
    ready = account is not None and test_users([account.pk]).exists()
    unchecked = TryForm(account, _initial(form)) if ready and not form.is_bound else form
    return {
        "account": account,
        "accounts": seen,
        "form": form,
        "ready": ready,
        "commands": _commands(unchecked) if ready else [],
    }


def _initial(form):
    """What the form would send if nobody touched it."""
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    for name in ("user", "application"):
        first = form.fields[name].queryset.first()
        values[name] = first and first.pk
    return values


def _commands(form):
    return try_code.commands(PLURAL[form.kind], form.body()) if form.is_valid() else []


def _watch(request, operation_id, shown, code):
    operation = _operation(request, operation_id)
    found = {
        **_frame(request),
        **_life(operation, request.user),
        "shown": shown,
        "shown_qr": svg_data_uri(shown["activationUri"]) if "activationUri" in shown else "",
        "commands": code,
    }
    return render(request, "admin/try_watch.html", found)


def _life(operation, reader):
    """How it stands, what came of it, and what the account's systems were told."""
    state, now = state_of(operation), timezone.now()
    open_still = state in OPEN
    left = max(0, int((operation.expires_at - now).total_seconds())) if open_still else None
    drawn = operation.binding == Operation.Binding.QR and state == Operation.Status.PENDING
    frame = bindings.qr_frame(operation) if drawn else ""
    callbacks, owed = _callbacks(operation)
    described = json.dumps(masked_body(describe_operation(operation), reader), indent=2, ensure_ascii=False)
    return {
        "operation": operation,
        "kind": kind(operation),
        "state": formatting.badge(Operation.Status(state).label, colour_of("operation", state)),
        "left": left,
        "frame": frame,
        "frame_qr": svg_data_uri(frame) if frame else "",
        "over": not open_still,
        "every": _every(operation, open_still, owed, now),
        "panels": [
            Facts(
                [
                    (_("Operation id"), formatting.ident(operation.pk)),
                    (_("Test user"), formatting.text(operation.user.external_ref)),
                    (_("Account"), operation.account.name),
                    (_("Binding"), operation.get_binding_display()),
                    (_("Reason"), formatting.text(operation.failure_reason)),
                ]
            ),
            callbacks,
            Text(described, title=_("What GET of it answers, personal values hidden")),
        ],
    }


def _every(operation, open_still, owed, now):
    """Seconds to the next look; 0 once nothing more is to be seen."""
    if open_still:
        return 1
    fresh = operation.ended_at is None or (now - operation.ended_at).total_seconds() < 120
    return 3 if owed and fresh else 0


def _callbacks(operation):
    rows = Delivery.objects.filter(account=operation.account_id, event__object_id=operation.pk)
    found = list(rows.select_related("event", "endpoint").defer("event__payload").order_by("event_id")[:CALLBACKS])
    table = [
        [
            formatting.link(Delivery, delivery.pk, delivery.event.type),
            formatting.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url),
            formatting.state(delivery),
            delivery.attempts,
        ]
        for delivery in found
    ]
    owed = any(delivery.status == Delivery.Status.PENDING for delivery in found)
    headers = [_("Event"), _("Endpoint"), _("State"), _("Attempts")]
    empty = _("None yet: they are sent when the operation ends, to the endpoints that want them.")
    if operation.ended_at:
        empty = _("None: no endpoint of the account wants this event.")
    return Table(headers, table, title=_("Callbacks"), empty=empty), owed


urlpatterns = [
    path("", guarded(choose), name="try"),
    path("commands/", guarded(commands), name="try-commands"),
    path("start/", guarded(start), name="try-start"),
    path("user/", guarded(new_user), name="try-user"),
    path("<uuid:operation_id>/", guarded(watch), name="try-watch"),
    path("<uuid:operation_id>/live/", guarded(live), name="try-live"),
    path("<uuid:operation_id>/cancel/", guarded(cancel), name="try-cancel"),
]
