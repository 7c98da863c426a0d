"""The headers of a callback, as components of the OpenAPI document."""

_HEADERS = {
    "webhook-id": "The event's id: the same at every attempt and after a resend. Drop what you have seen.",
    "webhook-timestamp": "Unix seconds of this attempt.",
    "webhook-signature": "Signatures over `id.timestamp.body`, a space between: `v1,…` HMAC-SHA256, `v1a,…` Ed25519.",
}
PARAMETERS = {
    name: {"in": "header", "name": name, "required": True, "description": text, "schema": {"type": "string"}}
    for name, text in _HEADERS.items()
}
