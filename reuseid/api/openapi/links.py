"""Links of the OpenAPI document (3.1.0, 4.8.20): from a call that makes a thing to the calls about it.

What no call makes, such as a delivery, is linked from its list.
"""

# Beside what the addresses tell, by what is called before and after: the link's parameters and body.
_ATTRIBUTE = {"parameters": {"user_id": "$request.path.user_id", "name": "$request.path.name"}}
FURTHER = {
    ("createUser", "getUserByExternalRef"): {"parameters": {"external_ref": "$response.body#/externalRef"}},
    ("putAttribute", "getAttribute"): _ATTRIBUTE,
    ("putAttribute", "deleteAttribute"): _ATTRIBUTE,
    ("testWebhook", "getEvent"): {"parameters": {"event_id": "$response.body#/id"}},
    ("listUserEvents", "getUserEventProof"): {
        "parameters": {"user_id": "$request.path.user_id", "line_id": "$response.body#/results/0/id"}
    },
}
FIRST_ROW = "$response.body#/results/0/"


def add_links(result, generator, request, public):
    """Postprocessing, since a link needs the addresses of all other calls: from ``…/things`` to ``…/things/{thing_id}``
    and what is below it, with the id that was made or that of the first row."""
    schemas = result["components"]["schemas"]
    calls = {
        operation["operationId"]: (path, operation)
        for path, methods in result["paths"].items()
        for operation in methods.values()
    }
    for name, (path, operation) in calls.items():
        status, answer, at = _answer(operation, schemas)
        if at == FIRST_ROW and "post" in result["paths"][path]:
            continue
        links = {}
        for target, (address, aimed) in calls.items():
            parameters = _parameters(path, address, answer, at)
            if parameters:
                links[target] = {"operationId": target, "parameters": parameters | _tag(operation, status, aimed)}
            elif (name, target) in FURTHER:
                links[target] = {"operationId": target} | FURTHER[name, target]
        if links:
            operation["responses"][status]["links"] = links
    return result


def _answer(operation, schemas):
    """The status of its success, the members that name a thing, and where they stand."""
    status = min(status for status in operation["responses"] if status < "300")
    content = operation["responses"][status].get("content", {})
    members = _members(content.get("application/json", {}).get("schema", {}), schemas)
    if "results" in members:
        return status, _members(members["results"]["items"], schemas), FIRST_ROW
    return status, members, "$response.body#/"


def _members(schema, schemas):
    return (schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema).get("properties", {})


def _parameters(path, address, answer, at):
    """What the path of ``address`` takes from the call of ``path``; nothing where it is not about the same things."""
    collection, found, rest = address.partition("/{")
    while found and collection != path and collection.rpartition("/")[2] != path.rpartition("/")[2]:
        further, found, rest = rest.partition("/{")
        collection += "/{" + further
    name, _, below = rest.partition("}")
    if not found or "_id}" in below:
        return {}
    first, *words = name.split("_")
    # The rows of another list of such things name them in full: `deviceId` of a user's devices is a device's.
    known = [first + "".join(word.title() for word in words), *(["id"] if collection == path else [])]
    member = next((word for word in known if word in answer), None)
    if member is None:
        return {}
    above = [part[1:-1] for part in collection.split("/") if part.startswith("{")]
    return {part: f"$request.path.{part}" for part in above} | {name: f"{at}{member}"}


def _tag(operation, status, aimed):
    """The ETag that was answered, for a change that asks for it."""
    asks = any(parameter["name"] == "If-Match" for parameter in aimed.get("parameters", []))
    told = "ETag" in operation["responses"][status].get("headers", {})
    return {"header.If-Match": "$response.header.ETag"} if asks and told else {}
