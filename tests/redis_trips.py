"""What a test sends to Redis: each packet is a round trip, and a new connection sends some of its own."""

from contextlib import contextmanager

import pytest
from redis.connection import AbstractConnection


@contextmanager
def sent_to_redis():
    """A list that grows by one with each packet that goes to Redis."""
    packets, send = [], AbstractConnection.send_packed_command

    def counted(self, *args, **kwargs):
        packets.append(1)
        return send(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AbstractConnection, "send_packed_command", counted)
        yield packets
