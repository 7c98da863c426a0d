"""Look-ups of names that never outlast their caller and never use up the threads of the others.

The system's resolver takes no deadline: a name server that is silent holds it for half a minute. So each look-up has a
thread of its own, which its callers leave behind when their time is over. How many there may be is bounded, in all and
for each caller's account; who asks for a name that is being asked for shares that answer.
"""

import threading
from collections import Counter
from concurrent.futures import Future

from reuseid.addresses import is_literal, resolve

AT_ONCE = 256
OF_ONE_ACCOUNT = 32

_lock = threading.Lock()
_running: dict[tuple[str, str, int], Future] = {}


def look_up(host: str, port: int, *, timeout: float, account: str = "") -> list[str]:
    """The addresses of a host within ``timeout`` seconds; raises OSError (TimeoutError, too) when there are none.

    UnicodeError where the name is none at all.
    """
    if is_literal(host):
        return resolve(host, port)
    return _share(account, host, port).result(timeout)


def under_way() -> Counter:
    """How many look-ups run, by account: those too whose callers are gone."""
    with _lock:
        return Counter(account for account, _, _ in _running)


def _share(account: str, host: str, port: int) -> Future:
    key = account, host, port
    with _lock:
        if key in _running:
            return _running[key]
        if len(_running) >= AT_ONCE or sum(1 for one in _running if one[0] == account) >= OF_ONE_ACCOUNT:
            raise OSError("Too many look-ups are under way.")
        future = _running[key] = Future()
    # A daemon: one that hangs does not keep the process from ending.
    threading.Thread(target=_ask, args=(key, future), name="look-up", daemon=True).start()
    return future


def _ask(key, future):
    _, host, port = key
    try:
        found, error = resolve(host, port), None
    except Exception as failure:
        found, error = None, failure
    with _lock:
        del _running[key]
    if error is None:
        future.set_result(found)
    else:
        future.set_exception(error)
