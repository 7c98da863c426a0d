"""Applications: what an app's phones pin, and the policy for them."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from mobileid.models import Application, AuthMethod, KeyStatus, SigningKey, TrustAnchor
from mobileid.services.keys import channel, p256
from reuseid.actors import Actor
from reuseid.errors import Conflict, Invalid
from reuseid.models import Account
from reuseid.services.audit import trail

POLICY = (
    "name",
    "auth_methods",
    "min_suite",
    "min_sdk_version",
    "pin_min_length",
    "pin_max_length",
    "pin_type",
)
BRAND = (
    "brand_name",
    "brand_logo_uri",
    "brand_colour",
    "brand_text_colour",
    "support_phone",
    "support_email",
    "support_url",
)
_COLOUR = re.compile(r"(#[0-9a-fA-F]{6})?", re.ASCII)
_PHONE = re.compile(r"(\+?[0-9][0-9 ()/-]{2,38})?", re.ASCII)
_VERSION = re.compile(r"(\d{1,5}(\.\d{1,5}){0,3})?", re.ASCII)


@transaction.atomic
def create_application(account: Account, *, name: str, server: str, actor: Actor, **policy: Any) -> Application:
    """A new application; the account's first one also makes its trust anchor, signing key and channel keys.

    ``server`` is the origin that phones call, https (http for loopback only). Raises Invalid, or Conflict for a name
    that the account has already.
    """
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    application = Application(account=account, name=name, server=_origin(server))
    _apply(application, policy)
    _save(application, force_insert=True)
    for model in (TrustAnchor, SigningKey):
        if not model.objects.filter(account=account, status=KeyStatus.CURRENT).exists():
            p256.fill(model(account=account, status=KeyStatus.CURRENT)).save(force_insert=True)
    channel.rotate_channel_keys(account.pk)
    trail.record(application, "application.created", actor=actor, changes={"name": name})
    return application


@transaction.atomic
def change_application(application: Application, *, actor: Actor, reason: str = "", **policy: Any) -> Application:
    """Change policy and branding (the names in POLICY and BRAND); phones learn it with their next key document."""
    before = {name: getattr(application, name, None) for name in policy}
    _apply(application, policy)
    _save(application, update_fields=sorted(policy))
    changes = {
        name: {"before": before[name], "after": value} for name, value in policy.items() if value != before[name]
    }
    trail.record(application, "application.changed", actor=actor, reason=reason, changes=changes)
    transaction.on_commit(channel.forget)
    return application


def configuration(application: Application) -> dict:
    """What an app is built with: ``{server, applicationId, trustAnchor, branding?}``, the anchor the present one."""
    anchor = TrustAnchor.objects.get(account=application.account_id, status=KeyStatus.CURRENT)
    pinned = {
        "server": application.server,
        "applicationId": str(application.pk),
        "trustAnchor": anchor.public_jwk,
    }
    brand = branding(application)
    return pinned | ({"branding": brand} if brand else {})


def branding(application: Application) -> dict:
    """The branding of the white-label authenticator, by its names on the wire; only what is set.

    Colours are as in ``#1d4ed8``, addresses https.
    """
    found = {
        "name": application.brand_name,
        "logoUri": application.brand_logo_uri,
        "colour": application.brand_colour,
        "textColour": application.brand_text_colour,
        "supportPhone": application.support_phone,
        "supportEmail": application.support_email,
        "supportUrl": application.support_url,
    }
    return {name: value for name, value in found.items() if value}


def shown_account(application: Application) -> dict:
    """Who asks, as a phone shows it: ``{name, logoUri?}``, the application's own where it has them."""
    account = application.account
    logo = application.brand_logo_uri or account.logo_uri
    return {"name": application.brand_name or account.name} | ({"logoUri": logo} if logo else {})


def _apply(application, policy):
    for name, value in policy.items():
        if name not in POLICY + BRAND:
            raise Invalid.field(name, _("It can't be set."))
        setattr(application, name, value)
    _check_looks(application)
    methods = application.auth_methods
    if not methods or len(set(methods)) != len(methods) or not set(methods) <= set(AuthMethod.values):
        raise Invalid.field(
            "auth_methods", _("Some of %(values)s, each once.") % {"values": ", ".join(AuthMethod.values)}
        )
    if not _VERSION.fullmatch(application.min_sdk_version):
        raise Invalid.field("min_sdk_version", _("A version such as 1.2.0, or empty."))
    try:
        application.clean_fields(exclude=["account", "server"])
    except ValidationError as error:
        raise Invalid(
            invalid_params=[{"name": name, "reason": " ".join(texts)} for name, texts in error.message_dict.items()]
        ) from error
    if not 4 <= application.pin_min_length <= application.pin_max_length <= 64:
        raise Invalid.field("pin_min_length", _("4 ≤ shortest ≤ longest ≤ 64."))
    if application.min_suite not in (1, 2):
        raise Invalid.field("min_suite", _("1 or 2."))


def _check_looks(application):
    for name in ("brand_colour", "brand_text_colour"):
        if not _COLOUR.fullmatch(getattr(application, name)):
            raise Invalid.field(name, _("A colour as in #1d4ed8, or empty."))
    for name in ("brand_logo_uri", "support_url"):
        address = getattr(application, name)
        if address and not address.startswith("https://"):
            raise Invalid.field(name, _("It must be an https:// address."))
    if not _PHONE.fullmatch(application.support_phone):
        raise Invalid.field("support_phone", _("A phone number of digits, spaces and + at its beginning."))


def _save(application, **how):
    try:
        with transaction.atomic():
            application.save(**how)
    except IntegrityError as error:
        raise Conflict(_("The account has an application of this name.")) from error


def _origin(server):
    try:
        url = urlsplit(server)
        host, _port = url.hostname, url.port
    except ValueError:
        raise Invalid.field("server", _("Not a URL.")) from None
    loopback = host in {"localhost", "127.0.0.1", "::1"}
    if url.scheme != "https" and not (url.scheme == "http" and loopback):
        raise Invalid.field("server", _("It must be an https:// address."))
    if not host or url.path.strip("/") or url.query or url.fragment or url.username:
        raise Invalid.field("server", _("It must be an origin, without path or query."))
    return f"{url.scheme}://{url.netloc}"
