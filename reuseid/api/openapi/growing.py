"""Which lists of words in the OpenAPI document may grow: a client that was generated yesterday must live with them."""

# Closed by others: eIDAS, article 8, and RFC 7518.
SETTLED = frozenset({"AssuranceLevelEnum", "CrvEnum", "KtyEnum"})
MARK = "x-extensible-enum"
SENTENCE = "More may come in any release: in an answer or event, take a value that you do not know for none of these."


def mark_growing(result, generator, request, public):
    """Postprocessing: every enum that an answer or an event holds says that it may grow, in words and as `MARK`."""
    schemas = result["components"]["schemas"]
    told = [operation["responses"] for methods in result["paths"].values() for operation in methods.values()]
    told.append(result["components"].get("responses", {}))
    told += [event["requestBody"] for methods in result.get("webhooks", {}).values() for event in methods.values()]
    for name in sorted(_named(told, schemas) - SETTLED):
        schema = schemas[name]
        if "enum" in schema:
            schema[MARK] = list(schema["enum"])
            schema["description"] = f"{schema.get('description', '')}\n\n{SENTENCE}".strip()
    return result


def _named(todo, schemas):
    """The components that are referred to from these parts, and from those components in turn."""
    todo, names = list(todo), set()
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            name = item.get("$ref", "").removeprefix("#/components/schemas/")
            if name in schemas and name not in names:
                names.add(name)
                todo.append(schemas[name])
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return names
