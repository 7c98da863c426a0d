"""The embedded broker: messages and tables of queues are whole or not there, and each message is taken once."""

import json
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue

from config import broker

QUEUE = Queue("callbacks", Exchange("callbacks"), routing_key="callbacks")


@pytest.fixture
def folder(tmp_path):
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    # What this process knows of the queues of another folder.
    broker.Transport.global_state.clear()
    return tmp_path


def connect(folder):
    options = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
    }
    return Connection(broker.URL, transport_options=options)


def send(folder, start, count):
    with connect(folder) as connection, connection.Producer() as producer:
        for number in range(start, start + count):
            producer.publish({"number": number}, exchange=QUEUE.exchange, routing_key="callbacks", declare=[QUEUE])


def take(folder):
    """All that this taker gets until the queue has been empty for a while."""
    taken, misses = [], 0
    with connect(folder) as connection, connection.SimpleQueue(QUEUE) as queue:
        while misses < 5:
            try:
                message = queue.get(timeout=0.2)
            except Empty:
                misses += 1
                continue
            taken.append(message.payload["number"])
            message.ack()
    return taken


def test_three_senders_and_three_takers_lose_nothing_and_take_nothing_twice(folder):
    each, senders = 60, 3
    context = get_context("spawn")
    processes = [context.Process(target=send, args=(folder, n * each, each)) for n in range(senders)]
    for process in processes:
        process.start()
    with ThreadPoolExecutor(3) as takers:
        taken = [number for future in [takers.submit(take, folder) for _ in range(3)] for number in future.result()]
    for process in processes:
        process.join(60)
    taken += take(folder)
    assert sorted(taken) == list(range(each * senders))


def test_a_message_that_cannot_be_read_is_dropped_and_the_next_one_comes(folder):
    (folder / "queue" / "0_x.callbacks.msg").write_text("")
    send(folder, 7, 1)
    assert take(folder) == [7]
    assert list((folder / "queue").iterdir()) == []


def test_messages_come_in_the_order_in_which_they_were_sent(folder):
    send(folder, 0, 20)
    assert take(folder) == list(range(20))


def test_queues_bound_at_the_same_time_are_all_bound(folder):
    def bind(number):
        with connect(folder) as connection:
            Queue(f"q{number}", Exchange("shared"), routing_key="k")(connection.default_channel).declare()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bind, range(24)))
    table = json.loads((folder / "control" / "shared.exchange").read_text())
    assert sorted(queue for _, _, queue in table) == sorted(f"q{number}" for number in range(24))
