"""What of an event a reader gets: what the reader's scopes would show of the same thing in a direct call.

Each app registers its own objects when it is loaded. Ids and types are always there; an object that nobody registered
shows nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

READING = ("users:read", "attributes:read", "devices:read", "operations:read")
"""The scopes that open something of an event."""


@dataclass(frozen=True, slots=True)
class Guard:
    """``scope`` opens all of ``data`` (None: no scope is needed) but ``inner``; without it only ``ids`` stay.

    ``inner`` maps a further scope to the paths of the members that it opens. ``personal`` are those of what an erasure
    takes at once, whatever is still owed.
    """

    scope: str | None
    ids: tuple[str, ...] = ()
    inner: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    personal: tuple[tuple[str, ...], ...] = ()


SHORTEST = 3
"""Characters of a text that is looked for: shorter ones stand everywhere."""

_NOTHING = Guard("nobody's")
_guards: dict[str, Guard] = {}


def register(object_type: str, guard: Guard) -> None:
    """Say what opens the data of events about this model."""
    _guards[object_type] = guard


def reduced(object_type: str, data: dict, scopes: Collection[str]) -> dict:
    """``data`` without the members that ``scopes`` don't open: left out, never null."""
    guard = _guards.get(object_type, _NOTHING)
    if guard.scope is not None and guard.scope not in scopes:
        return {name: data[name] for name in guard.ids if name in data}
    for scope, paths in guard.inner.items():
        if scope not in scopes:
            for path in paths:
                data = _without(data, path)
    return data


def erased(object_type: str, data: dict) -> dict:
    """``data`` without what goes at once when its person is erased."""
    guard = _guards.get(object_type, _NOTHING)
    for path in (*guard.personal, *(path for paths in guard.inner.values() for path in paths)):
        data = _without(data, path)
    return data


def personal_values(object_type: str, data: dict) -> set[str]:
    """The texts in ``data`` that tell something of a person: what an answer to it must not repeat where it is kept."""
    guard = _guards.get(object_type, _NOTHING)
    found: set[str] = set()
    for path in (*guard.personal, *(path for paths in guard.inner.values() for path in paths)):
        value: Any = data
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        found |= set(_texts(value))
    return {text for text in found if len(text) >= SHORTEST}


def _texts(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _without(data, path):
    name, *rest = path
    if not isinstance(data, dict) or name not in data:
        return data
    if rest:
        return data | {name: _without(data[name], rest)}
    return {other: value for other, value in data.items() if other != name}


register("user", Guard("users:read", ("userId",), {"attributes:read": (("attributes",),)}, personal=(("segment",),)))
register("webhookendpoint", Guard(None))
