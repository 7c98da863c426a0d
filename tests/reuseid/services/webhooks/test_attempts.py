"""Whatever a receiver sends, on a real socket, is an outcome that is written down; nothing holds a slot for ever."""

import contextlib
import socket
import threading
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reuseid.models import Delivery, WebhookEndpoint
from reuseid.services.webhooks import attempts, claims, deliveries
from reuseid.services.webhooks import sender as sending

pytestmark = pytest.mark.django_db
DATES = [
    "Mon, 1 Jan 99999999999 00:00:00 GMT",
    "Mon, 1 Jan 10000 00:00:00 GMT",
    "Mon, 1 Jan 0001 00:00:00 +2359",
    "Mon, 31 Dec 9999 23:59:59 -2359",
    "Mon, 1 Jan 2026 99:99:99 GMT",
    "Mon, 1 Jan 2026 00:00:00 +99999999999999",
    "Mon, 99999999999999999999 Jan 2026 00:00:00 GMT",
    "Mon, 1 Jan -5 00:00:00 GMT",
    "Mon,",
    ",",
    "-1",
    "9" * 400,
    "\u0663",
    "1e9",
    "Thu, 01 Jan 1970 00:00:00 GMT" * 20,
]


class RawReceiver:
    """Answers each connection with ``answer``, byte for byte, once it has read something, and closes."""

    def __init__(self):
        self.answer = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError):
                peer.recv(65536)
                peer.sendall(self.answer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/hook"


@pytest.fixture
def raw():
    with RawReceiver() as started:
        yield started


def claim_for(url):
    return deliveries.Claim(
        delivery_id=uuid.uuid4(),
        endpoint_id=uuid.uuid4(),
        object_id=uuid.uuid4(),
        attempt=1,
        retry=False,
        ailing=False,
        tries_left=5,
        url=url,
        message_id=str(uuid.uuid4()),
        body=b"{}",
        secrets=(b"s" * 32,),
        signing_keys=(),
    )


def is_storable(outcome):
    assert outcome.status is None or 0 <= outcome.status <= 999
    assert "\0" not in outcome.answer + outcome.error
    (outcome.answer + outcome.error).encode()
    assert len(outcome.answer) <= attempts.ANSWER_KEPT
    assert outcome.good or outcome.error
    assert 0 <= deliveries.retry_delay(outcome) <= max(deliveries.MAX_RETRY_AFTER, 1.1 * 86400)
    return True


lines = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"content-length: 5",
            b"content-length: -5",
            b"content-length: 99999999999999999999",
            b"content-encoding: gzip",
            b"content-encoding: br",
            b"transfer-encoding: chunked",
            b"transfer-encoding: gzip, chunked",
            b"location: http://169.254.169.254/",
            b"connection: upgrade",
            b"content-type: \xff\xfe",
            b"x: " + b"y" * 20000,
            *(b"retry-after: " + date.encode() for date in DATES),
        ]
    ),
)
heads = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda status: b"HTTP/1.1 %d Whatever" % status, st.integers(0, 1200)),
    st.sampled_from(
        [b"HTTP/1.1 200", b"HTTP/9.9 200 OK", b"HTTP/1.1 101 Switching", b"HTTP/1.1 +20 OK", b"ICY 200 OK"]
    ),
)
bodies = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [b"", b"\0" * 50, b"\xed\xa0\x80" * 20, b"5\r\nhello\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFFFFF\r\nx", b"-1\r\n"]
    ),
)


@given(head=heads, headers=st.lists(lines, max_size=6), body=bodies)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_an_outcome(raw, settings, head, headers, body):
    settings.CALLBACK_TIMEOUT = 2
    raw.answer = b"\r\n".join([head, *headers, b"", body])
    assert is_storable(attempts.attempt(claim_for(raw.url)))


@given(st.one_of(st.text(max_size=80), st.sampled_from(DATES)))
def test_any_retry_after_is_seconds_or_nothing(text):
    seconds = attempts.retry_after(text)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("date", DATES)
def test_an_absurd_retry_after_is_an_attempt_like_any_other(endpoint, receiver, owe, send, date):
    receiver.answers((503, {"retry-after": date.encode().decode("latin-1")}, b""))
    owe()
    assert send()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("PENDING", 1)
    assert delivery.attempt_log.get().http_status == 503
    assert WebhookEndpoint.objects.get().consecutive_failures == 1


def test_a_failure_of_our_own_while_reading_is_written_down_and_frees_its_slot(endpoint, owe, monkeypatch):
    monkeypatch.setattr(attempts, "_why", lambda status: 1 / 0)
    owe()
    sender = sending.Sender()
    assert sender.run(20)
    assert not sender._flying
    assert Delivery.objects.get().attempt_log.get().error == "failed here: ZeroDivisionError"


def test_an_outcome_that_the_database_refuses_keeps_back_no_other(endpoint, owe):
    """A time that fits no column: the others of the same settlement are written all the same."""
    first, second = owe(n=1), owe(n=2)
    taken = []
    for event in (first, second):
        row = Delivery.objects.get(event=event)
        Delivery.objects.filter(pk=row.pk).update(attempts=1)
        taken.append(claims.as_claim(endpoint, row))
    outcomes = [deliveries.Outcome(taken[0], 200, duration_ms=-1), deliveries.Outcome(taken[1], 200)]
    sending.Sender()._settle(outcomes)
    assert Delivery.objects.get(event=second).status == "SENT"
