"""What the OpenAPI document shows of phones and operations: bodies that are sent, and answers."""

from reuseid.api.examples import ANNA, BANK, BEGAN, DONE, DUE, PATHS, USER

DEVICE, OPERATION = "7c1e8a34-2b6f-4a55-8f3d-9b1f0c2d4e66", "b8a4f0d2-91c7-4e3b-a6d5-0f7e2c1b9a44"
APPLICATION = "3c9e7a10-8d52-4f0b-9a6e-5b1d2f4c8e70"
PATHS.update({"device_id": DEVICE, "operation_id": OPERATION})

CONTEXT = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in to Nordbank?"}
DOCUMENT = {"title": "Loan 77", "mimeType": "text/markdown", "content": "# Loan agreement\n\nI agree."}
PDF = {"title": "Loan 77", "mimeType": "application/pdf", "contentBase64": "JVBERi0xLjQKJcOkw7zDtsOfCg=="}
PAYMENT = {
    "amount": "1234.50",
    "currency": "EUR",
    "creditorName": "Jane Doe",
    "creditorAccount": "NL91ABNA0417164300",
    "reference": "Invoice 7",
}
_WHO = {"externalRef": "customer-4711"}
# What starts them: the commonest first.
REGISTRATIONS_SENT = {
    "With an activation code": _WHO | {"deviceName": "Anna's phone"},
    "Confirmed by you": _WHO | {"confirmation": "INTEGRATOR", "qr": True, "expiresIn": 3600},
}
AUTHENTICATIONS_SENT = {
    "Sign in, with a number to type": _WHO
    | {"operationProperties": {"binding": "NUMBER", "preOperationContext": CONTEXT}, "clientReference": "login-9"},
    "Sign in by QR code, whoever it is": {"operationProperties": {"binding": "QR", "preOperationContext": CONTEXT}},
    "Sign in on the phone itself": {
        "operationProperties": {
            "binding": "SAME_DEVICE",
            "returnUrl": "https://bank.example.com/signed-in",
            "preOperationContext": CONTEXT,
        }
    },
    "Approve a payment": _WHO | {"operationProperties": {"transaction": PAYMENT}},
    "With the person's name and a notification": _WHO
    | {
        "operationProperties": {"preOperationContext": CONTEXT, "requestedUserAttributes": ["name"]},
        "pushNotification": {"title": "Nordbank", "message": "Somebody signs in."},
    },
}
SIGNATURES_SENT = {
    "Consent to a text": _WHO | {"operationProperties": {"preOperationContext": DOCUMENT}},
    "Consent to a PDF": _WHO | {"operationProperties": {"preOperationContext": PDF}},
}
CONFIRMATION_SENT = {"confirmationCode": "482913"}
RELEASE_SENT = {"returnCode": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"}
NAME_SENT = {"name": "Anna's phone"}

PHONE = {
    "deviceId": DEVICE,
    "userId": USER,
    "applicationId": APPLICATION,
    "state": "ACTIVE",
    "lockReason": None,
    "lockedUntil": None,
    "name": "Anna's phone",
    "platform": "android",
    "osVersion": "16",
    "model": "Pixel 10",
    "sdkVersion": "1.4.0",
    "appVersion": "7.2",
    "authMethods": ["DEVICE_PIN", "DEVICE_BIOMETRIC"],
    "keyVersion": 1,
    "keyThumbprint": "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    "failedAttempts": 0,
    "lastUsed": DONE,
    "created": BEGAN,
}
_STARTED = {"operationId": OPERATION, "state": "PENDING", "expiresAt": DUE}
REGISTRATION_STARTED = _STARTED | {
    "type": "registration",
    "activationCode": "7K2M-9QXT-4BWE",
    "activationUri": "https://id.example.com/mobileid/app#register?code=7K2M-9QXT-4BWE",
}
OPERATION_STARTED = _STARTED | {"type": "authentication", "matchingNumber": "42"}
FRAME = {"t": 1769860800, "qrUri": "https://id.example.com/mobileid/app#qr?…", "qr": "data:image/svg+xml,%3Csvg%20…"}

_JWS = "eyJhbGciOiJFUzI1NiJ9.eyJub25jZSI6Ii4uLiJ9.c2lnbmF0dXJl"
_EVIDENCE = {
    "proof": _JWS,
    "deviceJwk": {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    },
    "deviceThumbprint": "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    "authMethod": "DEVICE_BIOMETRIC",
    "at": DONE,
}
_SHOWN = {"hash": "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"}


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
        "created": BEGAN,
        "completed": DONE if over else None,
        "expiresAt": DUE,
        "clientReference": "login-9",
        "user": {name: ANNA[name] for name in ("userId", "externalRef", "state")},
        "device": {name: PHONE[name] for name in ("deviceId", "name", "platform")},
        "operationProperties": properties,
        "result": completed if state == "COMPLETED" else None,
    } | more


_REGISTRATION = {
    "applicationId": APPLICATION,
    "confirmation": "INTEGRATOR",
    "deviceName": "Anna's phone",
    "requestedUserAttributes": [],
    "postOperationContext": None,
}
_REGISTERED = {"authMethod": None, "requestedUserAttributes": {}}
_CONSENT = {"authMethod": "DEVICE_BIOMETRIC", "requestedUserAttributes": {"name": "Anna Svensson"}, "signature": _JWS}
_SIGN_IN = CONTEXT | _SHOWN | {"size": 20}
_PAID = {"title": "Payment", "mimeType": "text/plain", "size": 90} | _SHOWN
# What each kind of operation answers, by its type.
OPERATIONS = {
    "registration": {
        "Waiting for the code that the phone shows": _operation("registration", "IN_PROGRESS", _REGISTRATION),
        "Completed": _operation("registration", "COMPLETED", _REGISTRATION, result=_REGISTERED),
        "Cancelled": _operation("registration", "CANCELED", _REGISTRATION, device=None, failureReason="CANCELED"),
    },
    "authentication": {
        "A sign-in that is open": _operation("authentication", "PENDING", _properties(preOperationContext=_SIGN_IN)),
        "A sign-in that was approved": _operation(
            "authentication", "COMPLETED", _properties(preOperationContext=_SIGN_IN), evidence=_EVIDENCE
        ),
        "A payment that was approved": _operation(
            "authentication",
            "COMPLETED",
            _properties(preOperationContext=_PAID, transaction=PAYMENT),
            evidence=_EVIDENCE,
        ),
        "Rejected: it was somebody else": _operation(
            "authentication", "REJECTED", _properties(preOperationContext=_SIGN_IN), failureReason="NOT_ME"
        ),
    },
    "signature": {
        "A consent that was given": _operation(
            "signature",
            "COMPLETED",
            _properties(preOperationContext=DOCUMENT | _SHOWN | {"size": 27}, requestedUserAttributes=["name"]),
            result=_CONSENT,
            evidence=_EVIDENCE,
        ),
        "Expired": _operation(
            "signature", "EXPIRED", _properties(preOperationContext=DOCUMENT | _SHOWN | {"size": 27}), device=None
        ),
    },
}


def _row(answer):
    """As a list shows it: without contexts, result and evidence."""
    left = {name: value for name, value in answer.items() if name != "evidence"}
    hidden = {"preOperationContext", "postOperationContext", "transaction"}
    asked = {name: value for name, value in answer["operationProperties"].items() if name not in hidden}
    return left | {"operationProperties": asked, "result": None}


ROWS = {kind: {name: _row(answer) for name, answer in answers.items()} for kind, answers in OPERATIONS.items()}
"""The rows of a list of one kind, and of all."""
ROWS[None] = {kind.title(): next(iter(rows.values())) for kind, rows in ROWS.items()}


def of_operation(kind: str, verb: str) -> dict:
    """The data of ``<kind>.<verb>``: an operation in the state that it then has."""
    known = list(OPERATIONS.get(kind, OPERATIONS["authentication"]).values())
    state = "REJECTED" if verb == "reported" else verb.upper()
    return next((answer for answer in known if answer["state"] == state), known[0] | {"state": state})


def of_device(verb: str) -> dict:
    """The data of ``device.<verb>``."""
    told = {
        "locked": {"state": "LOCKED", "lockReason": "DEVICE_LOST", "reason": "DEVICE_LOST"},
        "unlocked": {"reason": "RESOLVED"},
        "deactivated": {"state": "DEACTIVATED", "reason": "DEVICE_STOLEN"},
    }
    return PHONE | {"actor": BANK, "reason": None} | told.get(verb, {})
