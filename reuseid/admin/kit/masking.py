"""Bodies of events and what receivers answered, as a colleague may read them: personal values are hidden by name."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from reuseid import crypto
from reuseid.models import Event, Staff, User

MASK = "••••••"
PERSONAL = {
    "attributes",
    "preOperationContext",
    "postOperationContext",
    "transaction",
    "pushNotification",
    "requestedUserAttributes",
    "userAttributes",
    "content",
    "contentBase64",
    "title",
    "signature",
    "reference",
    "note",
}
# What those who see people read on their pages, and nobody else: how a person is called, and their phone.
OF_PEOPLE = {"externalRef", "deviceName", "name", "userHint"}
# Shorter values would blank out words that only look like them.
LEAST = 3


def hidden_names(reader: Staff) -> set:
    """The names whose values are hidden from a colleague."""
    return PERSONAL if reader.has_perm("reuseid.view_user") else PERSONAL | OF_PEOPLE


def masked_body(value: Any, reader: Staff) -> Any:
    """The same structure with every value under a name that is hidden from the colleague replaced."""
    return _masked(value, hidden_names(reader))


def masked_answer(text: str, body: Any, reader: Staff) -> str:
    """What a receiver answered, without the hidden values of the body that it may have sent back."""
    values = {form for value in _values(body, hidden_names(reader), False) for form in _forms(value)}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def _masked(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _hidden(item) if name in names else _masked(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, names) for item in value]
    return value


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _hidden(item) for name, item in value.items()}
    if value in (None, [], ""):
        return value
    return MASK


def _values(value: Any, names: set[str], within: bool) -> Iterator[str]:
    """The texts and numbers that stand below hidden names; ``within`` says that such a name was passed."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _values(item, names, within or name in names)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, names, within)
    elif within and value is not None and not isinstance(value, bool) and len(str(value)) >= LEAST:
        yield str(value)


def _forms(value: str) -> set[str]:
    """The value as it is, and in the two ways that JSON may escape it."""
    return {value, *(json.dumps(value, ensure_ascii=ascii)[1:-1] for ascii in (True, False))}


def _opened(event: Event) -> Any:
    """The body as it was sent; None where it can't be read."""
    try:
        body = crypto.unseal(
            event.payload, account=event.account_id, table=event._meta.db_table, row=event.id, column="payload"
        )
    except crypto.Unreadable:
        return None
    return json.loads(body)


def body_of(event: Event, reader: Staff) -> str:
    """The body, with what is hidden from the colleague masked; a sentence where it can't be read."""
    body = _opened(event)
    if body is None:
        return _("It can't be decrypted: its key is not configured here.")
    return json.dumps(masked_body(body, reader), indent=2, ensure_ascii=False)


def answers_of(event: Event, reader: Staff) -> Callable[[str], str]:
    """A function of a receiver's words: without what is hidden from the colleague in the body that it got.

    The person's reference is taken out too where the body does not have it: receivers know people by it.
    """
    body = _opened(event)
    if body is None:
        return lambda text: MASK if text else ""
    references = list(User.objects.filter(pk=event.user_id).values_list("external_ref", flat=True))
    return lambda text: masked_answer(text, [body, {"externalRef": references}], reader)
