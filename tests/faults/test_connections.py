"""What workers keep: the connection to the database, from task to task."""

import psycopg
import pytest
from django.db import connection

from config.celery import app
from reuseid.models import Heartbeat
from tests.faults.processes import database_url, until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]
TASKS = 20


def sessions():
    """The server's processes that serve others than this test."""
    with psycopg.connect(database_url(), autocommit=True) as own:
        rows = own.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s)",
            [connection.connection.info.backend_pid],
        )
        return {pid for (pid,) in rows}


@pytest.fixture
def beat_of(stage):
    """`beat_of(name)`: a worker carries out one task, a sign of life of this name; back when it has."""
    stage.worker()
    with app.connection_for_write(f"redis://127.0.0.1:{stage.redis.port}/0") as broker:

        def beat_of(name):
            app.send_task("reuseid.tasks.heartbeat", [name], queue="sweeps", connection=broker)
            until(lambda: Heartbeat.objects.filter(name=f"worker:{name}").exists(), 60, "a sign of life")

        yield beat_of


def test_tasks_make_no_new_sessions_and_replace_one_that_was_cut(beat_of, stage):
    beat_of("first")
    kept = sessions()
    assert len(kept) == 1
    for number in range(TASKS):
        beat_of(f"{number}")
        assert sessions() == kept
    stage.cut_connections()
    beat_of("after")
    assert len(sessions()) == 1
    assert not sessions() & kept
