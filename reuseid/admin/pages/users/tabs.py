"""What the tabs of a person's page show. Each reads at most ROWS rows, through an index that begins with the person."""

from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.extensions import registry
from reuseid.admin.kit.pages import ROWS, Facts, Table, Timeline
from reuseid.admin.kit.reveal import Masked, readable
from reuseid.admin.kit.scope import trail_lines
from reuseid.admin.kit.texts import thing
from reuseid.models import ApprovalRequest, Attribute, AttributeKey, Client, Event, Proofing, Staff, TrailEntry, User
from reuseid.models.trail import ACCESS, QUIET_ACCESS


def waiting(user):
    """What colleagues asked for about this person and nobody decided yet; read once a page."""
    if not hasattr(user, "_waiting_requests"):
        user._waiting_requests = list(ApprovalRequest.objects.waiting().filter(user=user).select_related("asked_by"))
    return user._waiting_requests


def asked_for(user, action) -> bool:
    """Whether this very thing waits for a second colleague."""
    return any(asked.action == action for asked in waiting(user))


def _waits(request, user):
    if not request.user.has_perm("reuseid.view_approvalrequest") or not waiting(user):
        return []
    rows = [
        [
            formatting.link(ApprovalRequest, asked.pk, asked.get_action_display()),
            formatting.state(asked),
            str(asked.asked_by),
            formatting.when(asked.asked_at),
            formatting.when(asked.expires_at),
        ]
        for asked in waiting(user)
    ]
    headers = [_("What"), _("State"), _("Asked by"), _("Asked"), _("To be decided by")]
    return [Table(headers, rows, title=_("Waiting for a second colleague"))]


def requests(request, user):
    """What needed a second colleague, newest first, and what came of it."""
    found = ApprovalRequest.objects.filter(user=user).select_related("asked_by", "decided_by")
    rows = [
        [
            formatting.link(ApprovalRequest, asked.pk, asked.get_action_display()),
            formatting.state(asked),
            formatting.reason(asked.reason),
            str(asked.asked_by),
            formatting.when(asked.asked_at),
            formatting.text(asked.decided_by and str(asked.decided_by)),
            formatting.when(asked.decided_at),
        ]
        for asked in found.order_by("-asked_at", "-id")[:ROWS]
    ]
    headers = [
        _("What"),
        _("State"),
        _("Reason"),
        _("Asked by"),
        _("Asked"),
        _("Decided by"),
        _("Settled"),
    ]
    empty = _("Nothing was asked for that needs a second colleague.")
    return [Table(headers, rows, empty=empty, more=formatting.list_of(ApprovalRequest, q=str(user.pk)))]


def overview(request, user):
    """Why they can't sign in, the facts, and the last that happened."""
    panels = _waits(request, user)
    panels += [panel for more in registry.of(User).overview for panel in more(request, user)]
    rows = [
        (_("User id"), formatting.ident(user.pk)),
        (_("External reference"), formatting.ident(user.external_ref)),
        (_("Segment"), formatting.text(user.segment)),
        (_("Account"), user.account.name),
        (_("Made by the API client"), _maker(request, user.client)),
        (_("Created"), formatting.when(user.created_at)),
        (_("Last changed"), formatting.when(user.updated_at)),
        (_("Version"), user.version),
    ]
    if user.erased_at:
        rows.append((_("Erased"), formatting.when(user.erased_at)))
    panels.append(Facts(rows, title=_("Facts")))
    if request.user.has_perm("reuseid.view_trailentry"):
        panels.append(Timeline(_lines(request, user, 5), title=_("Last happened"), more="?tab=timeline"))
    return panels


def _maker(request, client):
    """A link for those who may open API clients; none for people whom a colleague or an import made."""
    if client is None:
        return formatting.NONE
    sees = request.user.has_perm("reuseid.view_client")
    return formatting.link(Client, client.pk, str(client)) if sees else str(client)


def attributes(request, user):
    """Names, sources, levels and ages; values of what the catalogue calls not sensitive, or what is revealed now."""
    masked = Masked(request, user)
    plain = set(AttributeKey.objects.filter(account_id=user.account_id, sensitive=False).values_list("name", flat=True))
    rows = [
        [
            attribute.name,
            readable(attribute) if attribute.name in plain else masked.cell(attribute),
            formatting.text(attribute.source),
            formatting.text(attribute.get_assurance_level_display()),
            formatting.when(attribute.verified_at),
            formatting.when(attribute.expires_at),
            formatting.when(attribute.updated_at),
            formatting.link(Proofing, attribute.proofing_id),
        ]
        for attribute in Attribute.objects.filter(user=user).order_by("name")[:ROWS]
    ]
    headers = [
        _("Name"),
        _("Value"),
        _("Source"),
        _("Assurance"),
        _("Verified"),
        _("Expires"),
        _("Changed"),
        _("Proofing"),
    ]
    return [Table(headers, rows, empty=_("No attributes."))]


def proofings(request, user):
    """Where the identity was proofed, by whom and how well."""
    masked = Masked(request, user)
    rows = [
        [
            formatting.link(Proofing, proofing.pk),
            formatting.state(proofing),
            proofing.get_method_display(),
            proofing.provider,
            proofing.get_assurance_level_display(),
            formatting.when(proofing.performed_at),
            masked.cell(proofing) if proofing.reference else formatting.NONE,
        ]
        for proofing in Proofing.objects.filter(user=user).order_by("-created_at", "-id")[:ROWS]
    ]
    headers = [_("Proofing"), _("State"), _("Method"), _("Provider"), _("Assurance"), _("Performed"), _("Reference")]
    return [Table(headers, rows, empty=_("No proofing is recorded."))]


def timeline(request, user):
    """All that people, colleagues and the service did about this person."""
    return [Timeline(_lines(request, user, ROWS), more=formatting.list_of(TrailEntry, q=str(user.pk)))]


def looked(request, user):
    """Which colleagues opened the page or read a masked value, and why."""
    entries = trail_lines(request.user).filter(user_id=user.pk, action__in=ACCESS).order_by("-id")[:ROWS]
    knows_staff = request.user.has_perm("reuseid.view_staff")
    rows = []
    for entry in entries:
        line = history.line(entry, request.user)
        by_staff = knows_staff and entry.actor_type == "STAFF"
        who = formatting.link(Staff, entry.actor_id, line.who) if by_staff else line.who
        rows.append([line.at, who, line.sentence, line.changes, line.reason, line.note])
    headers = [_("Time"), _("Who"), _("What"), _("Which"), _("Reason"), _("Note")]
    more = formatting.list_of(TrailEntry, q=str(user.pk))
    return [Table(headers, rows, empty=_("Nobody has looked at this person yet."), more=more)]


def _lines(request, user, count):
    entries = trail_lines(request.user).filter(user_id=user.pk).exclude(action__in=QUIET_ACCESS).order_by("-id")
    return [history.line(entry, request.user, _subject(entry)) for entry in entries[:count]]


def _subject(entry):
    return "" if entry.object_type == "user" else thing(entry.object_type, formatting.short(entry.object_id))


def callbacks(request, user):
    """What the account's systems were told, and whether it arrived."""
    events = Event.objects.filter(user_id=user.pk).defer("payload").order_by("-sequence")
    rows = [
        [
            formatting.when(event.created_at),
            formatting.link(Event, event.pk, event.type),
            format_html_join(" ", "{}", ((formatting.state(delivery),) for delivery in event.deliveries.all()))
            or formatting.text(None),
        ]
        for event in events.prefetch_related("deliveries")[:ROWS]
    ]
    headers = [_("Time"), _("Event"), _("Deliveries")]
    return [Table(headers, rows, empty=_("No events yet."), more=formatting.list_of(Event, q=str(user.pk)))]
