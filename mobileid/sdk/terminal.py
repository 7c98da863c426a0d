"""Asking and showing for the terminal authenticator: what a person types, and what reaches the screen."""

import getpass
import sys
from collections.abc import Callable
from datetime import datetime

from mobileid.sdk.challenge import Challenge
from mobileid.sdk.device import Status
from mobileid.sdk.errors import (
    DeviceUnusable,
    InputInvalid,
    MessageInvalid,
    MobileIdError,
    OperationClosed,
    TransportError,
)
from mobileid.sdk.pin import PinRules, is_weak

TRIES = 3
"""How often one command asks for the same thing."""


def visible(text: str) -> str:
    """No control character reaches the terminal, where it could overwrite what is shown."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\u{ord(c):04x}" for c in text)


def when(moment: str | datetime) -> str:
    """A time (RFC 3339 when text) by this computer's clock and zone, with the date unless it is today's."""
    try:
        then = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError:
        return visible(str(moment))
    then = then.astimezone()
    today = then.date() == datetime.now(then.tzinfo).date()
    return f"{then:%H:%M:%S}" if today else f"{then:%Y-%m-%d %H:%M:%S}"


def warn(text: str) -> None:
    """Beside the output, so that a script which reads that is not confused."""
    print(text, file=sys.stderr)


# --- asking -------------------------------------------------------------------------------------------------


def ask(prompt: str) -> str:
    """One line; `InputInvalid` when there is nobody."""
    return _answer(input, prompt).strip()


def confirm(question: str) -> bool:
    """Whether the answer is yes; anything else is no."""
    return ask(f"{question} [y/N] ").lower() in ("y", "yes")


def hidden(prompt: str) -> str:
    """One line that the screen does not show."""
    return _answer(getpass.getpass, prompt)


def _answer(read: Callable[[str], str], prompt: str) -> str:
    try:
        return read(prompt)
    except EOFError:
        warn("")
        raise InputInvalid("There is nobody to ask.") from None


def new_pin(rules: PinRules) -> str:
    """A PIN within the rules, typed twice; a slip is asked again."""
    digits = "digits" if rules.type.lower() == "numeric" else "characters"
    for attempt in range(1, TRIES + 1):
        try:
            return _twice(rules, f"New PIN ({rules.min_length} to {rules.max_length} {digits}): ")
        except InputInvalid as error:
            if attempt == TRIES:
                raise
            warn(str(error))
    raise AssertionError("the last try returns or raises")


def _twice(rules: PinRules, prompt: str) -> str:
    pin = hidden(prompt)
    rules.check(pin)
    if is_weak(pin):
        warn("This PIN is among the first that a thief would try.")
    if hidden("New PIN again: ") != pin:
        raise InputInvalid("The two PINs differ.")
    return pin


# --- showing ------------------------------------------------------------------------------------------------


def show(challenge: Challenge) -> None:
    """Exactly what is signed by approving."""
    print(f"{challenge.type}  {challenge.operation_id}  until {when(challenge.expires_at)}\n")
    if challenge.title:
        print(f"  {visible(challenge.title)}\n")
    if challenge.text is None:
        print(f"  {visible(challenge.mime_type)}, {len(challenge.data)} bytes\n")
    elif challenge.text:
        print("\n".join(f"  {visible(line)}" for line in challenge.text.splitlines()) + "\n")
    elif not challenge.title:
        print("  (It says nothing of what it is for.)\n")


def tries_left(status: Status) -> str:
    """After a wrong PIN."""
    count = status.attempts_left
    return f"Not accepted. {count} {'try' if count == 1 else 'tries'} left."


def explain(error: MobileIdError, server: str = "") -> str:
    """What went wrong, for a person, and its code, for whoever helps; what was typed needs no code.

    `server` is the address that was asked: whoever has mistaken a port sees it.
    """
    text = str(error)
    if isinstance(error, DeviceUnusable) and error.state:
        until = f" until {when(error.locked_until)}" if error.locked_until else ""
        text = f"This phone cannot be used: {visible(error.state)}{until}."
    elif isinstance(error, OperationClosed) and error.state:
        text = f"The request is over: {visible(error.state)}."
    elif isinstance(error, MessageInvalid) and error.field:
        text = f"The service refused {visible(error.field)}."
    if isinstance(error, TransportError) and server not in text:
        text += f" Asked was {server}."
    if isinstance(error, TransportError) and error.may_have_acted:
        text += " Whether it was done is not known."
    again = f" Try again in {error.retry_after:.0f} s." if error.retry_after else ""
    return f"{visible(text)}{again}" + ("" if isinstance(error, InputInvalid) else f" ({error.code})")
