"""Examples for every call of the OpenAPI document, built from its schemas and from the values of `examples`."""

import re
import uuid

from config import examples
from config.examples import BY_FORMAT, BY_TYPE, CODES, NAMES, WHOLE
from reuseid.api.errors import FRAMEWORK


def add_examples(result, generator, request, public):
    """Postprocessing: an example for every body that is sent or answered; several where one call has several uses."""
    schemas = result["components"]["schemas"]
    for path, methods in result["paths"].items():
        for operation in methods.values():
            for status, body in [("", operation.get("requestBody", {})), *operation["responses"].items()]:
                for media in body.get("content", {}).values():
                    if "examples" not in media:
                        media |= _several(path, media) or {
                            "example": _problem(status) or example(media["schema"], schemas)
                        }
            _exemplify(operation)
    for name, methods in result["webhooks"].items():
        media = methods["post"]["requestBody"]["content"]["application/json"]
        media["example"] = _event(name, media["schema"], schemas)
    return result


def _several(path, media):
    """Named examples of what starts an operation, and of how one of this address is answered."""
    component = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
    named = examples.STARTS.get(component)
    kind = path.rstrip("/").split("/")[3 if path.startswith("/mobileid/") else -1]
    if component == "OperationAnswer":
        named = examples.OPERATIONS[kind]
    elif component == "PaginatedOperationRowList":
        named = {"The last page": {"results": examples.ROWS[kind], "next": None}}
    return named and {
        "examples": {
            re.sub(r"\W+", "-", summary).strip("-").lower(): {"summary": summary, "value": value}
            for summary, value in named.items()
        }
    }


def _event(name, schema, schemas):
    """The callback of this type, with the state that its object then has."""
    noun, _, verb = name.partition(".")
    shown = example(schema, schemas)
    if noun in examples.NOUNS:
        known = list(examples.OPERATIONS[examples.NOUNS[noun]].values())
        state = "REJECTED" if verb == "reported" else verb.upper()
        shown["data"] = next((answer for answer in known if answer["state"] == state), known[0] | {"state": state})
    elif "state" in shown["data"]:
        shown["data"] |= {"state": {"locked": "LOCKED", "deactivated": "DEACTIVATED"}.get(verb, "ACTIVE")}
    return shown


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
    if "const" in schema or "enum" in schema:
        return schema.get("const") or schema["enum"][0]
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


def _exemplify(operation):
    """Identifiers in addresses; and a key for each call and use of it: who tries all in turn must not reuse one."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    for parameter in operation.get("parameters", []):
        if parameter["name"] in examples.PARAMETERS:
            parameter.setdefault("example", examples.PARAMETERS[parameter["name"]])
        elif parameter["name"] == "Idempotency-Key":
            uses = {use: {"value": _key(operation, use)} for use in body.get("examples", [])}
            parameter |= {"examples": uses} if uses else {"example": _key(operation, "")}


def _key(operation, use):
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{operation['operationId']} {use}".strip()))
