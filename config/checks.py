"""Django's system checks of this project's settings: ``manage.py check``, and with ``--deploy`` those of production."""

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from reuseid.crypto import parse_keys

KEY_HINT = "Make one with: python -c 'import base64,os;print(\"k1:\"+base64.b64encode(os.urandom(32)).decode())'"

_COUNTED_ON = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "reuseid.middleware.browsers.SessionEnd",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]


@register(Tags.security)
def keys_are_readable(app_configs, **_):
    """E001: a list of keys that can't be read; E002: one key for two purposes."""
    found, lists = [], {}
    for name in ("ENCRYPTION_KEYS", "BLIND_INDEX_KEYS"):
        try:
            lists[name] = set(parse_keys(name, getattr(settings, name)).values())
        except ImproperlyConfigured as error:
            found.append(Error(str(error), hint=KEY_HINT, id="reuseid.E001"))
    if len(lists) == 2 and set.intersection(*lists.values()):
        found.append(
            Error(
                "ENCRYPTION_KEYS and BLIND_INDEX_KEYS have a key in common.",
                hint=f"One key, one purpose. {KEY_HINT}",
                id="reuseid.E002",
            )
        )
    return found


@register(Tags.security)
def state_is_private(app_configs, **_):
    """W003: others on this machine can look into the folder with the database and the demo's passwords."""
    if settings.STATE_DIR.stat().st_mode & 0o077:
        return [
            Warning(
                f"Others can read {settings.STATE_DIR}.",
                hint=f"chmod 700 {settings.STATE_DIR}, or set STATE_DIR to a private folder.",
                id="reuseid.W003",
            )
        ]
    return []


@register(Tags.security)
def back_office_is_protected(app_configs, **_):
    """E009: the middleware that the back office counts on is not in its list. Django's own checks (admin.E408 to E410,
    security.W003) are silenced, since they look into MIDDLEWARE alone."""
    lists = {"MIDDLEWARE": ["reuseid.middleware.back_office.BackOffice"], "BACK_OFFICE_MIDDLEWARE": _COUNTED_ON}
    return [
        Error(f"{name} lacks {path}.", hint=f"Put it into {name} (config/settings.py).", id="reuseid.E009")
        for name, paths in lists.items()
        for path in paths
        if path not in getattr(settings, name)
    ]


@register(Tags.database, deploy=True)
def database_is_a_server(app_configs, **_):
    """E004: SQLite, one writer at a time, is for development."""
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        return []
    return [
        Error(
            "The database is SQLite.",
            hint="Set DATABASE_URL=postgresql://user:password@host:port/name.",
            id="reuseid.E004",
        )
    ]


@register(Tags.security, deploy=True)
def hosts_are_named(app_configs, **_):
    """E006: any Host header is believed; W007: nobody in front is believed, so all clients have one address."""
    found = []
    if any(host == "*" or host.startswith(".") for host in settings.ALLOWED_HOSTS):
        found.append(
            Error("ALLOWED_HOSTS has a wildcard.", hint="Name each host, as in PUBLIC_URL.", id="reuseid.E006")
        )
    if not settings.TRUSTED_PROXIES:
        found.append(
            Warning(
                "TRUSTED_PROXIES is 0: behind a proxy that ends TLS every request is redirected to https for ever.",
                hint="Set TRUSTED_PROXIES to the number of proxies in front.",
                id="reuseid.W007",
            )
        )
    return found


@register(Tags.security, deploy=True)
def second_factor_is_required(app_configs, **_):
    """W008: a stolen password of a colleague is enough where nobody must have a second factor."""
    if not settings.PRODUCTION or settings.SECOND_FACTOR == "required":
        return []
    return [
        Warning(
            "SECOND_FACTOR is offered: colleagues without a second factor sign in with a password alone.",
            hint="Set SECOND_FACTOR=required, or unset it.",
            id="reuseid.W008",
        )
    ]
