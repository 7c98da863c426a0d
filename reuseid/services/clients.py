"""API clients: an integrator's back end and its credentials."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model

from reuseid.actors import Actor
from reuseid.errors import Invalid
from reuseid.models import Account, Client, move
from reuseid.services.audit import trail


@transaction.atomic
def create(account: Account, *, name: str, actor: Actor, scopes: list[str] | None = None) -> tuple[Client, str]:
    """A client of the account and its secret, which is shown this once and kept as a hash. No scopes named: all."""
    scopes = check_scopes(list(settings.SCOPES) if scopes is None else scopes)
    name = name.strip()
    if not 1 <= len(name) <= 120:
        raise Invalid.field("name", _("1 to 120 characters."))
    secret = generate_client_secret()
    client = Client(
        account=account,
        name=name,
        scopes=scopes,
        client_secret=secret,
        client_type=Client.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
    )
    client.save(force_insert=True)
    trail.record(client, "client.created", actor=actor, changes={"scopes": scopes})
    return client, secret


def check_scopes(scopes: list[str]) -> list[str]:
    """The scopes in the order of the settings, each once; raises Invalid."""
    unknown = sorted(set(scopes) - set(settings.SCOPES))
    if unknown or not scopes:
        not_known = _("Not known: %(names)s.") % {"names": ", ".join(unknown)}
        raise Invalid.field("scopes", not_known if unknown else _("At least one."))
    return [scope for scope in settings.SCOPES if scope in scopes]


@transaction.atomic
def rotate_secret(client: Client, *, actor: Actor, reason: str = "", note: str = "") -> str:
    """A new secret, shown this once; the old one and every token stop at once."""
    secret = generate_client_secret()
    client.client_secret = secret
    client.save(update_fields=["client_secret", "updated"])
    _drop_tokens(client)
    trail.record(client, "client.secret_rotated", actor=actor, reason=reason, note=note)
    return secret


@transaction.atomic
def set_scopes(client: Client, scopes: list[str], *, actor: Actor, reason: str = "", note: str = "") -> None:
    """Give the client these scopes; one that it loses stops at once for its live tokens too."""
    before, client.scopes = client.scopes, check_scopes(scopes)
    client.save(update_fields=["scopes", "updated"])
    changes = {"scopes": {"before": before, "after": client.scopes}}
    trail.record(client, "client.scopes_changed", actor=actor, reason=reason, note=note, changes=changes)


@transaction.atomic
def block(client: Client, *, actor: Actor, reason: str, note: str = "") -> None:
    """ACTIVE to BLOCKED: it is refused from its next call on, and its tokens are deleted. Raises WrongState."""
    move(client, Client.Status.BLOCKED)
    _drop_tokens(client)
    trail.record(client, "client.blocked", actor=actor, reason=reason, note=note)


@transaction.atomic
def unblock(client: Client, *, actor: Actor, reason: str, note: str = "") -> None:
    """BLOCKED to ACTIVE: it may ask for tokens again. Raises WrongState."""
    move(client, Client.Status.ACTIVE)
    trail.record(client, "client.unblocked", actor=actor, reason=reason, note=note)


def note_token(client: Client) -> None:
    """Set ``token_at``, when the client last got an access token, to now, at most once a minute: is it in use?"""
    before = Now() - timedelta(minutes=1)
    Client.objects.filter(Q(token_at=None) | Q(token_at__lt=before), pk=client.pk).update(token_at=Now())


def _drop_tokens(client):
    get_access_token_model().objects.filter(application=client).delete()
