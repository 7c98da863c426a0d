from django.apps import AppConfig


class ReuseIDConfig(AppConfig):
    """The identity store: people, attributes, accounts, clients, trail, callbacks. Knows no phones."""

    name = "reuseid"
    verbose_name = "ReuseID"
