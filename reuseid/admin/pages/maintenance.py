"""Rows that keep the machine honest: kept answers, notices, signs of life, single attempts to send."""

from django.contrib import admin, messages
from django.db.models import F
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import BackOfficeAdmin, OfService
from reuseid.admin.kit.dialogs import SureForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter
from reuseid.admin.kit.masking import answers_of
from reuseid.admin.kit.pages import Facts, Header, PageAdmin, Tab
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
    list_display = ("id", "client", "answer_status", "created_at", "account")
    headers = {"created_at": _("Created")}
    list_filter = (AccountFilter,)
    list_select_related = ("account", "client")
    ordering = ("-created_at",)
    search_exact = ("pk",)
    shown = ("id", "client", "account", "fingerprint", "answer_status", "created_at")


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
    list_display = ("at", "text", "code", "seen", "account")
    headers = {"at": _("Time")}
    list_display_links = ("at",)
    list_filter = (AccountFilter,)
    list_select_related = ("account", "seen_by")
    # What nobody has seen comes first.
    ordering = (F("seen_at").desc(nulls_first=True), "-id")
    search_exact = ("pk", "object_id", "code")
    search_hint = _("Id of what it is about, or its code, exactly")
    actions_detail = ("mark",)
    tabs = [Tab("overview", _("Overview"), notice_facts)]
    rights = {"mark": "mark_staffnotice"}
    available_when = {"mark": lambda notice: notice.seen_at is None}

    def get_queryset(self, request):
        return seen_notices(request.user).order_by(*self.ordering)

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

    def why_not(self, request, act, notice):
        about_reader = notices.is_about(notice, request.user.pk)
        return _("It is about you: another colleague looks after it.") if about_reader else ""

    @dialog_action(
        _("Mark as seen"),
        icon="visibility",
        effect=Effect.NOTES,
        variant=ActionVariant.PRIMARY,
        title=_("Mark this notice as seen"),
        description=_("Your name stands beside it: colleagues know that you look after it."),
        form=SureForm,
    )
    def mark(self, request, form, object_id):
        def tell(request, notice, first):
            if first:
                messages.success(request, _("The notice is marked as seen by you."))
                return
            notice.refresh_from_db()
            messages.info(request, _("%(who)s has seen it already.") % {"who": notice.seen_by or _("A colleague")})

        return self.act(request, object_id, notices.mark_seen, then=tell)

    def page_after(self, notice):
        return formatting.list_of(StaffNotice)


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(BackOfficeAdmin):
    account_paths = ("delivery__account",)
    list_display = ("id", "delivery", "number", "at", "duration_ms", "http_status", "error")
    headers = {"at": _("Time")}
    list_select_related = ("delivery",)
    ordering = ("-id",)
    search_exact = ("pk", "delivery_id")
    search_hint = _("Id of the delivery, exactly")
    shown = ("id", "delivery", "number", "at", "duration_ms", "http_status", "error", "said_answer")

    @display(description=_("Answer"))
    def said_answer(self, attempt):
        return formatting.text(answers_of(attempt.delivery.event, attempt.reader)(attempt.answer))


@admin.register(Heartbeat)
class HeartbeatAdmin(OfService):
    list_display = ("who", "at", "holder")
    headers = {"at": _("Last sign of life")}
    ordering = ("name",)
    search_exact = ("pk",)
    search_hint = _("Name, exactly")
    shown = ("who", "name", "at", "holder")

    @display(description=_("Who"))
    def who(self, beat):
        return capfirst(heartbeat_in_words(beat.name))

    def name_of(self, beat):
        return capfirst(heartbeat_in_words(beat.name))


class CountAdmin(BackOfficeAdmin):
    """Numbers of ended hours."""

    headers = {"hour": _("Hour")}
    list_filter = (AccountFilter,)
    list_select_related = ("account",)
    ordering = ("-hour", "-id")
    search_exact = ("pk",)


@admin.register(EventCount)
class EventCountAdmin(CountAdmin):
    list_display = ("hour", "type", "count", "account")
    shown = ("hour", "type", "count", "account")


@admin.register(DeliveryCount)
class DeliveryCountAdmin(CountAdmin):
    list_display = ("hour", "status", "within", "count", "account")
    shown = ("hour", "status", "within", "count", "account")
