"""The database stops, and crashes, while the service works: nothing that was committed is lost."""

import json
import subprocess
import sys
import time

import pytest
from standardwebhooks import Webhook

from config.demo.supervisor import ROOT
from tests.faults.cluster import Cluster, programs
from tests.faults.processes import Stage, until
from tests.receiver import Receiver

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.redis]

USERS, CHANGES = 20, 9
EVENTS = USERS * (CHANGES + 1)


@pytest.fixture
def cluster(tmp_path):
    if programs() is None:
        pytest.skip("needs PostgreSQL's server programs (initdb, pg_ctl)")
    with Cluster(tmp_path / "cluster") as cluster:
        yield cluster


def prepare(stage, url):
    command = [sys.executable, "-m", "tests.faults.dataset", url]
    done = subprocess.run(command, cwd=ROOT, env=stage.processes.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def restart(cluster, end):
    end()
    time.sleep(0.5)
    cluster.start()


def test_a_stopped_and_a_crashed_database_lose_nothing(cluster, tmp_path):
    def owed():
        return cluster.ask("SELECT count(*) FROM reuseid_delivery WHERE status <> 'SENT'")[0][0]

    def written():
        return cluster.ask("SELECT count(*) FROM reuseid_event")[0][0]

    with Receiver() as receiver, Stage(tmp_path, DATABASE_URL=cluster.url) as stage:
        scene = prepare(stage, receiver.url)
        stage.worker()
        stage.beat()
        writer = stage.writer(scene["account"], USERS, CHANGES)
        until(lambda: written() > EVENTS // 5, 60, "the first changes")
        restart(cluster, cluster.stop)
        until(lambda: written() > EVENTS // 2, 60, "changes after the stop")
        restart(cluster, cluster.crash)
        writer.communicate(timeout=60)
        assert writer.returncode == 0
        assert written() == EVENTS
        until(lambda: owed() == 0, 60, "all deliveries")
    ids = {str(row[0]) for row in cluster.ask("SELECT id FROM reuseid_event")}
    assert {got.id for got in receiver.got} == ids
    for got in receiver.got:
        Webhook(scene["secret"]).verify(got.body, got.headers)
