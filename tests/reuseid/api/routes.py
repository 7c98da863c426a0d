"""Every address of the integrators' API with its methods and scopes, read from the URL configuration."""

import uuid
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

from reuseid.api.views import APIView


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    path: str
    scope: str
    names: tuple

    def address(self, **values):
        """With these ids; a random one for every other."""
        path = self.path
        for kind, name in self.names:
            text = values.get(name) or {"uuid": str(uuid.uuid4()), "int": "1"}.get(kind, "x")
            path = path.replace(f"<{kind}:{name}>", str(text))
        return f"/{path}"


def routes():
    """All, each method once."""
    return sorted(set(_walk(get_resolver().url_patterns, "")), key=lambda route: (route.path, route.method))


def _walk(patterns, prefix):
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
            if view and issubclass(view, APIView):
                names = tuple(part.rstrip(">").split(":") for part in path.split("<")[1:])
                names = tuple((kind, name.split(">")[0]) for kind, name in names)
                for method, scope in view.scopes.items():
                    yield Route(method, path, scope, names)
