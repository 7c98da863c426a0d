"""What tests begin with, made by the services that make it in production."""

import itertools
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, set_token_value
from rest_framework.test import APIClient

from reuseid.actors import SYSTEM
from reuseid.models import User
from reuseid.services import accounts, clients
from reuseid.services.people import users
from reuseid.services.people.attributes import Record

_number = itertools.count(1)


def make_account(name=None):
    """An account of its own."""
    return accounts.create(name or f"Account {next(_number)}", actor=SYSTEM)


def make_client(account, scopes=None, name="Back end"):
    """An API client; all scopes unless named."""
    return clients.create(account, name=name, scopes=scopes, actor=SYSTEM)[0]


def make_token(client, scopes=None):
    """A live access token of the client, as text."""
    text = f"token-{next(_number)}-{client.pk}"
    token = get_access_token_model()(
        application=client,
        scope=" ".join(client.scopes if scopes is None else scopes),
        expires=timezone.now() + timedelta(hours=1),
    )
    set_token_value(token, text)
    token.save()
    return text


def rest_client(client, scopes=None):
    """A caller of the REST API as this client: JSON in, JSON out; a 5xx is an answer, not an exception."""
    caller = APIClient(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(client, scopes)}")
    caller.client_row = client
    return caller


def make_user(account, *, attributes=None, **values):
    """A user; ``attributes`` are plain values by name."""
    records = {name: Record(value) for name, value in (attributes or {}).items()}
    return users.create(account, actor=SYSTEM, attributes=records, **values)


def make_untold_user(account, **columns):
    """The row of a user of whom no event was written, nor is owed."""
    return User.objects.create(account=account, **columns)


ALL_SCOPES = list(settings.SCOPES)
