"""Lost requests and answers, wrong clocks, rotated keys: nothing happens twice, nothing is left undone."""

import random

import httpx
import pytest

from mobileid.protocol import wire
from mobileid.sdk import errors, transport
from mobileid.sdk.device import Device
from mobileid.sdk.keystore import MemoryStore
from mobileid.sdk.transport import Answer

from .conftest import PIN
from .rows import Problem
from .service import NOW

pytestmark = pytest.mark.usefixtures("cheap_pins")


def test_a_lost_answer_is_asked_for_again_with_the_very_same_message(service, device):
    operation = service.add()
    challenge = device.start_operation(operation)
    service.seen.clear()
    service.lose_answers = 1
    assert challenge.approve(pin=PIN).state == "COMPLETED"
    first, second = service.seen
    assert first == second


def test_retries_wait_longer_each_time_and_end(service, device, clock):
    clock.slept.clear()
    service.lose_requests = transport.TRIES
    with pytest.raises(errors.ConnectionFailed):
        device.status()
    assert len(clock.slept) == transport.TRIES - 1
    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(clock.slept))


def test_an_approval_whose_answers_were_all_lost_can_be_asked_for_again(service, device):
    challenge = device.start_operation(service.add())
    service.lose_answers = transport.TRIES
    with pytest.raises(errors.ConnectionFailed):
        challenge.approve(pin=PIN)
    assert challenge.approve(pin="0000").state == "COMPLETED", "the first approval, not a second one"


def test_a_wrong_pin_whose_answer_was_lost_is_counted_once(service, device):
    challenge = device.start_operation(service.add())
    service.lose_answers = transport.TRIES + 2
    with pytest.raises(errors.ConnectionFailed):
        challenge.approve(pin="0000")
    with pytest.raises(errors.AuthenticationFailed):
        challenge.approve(pin=PIN)
    assert service.phones[device.device_id].failures == 1


def test_a_registration_whose_answers_were_all_lost_ends_with_one_device(service, store, line):
    offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
    service.lose_answers = transport.TRIES
    with pytest.raises(errors.ConnectionFailed):
        offer.finish(pin=PIN, name="Ann's phone")
    done = offer.finish(pin=PIN, name="Ann's phone")
    assert list(service.phones) == [done.device.device_id]


def test_with_a_fifth_of_all_answers_lost_nothing_is_counted_twice(service, device):
    dice = random.Random(5)
    judged = service.post

    def lossy(path, body):
        service.lose_answers = dice.random() < 0.2
        return judged(path, body)

    service.post = lossy
    operations = [service.add() for _ in range(12)]
    for number, operation in enumerate(operations):
        challenge = device.start_operation(operation)
        if number % 3 == 0:
            with pytest.raises(errors.AuthenticationFailed):
                challenge.approve(pin="0000")
            assert service.phones[device.device_id].failures == 1
            challenge.restart()
        assert challenge.approve(pin=PIN).state == "COMPLETED"
    assert service.phones[device.device_id].failures == 0
    messages = {wire.loads_strict(body)["ct"] for body in service.seen}
    assert len(service.seen) > len(messages), "some were sent again"


@pytest.mark.parametrize("hours", [-5, 3])
def test_a_wrong_clock_is_learned_from_the_sealed_answer_and_the_message_signed_anew(service, device, clock, hours):
    clock.time = NOW + hours * 3600
    service.now = NOW + 100
    challenge = device.start_operation(service.add())
    assert challenge.approve(pin=PIN).state == "COMPLETED"
    assert abs(device.channel.now() - service.now) < 1


def test_a_clock_that_stays_wrong_is_an_error_and_not_a_loop(service, device):
    service.now = NOW + 1000
    service._judge = lambda request: pytest.fail("never fresh")
    frozen = service.now
    service._once = lambda request: wire.dumps(
        {"status": 400, "problem": {"code": "clock-skew", "serverTime": int(frozen * 1000)}}
    )
    with pytest.raises(errors.ClockSkew):
        device.status()


def test_a_registration_with_a_wrong_clock_shows_the_code_of_the_statement_that_counted(service, store, line, clock):
    service.confirm = True
    clock.time = NOW - 1000
    offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
    offer._channel._offset_ms = 0
    assert offer.finish(pin=PIN, name="Ann's phone").state == "PENDING"


def test_a_rotated_channel_key_is_fetched_and_the_same_message_sealed_to_it(service, device):
    challenge = device.start_operation(service.add())
    service.keys.clear()
    service.add_key("k2", 2)
    service.now += 1
    fetched = service.key_documents
    assert challenge.approve(pin=PIN).state == "COMPLETED"
    assert service.key_documents == fetched + 1


def test_a_key_that_stays_unknown_is_an_error_after_one_retry(service, device):
    service.post = lambda path, body: Answer(409, {}, b"{}")
    fetched = service.key_documents
    with pytest.raises(errors.KeyUnknown):
        device.status()
    assert service.key_documents == fetched + 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.EnvelopeRefused),
        (408, errors.ServiceUnavailable),
        (413, errors.TooLarge),
        (429, errors.RateLimited),
        (503, errors.ServiceUnavailable),
        (302, errors.UnexpectedAnswer),
        (500, errors.UnexpectedAnswer),
    ],
)
def test_outer_answers_are_typed_errors(service, device, status, expected):
    service.post = lambda path, body: Answer(status, {"retry-after": "7"}, b"<html>")
    with pytest.raises(expected) as caught:
        device.status()
    if status in (429, 503):
        assert caught.value.retry_after == 7


@pytest.mark.parametrize("code", sorted(errors.BY_CODE))
def test_each_inner_code_is_its_own_error(service, device, code):
    problem = {"code": code, "title": "t", "field": "name", "state": "LOCKED", "retryAfter": 3}
    service._once = lambda request: wire.dumps({"status": 400, "problem": problem})
    with pytest.raises(errors.BY_CODE[code]) as caught:
        device.status()
    assert (caught.value.code, caught.value.code_from_service, caught.value.retry_after) == (code, code, 3)


def test_a_code_of_a_later_version_is_still_a_service_error(service, device):
    service._once = lambda request: wire.dumps({"status": 400, "problem": {"code": "new", "title": "New."}})
    with pytest.raises(errors.ServiceError, match="New") as caught:
        device.status()
    assert caught.value.code_from_service == "new"


class Crash(Exception):
    """The phone's battery."""


class CrashingStore(MemoryStore):
    """Dies before or after one of its writes; `left` counts down."""

    left = -1
    after = False

    def _changed(self):
        self.left -= 1
        if self.left == 0 and self.after:
            raise Crash

    def write(self, name, record):
        if self.left == 1 and not self.after:
            raise Crash
        super().write(name, record)


class CrashingLine:
    """Dies before or after one of its messages."""

    def __init__(self, service, left, after):
        self.service, self.left, self.after = service, left, after
        self.get = service.get

    def post(self, path, body):
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Crash
        answer = self.service.post(path, body)
        if self.left == 0:
            raise Crash
        return answer


@pytest.mark.parametrize("later", [0, 601], ids=["at once", "after the hand-over"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("left", [1, 2])
@pytest.mark.parametrize("dying", ["store", "line"])
def test_a_crash_at_any_step_of_a_pin_change_leaves_exactly_one_pin_that_works(
    service, line, clock, dying, left, after, later
):
    store = CrashingStore()
    Device.start_registration(service.config, "abcd-2345-wxyz", store, **line).finish(pin=PIN, name="Ann's phone")
    if dying == "store":
        store.left, store.after = left, after
        device = Device.load(store, **line)
    else:
        device = Device.load(store, **line | {"transport": CrashingLine(service, left, after)})
    with pytest.raises(Crash):
        device.change_pin(PIN, "9713")
    store.left = -1
    clock.time = service.now = NOW + later
    again = Device.load(store, **line)
    working = []
    for pin in (PIN, "9713"):
        challenge = again.start_operation(service.add())
        try:
            challenge.approve(pin=pin)
            working.append(pin)
        except errors.AuthenticationFailed:
            pass
    assert len(working) == 1


def test_an_unsettled_change_blocks_the_next_one_until_it_can_no_longer_arrive(service, device, store, line, clock):
    broken = CrashingLine(service, 2, False)
    with pytest.raises(Crash):
        Device.load(store, **line | {"transport": broken}).change_pin(PIN, "9713")
    again = Device.load(store, **line)
    with pytest.raises(errors.PinChangeUnsettled) as caught:
        again.change_pin(PIN, "8624")
    assert 0 < caught.value.retry_after <= 240, "the challenge's two minutes, and two for a clock that is off"
    clock.time = service.now = NOW + 241
    again.change_pin(PIN, "8624")
    assert again.start_operation(service.add()).approve(pin="8624").state == "COMPLETED"


def test_a_change_refused_for_a_wrong_old_pin_leaves_nothing_behind(service, device):
    with pytest.raises(errors.AuthenticationFailed):
        device.change_pin("0000", "9713")
    device.change_pin(PIN, "9713")
    assert device.start_operation(service.add()).approve(pin="9713").state == "COMPLETED"


@pytest.mark.parametrize(
    ("broken", "sent"),
    [(httpx.ConnectError, False), (httpx.ConnectTimeout, False), (httpx.ReadTimeout, True), (httpx.ReadError, True)],
)
def test_a_transport_says_whether_the_request_can_have_left(broken, sent):
    def refuse(request):
        raise broken("no")

    client = httpx.Client(transport=httpx.MockTransport(refuse))
    with pytest.raises(errors.ConnectionFailed) as caught:
        transport.HttpTransport("https://id.example.com", client=client).post("/", b"{}")
    assert caught.value.sent is sent


def refusing(service, device, *, sent, times=1):
    """The line breaks for the next messages, before they leave or after; then the copy is refused."""
    judged, left = service.post, [times]

    def post(path, body):
        if path.endswith("pin/change"):
            if left[0]:
                left[0] -= 1
                error = errors.ConnectionFailed()
                error.sent = sent
                raise error
            service._judge = lambda request: (_ for _ in ()).throw(Problem(429, "rate-limited", retryAfter=3))
        return judged(path, body)

    service.post = post


@pytest.mark.parametrize("sent", [False, True])
def test_a_refusal_is_the_outcome_only_when_no_copy_before_it_can_have_arrived(service, device, store, sent):
    refusing(service, device, sent=sent)
    with pytest.raises(errors.RateLimited) as refused:
        device.change_pin(PIN, "9713")
    assert refused.value.may_have_acted is sent
    assert (store.read("device")["pending"] is not None) is sent


@pytest.mark.parametrize("status", [429, 409, 413, 400])
def test_an_outer_refusal_says_that_the_copy_was_not_opened(service, device, store, status):
    service.post = lambda path, body: Answer(status, {}, b"{}")
    with pytest.raises(errors.MobileIdError) as refused:
        device.deactivate()
    assert not refused.value.may_have_acted


@pytest.mark.parametrize("status", [200, 500, 503])
def test_an_answer_that_nobody_can_read_leaves_the_outcome_open(service, device, status):
    service.post = lambda path, body: Answer(status, {}, b"<html>")
    with pytest.raises(errors.MobileIdError) as refused:
        device.deactivate()
    assert refused.value.may_have_acted
