"""A connection that lasts may have been ended by the server meanwhile: a restart, a fail-over, a pooler.

Django asks `is_usable` before a connection's first use in a request or task (CONN_HEALTH_CHECKS), and would send a
query for it. Here the socket says it: nobody has asked anything, so whatever there is to read is the end.
"""

import select
import time
from datetime import UTC, datetime

from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg import OperationalError
from psycopg.pq import TransactionStatus

PATIENCE = 10
"""Seconds for which a server that has been there is tried again: it restarts, or another takes over."""
_PAUSE = 0.2
_USABLE = {TransactionStatus.IDLE, TransactionStatus.INTRANS}


class _InstantLoader(BaseTzLoader):
    """A ``timestamptz`` of a session in UTC, read by the standard library in C: a row has up to twenty of them."""

    timezone = UTC

    def load(self, data):
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            # What no datetime can hold: the driver says so in its own words.
            return super().load(data)


class DatabaseWrapper(base.DatabaseWrapper):
    """Looks before it uses."""

    _reached = False

    def is_usable(self):
        """Whether the session is still there, as far as this end can tell; sends nothing.

        A notice makes an idle connection readable, too: it is then replaced without need, which is rare.
        """
        session = self.connection
        if session is None or session.closed or session.info.transaction_status not in _USABLE:
            return False
        socket = select.poll()
        socket.register(session.fileno(), select.POLLIN)
        return not socket.poll(0)

    def get_new_connection(self, conn_params):
        """Raises OperationalError at once where the server was never reached, else after PATIENCE seconds."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                session = super().get_new_connection(conn_params)
            except OperationalError:
                if not DatabaseWrapper._reached or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)
            else:
                DatabaseWrapper._reached = True
                if self.timezone == UTC:
                    session.adapters.register_loader("timestamptz", _InstantLoader)
                return session
