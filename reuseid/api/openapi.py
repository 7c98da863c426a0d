"""What every operation of the OpenAPI document says: its name, errors, headers, scope."""

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from reuseid.api.errors import MEDIA_TYPE
from reuseid.api.serializers import Problem

ERRORS = {
    400: "Not valid: the JSON, a query parameter or the Idempotency-Key.",
    401: "No token, or not a live one, or the client is blocked.",
    403: "The token lacks the scope.",
    404: "Nothing of this id in the account.",
    406: "Accept does not allow application/json.",
    409: "It conflicts with the present state.",
    411: "A body without Content-Length.",
    412: "It has changed since you read it (If-Match).",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "A member of the body is unknown or not valid.",
    429: "Too many requests; Retry-After says when to come back.",
}
BY_METHOD = {
    "GET": (400, 401, 403, 406, 429),
    "POST": (400, 401, 403, 406, 409, 411, 413, 415, 422, 429),
    "PUT": (400, 401, 403, 406, 409, 411, 412, 413, 415, 422, 429),
    "PATCH": (400, 401, 403, 406, 409, 411, 412, 413, 415, 422, 429),
    "DELETE": (400, 401, 403, 406, 409, 411, 412, 429),
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters. The same key and body give the first answer again for 24 hours.",
)
HEADERS = {
    "X-Trace-Id": "Finds the call in the logs: yours where you sent a plain one, else ours.",
    "RateLimit-Policy": "The quota and its window in seconds (draft-ietf-httpapi-ratelimit-headers).",
    "RateLimit": "What is left of it, and the seconds until it is whole again.",
}
RETRY_AFTER = {"Retry-After": "Seconds."}


class Schema(AutoSchema):
    """Adds what `APIView` does for every operation."""

    def get_operation_id(self):
        """``listDevices``, ``getDevice``, ``lockDevice``, ``listUserDevices``: from the path, unless the view says."""
        if not self.path.startswith(("/reuseid/", "/mobileid/")):
            return super().get_operation_id()
        words = self.path.strip("/").split("/")[2:]
        fixed = [word for word in words if "{" not in word]
        noun, rest = fixed[0], fixed[1:]
        one = noun.removesuffix("s").title()
        if words[-1].startswith("{"):
            return {"GET": "get", "PATCH": "update", "PUT": "put", "DELETE": "delete"}[self.method] + one
        if not rest:
            return ("list" + noun.title()) if self.method == "GET" else f"start{one}"
        if self.method == "POST":
            return rest[-1] + one
        return f"list{one}{rest[-1].title()}" if rest[-1].endswith("s") else f"get{one}{rest[-1].title()}"

    def get_tags(self):
        """The noun of the path."""
        words = [word for word in self.path.strip("/").split("/")[2:] if "{" not in word]
        nested = len(words) > 1 and words[1] in {"attributes", "proofings"}
        return [words[1 if nested else 0].title()] if words else ["Service"]

    def get_override_parameters(self):
        """Idempotency-Key on every POST."""
        return [IDEMPOTENCY_KEY] if self.method == "POST" else []

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        statuses = set(BY_METHOD[self.method]) | ({404} if "{" in self.path else set())
        for status in sorted(statuses):
            if str(status) not in bodies:
                response = OpenApiResponse(Problem, description=ERRORS[status])
                bodies[str(status)] = self._get_response_for_code(response, str(status), [MEDIA_TYPE])
        for status, body in bodies.items():
            named = HEADERS | (RETRY_AFTER if status == "429" else {})
            body["headers"] = {name: _header(text) for name, text in named.items()} | body.get("headers", {})
        return dict(sorted(bodies.items()))


def close_bodies(result, generator, request, public):
    """Postprocessing: bodies take no other members (`StrictSerializer`), filters no empty text (`FilterBackend`)."""
    for methods in result["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and parameter["schema"] == {"type": "string"}:
                    parameter["schema"]["minLength"] = 0 if parameter["name"] == "attributes" else 1
    schemas = result["components"]["schemas"]
    for name in _named_by_requests(result):
        if schemas[name].get("type") == "object" and "additionalProperties" not in schemas[name]:
            schemas[name]["additionalProperties"] = False
    return result


def share_parts(result, generator, request, public):
    """Postprocessing: what every operation repeats, the headers and most errors, stands once among the components."""
    headers = {name: _header(text) for name, text in (HEADERS | RETRY_AFTER).items()}
    shared = {}
    for methods in result["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                response["headers"] = {
                    name: {"$ref": f"#/components/headers/{name}"} if headers.get(name) == value else value
                    for name, value in response["headers"].items()
                }
                if status.isdigit() and response["description"] == ERRORS.get(int(status)):
                    shared[f"Problem{status}"] = response
                    operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
    result["components"] |= {"headers": headers, "responses": dict(sorted(shared.items()))}
    return result


def _header(text):
    return {"description": text, "schema": {"type": "string"}}


def _named_by_requests(result):
    todo = [
        operation["requestBody"]
        for methods in result["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    ]
    names = set()
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            reference = item.get("$ref", "")
            if reference and (name := reference.rpartition("/")[2]) not in names:
                names.add(name)
                todo.append(result["components"]["schemas"][name])
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return names
