"""The embedded broker of development: kombu's transport through files, each written and taken in one step.

kombu opens a file and then fills it, so a reader may take a message, or a table of queues, that is still empty: the
worker that does ends. Here a file gets its name when it is whole, and is taken by renaming it, which one reader wins.
"""

import logging
import os
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from queue import Empty

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.transport.virtual import BrokerState
from kombu.utils.json import dumps, loads

log = logging.getLogger(__name__)

URL = "files://"


class Channel(filesystem.Channel):
    """As the base, for one machine. A message that can't be read is dropped: its row is found by the next sweep."""

    def _put(self, queue, payload, **kwargs):
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, payload)

    def _get(self, queue):
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".{uuid.uuid4()}.taken"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:  # Another worker was first.
                continue
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
            try:
                return loads(text)
            except ValueError:
                log.warning("A message of the queue %s can't be read and is dropped.", queue)
        raise Empty

    def get_table(self, exchange):
        """The queues of an exchange."""
        try:
            text = self._exchange_file(exchange).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*queue) for queue in loads(text)]

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        self._change(exchange, filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or ""), there=True)

    def _delete(self, queue, exchange, routing_key, pattern, *args, **kwargs):
        self._purge(queue)
        self._change(exchange, filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or ""), there=False)

    def _change(self, exchange, queue, *, there):
        with _one_at_a_time(self.control_folder):
            table = self.get_table(exchange)
            if (queue in table) != there:
                rest = [other for other in table if other != queue]
                _write(self._exchange_file(exchange), [queue, *rest] if there else rest)


class Transport(filesystem.Transport):
    """``BROKER_URL=files://`` with ``data_folder_in``, ``data_folder_out`` (the same) and ``control_folder``."""

    Channel = Channel
    global_state = BrokerState()
    driver_type = driver_name = "files"


TRANSPORT_ALIASES["files"] = "config.broker:Transport"


def _write(path, value):
    """A reader sees the file whole or not at all."""
    scratch = path.parent / f".{uuid.uuid4()}.new"
    scratch.write_text(dumps(value), encoding="utf-8")
    scratch.replace(path)


@contextmanager
def _one_at_a_time(folder):
    with (folder / ".lock").open("wb") as lock:
        filesystem.lock(lock, filesystem.LOCK_EX)
        try:
            yield
        finally:
            filesystem.unlock(lock)
