"""How commands name an account."""

from uuid import UUID

from django.core.management.base import CommandError

from reuseid.models import Account


def find_account(text: str) -> Account:
    """By id or by exact name; CommandError when there is none."""
    try:
        found = Account.objects.filter(pk=UUID(text)).first()
    except ValueError:
        found = Account.objects.filter(name=text).first()
    if found is None:
        raise CommandError(f"There is no account {text!r}.")
    return found
