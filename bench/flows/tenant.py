"""An account with a client, an application and people, to measure with."""

import contextlib
import uuid
from collections.abc import Iterator

from django.db import connections

from mobileid.services import applications
from reuseid.actors import SYSTEM
from reuseid.event_scopes import READING
from reuseid.models import User
from reuseid.services import accounts, clients
from reuseid.services.people import users
from reuseid.services.webhooks import endpoints


class Tenant:
    """``login`` is what the load generator begins with."""

    def __init__(self, address: str, count: int) -> None:
        name = f"Bench {uuid.uuid4()}"
        self._account = accounts.create(name, actor=SYSTEM)
        client, secret = clients.create(self._account, name=name, actor=SYSTEM)
        application = applications.create_application(self._account, name=name[:50], server=address, actor=SYSTEM)
        self.users: list[User] = [users.create(self._account, actor=SYSTEM) for _ in range(count)]
        self.people = [str(user.pk) for user in self.users]
        self.login = {
            "client_id": client.client_id,
            "secret": secret,
            "application": applications.configuration(application),
        }

    @contextlib.contextmanager
    def called(self, event_type: str, *urls: str) -> Iterator[None]:
        """While it lasts, events of this type are owed to these addresses."""
        made = [
            endpoints.create(self._account, url=url, actor=SYSTEM, event_types=[event_type], scopes=READING)
            for url in urls
        ]
        connections.close_all()
        try:
            yield
        finally:
            for endpoint in made:
                endpoints.delete(endpoint, actor=SYSTEM)
            connections.close_all()
