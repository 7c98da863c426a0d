"""The ``webhooks`` section of the OpenAPI document: what a receiver is sent, one entry for each event type."""

from drf_spectacular.utils import OpenApiWebhook

from reuseid import event_types
from reuseid.api import examples
from reuseid.api.openapi.events import shape_of

_HEADERS = {
    "webhook-id": "The event's id: the same at every attempt and after a resend. Drop what you have seen.",
    "webhook-timestamp": "Unix seconds of this attempt.",
    "webhook-signature": "Signatures over `id.timestamp.body`, a space between: `v1,…` HMAC-SHA256, `v1a,…` Ed25519.",
}
PARAMETERS = {
    name: {"in": "header", "name": name, "required": True, "description": text, "schema": {"type": "string"}}
    for name, text in _HEADERS.items()
}
_ANSWERS = {
    "2XX": {"description": "Taken. Answer within 15 seconds, before you do the work."},
    "410": {"description": "Gone: the webhook is disabled and nothing more is sent."},
    "default": {"description": "Tried again, ten times in 75 hours; `Retry-After` is honoured."},
}


def _told(name, sentence):
    noun, _, verb = name.partition(".")
    serializer, data = shape_of(name)
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": name},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": {"$ref": f"#/components/schemas/{serializer.__name__}"},
        },
    }
    return {
        "operationId": f"on{noun.title()}{verb.title().replace('_', '')}",
        "summary": sentence,
        "description": "Sent by POST to each webhook that wants it, by the Standard Webhooks; docs/callbacks.md.",
        "tags": ["Events"],
        "parameters": [{"$ref": f"#/components/parameters/{parameter}"} for parameter in PARAMETERS],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": body, "example": examples.event(name, data)}},
        },
        "responses": _ANSWERS,
        "security": [],
    }


WEBHOOKS = [OpenApiWebhook(name, {"post": _told(name, text)}) for name, text in event_types.known().items()]
