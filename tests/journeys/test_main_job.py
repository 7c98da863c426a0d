"""The main job through real processes: a bank, its customer's phone, and what may go wrong between them."""

import signal

import pytest

from config.demo import play
from config.demo.integrator import Refused
from mobileid.sdk.device import Device
from mobileid.sdk.errors import AuthenticationFailed, ConnectionFailed, DeviceUnusable
from mobileid.sdk.transport import HttpTransport

# Real processes take their time on a busy machine.
pytestmark = pytest.mark.timeout(300)
WRONG_PIN = "280451"


class LosingAnswers(HttpTransport):
    """Delivers each message and loses the answer to the first of each path in `lost`."""

    def __init__(self, server, *lost):
        super().__init__(server)
        self.lost = set(lost)
        self.sent = []

    def post(self, path, body):
        answer = super().post(path, body)
        self.sent.append((path, body))
        if path in self.lost:
            self.lost.remove(path)
            raise ConnectionFailed
        return answer


def log_in_request(scene, **properties):
    context = {"title": "Log in", "mimeType": "text/plain", "content": "Log in to your bank?"}
    return play.ask(scene, "authentications", preOperationContext=context, **properties)["operationId"]


def status_of(scene, operation_id):
    return scene.bank.get(f"/mobileid/core/authentications/{operation_id}")


def events_about(scene, operation_id):
    events = scene.bank.get("/mobileid/core/events", limit=100)["results"]
    return [event["type"] for event in events if event["data"].get("operationId") == operation_id]


def test_register_log_in_pay_and_sign_each_told_by_a_signed_callback(installation, receiver):
    account = installation.create_account("Main Job Bank")
    said = []
    scene = play.play(account, receiver, installation.running.wait, lambda *line: said.append(line))
    assert [sentence for _, sentence, _ in said] == [step.__doc__ for step in play.STEPS]
    assert [ended["type"] for ended in scene.ended.values()] == [
        "registration",
        "authentication",
        "authentication",
        "signature",
    ]
    assert receiver.refused == []


@pytest.mark.faults
def test_a_worker_killed_before_the_delivery_whose_wakeup_is_lost_too_loses_no_callback(installation, scene):
    installation.running.stop("worker", signal.SIGKILL)
    try:
        operation_id = log_in_request(scene)
        play.answer(scene, operation_id, "Log in")
        assert status_of(scene, operation_id)["state"] == "COMPLETED"
        assert not scene.wait(1, lambda: scene.receiver.find("authentication.completed", operation_id))
        assert installation.lose_wakeups()
    finally:
        installation.start("worker")
    assert scene.wait(play.CALLBACK_SECONDS, lambda: scene.receiver.find("authentication.completed", operation_id))
    assert scene.receiver.find("authentication.completed", operation_id).data == status_of(scene, operation_id)


@pytest.mark.faults
def test_a_web_server_killed_while_a_request_is_open_leaves_it_open(installation, scene):
    operation_id = log_in_request(scene)
    installation.running.stop("web server", signal.SIGKILL)
    installation.start("web server")
    assert installation.running.wait(30, installation.is_ready)
    play.answer(scene, operation_id, "Log in")
    assert status_of(scene, operation_id)["state"] == "COMPLETED"


def test_a_phone_that_lost_the_answer_asks_again_and_nothing_happens_twice(scene):
    operation_id = log_in_request(scene)
    with LosingAnswers(scene.bank.account.server, "/mobileid/device/v1/operations/finish") as transport:
        phone = Device.load(scene.phone.store, transport=transport, sleep=lambda _: None)
        assert phone.start_operation(operation_id).approve(pin=play.PIN).state == "COMPLETED"
    finishes = [body for path, body in transport.sent if path.endswith("operations/finish")]
    assert len(finishes) == 2
    assert finishes[0] == finishes[1]
    assert events_about(scene, operation_id) == ["authentication.completed"]
    assert scene.phone.status().attempts_left == 5


def test_five_wrong_pins_lock_the_phone_and_the_right_one_no_longer_helps(scene):
    operation_id = log_in_request(scene)
    challenge = scene.phone.start_operation(operation_id)
    for number in range(5):
        if number:
            challenge.restart()
        with pytest.raises(AuthenticationFailed):
            challenge.approve(pin=WRONG_PIN)
    with pytest.raises(DeviceUnusable):
        challenge.restart()
    device = scene.bank.get(f"/mobileid/core/devices/{scene.phone.device_id}")
    assert (device["state"], device["failedAttempts"]) == ("LOCKED", 5)
    assert device["lockedUntil"]
    assert status_of(scene, operation_id)["state"] != "COMPLETED"
    assert scene.wait(
        play.CALLBACK_SECONDS,
        lambda: any(
            one.type == "device.locked" and one.data["deviceId"] == scene.phone.device_id
            for one in list(scene.receiver.callbacks.values())
        ),
    )


def test_one_wrong_pin_counts_and_a_right_one_forgives(scene):
    challenge = scene.phone.start_operation(log_in_request(scene))
    with pytest.raises(AuthenticationFailed):
        challenge.approve(pin=WRONG_PIN)
    assert scene.phone.status().attempts_left == 4
    assert challenge.restart().approve(pin=play.PIN).state == "COMPLETED"
    assert scene.phone.status().attempts_left == 5


def test_another_accounts_ids_are_not_found_and_nothing_can_be_done_to_them(scene, stranger):
    operation_id = log_in_request(scene)
    user, device = f"/reuseid/core/users/{scene.user['userId']}", f"/mobileid/core/devices/{scene.phone.device_id}"
    operation = f"/mobileid/core/authentications/{operation_id}"
    endpoint = f"/mobileid/core/webhooks/{scene.endpoint['id']}"
    reason = {"reason": "SUSPECTED_FRAUD"}
    tries = [
        *(lambda path=path: stranger.get(path) for path in (user, device, operation, endpoint)),
        *(lambda path=path: stranger.post(f"{path}/lock", reason) for path in (user, device)),
        lambda: stranger.post(f"{operation}/cancel"),
        lambda: stranger.delete(endpoint),
        lambda: stranger.post("/mobileid/core/registrations", {"userId": scene.user["userId"]}),
    ]
    for attempt in tries:
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.status == 404, refusal.value
    play.answer(scene, operation_id, "Log in")
    assert status_of(scene, operation_id)["state"] == "COMPLETED"
    assert scene.bank.get(device)["state"] == "ACTIVE"
