"""Personal values in bodies that colleagues read: hidden by name, all of them below that name."""

import json

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


def hidden_names(reader) -> set:
    """The names whose values are hidden from a colleague."""
    return PERSONAL if reader.has_perm("reuseid.view_user") else PERSONAL | OF_PEOPLE


def masked_body(value, reader):
    """The same structure with every value under a name that is hidden from the colleague replaced."""
    return _masked(value, hidden_names(reader))


def masked_answer(text: str, body, reader) -> str:
    """What a receiver answered, without the hidden values of the body that it may have sent back."""
    values = {form for value in _values(body, hidden_names(reader), False) for form in _forms(value)}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def _masked(value, names):
    if isinstance(value, dict):
        return {name: _hidden(item) if name in names else _masked(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, names) for item in value]
    return value


def _hidden(value):
    if isinstance(value, dict):
        return {name: _hidden(item) for name, item in value.items()}
    if value in (None, [], ""):
        return value
    return MASK


def _values(value, names, within):
    """The texts and numbers below hidden names."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _values(item, names, within or name in names)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, names, within)
    elif within and value is not None and not isinstance(value, bool) and len(str(value)) >= LEAST:
        yield str(value)


def _forms(value):
    """As it is, and as JSON writes it."""
    return {value, *(json.dumps(value, ensure_ascii=ascii)[1:-1] for ascii in (True, False))}
