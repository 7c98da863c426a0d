"""Personal values in bodies that colleagues read: hidden by name, all of them below that name."""

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


def masked_body(value):
    """The same structure with every value under a personal name replaced."""
    if isinstance(value, dict):
        return {name: _hidden(item) if name in PERSONAL else masked_body(item) for name, item in value.items()}
    if isinstance(value, list):
        return [masked_body(item) for item in value]
    return value


def _hidden(value):
    if isinstance(value, dict):
        return {name: _hidden(item) for name, item in value.items()}
    if value in (None, [], ""):
        return value
    return MASK
