"""A connection that lasts may have been ended by the server meanwhile: a restart, a fail-over, a pooler.

Django asks `is_usable` before a connection's first use in a request or task (CONN_HEALTH_CHECKS), and would send a
query for it. Here the socket says it: nobody has asked anything, so whatever there is to read is the end.
"""

import select
import time

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg.pq import TransactionStatus

PATIENCE = 10
"""Seconds for which a server that has been there is tried again: it restarts, or another takes over."""
_PAUSE = 0.2
_USABLE = {TransactionStatus.IDLE, TransactionStatus.INTRANS}


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
                return session
