"""Callers that each do one thing after another, by one of two clocks."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

Begin = Callable[[int], float | None]
"""Given how many a caller has done: the monotonic second from which the next one's time counts; None at the end."""


def closed(seconds: float, count: int = 0) -> Begin:
    """Each caller begins when its last one has ended, for so long, or so often where ``count`` is not 0."""
    until = time.monotonic() + seconds

    def begin(turn: int) -> float | None:
        now = time.monotonic()
        return now if (turn < count if count else now < until) else None

    return begin


def paced(rate: float, seconds: float) -> Begin:
    """``rate`` begin each second whatever the answers take. Time counts from when one was due: a queue is seen.

    (Where all callers are busy the next begins late; to count from its late begin would hide what a user waits, the
    "coordinated omission" of closed loops.)
    """
    began, lock, tickets = time.monotonic(), threading.Lock(), iter(range(int(rate * seconds)))

    def begin(_turn: int) -> float | None:
        with lock:
            number = next(tickets, None)
        if number is None:
            return None
        due = began + number / rate
        time.sleep(max(due - time.monotonic(), 0))
        return due

    return begin


def load(callers: int, begin: Begin, one: Callable[[int, int], None]) -> dict[str, Any]:
    """``one(caller, turn)`` by each caller; an error is counted and the caller goes on. What is told is JSON."""
    times: list[float] = []
    errors: Counter[str] = Counter()
    worked, began = time.process_time(), time.monotonic()

    def caller(number: int) -> None:
        turn = 0
        while (begun := begin(turn)) is not None:
            try:
                one(number, turn)
                times.append(time.monotonic() - begun)
            except Exception as error:
                errors[f"{type(error).__name__}: {error}"[:300]] += 1
            turn += 1

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended = time.monotonic()
    cpu = time.process_time() - worked
    return {"began": began, "ended": ended, "cpu": cpu, "times": times, "errors": dict(errors)}
