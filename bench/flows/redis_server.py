"""What a Redis server works; it tells all that it does as one figure, whoever asked for it."""

from urllib.parse import urlsplit

import redis
from django.conf import settings

_OURS = ("info", "client")
"""Commands of the measurement itself, with their subcommands."""


class RedisServer:
    """The server of REDIS_URL, and the broker's queues.

    Other clients' work is in its figures: `others` says whether there were any.
    """

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(settings.REDIS_URL)
        urls = (settings.REDIS_URL, settings.LIMITS_REDIS_URL, settings.CELERY_BROKER_URL)
        self._databases = {urlsplit(url).path.strip("/") or "0" for url in urls}
        self._client.ping()
        self._broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)

    def cpu(self) -> float:
        """CPU seconds so far."""
        found = self._client.info("cpu")
        return found["used_cpu_sys"] + found["used_cpu_user"]

    def counters(self) -> dict[str, int]:
        """Commands but for the measurement's own, those inside of scripts too, and connections that came."""
        by_name = self._client.info("commandstats")
        calls = {name.removeprefix("cmdstat_"): told["calls"] for name, told in by_name.items()}
        mine = sum(count for name, count in calls.items() if name.split("|")[0] in _OURS)
        came = self._client.info("stats")["total_connections_received"]
        return {"redis_commands": sum(calls.values()) - mine, "redis_connections": came}

    def tasks(self) -> int:
        """Messages that wait for a worker, and that a worker has taken and not begun."""
        # kombu: a list for each queue, and a hash of what was taken and not acknowledged, which a task is as it begins.
        waiting = self._broker.pipeline()
        for queue in settings.CELERY_TASK_QUEUES:
            waiting.llen(queue.name)
        return sum(waiting.hlen("unacked").execute())

    def others(self, seconds: float) -> int:
        """Clients that are connected now, work in databases that the service does not use, and asked in this time."""
        return sum(
            1
            for client in self._client.client_list()
            if client["db"] not in self._databases and int(client["idle"]) <= seconds
        )
