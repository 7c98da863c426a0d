"""Values that the OpenAPI document shows: bodies, answers, and members by name."""

USER, DEVICE, OPERATION = (
    "0f9d3b52-5d0e-4a6e-9d0c-3d8a1c7b2e11",
    "7c1e8a34-2b6f-4a55-8f3d-9b1f0c2d4e66",
    "b8a4f0d2-91c7-4e3b-a6d5-0f7e2c1b9a44",
)
CONTEXT = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in to Nordbank?"}
DOCUMENT = {"title": "Loan 77", "mimeType": "text/markdown", "content": "# Loan agreement\n\nI agree."}
RECORD = {
    "value": "anna@example.com",
    "source": "eID",
    "assuranceLevel": "substantial",
    "verifiedAt": "2026-01-31T12:00:00.000Z",
}
PROOFING = {
    "method": "eid",
    "provider": "BankID",
    "reference": "SE-77-1234",
    "assuranceLevel": "substantial",
    "performedAt": "2026-01-31T12:00:00.000Z",
}
# Bodies whose members depend on each other.
WHOLE = {
    "CreateUserBody": {
        "externalRef": "customer-4711",
        "segment": "retail",
        "attributes": {"name": "Anna Svensson", "email": RECORD},
        "proofing": PROOFING,
    },
    "PatchUserBody": {"segment": "private", "attributes": {"email": "anna@example.net", "fax": None}},
    "RecordBody": RECORD,
    "ProofingBody": PROOFING,
    "ReasonBody": {"reason": "RESOLVED", "note": "Called back, all is well."},
    "LockBody": {"reason": "SUSPECTED_FRAUD", "note": "Case 1234."},
    "RegistrationBody": {"externalRef": "customer-4711", "deviceName": "Anna's phone"},
    "StartBody": {
        "externalRef": "customer-4711",
        "operationProperties": {"binding": "NUMBER", "preOperationContext": CONTEXT},
        "clientReference": "login-9",
    },
    "SignatureBody": {"externalRef": "customer-4711", "operationProperties": {"preOperationContext": DOCUMENT}},
    "ContextBody": CONTEXT,
}
CODES = {
    "403": ("insufficient_scope", "The token lacks the scope that this call needs."),
    "409": ("wrong_state", "The present state does not allow this."),
    "411": ("length_required", "A body needs a Content-Length."),
    "412": ("precondition_failed", "It has changed since you read it."),
    "422": ("invalid_parameter", "A parameter is not valid."),
}
# Members by name, whatever they stand in.
NAMES = {
    "userId": USER,
    "deviceId": DEVICE,
    "operationId": OPERATION,
    "externalRef": "customer-4711",
    "segment": "retail",
    "attributes": {"name": "Anna Svensson", "email": "anna@example.com"},
    "name": "email",
    "value": "anna@example.com",
    "source": "eID",
    "provider": "BankID",
    "action": "user.locked",
    "objectType": "user",
    "objectId": USER,
    "reason": "SUSPECTED_FRAUD",
    "lockReason": None,
    "lockedUntil": None,
    "erasureRequested": None,
    "erased": None,
    "withdrawnAt": None,
    "expiresAt": "2026-01-31T12:03:00.000Z",
    "changes": {"changed": ["segment"]},
    "traceId": "5b1d2c8f9a3e4d7b8c6f0a1b2c3d4e5f",
    "code": "OTHER",
    "explanation": "None of the above; the note says why.",
    "url": "https://bank.example.com/hooks",
    "eventTypes": ["authentication.completed"],
    "eventType": "authentication.completed",
    "publicKey": "whpk_2Tl1mV0c2Pp5jT8gk6bqRk9mM0w5M5ZlQ0v9yXr4d8E=",
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "next": None,
    "confirmationCode": "482913",
    "returnCode": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA",
    "activationCode": "7K2M-9QXT-4BWE",
    "activationUri": "https://id.example.com/mobileid/app#register?code=7K2M-9QXT-4BWE",
    "matchingNumber": "42",
    "httpStatus": 204,
    "requestedUserAttributes": {"name": "Anna Svensson"},
    "platform": "android",
}
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
_JWS = "eyJhbGciOiJFUzI1NiJ9.eyJub25jZSI6Ii4uLiJ9.c2lnbmF0dXJl"
EVIDENCE = {
    "proof": _JWS,
    "deviceJwk": KEY,
    "deviceThumbprint": "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    "authMethod": "DEVICE_BIOMETRIC",
    "at": "2026-01-31T12:00:20.000Z",
}
PAYMENT = {
    "amount": "1234.50",
    "currency": "EUR",
    "creditorName": "Jane Doe",
    "creditorAccount": "NL91ABNA0417164300",
    "reference": "Invoice 7",
}
SHOWN = {"hash": "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"}


def _properties(**more):
    asked = {"authLevel": "TWO_FACTOR", "authMethods": ["DEVICE_PIN", "DEVICE_BIOMETRIC"], "binding": "NONE"}
    shown = {"returnUrl": None, "broadcast": False, "postOperationContext": None, "requestedUserAttributes": []}
    return asked | shown | more


def _operation(kind, state, properties, **more):
    completed = {"authMethod": "DEVICE_BIOMETRIC", "requestedUserAttributes": {}}
    over = state not in ("PENDING", "IN_PROGRESS")
    return {
        "operationId": OPERATION,
        "type": kind,
        "state": state,
        "created": "2026-01-31T12:00:00.000Z",
        "completed": "2026-01-31T12:00:20.000Z" if over else None,
        "expiresAt": "2026-01-31T12:03:00.000Z",
        "clientReference": "login-9",
        "user": {"userId": USER, "externalRef": "customer-4711", "state": "ACTIVE"},
        "device": {"deviceId": DEVICE, "name": "Anna's phone", "platform": "android"},
        "operationProperties": properties,
        "result": completed if state == "COMPLETED" else None,
    } | more


_REGISTRATION = {
    "applicationId": "3c9e7a10-8d52-4f0b-9a6e-5b1d2f4c8e70",
    "confirmation": "INTEGRATOR",
    "deviceName": "Anna's phone",
    "requestedUserAttributes": [],
    "postOperationContext": None,
}
_REGISTERED = {"authMethod": None, "requestedUserAttributes": {}}
_CONSENT = {"authMethod": "DEVICE_BIOMETRIC", "requestedUserAttributes": {"name": "Anna Svensson"}, "signature": _JWS}
_SIGN_IN = CONTEXT | SHOWN | {"size": 20}
_PAID = {"title": "Payment", "mimeType": "text/plain", "size": 90} | SHOWN
# What each kind of operation answers, by the segment of its address.
OPERATIONS = {
    "registrations": {
        "Waiting for the code that the phone shows": _operation("registration", "IN_PROGRESS", _REGISTRATION),
        "Completed": _operation("registration", "COMPLETED", _REGISTRATION, result=_REGISTERED),
        "Cancelled": _operation("registration", "CANCELED", _REGISTRATION, device=None, failureReason="CANCELED"),
    },
    "authentications": {
        "A sign-in that is open": _operation("authentication", "PENDING", _properties(preOperationContext=_SIGN_IN)),
        "A sign-in that was approved": _operation(
            "authentication", "COMPLETED", _properties(preOperationContext=_SIGN_IN), evidence=EVIDENCE
        ),
        "A payment that was approved": _operation(
            "authentication",
            "COMPLETED",
            _properties(preOperationContext=_PAID, transaction=PAYMENT),
            evidence=EVIDENCE,
        ),
        "Rejected: it was somebody else": _operation(
            "authentication", "REJECTED", _properties(preOperationContext=_SIGN_IN), failureReason="NOT_ME"
        ),
    },
    "signatures": {
        "A consent that was given": _operation(
            "signature",
            "COMPLETED",
            _properties(preOperationContext=DOCUMENT | SHOWN | {"size": 27}, requestedUserAttributes=["name"]),
            result=_CONSENT,
            evidence=EVIDENCE,
        ),
        "Expired": _operation(
            "signature", "EXPIRED", _properties(preOperationContext=DOCUMENT | SHOWN | {"size": 27}), device=None
        ),
    },
}


def _row(answer):
    """As a list shows it: without contexts, result and evidence."""
    left = {name: value for name, value in answer.items() if name != "evidence"}
    hidden = {"preOperationContext", "postOperationContext", "transaction"}
    asked = {name: value for name, value in answer["operationProperties"].items() if name not in hidden}
    return left | {"operationProperties": asked, "result": None}


ROWS = {kind: [_row(answer) for answer in answers.values()] for kind, answers in OPERATIONS.items()}
ROWS["operations"] = [rows[0] for rows in ROWS.values()]
# A proof that holds, of three lines, the second of which it is; sealed with a key of nobody's.
WHOLE["TrailProofAnswer"] = {
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
WHOLE["EventShape"] = {
    "id": "2d4f6a80-1c3e-4b5d-8f7a-9e0b1c2d3f41",
    "type": "authentication.completed",
    "timestamp": "2026-01-31T12:00:20.000Z",
    "data": OPERATIONS["authentications"]["A sign-in that was approved"],
}
NOUNS = {"registration": "registrations", "authentication": "authentications", "signature": "signatures"} | {
    "operation": "authentications"
}
_WHO = {"externalRef": "customer-4711"}
_PAGE = {"binding": "QR", "preOperationContext": CONTEXT}
_PHONE = {"binding": "SAME_DEVICE", "returnUrl": "https://bank.example.com/signed-in", "preOperationContext": CONTEXT}
# What starts them: the commonest first.
STARTS = {
    "RegistrationBody": {
        "With an activation code": _WHO | {"deviceName": "Anna's phone"},
        "Confirmed by you": _WHO | {"confirmation": "INTEGRATOR", "qr": True, "expiresIn": 3600},
    },
    "StartBody": {
        "Sign in, with a number to type": WHOLE["StartBody"],
        "Sign in by QR code, whoever it is": {"operationProperties": _PAGE},
        "Sign in on the phone itself": {"operationProperties": _PHONE},
        "Approve a payment": _WHO | {"operationProperties": {"transaction": PAYMENT}},
        "With the person's name and a notification": _WHO
        | {
            "operationProperties": {"preOperationContext": CONTEXT, "requestedUserAttributes": ["name"]},
            "pushNotification": {"title": "Nordbank", "message": "Somebody signs in."},
        },
    },
    "SignatureBody": {
        "Consent to a text": WHOLE["SignatureBody"],
        "Consent to a PDF": _WHO
        | {
            "operationProperties": {
                "preOperationContext": {
                    "title": "Loan 77",
                    "mimeType": "application/pdf",
                    "contentBase64": "JVBERi0xLjQKJcOkw7zDtsOfCg==",
                }
            }
        },
    },
}
PARAMETERS = {
    "line_id": "4711",
    "user_id": USER,
    "device_id": DEVICE,
    "operation_id": OPERATION,
    "external_ref": "customer-4711",
    "proofing_id": "4a7b9c2d-6e8f-4013-9b5a-7c6d5e4f3a21",
    "webhook_id": "6e1d3c5b-7a90-4f2e-8b4d-0c9a8e7f6d52",
    "delivery_id": "5c2e4d6f-8a1b-4c3d-9e7f-1a2b3c4d5e60",
    "event_id": "2d4f6a80-1c3e-4b5d-8f7a-9e0b1c2d3f41",
    "attribute": "email:anna@example.com",
}
BY_FORMAT = {"uuid": OPERATION, "date-time": "2026-01-31T12:00:00.000Z", "uri": "https://id.example.com/"}
BY_TYPE = {"string": "text", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
