"""Private keys leave a process's memory when their time is over, though nobody asks for them again."""

import gc
import weakref

import pytest

from mobileid.models import ChannelKey
from mobileid.services.keys import channel, expiring, signing
from mobileid.services.keys.expiring import Expiring
from tests.device_factories import make_application


class Hand:
    """A clock that is moved by hand, and the timers that it has to ring."""

    def __init__(self):
        self.now, self.set = 1000.0, []

    def timer(self, seconds, call):
        made = Timer(self, self.now + seconds, call)
        self.set.append(made)
        return made

    def move(self, seconds):
        end = self.now + seconds
        while due := [timer for timer in self.set if timer.started and timer.at <= end]:
            first = min(due, key=lambda timer: timer.at)
            self.set.remove(first)
            self.now = first.at
            first.call()
        self.now = end


class Timer:
    def __init__(self, hand, at, call):
        self.hand, self.at, self.call, self.started = hand, at, call, False

    def start(self):
        assert self.daemon
        self.started = True

    def cancel(self):
        if self in self.hand.set:
            self.hand.set.remove(self)


class Secret:
    pass


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def kept(hand):
    return Expiring(3, clock=lambda: hand.now, timer=hand.timer)


def test_an_entry_goes_at_its_end_by_itself(hand, kept):
    secret = Secret()
    gone = weakref.ref(secret)
    kept.put("a", secret, until=hand.now + 10)
    kept.put("b", "later", until=hand.now + 20)
    del secret
    hand.move(9)
    assert kept.get("a") is gone()
    hand.move(2)
    gc.collect()
    assert gone() is None
    assert kept.get("b") == "later"
    hand.move(10)
    assert len(kept) == 0
    assert hand.set == []


def test_a_far_end_is_looked_at_again_in_between(hand, kept):
    kept.put("a", 1, until=hand.now + 3 * expiring.LONGEST_WAIT)
    (timer,) = hand.set
    assert timer.at - hand.now == expiring.LONGEST_WAIT
    hand.move(2.5 * expiring.LONGEST_WAIT)
    assert kept.get("a") == 1
    hand.move(expiring.LONGEST_WAIT)
    assert len(kept) == 0


def test_the_oldest_makes_room_and_what_is_over_is_never_kept(hand, kept):
    for number in range(4):
        kept.put(number, str(number), until=hand.now + 10)
    assert [kept.get(number) for number in range(4)] == [None, "1", "2", "3"]
    kept.put("over", 1, until=hand.now)
    assert kept.get("over") is None
    kept.clear()
    assert hand.set == []


def test_a_forked_child_has_none(kept, hand):
    kept.put("a", 1, until=hand.now + 10)
    kept._begin()
    assert kept.get("a") is None


@pytest.mark.django_db
def test_channel_and_signing_keys_leave_the_memory_of_a_process_that_nobody_calls(account, hand, monkeypatch):
    application = make_application(account)
    row = ChannelKey.objects.first()
    hand.now = row.not_before.timestamp()
    for module, name in ((channel, "_keys"), (signing, "_loaded")):
        monkeypatch.setattr(module, name, Expiring(10, clock=lambda: hand.now, timer=hand.timer))
    monkeypatch.setattr(signing.time, "time", lambda: hand.now)
    assert channel.channel_key(application.pk, str(row.pk)).kid == str(row.pk)
    signing.current_signing_key(account.pk)
    hand.move(61)
    assert len(signing._loaded) == 0
    hand.move(channel.USABLE.total_seconds())
    assert len(channel._keys) == 0
