"""What the person was shown, as panels: masked, or open to one colleague for a minute. Nothing of it is ever rendered.

Texts come as they are, with every character that hides made visible; documents are downloads.
"""

import json
import unicodedata
from dataclasses import dataclass, field
from itertools import groupby

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mobileid.models import Evidence, Operation
from mobileid.protocol.content import PDF, TEXT_TYPES, is_hidden
from mobileid.services import content_reveal
from mobileid.services.descriptions import unseal_json
from reuseid import crypto
from reuseid.actors import Actor
from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import WHY, Refusals
from reuseid.admin.kit.pages import Facts
from reuseid.admin.kit.reveal import button, reveal_form, seconds_left
from reuseid.services.audit import access

LIMIT = 32 * 1024
"""Characters of a text that the page shows; the rest is in the download."""
FORMS = {
    "text/plain": gettext_lazy("Text"),
    "text/markdown": gettext_lazy("Markdown, as it was written"),
    "application/json": "JSON",
    PDF: "PDF",
}
ENDINGS = {"text/plain": "txt", "text/markdown": "md", "application/json": "json", PDF: "pdf"}
PAYMENT = {
    "amount": gettext_lazy("Amount"),
    "currency": gettext_lazy("Currency"),
    "creditorName": gettext_lazy("To"),
    "creditorAccount": gettext_lazy("Their account"),
    "reference": gettext_lazy("Payment reference"),
}
PUSH = {"title": gettext_lazy("Title"), "message": gettext_lazy("Text")}


@dataclass
class Part:
    """One thing that the phone showed: facts, text as it is, and the file where there is one."""

    name: str
    facts: list = field(default_factory=list)
    text: str = ""
    note: str = ""
    download: str = ""
    problem: str = ""


@dataclass
class Shown:
    """All of it, for as long as the minute lasts; a script takes it off afterwards."""

    parts: list
    seconds: int
    address: str
    title: str = gettext_lazy("What the person was shown")
    template: str = "admin/parts/shown.html"

    @property
    def left(self):
        """The minute, counting down."""
        return formatting.left(self.seconds)


def _follows(operation):
    found = [
        _("It is shown to you alone, for one minute, on this page."),
        _("The history says that you looked and why; never what you saw. A download is a line of its own."),
    ]
    if operation.user and operation.user.erased_at:
        found.append(_("The person's data is erased: what is left proves what they approved."))
    return found


RevealForm = reveal_form(Operation, _follows)


def panels(request, operation):
    """The masked facts; before them, while the reader's minute lasts, what they hide."""
    may = request.user.has_perm("mobileid.reveal_operation")
    end = access.until(operation, staff_id=request.user.pk) if may else None
    if end is None:
        return [_masked(operation, may)]
    address = formatting.page_of(Operation, operation.pk).removesuffix("change/") + "document/"
    return [Shown(_parts(operation), seconds_left(end), address), _masked(operation, may=False)]


def _masked(operation, may):
    """Its form and hash alone, and with the right the button."""
    evidence = getattr(operation, "evidence", None)
    masks = [
        (_("Title and content"), _mask_of_text(operation)),
        (_("Payment"), _mask(operation.transaction)),
        (_("Push message"), _mask(operation.push_notification)),
        (_("Shown after success"), _mask(operation.post_context)),
    ]
    if may:
        masks = _with_button(masks, operation)
    rows = [
        *masks,
        (_("Form"), formatting.text(FORMS.get(operation.mime_type, "") if content_reveal.has_text(operation) else "")),
        (_("Hash that the phone signs"), formatting.ident(operation.content_hash)),
        (_("Consent"), _("signed") if operation.signature else formatting.NONE),
        (_("Evidence"), formatting.link(Evidence, evidence.pk, _("kept")) if evidence else formatting.NONE),
    ]
    return Facts(rows, title=_("What the person saw"))


def _with_button(masks, operation):
    """The button beside the first of them that hides something."""
    first = next((place for place, (_name, value) in enumerate(masks) if value is formatting.MASK), None)
    return [
        (name, format_html("{} {}", value, button(operation)) if place == first else value)
        for place, (name, value) in enumerate(masks)
    ]


def _mask_of_text(operation):
    if content_reveal.has_text(operation):
        return formatting.MASK
    if operation.content_hash == content_reveal.NO_TEXT:
        return formatting.quiet(_("it was started without a text"))
    return formatting.quiet(_("erased with the person")) if operation.content_hash else formatting.NONE


def _mask(sealed):
    return formatting.NONE if sealed is None else formatting.MASK


def _parts(operation):
    found = [
        _opened(_("Payment"), lambda name: _named(name, unseal_json(operation, "transaction"), PAYMENT)),
        _opened(_("Before the decision"), lambda name: _context(name, content_reveal.before(operation), "before")),
        _opened(_("Push message"), lambda name: _named(name, unseal_json(operation, "push_notification"), PUSH)),
        _opened(_("After success"), lambda name: _context(name, content_reveal.after(operation), "after")),
    ]
    return [part for part in found if part is not None]


def _opened(name, make):
    """The part, a badge where its key is not here, None where it never was."""
    try:
        return make(name)
    except crypto.Unreadable:
        return Part(name, problem=formatting.unreadable())


def _context(name, content, part):
    if content is None:
        return None
    facts = [(_("Title"), visible(content.title))] if content.title else []
    facts.append((_("Form"), f"{FORMS.get(content.mime_type, content.mime_type)}, {filesizeformat(len(content.data))}"))
    if content.mime_type == PDF:
        return Part(name, facts, download=part, note=_("A document is not drawn here: open the file in a PDF reader."))
    text = _text(content)
    if len(text) <= LIMIT:
        return Part(name, facts, text=visible(text, multiline=True))
    note = _("Only the beginning is shown; the whole is in the file.")
    return Part(name, facts, text=visible(text[:LIMIT], multiline=True), note=note, download=part)


def download(request, operation, part):
    """The file as an answer that nothing keeps, runs or shows in the page; else back to the page, and why."""
    try:
        with Refusals(request, WHY):
            return _file(operation, part, content_reveal.download(operation, part, actor=Actor.staff(request.user)))
    except crypto.Unreadable:
        messages.error(request, _("It can't be decrypted: its key is not configured here."))
    return redirect(formatting.page_of(Operation, operation.pk))


def _file(operation, part, content):
    name = f"operation-{operation.pk}-{part}.{ENDINGS.get(content.mime_type, 'bin')}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    kind = f"{content.mime_type}; charset=utf-8" if content.mime_type in TEXT_TYPES else content.mime_type
    return HttpResponse(content.data, content_type=kind, headers=headers)


def _text(content):
    text = content.data.decode(errors="replace")
    if content.mime_type != "application/json":
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _named(name, values, names):
    """Facts of a JSON object, in the order of ``names``."""
    if values is None:
        return None
    return Part(name, [(label, visible(str(values[key]))) for key, label in names.items() if key in values])


def visible(text, multiline=False):
    """The text, escaped; a character that shows as nothing or turns others around becomes a mark with its number."""

    def hides(character):
        return is_hidden(character) and not (multiline and character in "\n\t")

    runs = [(hidden, "".join(run)) for hidden, run in groupby(text, hides)]
    pieces = [piece for hidden, run in runs for piece in (map(_numbered, run) if hidden else [run])]
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _numbered(character):
    title = unicodedata.name(character, _("control character"))
    return format_html('<span class="bo-mark" title="{}">U+{}</span>', title, f"{ord(character):04X}")
