"""How single values look: state words, times, links, ids, masks. Everything is escaped here."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote as urlquote

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.functional import lazy
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.http import RFC3986_SUBDELIMS, urlencode
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit.texts import reason_sentence
from reuseid.admin.kit.texts.statuses import colour_of, meaning
from reuseid.models import kind_of
from reuseid.times import in_zone

lazy_html = lazy(format_html, SafeString)
NONE = lazy_html('<span class="{}">{}</span>', "bo-none", _("none"))
NEVER = lazy_html('<span class="{}">{}</span>', "bo-none", _("never"))
NOT_YET = lazy_html('<span class="{}">{}</span>', "bo-none", _("not yet"))
MASK = lazy_html('<span class="{}" title="{}">{}</span>', "bo-mask", _("Hidden: a personal value."), "••••••")


def quiet(text: object) -> SafeString:
    """A text that says what is missing, in the muted colour of the word none."""
    return format_html('<span class="bo-none">{}</span>', text)


def badge(text: object, colour: str = "quiet", title: str = "") -> SafeString:
    """A coloured word; the colour never stands alone for the meaning."""
    return format_html('<span class="bo-state bo-state--{}" title="{}">{}</span>', colour, title, text)


def unreadable() -> SafeString:
    """A badge in place of a sealed value whose key is not configured here."""
    return badge(_("can't be decrypted"), "bad", _("Its encryption key is not configured here."))


def state(obj: Model) -> SafeString:
    """The status of a row as a coloured word, its sentence in the tooltip."""
    # Django's own get_status_display makes a hash of all choices, in words, each time.
    word = dict(obj._meta.get_field("status").flatchoices).get(obj.status, obj.status)
    return badge(word, colour_of(kind_of(obj), obj.status), meaning(obj))


def reason(code: str) -> SafeString:
    """A reason in words, its code in the tooltip; the code alone where nobody wrote a sentence."""
    return format_html('<span title="{}">{}</span>', code, reason_sentence(code).rstrip(".") or code) if code else NONE


def when(moment: datetime | None, missing: str = NONE) -> SafeString:
    """A time to the second in the reader's zone, UTC in the tooltip; a script puts the age beside it.

    ``missing`` is what stands there without one: NEVER where it could have happened, NOT_YET where it will.
    """
    if moment is None:
        return missing
    exact = moment.astimezone(UTC)
    return format_html(
        '<time class="bo-time" datetime="{}" title="{}">{}</time>',
        exact.isoformat(),
        exact.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
        in_zone(moment, get_current_timezone()).strftime("%Y-%m-%d %H:%M:%S"),
    )


def sentence(text: str, **values: object) -> SafeString:
    """A text with its ``%(name)s`` filled in: times as `when` shows them, all else escaped."""
    shown = {
        name: when(value) if isinstance(value, datetime) else conditional_escape(value)
        for name, value in values.items()
    }
    return SafeString(conditional_escape(text) % shown)


def left(seconds: int) -> SafeString:
    """The time that is left, in minutes and seconds; a script counts it down."""
    clock = format_html('<b data-counts="{}">{}</b>', seconds, f"{seconds // 60}:{seconds % 60:02}")
    return format_html('<span class="bo-left" role="timer">{}</span>', format_html(gettext("{time} left"), time=clock))


def ident(value: object, brief: bool = False) -> SafeString:
    """An id that is copied with one click; ``brief`` shows its beginning, and copies all of it."""
    if not value:
        return NONE
    return format_html(
        '<span class="bo-id"><code title="{}">{}</code>'
        '<button type="button" class="bo-copy" data-copy="{}" aria-label="{}">'
        '<span class="material-symbols-outlined" aria-hidden="true">content_copy</span></button></span>',
        value if brief else "",
        short(value) if brief else value,
        value,
        _("Copy"),
    )


def text(value: object) -> str:
    """The value as a string; the word none in place of nothing."""
    return NONE if value in (None, "", [], {}) else str(value)


def lines(value: Any) -> SafeString:
    """A text of several lines, its line breaks kept."""
    return format_html('<span class="bo-lines">{}</span>', value)


def words(values: Collection[object]) -> SafeString:
    """Short words side by side, each in a frame of its own."""
    return format_html_join(" ", '<span class="bo-chip">{}</span>', ((value,) for value in values)) if values else NONE


def beside(parts: Iterable[object]) -> SafeString:
    """Several formatted values in one cell, with a space between them."""
    return format_html_join(" ", "{}", ((part,) for part in parts))


# Stands for an id in what is made once for many rows.
ID = "0" * 32


@cache
def _around_id(name: str, prefix: str) -> tuple[str, str] | None:
    """What stands before and after the id in the address called ``name``; None where there is no such address."""
    try:
        before, _id, after = reverse(name, args=(ID,)).partition(ID)
    except NoReverseMatch:
        return None
    return before, after


def id_in_address(pk: object) -> str:
    """A key as the addresses of the back office write it."""
    return urlquote(str(quote(pk)), safe=RFC3986_SUBDELIMS + "/~:@")


def page_of(model: type[Model] | Model, pk: object) -> str:
    """The address of a row's page in the back office; empty where it has none."""
    around = _around_id(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", get_script_prefix())
    return f"{around[0]}{id_in_address(pk)}{around[1]}" if around else ""


def list_of(model: type[Model], **query: object) -> str:
    """The address of a model's list, with ``query`` as its filters."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def link(model: type[Model], pk: object, label: object = None) -> SafeString:
    """A link to a row's page; its id unless named."""
    if not pk:
        return NONE
    return format_html('<a class="bo-link" href="{}">{}</a>', page_of(model, pk), label or short(pk))


def anchor(address: str, label: object) -> SafeString:
    """A link to any page of the back office."""
    return format_html('<a class="bo-link" href="{}">{}</a>', address, label)


def dialog(address: str, label: str, icon: str = "") -> SafeString:
    """A small button that opens the dialog of an act at ``address``, over the page."""
    return format_html(
        '<a class="bo-act" href="{}" hx-get="{}" hx-target="#modal-content" '
        'hx-select="#dialog" x-on:htmx:after-on-load="openModal = true">'
        '<span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</a>',
        address,
        address,
        icon,
        label,
    )


def short(pk: object) -> str:
    """The first eight characters of an id: enough to recognise, not to type."""
    return f"{str(pk)[:8]}…"


def duration(start: datetime | None, end: datetime | None) -> str:
    """The time between two moments in words of at most two units."""
    if start is None or end is None:
        return NONE
    seconds = (end - start).total_seconds()
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return _two(seconds, 60, "min", 1, "s")
    if seconds < 172_800:
        return _two(seconds, 3600, "h", 60, "min")
    return _("%(count)s days") % {"count": f"{seconds // 86_400:.0f}"}


def _two(seconds: float, size: int, unit: str, part: int, small: str) -> str:
    """“2 h 5 min”: whole units of ``size`` seconds and the rest in parts, where there is a rest."""
    whole, rest = divmod(int(seconds), size)
    return f"{whole} {unit} {rest // part} {small}" if rest // part else f"{whole} {unit}"
