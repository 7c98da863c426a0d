"""A thousand events of real changes through everything that goes wrong at once."""

import itertools
import random
import sys
import threading
import time
from collections import Counter, deque

import pytest
from standardwebhooks import Webhook

from reuseid.models import Delivery, DeliveryAttempt, Event, Heartbeat
from reuseid.services.webhooks import endpoints
from tests import certificates
from tests.faults.processes import Stage, until
from tests.receiver import Receiver

pytestmark = [
    pytest.mark.faults,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(200),
]
USERS, CHANGES = 50, 19
EVENTS = USERS * (CHANGES + 1)


class Integrator:
    """Takes what verifies, in the order of arrival; ``mood`` says how to answer what it does not take."""

    def __init__(self, mood=lambda: 200):
        self.taken, self.bodies, self.refused, self.mood = [], {}, Counter(), mood
        self.secret, self.lock = "", threading.Lock()

    def __call__(self, got, number):
        Webhook(self.secret).verify(got.body, got.headers)
        answer = self.mood()
        with self.lock:
            assert self.bodies.setdefault(got.id, got.body) == got.body
            if answer in {200, "endless"}:
                self.taken.append(got.id)
            else:
                self.refused[str(answer)[:20]] += 1
        return answer

    def order(self):
        """Sequence numbers by object, as taken."""
        events = {str(id): (object_id, sequence) for id, object_id, sequence in _events()}
        found = {}
        for event_id in self.taken:
            object_id, sequence = events[event_id]
            found.setdefault(object_id, []).append(sequence)
        return found


def _events():
    return Event.objects.values_list("id", "object_id", "sequence")


def rough():
    """A receiver at its worst; a clock that is off shows as a 400 for a signature that is too old."""
    dice = random.Random(7)
    redirect = (307, {"location": "http://169.254.169.254/latest/meta-data"}, b"")
    answers = [200, 200, 200, 200, "endless", 500, 400, "reset", (429, {"retry-after": "1"}, b""), redirect]

    def mood():
        if dice.random() < 0.02:
            time.sleep(1.5)
        return "drip" if dice.random() < 0.01 else dice.choice(answers)

    return mood


def torment(stage, writer):
    """One thing after the other breaks while the writer writes."""
    counts, number = Counter(), itertools.count(1)
    workers, beats = ["worker0"], deque(["beat0", "beat1"])

    def kill_worker():
        stage.kill(workers.pop(0))

    def start_worker():
        workers.append(f"worker{next(number)}")
        stage.worker(workers[-1])

    def restart_redis():
        stage.redis.kill()
        time.sleep(0.5)
        stage.redis.start()

    def change_beat():
        beats.rotate(1)
        stage.kill(beats[0])
        stage.beat(beats[0])

    start_worker()
    acts = [kill_worker, start_worker, stage.cut_connections, stage.redis.client.flushall, restart_redis, change_beat]
    for act in itertools.cycle(acts):
        if writer.poll() is not None and counts["change_beat"] >= 2:
            return counts
        act()
        counts[getattr(act, "__name__", "flushall")] += 1
        time.sleep(1.2)
    return counts


def test_every_event_arrives_with_its_id_and_in_order(account, webhook, tmp_path, capsys):
    _, authority = certificates.make(tmp_path, host="authority")
    right, _ = certificates.make(tmp_path, host="localhost", issuer=authority)
    (tmp_path / "wrong").mkdir()
    wrong, _ = certificates.make(tmp_path / "wrong", host="localhost")
    steady, moody, secure = Integrator(), Integrator(rough()), Integrator()
    started = time.monotonic()
    with (
        Receiver(steady) as one,
        Receiver(moody) as two,
        Stage(tmp_path, OUTBOUND_CA_FILE=str(tmp_path / "authority-1.pem")) as stage,
    ):
        distrusted = Receiver(secure, certificate=wrong)
        for integrator, url in ((steady, one.url), (moody, two.url), (secure, distrusted.url)):
            integrator.secret = endpoints.secret_of(webhook(url))
        for number in range(2):
            stage.beat(f"beat{number}")
        stage.worker("worker0")
        with distrusted:
            with stage.writer(account.pk, USERS, CHANGES) as writer:
                counts = torment(stage, writer)
            assert writer.returncode == 0
        assert secure.taken == []
        stormed = time.monotonic() - started
        moody.mood = lambda: 200
        with Receiver(secure, certificate=right, port=distrusted.port):
            until(lambda: not Delivery.objects.exclude(status="SENT").exists(), 90, "all deliveries")
        assert Heartbeat.objects.filter(name="beat").count() == 1
    figures = {
        "events": Event.objects.count(),
        "attempts": DeliveryAttempt.objects.count(),
        "storm": f"{stormed:.0f} s",
        "until all arrived": f"{time.monotonic() - started:.0f} s",
        **{
            f"{name} taken twice": len(it.taken) - EVENTS
            for name, it in zip("abc", (steady, moody, secure), strict=True)
        },
        "refused": dict(moody.refused),
        "faults": dict(counts),
    }
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")
    ids = {str(id) for id, _, _ in _events()}
    assert len(ids) == EVENTS
    for integrator in (steady, moody, secure):
        assert set(integrator.taken) == ids
        assert all(sequences == sorted(sequences) for sequences in integrator.order().values())
