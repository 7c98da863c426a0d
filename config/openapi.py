"""Examples for every call of the OpenAPI document, built from its schemas and from the values below."""

from reuseid.api.errors import FRAMEWORK

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
    "data": {"operationId": OPERATION, "state": "COMPLETED"},
    "next": None,
    "confirmationCode": "482913",
    "returnCode": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA",
    "activationCode": "7K2M-9QXT-4BWE",
    "activationUri": "https://id.example.com/mobileid/app#register?code=7K2M-9QXT-4BWE",
    "matchingNumber": "42",
    "failureReason": None,
    "httpStatus": 204,
    "requestedUserAttributes": {"name": "Anna Svensson"},
    "platform": "android",
}
BY_FORMAT = {"uuid": OPERATION, "date-time": "2026-01-31T12:00:00.000Z", "uri": "https://id.example.com/"}
BY_TYPE = {"string": "text", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


def add_examples(result, generator, request, public):
    """Postprocessing: an example for every body that is sent or answered."""
    schemas = result["components"]["schemas"]
    for methods in result["paths"].values():
        for operation in methods.values():
            for status, body in [("", operation.get("requestBody", {})), *operation["responses"].items()]:
                for media in body.get("content", {}).values():
                    media.setdefault("example", _problem(status) or example(media.get("schema", {}), schemas))
            if "parameters" in operation:
                _exemplify(operation["parameters"])
    return result


def _problem(status):
    """The problem that an error of this status shows; of 409 and 422 the commonest code."""
    code, title = CODES.get(status) or FRAMEWORK.get(int(status or 0), ("", ""))
    if status < "400" or not code:
        return None
    shown = {"code": code, "type": f"https://id.example.com/api/docs/problems#{code}", "title": title}
    extra = {"detail": "It is LOCKED, so it can't become LOCKED.", "state": "LOCKED"} if status == "409" else {}
    return shown | {"status": int(status), "traceId": NAMES["traceId"]} | extra


def example(schema, schemas, name=""):
    """A value that the schema allows, and that a reader understands."""
    if "$ref" in schema:
        component = schema["$ref"].rpartition("/")[2]
        return WHOLE[component] if component in WHOLE else example(schemas[component], schemas, name)
    if name in NAMES and _fits(NAMES[name], schema):
        return NAMES[name]
    for kind in ("oneOf", "anyOf", "allOf"):
        if kind in schema:
            return example(schema[kind][0], schemas, name)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("properties"):
        return {member: example(inner, schemas, member) for member, inner in schema["properties"].items()}
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "array" and schema.get("items"):
        return [example(schema["items"], schemas, name)]
    if kind in ("integer", "number"):
        return max(1, schema.get("minimum", 1))
    return BY_FORMAT.get(schema.get("format"), BY_TYPE.get(kind))


def _fits(value, schema):
    """Whether the named value is of the schema's type: one name may be a list here and an object there."""
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if value is None:
        return "null" in kinds
    names = {str: "string", int: "integer", dict: "object", list: "array", bool: "boolean"}
    return not kinds or names[type(value)] in kinds


def _exemplify(parameters):
    """Identifiers in addresses read better with an example."""
    known = {"user_id": USER, "device_id": DEVICE, "operation_id": OPERATION, "attribute": "email:anna@example.com"}
    for parameter in parameters:
        if parameter["name"] in known:
            parameter.setdefault("example", known[parameter["name"]])
