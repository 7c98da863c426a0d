"""The sender: keeps many callbacks under way at once, so that none waits for another's receiver.

One thread owns the database: it claims, and it settles in batches. The requests run in threads that never touch the
database. An endpoint's *window* is how many of its requests may be under way: it begins small, grows with every receipt
and falls to one with every failure. So a receiver that hangs holds a few of the process's slots, and the rest are for
the others. Free slots are dealt one by one, in turn, to accounts and to their endpoints; the last quarter only to
endpoints with nothing under way.

The first look is made at once, and further ones no sooner than PACE after the one before: under load what came
meanwhile is claimed, and settled, together. A sender that is told of work (`reuseid.services.standby`) looks when it
is told or an answer came, and waits for a while for more when nothing is left; any other looks by itself, and ends.
"""

import itertools
import logging
import os
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, connection

from reuseid.services import standby
from reuseid.services.webhooks import deliveries, outbox
from reuseid.services.webhooks.attempts import attempt
from reuseid.services.webhooks.claims import Outcome

log = logging.getLogger(__name__)

FIRST_WINDOW = 2
CANDIDATES = 500
POLL = 0.1  # seconds between two looks for what nobody tells of
PACE = 0.02  # seconds between two looks: what one more callback waits for at most, so that several are one statement
LINGER = 1  # whole seconds without anything to do after which a run ends
PATIENCE = 10  # seconds for which a settlement is tried again when the database is away


@cache
def _threads(pid, slots):
    """The request threads of this process; a forked child (``pid``) makes its own."""
    return ThreadPoolExecutor(slots, thread_name_prefix="callback")


def share(free: int, wants: dict) -> Counter:
    """Deal ``free`` slots in turn: one to each account, within it to one endpoint after the other.

    ``wants`` maps (account, endpoint) to the slots that the endpoint may still take.
    """
    dealt: Counter[UUID] = Counter()
    by_account: dict[UUID, list[tuple[UUID, int]]] = {}
    for (account, endpoint), room in wants.items():
        by_account.setdefault(account, []).append((endpoint, room))
    rounds = [
        itertools.cycle([(account, *entry) for entry in random.sample(entries, len(entries))])
        for account, entries in by_account.items()
    ]
    left = {account: sum(room for _, room in entries) for account, entries in by_account.items()}
    random.shuffle(rounds)
    while free and any(left.values()):
        for turn in rounds:
            account, endpoint, room = next(turn)
            while left[account] and dealt[endpoint] >= room:
                account, endpoint, room = next(turn)
            if left[account] and free:
                dealt[endpoint] += 1
                left[account] -= 1
                free -= 1
    return dealt


def deal(free: int, reserve: int, wants: dict, idle: Collection[UUID]) -> Counter:
    """`share`, but the last ``reserve`` slots are dealt one each to endpoints with nothing under way (``idle``).

    However many receivers hang at once, one that answers still gets its turn.
    """
    dealt = share(max(0, free - reserve), wants)
    waiting = {key: 1 for key in wants if key[1] in idle and not dealt[key[1]]}
    return dealt + share(min(free - dealt.total(), reserve), waiting)


class Sender:
    """What one process has under way. `run` is called by one thread at a time.

    ``windows`` (endpoint id → requests that may be under way) is what earlier runs learnt.
    """

    def __init__(self, windows: dict | None = None, runner: standby.Runner | None = None) -> None:
        self._runner = runner or standby.Runner(outbox.SEND)
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._flying: dict[UUID, UUID] = {}  # delivery id → endpoint id
        self._windows = {} if windows is None else windows
        self._looked = 0.0  # when
        self._away_since: float | None = None
        self._left = False  # nobody collects any more: who finishes settles
        self._lock = threading.Lock()

    def run(self, seconds: float) -> bool:
        """Send what is due for at most ``seconds``; True when nothing is due any more.

        What is still under way when the time is over settles itself, in its own thread.
        """
        end = time.monotonic() + seconds
        stays = self._runner.noted
        try:
            while time.monotonic() < end:
                outcomes = self._collect()
                self._settle(outcomes)
                self._runner.keep()
                claimed = self._try_to_fill() if self._has_reason_to_look(outcomes) else 0
                stays = stays or bool(claimed)
                idle = not claimed and not self._flying and not outcomes
                if idle and not (stays and self._runner.wait(LINGER)):
                    return True
            return False
        finally:
            self._leave()

    def _has_reason_to_look(self, outcomes):
        told = self._runner.take_note()
        return told or outcomes or not self._flying or time.monotonic() - self._looked > LINGER

    def _collect(self):
        """What came back, at the next look's time; where nothing does, a told sender waits no longer than for that."""
        outcomes = []
        if self._flying:
            with suppress(queue.Empty):
                outcomes.append(self._done.get(timeout=PACE if self._runner.attends else POLL))
        time.sleep(max(0.0, self._looked + PACE - time.monotonic()))
        with suppress(queue.Empty):
            while True:
                outcomes.append(self._done.get_nowait())
        for outcome in outcomes:
            self._landed(outcome)
        return outcomes

    def _landed(self, outcome):
        endpoint_id = outcome.claim.endpoint_id
        self._flying.pop(outcome.claim.delivery_id, None)
        window = self._windows.get(endpoint_id, FIRST_WINDOW)
        self._windows[endpoint_id] = min(window + 1, settings.CALLBACK_ENDPOINT_SLOTS) if outcome.good else 1

    def _try_to_fill(self):
        """A database that is away for a moment (restart, fail-over, deadlock) ends a run only after a while."""
        try:
            claimed = self._fill()
            self._away_since = None
            return claimed
        except (DatabaseError, InterfaceError):
            now = time.monotonic()
            self._away_since = self._away_since or now
            if connection.in_atomic_block or now - self._away_since > PATIENCE:
                raise
            log.warning("The database is not reached; trying again.")
            connection.close()
            time.sleep(0.2)
            return 1

    def _fill(self) -> int:
        """Claim and send as much as there are slots for."""
        self._looked = time.monotonic()
        free = settings.CALLBACK_SLOTS - len(self._flying)
        if free <= 0:
            return 0
        under_way = Counter(self._flying.values())
        full = [pk for pk, count in under_way.items() if count >= self._windows.get(pk, FIRST_WINDOW)]
        claims = deliveries.claim_due(partial(self._deal, free, under_way), without=full, limit=CANDIDATES)
        for claim in claims:
            self._flying[claim.delivery_id] = claim.endpoint_id
            _threads(os.getpid(), settings.CALLBACK_SLOTS).submit(self._send, claim)
        return len(claims)

    def _deal(self, free, under_way, candidates):
        endpoints = {endpoint.pk: endpoint for endpoint in candidates}
        rooms = {(e.account_id, e.pk): room for e in candidates if (room := self._room(e, under_way)) > 0}
        dealt = deal(free, settings.CALLBACK_SLOTS // 4, rooms, idle=endpoints.keys() - under_way.keys())
        return {endpoints[pk]: slots for pk, slots in dealt.items()}

    def _room(self, endpoint, under_way):
        if endpoint.open_until is not None:
            return 1
        window = 1 if endpoint.consecutive_failures else self._windows.get(endpoint.pk, FIRST_WINDOW)
        return window - under_way[endpoint.pk]

    def _send(self, claim):
        outcome = attempt(claim)
        with self._lock:
            if not self._left:
                self._done.put(outcome)
                return
        try:
            self._settle([outcome])
        finally:
            connection.close()

    def _settle(self, outcomes):
        """Settle, trying again for a while; beyond that the leases end and the attempts are made anew.

        What the database will not take for what it holds is settled alone, so that it keeps back no other.
        """
        until = time.monotonic() + PATIENCE
        while outcomes:
            try:
                deliveries.settle(outcomes)
                return
            except (DataError, IntegrityError):
                if len(outcomes) == 1:
                    log.exception("Delivery %s could not be settled.", outcomes[0].claim.delivery_id)
                    return
                for outcome in outcomes:
                    self._settle([outcome])
                return
            except (DatabaseError, InterfaceError):
                if connection.in_atomic_block or time.monotonic() > until:
                    log.exception("%d attempts could not be settled; they will be made anew.", len(outcomes))
                    return
                connection.close()
                time.sleep(0.2)

    def _leave(self):
        with self._lock:
            self._left = True
        outcomes = []
        while not self._done.empty():
            outcomes.append(self._done.get())
        self._settle(outcomes)


_running = threading.Lock()
_again = threading.Event()
_windows: dict[UUID, int] = {}


def send_owed() -> bool:
    """Send what is owed for CALLBACK_RUN seconds at most; False when somebody is to be sent for more.

    Once at a time in a process: who comes while another thread sends makes that one look again.
    """
    _again.set()
    while _again.is_set() and _running.acquire(blocking=False):
        try:
            _again.clear()
            if len(_windows) > 10_000:
                _windows.clear()
            if _run():
                return False
        finally:
            _running.release()
    return True


def _run():
    runner, finished = standby.Runner(outbox.SEND), True
    runner.begin()
    try:
        finished = Sender(_windows, runner).run(settings.CALLBACK_RUN)
    finally:
        more = runner.end(more=not finished)
    return more
