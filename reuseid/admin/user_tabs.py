"""What the tabs of a person's page show. Each reads at most ROWS rows, through an index that begins with the person."""

from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from reuseid import crypto
from reuseid.admin import cells, history
from reuseid.admin.pages import ROWS, Facts, Table, Timeline
from reuseid.admin.words import thing
from reuseid.models import Attribute, AttributeKey, Event, Proofing, TrailEntry
from reuseid.services import attributes as attribute_service

# What mobileid puts on top of the overview: functions of (request, user) that return panels.
OVERVIEW = []


def overview(request, user):
    """Why they can't sign in, the facts, and the last that happened."""
    panels = [panel for more in OVERVIEW for panel in more(request, user)]
    rows = [
        (_("User id"), cells.ident(user.pk)),
        (_("External reference"), cells.ident(user.external_ref)),
        (_("Segment"), cells.text(user.segment)),
        (_("Account"), user.account.name),
        (_("Created"), cells.when(user.created_at)),
        (_("Last changed"), cells.when(user.updated_at)),
        (_("Version"), user.version),
    ]
    if user.erased_at:
        rows.append((_("Erased"), cells.when(user.erased_at)))
    panels.append(Facts(rows, title=_("Facts")))
    if request.user.has_perm("reuseid.view_trailentry"):
        panels.append(Timeline(_lines(user, 5), title=_("Last happened"), more="?tab=timeline"))
    return panels


def attributes(request, user):
    """Names, sources, levels and ages; values only of what the catalogue calls not sensitive."""
    plain = set(AttributeKey.objects.filter(account_id=user.account_id, sensitive=False).values_list("name", flat=True))
    rows = [
        [
            attribute.name,
            _value(attribute, plain),
            cells.text(attribute.source),
            cells.text(attribute.get_assurance_level_display()),
            cells.when(attribute.verified_at),
            cells.when(attribute.expires_at),
            cells.when(attribute.updated_at),
            cells.link(Proofing, attribute.proofing_id),
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


def _value(attribute, plain):
    if attribute.name not in plain:
        return cells.MASK
    try:
        return str(attribute_service.value_of(attribute))
    except crypto.Unreadable:
        return cells.badge(_("can't be decrypted"), "bad", _("Its encryption key is not configured here."))


def proofings(request, user):
    """Where the identity was proofed, by whom and how well."""
    rows = [
        [
            cells.link(Proofing, proofing.pk),
            cells.state(proofing),
            proofing.get_method_display(),
            proofing.provider,
            proofing.get_assurance_level_display(),
            cells.when(proofing.performed_at),
            cells.MASK if proofing.reference else cells.NONE,
        ]
        for proofing in Proofing.objects.filter(user=user).order_by("-created_at", "-id")[:ROWS]
    ]
    headers = [_("Proofing"), _("State"), _("Method"), _("Provider"), _("Assurance"), _("Performed"), _("Reference")]
    return [Table(headers, rows, empty=_("No proofing is recorded."))]


def timeline(request, user):
    """All that people, colleagues and the service did about this person."""
    return [Timeline(_lines(user, ROWS), more=cells.list_of(TrailEntry, q=str(user.pk)))]


def _lines(user, count):
    entries = TrailEntry.objects.filter(user_id=user.pk).order_by("-id")[:count]
    return [history.line(entry, _subject(entry)) for entry in entries]


def _subject(entry):
    return "" if entry.object_type == "user" else thing(entry.object_type, cells.short(entry.object_id))


def callbacks(request, user):
    """What the account's systems were told, and whether it arrived."""
    events = Event.objects.filter(user_id=user.pk).defer("payload").order_by("-sequence")
    rows = [
        [
            cells.when(event.created_at),
            cells.link(Event, event.pk, event.type),
            format_html_join(" ", "{}", ((cells.state(delivery),) for delivery in event.deliveries.all()))
            or cells.text(None),
        ]
        for event in events.prefetch_related("deliveries")[:ROWS]
    ]
    headers = [_("Time"), _("Event"), _("Deliveries")]
    return [Table(headers, rows, empty=_("No events yet."), more=cells.list_of(Event, q=str(user.pk)))]
