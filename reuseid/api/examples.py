"""What the OpenAPI document shows of people, webhooks and events: bodies that are sent, and answers."""

import re

from drf_spectacular.utils import OpenApiExample

USER = "0f9d3b52-5d0e-4a6e-9d0c-3d8a1c7b2e11"
WEBHOOK = "6e1d3c5b-7a90-4f2e-8b4d-0c9a8e7f6d52"
DELIVERY = "5c2e4d6f-8a1b-4c3d-9e7f-1a2b3c4d5e60"
EVENT = "2d4f6a80-1c3e-4b5d-8f7a-9e0b1c2d3f41"
PROOFING = "4a7b9c2d-6e8f-4013-9b5a-7c6d5e4f3a21"
TRACE = "5b1d2c8f9a3e4d7b8c6f0a1b2c3d4e5f"
BEGAN, DONE, DUE = "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:20.000Z", "2026-01-31T12:03:00.000Z"
# Of what an address names.
PATHS = {
    "user_id": USER,
    "external_ref": "customer-4711",
    "proofing_id": PROOFING,
    "webhook_id": WEBHOOK,
    "delivery_id": DELIVERY,
}


SUCCEEDED = ["200", "201", "202"]


def uses(values: dict[str, dict]) -> list[OpenApiExample]:
    """An example for each use of a body or of a successful answer, by what it is for."""
    return [
        OpenApiExample(re.sub(r"\W+", "-", summary).strip("-"), value, summary=summary, status_codes=SUCCEEDED)
        for summary, value in values.items()
    ]


def example(value: dict) -> list[OpenApiExample]:
    """The one example of a body or of a successful answer."""
    return [OpenApiExample("Example", value, status_codes=SUCCEEDED)]


RECORD_SENT = {"value": "anna@example.com", "source": "eID", "assuranceLevel": "substantial", "verifiedAt": BEGAN}
PROOFING_SENT = {
    "method": "eid",
    "provider": "BankID",
    "reference": "SE-77-1234",
    "assuranceLevel": "substantial",
    "performedAt": BEGAN,
}
PERSON_SENT = {
    "externalRef": "customer-4711",
    "segment": "retail",
    "attributes": {"name": "Anna Svensson", "email": RECORD_SENT},
    "proofing": PROOFING_SENT,
}
CHANGE_SENT = {"segment": "private", "attributes": {"email": "anna@example.net", "fax": None}}
REASON_SENT = {"reason": "RESOLVED", "note": "Called back, all is well."}
LOCK_SENT = {"reason": "SUSPECTED_FRAUD", "note": "Case 1234."}
WEBHOOK_SENT = {
    "url": "https://bank.example.com/hooks",
    "eventTypes": ["authentication.completed"],
    "description": "The bank's back end",
    "scopes": ["operations:read"],
}

_PERSON = {
    "userId": USER,
    "externalRef": "customer-4711",
    "segment": "retail",
    "state": "ACTIVE",
    "stateSince": BEGAN,
    "lockReason": None,
    "lockedUntil": None,
    "created": BEGAN,
    "updated": BEGAN,
    "erasureRequested": None,
    "erased": None,
}
ANNA = _PERSON | {"attributes": {"name": "Anna Svensson", "email": "anna@example.com"}}
RECORD = {
    "name": "email",
    **RECORD_SENT,
    "expiresAt": None,
    "proofingId": PROOFING,
    "withdrawnAt": None,
    "created": BEGAN,
    "updated": BEGAN,
}
PROOFED = {
    "proofingId": PROOFING,
    "userId": USER,
    **PROOFING_SENT,
    "evidenceHash": None,
    "state": "ACTIVE",
    "created": BEGAN,
}
BANK = {"type": "CLIENT", "id": "bank-backend"}
LINE = {
    "id": "4711",
    "time": BEGAN,
    "action": "user.locked",
    "objectType": "user",
    "objectId": USER,
    "actor": BANK,
    "reason": "SUSPECTED_FRAUD",
    "traceId": TRACE,
    "changes": {},
}
# A proof that holds, of three lines, the second of which it is; sealed with a key of nobody's.
PROOF = {
    "entry": '{"digest":"86a905ddd8e96a23dade50439b22d777979d99f8244e62993c86461bc45c13e8","line":{"action":"user.'
    'locked","actor":{"type":"STAFF"},"changes":{},"id":"4711","objectId":"0f9d3b52-5d0e-4a6e-9d0c-3d8a1c'
    '7b2e11","objectType":"user","reason":"SUSPECTED_FRAUD","time":"2026-01-31T12:00:00.000Z","traceId":"'
    '5b1d2c8f9a3e4d7b8c6f0a1b2c3d4e5f"}}',
    "leafIndex": 1,
    "auditPath": [
        "2f9a33ff0752bcbf93212c409b7b2b76052144fbe640dd91dc783bf060044196",
        "b8e74bbe18a9a1cd880b701635eb23097e5d110fea5b72eee384830111739a2e",
    ],
    "seal": "eyJhbGciOiJFZERTQSIsImtpZCI6IjVhMWQyYzhmLTlhM2UtNGQ3Yi04YzZmLTBhMWIyYzNkNGU1ZiIsInR5cCI6InJldXNlaWQt"
    "dHJhaWwtc2VhbCtqd3MifQ.eyJudW1iZXIiOjk4MSwiYXQiOiIyMDI2LTAxLTMxVDEyOjAwOjQxLjEyMDMwNSswMDowMCIsImZpc"
    "nN0SWQiOiI0NzEwIiwibGFzdElkIjoiNDcxMiIsInRyZWVTaXplIjozLCJyb290SGFzaCI6IjE4ZWIzYTY4MzhhNWQ4MWQyMGU2Z"
    "jA2YTYwZWYzOThiYjJhMzYzZjY1ZDdmMGI0MWFiMDVlNmIzZjEzZmI3ODAiLCJwcmV2aW91cyI6IjZkYTA2MzM1MjhkZWFhMDE0N"
    "GU3YjA1ODMxNWYwYjc1M2VjMGI5NDUxNjNhNzJiZjk2YTBkMTgxODBmOWRlMGQifQ.LUbuRjNMnsTZQr-LrgZ8MyB_aUXNLK-ktw"
    "hBo9CQQCRFx-jDXVOP8qSuqG44jdYNOvoXL_KCI7GjkqPVq368Ag",
}
REASONS = {
    "results": [{"code": "OTHER", "explanation": "None of the above; the note says why.", "needsNote": True}],
}
HOOK = {
    "id": WEBHOOK,
    **WEBHOOK_SENT,
    "state": "ACTIVE",
    "stateSince": BEGAN,
    "disabledReason": "",
    "failingSince": None,
    "publicKey": "whpk_2Tl1mV0c2Pp5jT8gk6bqRk9mM0w5M5ZlQ0v9yXr4d8E=",
    "previousKeysUntil": None,
    "created": BEGAN,
}
HOOK_ONCE = HOOK | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
OWED = {
    "id": DELIVERY,
    "eventId": EVENT,
    "eventType": "authentication.completed",
    "objectId": USER,
    "state": "PENDING",
    "attempts": 1,
    "nextAttempt": DUE,
    "created": BEGAN,
    "settled": None,
}
SENT = OWED | {
    "state": "SENT",
    "nextAttempt": None,
    "settled": DONE,
    "attemptLog": [{"number": 1, "at": DONE, "durationMs": 84, "httpStatus": 204, "error": "", "answer": ""}],
}
TESTED = {"webhookId": WEBHOOK, "actor": BANK}


def event(event_type: str, data: dict) -> dict:
    """What a callback carries."""
    return {"type": event_type, "timestamp": DONE, "data": data}


def of_user(verb: str) -> dict:
    """The data of ``user.<verb>``."""
    told = {
        "locked": {"state": "LOCKED", "lockReason": "SUSPECTED_FRAUD", "reason": "SUSPECTED_FRAUD"},
        "unlocked": {"reason": "RESOLVED"},
        "deactivated": {"state": "DEACTIVATED", "reason": "CONTRACT_ENDED"},
        "updated": {"changed": ["segment", "attributes.email"]},
    }
    return _PERSON | {"actor": BANK, "reason": None} | told.get(verb, {})


TOLD = {"id": EVENT} | event("user.locked", of_user("locked"))
