"""Settings from the environment, loud when wrong.

Every reader names the variable in its error. A secret may also come from a file: ``NAME_FILE=/run/secrets/name``.
"""

import base64
import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# What every secret of development begins with, and those that Django writes into new projects.
PUBLIC = (b"development-only", b"django-insecure-")


def text(name, default=None):
    """The variable, or the content of the file that ``NAME_FILE`` names, or the default."""
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value and path:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one.")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            raise ImproperlyConfigured(f"{name}_FILE: {path} is not UTF-8 text.") from None
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {path} can't be read ({error.strerror}).") from None
        if not value:
            raise ImproperlyConfigured(f"{name}_FILE: {path} is empty.")
    return value or default


def flag(name, default=False):
    """``1 true yes on`` or ``0 false no off``."""
    value = text(name)
    if value is None:
        return default
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: say 1 or 0.")


def integer(name, default, *, minimum=0):
    """A whole number, at least ``minimum``."""
    value = text(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r}: not a whole number.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={number}: at least {minimum}.")
    return number


def choice(name, choices, default):
    """One of a few words."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r}: one of {', '.join(choices)}.")
    return value


def words(name, default=()):
    """A comma-separated list."""
    value = text(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)


def integers(name, default):
    """A comma-separated list of whole numbers."""
    try:
        return [int(word) for word in words(name, default)]
    except ValueError:
        raise ImproperlyConfigured(f"{name}={text(name)!r}: whole numbers, comma-separated.") from None


def address(name):
    """``host:port``, or the empty string for none; an IPv6 host stands without brackets."""
    value = text(name, "")
    port = value.rpartition(":")[2]
    if value and not (port.isascii() and port.isdigit() and int(port) < 65536 and len(value) > len(port) + 1):
        raise ImproperlyConfigured(f"{name}={value!r}: write host:port, such as 127.0.0.1:8001.")
    return value


def networks(name):
    """A comma-separated list of networks in CIDR form."""
    try:
        return [str(ipaddress.ip_network(word)) for word in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


def redis(name, default=None):
    """The address of a Redis. Its error never repeats the value, which may hold a password."""
    value = text(name, default)
    if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(f"{name} is not understood: redis://, rediss:// or unix://.")
    return value


def secret(name, *, development, production):
    """A secret: in production it must be set, and nothing of it may be what everybody can read in this project."""
    value = text(name)
    if production and not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Production needs its own secret: set {name}, or {name}_FILE to a file that holds it."
        )
    value = value or development
    if production:
        refuse_public(name, value)
    return value


def refuse_public(name, value):
    """Raise where an item of a comma-separated value is, or as base64 holds, a secret of development.

    It is known by what it says and not by its id, its place in the list, its case or what stands around it.
    """
    for item in (value or "").split(","):
        for key in (item.encode(), _unpacked(item.partition(":")[2]), _unpacked(item)):
            if any(mark in key.lower() for mark in PUBLIC):
                raise ImproperlyConfigured(
                    f"{name} holds a secret of development, which everybody knows: make one of your own."
                )


def _unpacked(text):
    letters = re.sub(r"[^A-Za-z0-9+/]", "", text.translate(str.maketrans("-_", "+/")))
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(letters + "=" * (-len(letters) % 4))


def database(name, default_path):
    """``DATABASES["default"]`` from ``postgresql://user:password@host:port/name?option=value``, ``sqlite:///relative``
    or ``sqlite:////absolute``. Its errors never repeat the value, which holds a password.
    """
    url = text(name)
    if url is None:
        return _sqlite(str(default_path))
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and parts.path.strip("/") and not parts.netloc:
        return _sqlite(unquote(parts.path[1:]))
    if parts.scheme in {"postgresql", "postgres"}:
        return _postgresql(name, parts)
    raise ImproperlyConfigured(
        f"{name} is not understood: postgresql://user:password@host:port/name or sqlite:///path."
    )


def _sqlite(path):
    return {
        "ENGINE": "config.sqlite",
        "NAME": path,
        "OPTIONS": {
            # Write transactions take the lock at once: no deadlock by upgrade, and rivals wait their turn.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
        },
        # A file too: a server's threads and a worker beside it have connections of their own.
        "TEST": {"NAME": f"{path}.tests"},
    }


def _postgresql(name, parts):
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name}: the port is not a number.") from None
    if not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name}: the name of the database is missing after the host.")
    return {
        "ENGINE": "config.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": port or "",
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
