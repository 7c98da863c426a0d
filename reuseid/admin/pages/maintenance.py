"""Rows that keep the machine honest: kept answers, notices, signs of life, single attempts to send."""

from django.contrib import admin, messages
from django.db.models import F
from django.http import Http404
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import BackOfficeAdmin, OfService
from reuseid.admin.kit.dialogs import SureForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.event_bodies import answers_of
from reuseid.admin.kit.filters import AccountFilter
from reuseid.admin.kit.pages import Facts, Header, PageAdmin, Tab, go_to
from reuseid.admin.kit.scope import notices as seen_notices
from reuseid.admin.kit.texts import heartbeat_in_words
from reuseid.models import (
    DeliveryAttempt,
    DeliveryCount,
    EventCount,
    Heartbeat,
    IdempotencyKey,
    Staff,
    StaffNotice,
    WebhookEndpoint,
)
from reuseid.services import notices


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(BackOfficeAdmin):
    list_display = ("id", "client", "answer_status", "created", "account")
    list_filter = (AccountFilter,)
    list_select_related = ("account", "client")
    ordering = ("-created_at",)
    search_exact = ("pk",)
    shown = ("id", "client", "account", "fingerprint", "answer_status", "created")

    @display(description=_("Created"), ordering="created_at")
    def created(self, row):
        return formatting.when(row.created_at)


def notice_facts(request, notice):
    """What it says and what it is about."""
    about = ABOUT.get(notice.object_type)
    return [
        Facts(
            [
                (_("Notice"), notice.text),
                (_("Code"), notice.code),
                (_("About"), formatting.link(about, notice.object_id) if about else formatting.ident(notice.object_id)),
                (_("Account"), formatting.text(notice.account)),
            ]
        )
    ]


# Rows that notices are about and that have a page.
ABOUT = {"webhookendpoint": WebhookEndpoint, "staff": Staff}


@admin.register(StaffNotice)
class StaffNoticeAdmin(PageAdmin):
    page_related = ("account", "seen_by")
    list_display = ("at_time", "text", "code", "seen", "account")
    list_display_links = ("at_time",)
    list_filter = (AccountFilter,)
    list_select_related = ("account", "seen_by")
    # What nobody has seen comes first.
    ordering = (F("seen_at").desc(nulls_first=True), "-id")
    search_exact = ("pk", "object_id", "code")
    search_hint = _("Id of what it is about, or its code, exactly")
    actions_detail = ("mark",)
    tabs = [Tab("overview", _("Overview"), notice_facts)]
    available_when = {"mark": lambda notice: notice.seen_at is None}

    def get_queryset(self, request):
        return seen_notices(request.user).order_by(*self.ordering)

    @display(description=_("Time"), ordering="id")
    def at_time(self, notice):
        return formatting.when(notice.at)

    @display(description=_("Seen"))
    def seen(self, notice):
        if notice.seen_at is None:
            return formatting.badge(_("not yet"), "warn")
        return _("by %(who)s") % {"who": notice.seen_by or _("a former colleague")}

    def header(self, request, notice):
        lines = [(_("Time"), formatting.when(notice.at))]
        if notice.seen_at:
            lines.append((_("Seen"), formatting.when(notice.seen_at)))
        return Header(title=notice.text, state=self.seen(notice), lines=lines)

    def has_mark_permission(self, request, object_id=None):
        if not self.may(request, object_id, "mark_staffnotice"):
            return False
        if object_id is None or not notices.is_about(self.row(request, object_id), request.user.pk):
            return True
        request.refusal = _("It is about you: another colleague looks after it.")
        return False

    @dialog_action(
        _("Mark as seen"),
        icon="visibility",
        permission="mark",
        effect=Effect.NOTES,
        variant=ActionVariant.PRIMARY,
        title=_("Mark this notice as seen"),
        description=_("Your name stands beside it: colleagues know that you look after it."),
        form=SureForm,
    )
    def mark(self, request, form, object_id):
        notice = self.row(request, object_id)
        if notice is None:
            raise Http404
        if notices.mark_seen(notice, actor=self.actor(request)):
            messages.success(request, _("The notice is marked as seen by you."))
        else:
            notice.refresh_from_db()
            messages.info(request, _("%(who)s has seen it already.") % {"who": notice.seen_by or _("A colleague")})
        return go_to(request, formatting.list_of(StaffNotice))


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(BackOfficeAdmin):
    account_paths = ("delivery__account",)
    list_display = ("id", "delivery", "number", "at_time", "duration_ms", "http_status", "error")
    list_select_related = ("delivery",)
    ordering = ("-id",)
    search_exact = ("pk", "delivery_id")
    search_hint = _("Id of the delivery, exactly")
    shown = ("id", "delivery", "number", "at_time", "duration_ms", "http_status", "error", "said_answer")

    @display(description=_("Answer"))
    def said_answer(self, attempt):
        return formatting.text(answers_of(attempt.delivery.event, attempt.reader)(attempt.answer))

    @display(description=_("Time"), ordering="id")
    def at_time(self, attempt):
        return formatting.when(attempt.at)


@admin.register(Heartbeat)
class HeartbeatAdmin(OfService):
    list_display = ("who", "last_sign", "holder")
    ordering = ("name",)
    search_exact = ("pk",)
    search_hint = _("Name, exactly")
    shown = ("who", "name", "last_sign", "holder")

    @display(description=_("Who"))
    def who(self, beat):
        return capfirst(heartbeat_in_words(beat.name))

    def name_of(self, beat):
        return capfirst(heartbeat_in_words(beat.name))

    @display(description=_("Last sign of life"), ordering="at")
    def last_sign(self, beat):
        return formatting.when(beat.at)


class CountAdmin(BackOfficeAdmin):
    """Numbers of ended hours."""

    list_filter = (AccountFilter,)
    list_select_related = ("account",)
    ordering = ("-hour", "-id")
    search_exact = ("pk",)

    @display(description=_("Hour"), ordering="hour")
    def of_hour(self, row):
        return formatting.when(row.hour)


@admin.register(EventCount)
class EventCountAdmin(CountAdmin):
    list_display = ("of_hour", "type", "count", "account")
    shown = ("of_hour", "type", "count", "account")


@admin.register(DeliveryCount)
class DeliveryCountAdmin(CountAdmin):
    list_display = ("of_hour", "status", "within", "count", "account")
    shown = ("of_hour", "status", "within", "count", "account")
