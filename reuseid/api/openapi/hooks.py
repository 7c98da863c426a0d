"""What is said of all operations when all are known."""

from reuseid.api import patterns
from reuseid.api.openapi.callbacks import PARAMETERS
from reuseid.api.openapi.problems import ERRORS
from reuseid.api.openapi.schema import HEADERS, RETRY_AFTER, header_of


def bound_filters(result, generator, request, public):
    """Postprocessing: filters take no empty text, and no parameter a NUL (`FilterBackend`)."""
    for methods in result["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and parameter["schema"] == {"type": "string"}:
                    empty = {} if parameter["name"] == "attributes" else {"minLength": 1}
                    parameter["schema"] |= empty | {"pattern": patterns.NO_NUL}
    return result


def share_parts(result, generator, request, public):
    """Postprocessing: what every operation repeats, the headers and most errors, stands once among the components."""
    headers = {name: header_of(text) for name, text in (HEADERS | RETRY_AFTER).items()}
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
    parts = {"headers": headers, "responses": dict(sorted(shared.items()))}
    result["components"] = {"parameters": dict(sorted(PARAMETERS.items()))} | result["components"] | parts
    return result
