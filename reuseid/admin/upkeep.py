"""Rows that keep the machine honest: kept answers, notices, signs of life, single attempts to send."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin import cells
from reuseid.admin.base import BackOfficeAdmin
from reuseid.admin.filters import AccountFilter
from reuseid.admin.trail import OfService
from reuseid.models import DeliveryAttempt, DeliveryCount, EventCount, Heartbeat, IdempotencyKey, StaffNotice


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(BackOfficeAdmin):
    list_display = ("id", "client", "answer_status", "created", "account")
    list_filter = (AccountFilter,)
    list_select_related = ("account", "client")
    ordering = ("-created_at",)
    exact = ("pk", "key")
    shown = ("id", "key", "client", "account", "fingerprint", "answer_status", "created")

    @display(description="Created", ordering="created_at")
    def created(self, row):
        return cells.when(row.created_at)


@admin.register(StaffNotice)
class StaffNoticeAdmin(BackOfficeAdmin):
    list_display = ("at_time", "text", "code", "seen", "account")
    list_display_links = ("at_time",)
    list_filter = (AccountFilter,)
    list_select_related = ("account", "seen_by")
    ordering = ("-id",)
    exact = ("pk", "object_id", "code")
    search_hint = "Id of what it is about, or its code, exactly"
    shown = ("at_time", "text", "code", "object_type", "object_id", "seen", "account")

    @display(description="Time", ordering="id")
    def at_time(self, notice):
        return cells.when(notice.at)

    @display(description="Seen")
    def seen(self, notice):
        return f"by {notice.seen_by}" if notice.seen_by_id else cells.badge("not yet", "warn")


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(BackOfficeAdmin):
    account_paths = ("delivery__account",)
    list_display = ("id", "delivery", "number", "at_time", "duration_ms", "http_status", "error")
    list_select_related = ("delivery",)
    ordering = ("-id",)
    exact = ("pk", "delivery_id")
    search_hint = "Id of the delivery, exactly"
    shown = ("id", "delivery", "number", "at_time", "duration_ms", "http_status", "error", "answer")

    @display(description="Time", ordering="id")
    def at_time(self, attempt):
        return cells.when(attempt.at)


@admin.register(Heartbeat)
class HeartbeatAdmin(OfService):
    list_display = ("name", "last_sign", "holder")
    ordering = ("name",)
    exact = ("pk",)
    search_hint = "Name, exactly"
    shown = ("name", "last_sign", "holder")

    @display(description="Last sign of life", ordering="at")
    def last_sign(self, beat):
        return cells.when(beat.at)


class CountAdmin(BackOfficeAdmin):
    """Numbers of ended hours."""

    list_filter = (AccountFilter,)
    list_select_related = ("account",)
    ordering = ("-hour", "-id")
    exact = ("pk",)

    @display(description=_("Hour"), ordering="hour")
    def of_hour(self, row):
        return cells.when(row.hour)


@admin.register(EventCount)
class EventCountAdmin(CountAdmin):
    list_display = ("of_hour", "type", "count", "account")
    shown = ("of_hour", "type", "count", "account")


@admin.register(DeliveryCount)
class DeliveryCountAdmin(CountAdmin):
    list_display = ("of_hour", "status", "within", "count", "account")
    shown = ("of_hour", "status", "within", "count", "account")
